/* SPDX-License-Identifier: MIT */
/* Heads are copied whole into a stream's arena, so that nobody's buffer has to outlive a callback. */
#ifndef WEFT_CORE_BASE_FIELD_H
#define WEFT_CORE_BASE_FIELD_H

#include "core/base/arena.h"
#include "weft/stream.h"

/* to may be from. Field names become lower case. */
enum weft_status weft_head_copy(
	struct weft_arena *arena, struct weft_head *to, const struct weft_head *from);

#endif
