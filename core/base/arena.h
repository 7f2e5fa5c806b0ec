/* SPDX-License-Identifier: MIT */
/* Memory that is given piece by piece and taken back at once: a stream's heads live in one. */
#ifndef WEFT_CORE_BASE_ARENA_H
#define WEFT_CORE_BASE_ARENA_H

#include "core/base/memory.h"

struct weft_arena_block;

struct weft_arena {
	struct weft_memory *memory;
	struct weft_arena_block *last;
	size_t used; /* of last */
};

void weft_arena_init(struct weft_arena *a, struct weft_memory *memory);
void weft_arena_finish(struct weft_arena *a);
/* Aligned for any type; not zeroed. NULL: no memory. */
void *weft_arena_alloc(struct weft_arena *a, size_t len);
/* A terminated copy, unaligned: text is packed. */
char *weft_arena_text(struct weft_arena *a, const char *text, size_t len);

#endif
