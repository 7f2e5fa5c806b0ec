/* SPDX-License-Identifier: MIT */
/* The file promises a plugin of another kind. */
#include "tests/support/badplugins/dummy.h"

WEFT_PLUGIN_DEFINE(role_dummy) = { WEFT_PLUGIN_HEAD, DUMMY_BODY };
