/* SPDX-License-Identifier: MIT */
/* A plugin that does not say its version. */
#include "tests/support/badplugins/dummy.h"

WEFT_PLUGIN_DEFINE(role_dummy) = {
	WEFT_PLUGIN_HEAD,
	.kind = WEFT_PLUGIN_ROLE,
	.name = "dummy",
	.role = &dummy_role,
};
