/* SPDX-License-Identifier: MIT */
/* A name that could not be a file name everywhere. */
#include "tests/support/badplugins/dummy.h"

WEFT_PLUGIN_DEFINE(role_dummy) = {
	WEFT_PLUGIN_HEAD,
	.kind = WEFT_PLUGIN_ROLE,
	.name = "Dummy/1",
	.version = "7.0",
	.role = &dummy_role,
};
