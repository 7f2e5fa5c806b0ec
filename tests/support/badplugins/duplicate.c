/* SPDX-License-Identifier: MIT */
/* A kind and a name that are linked in already. */
#include "tests/support/badplugins/dummy.h"

WEFT_PLUGIN_DEFINE(role_raw) = {
	WEFT_PLUGIN_HEAD,
	.kind = WEFT_PLUGIN_ROLE,
	.name = "raw",
	.version = "7.0",
	.role = &dummy_role,
};
