/* SPDX-License-Identifier: MIT */
/* A kind, and nothing of that kind. */
#include "tests/support/badplugins/dummy.h"

WEFT_PLUGIN_DEFINE(event_dummy) = {
	WEFT_PLUGIN_HEAD,
	.kind = WEFT_PLUGIN_EVENT,
	.name = "dummy",
	.version = "7.0",
	.role = &dummy_role,
};
