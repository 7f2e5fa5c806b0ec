/* SPDX-License-Identifier: MIT */
/* Calls a function that this Weft, being older, does not have. */
#include "tests/support/badplugins/dummy.h"

int weft_of_tomorrow(void);

static enum weft_status attach(
	const struct weft_role_attach *attach, void **state, struct weft_error *err)
{
	return weft_of_tomorrow() ? dummy_attach(attach, state, err) : WEFT_OK;
}

static const struct weft_role_ops ops = {
	.size = sizeof(ops),
	.attach = attach,
	.detach = dummy_detach,
	.input = dummy_input,
	.output = dummy_output,
	.ready = dummy_stream,
	.credit = dummy_credit,
	.reset = dummy_stream,
};

static const struct weft_role role = { .size = sizeof(role), .ops = &ops };

WEFT_PLUGIN_DEFINE(role_dummy) = {
	WEFT_PLUGIN_HEAD,
	.kind = WEFT_PLUGIN_ROLE,
	.name = "dummy",
	.version = "7.0",
	.role = &role,
};
