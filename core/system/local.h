/* SPDX-License-Identifier: MIT */
/* The end of what libraries keep with a context. */
#ifndef WEFT_CORE_SYSTEM_LOCAL_H
#define WEFT_CORE_SYSTEM_LOCAL_H

#include "weft/context.h"

void weft_context_drop_locals(struct weft_context *ctx);

#endif
