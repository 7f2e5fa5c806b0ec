/* SPDX-License-Identifier: MIT */
/* A descriptor that is longer than the ABI says. */
#include "tests/support/badplugins/dummy.h"

WEFT_PLUGIN_DEFINE(role_dummy) = {
	.magic = WEFT_PLUGIN_MAGIC,
	.abi = WEFT_PLUGIN_ABI,
	.size = sizeof(struct weft_plugin) + 8,
	DUMMY_BODY,
};
