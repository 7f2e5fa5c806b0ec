/* SPDX-License-Identifier: MIT */
/* Something else that happens to export the entry symbol. */
#include "tests/support/badplugins/dummy.h"

WEFT_PLUGIN_DEFINE(role_dummy) = {
	.magic = 0x7f454c46u,
	.abi = WEFT_PLUGIN_ABI,
	.size = sizeof(struct weft_plugin),
	DUMMY_BODY,
};
