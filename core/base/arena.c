/* SPDX-License-Identifier: MIT */
/* Bump allocation over a chain of blocks. */
#include "core/base/arena.h"

#include <stdalign.h>
#include <string.h>

struct weft_arena_block {
	struct weft_arena_block *before;
	size_t cap;
};

void weft_arena_init(struct weft_arena *a, struct weft_memory *memory)
{
	*a = (struct weft_arena){ .memory = memory };
}

void weft_arena_finish(struct weft_arena *a)
{
	while (a->last) {
		struct weft_arena_block *b = a->last;

		a->last = b->before;
		weft_block_put(a->memory, b, b->cap);
	}
	a->used = 0;
}

static void *bump(struct weft_arena *a, size_t len, size_t align)
{
	size_t at = (a->used + align - 1) & ~(align - 1);
	struct weft_arena_block *b;
	size_t cap;

	if (!a->last || at > a->last->cap || a->last->cap - at < len) {
		if (len > SIZE_MAX / 2)
			return NULL;
		b = weft_block_get(a->memory, sizeof(*b) + align + len, &cap);
		if (!b)
			return NULL;
		*b = (struct weft_arena_block){ .before = a->last, .cap = cap };
		a->last = b;
		at = (sizeof(*b) + align - 1) & ~(align - 1);
	}
	a->used = at + len;
	return (char *)a->last + at;
}

void *weft_arena_alloc(struct weft_arena *a, size_t len)
{
	return bump(a, len, alignof(max_align_t));
}

char *weft_arena_text(struct weft_arena *a, const char *text, size_t len)
{
	char *copy = bump(a, len + 1, 1);

	if (copy) {
		if (len)
			memcpy(copy, text, len);
		copy[len] = '\0';
	}
	return copy;
}
