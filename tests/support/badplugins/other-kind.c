/* SPDX-License-Identifier: MIT */
/* A kind of plugin that this Weft does not have. */
#include "tests/support/badplugins/dummy.h"

WEFT_PLUGIN_DEFINE(role_dummy) = {
	WEFT_PLUGIN_HEAD,
	.kind = (enum weft_plugin_kind)9,
	.name = "dummy",
	.version = "7.0",
	.role = &dummy_role,
};
