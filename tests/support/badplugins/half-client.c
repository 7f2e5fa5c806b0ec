/* SPDX-License-Identifier: MIT */
/* A client that can be asked for room and cannot open a stream. */
#include "tests/support/badplugins/dummy.h"

static unsigned one(void *state)
{
	(void)state;
	return 1;
}

static const struct weft_role_ops half_ops = {
	.size = sizeof(half_ops),
	DUMMY_OPS,
	.capacity = one,
};

static const struct weft_role half_role = { .size = sizeof(half_role), .ops = &half_ops };

WEFT_PLUGIN_DEFINE(role_dummy) = {
	WEFT_PLUGIN_HEAD,
	.kind = WEFT_PLUGIN_ROLE,
	.name = "dummy",
	.version = "7.0",
	.role = &half_role,
};
