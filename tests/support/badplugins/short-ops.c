/* SPDX-License-Identifier: MIT */
/* Ops of a time when there were fewer of them. */
#include "tests/support/badplugins/dummy.h"

static const struct weft_role_ops short_ops = { .size = sizeof(short_ops) - 8, DUMMY_OPS };

static const struct weft_role short_role = { .size = sizeof(short_role), .ops = &short_ops };

WEFT_PLUGIN_DEFINE(role_dummy) = {
	WEFT_PLUGIN_HEAD,
	.kind = WEFT_PLUGIN_ROLE,
	.name = "dummy",
	.version = "7.0",
	.role = &short_role,
};
