/* SPDX-License-Identifier: MIT */
/* An op that has no default is not there. */
#include "tests/support/badplugins/dummy.h"

static const struct weft_role_ops null_ops = {
	.size = sizeof(null_ops),
	.attach = dummy_attach,
	.detach = dummy_detach,
	.output = dummy_output,
	.ready = dummy_stream,
	.credit = dummy_credit,
	.reset = dummy_stream,
};

static const struct weft_role null_role = { .size = sizeof(null_role), .ops = &null_ops };

WEFT_PLUGIN_DEFINE(role_dummy) = {
	WEFT_PLUGIN_HEAD,
	.kind = WEFT_PLUGIN_ROLE,
	.name = "dummy",
	.version = "7.0",
	.role = &null_role,
};
