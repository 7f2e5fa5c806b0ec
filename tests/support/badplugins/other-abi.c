/* SPDX-License-Identifier: MIT */
/* A plugin of a later Weft. */
#include "tests/support/badplugins/dummy.h"

WEFT_PLUGIN_DEFINE(role_dummy) = {
	.magic = WEFT_PLUGIN_MAGIC,
	.abi = WEFT_PLUGIN_ABI + 41,
	.size = sizeof(struct weft_plugin),
	DUMMY_BODY,
};
