/* SPDX-License-Identifier: MIT */
/* A shared object like any other. */
#include "weft/base.h"

extern WEFT_API int no_plugin;
WEFT_API int no_plugin = 1;
