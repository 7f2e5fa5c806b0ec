/* SPDX-License-Identifier: MIT */
/* The memory of loaded tables: given piece by piece, and all at once taken back. */
#include <stdalign.h>
#include <string.h>

#include "core/policy/load.h"

enum { BLOCK = 16384 };

struct weft_load_block {
	struct weft_load_block *next;
	size_t len, used;
};

static struct weft_load_block *make(struct weft_loading *l, size_t room)
{
	size_t len = sizeof(struct weft_load_block) + alignof(max_align_t) + room;
	struct weft_load_block *b;

	if (len < BLOCK)
		len = BLOCK;
	b = weft_alloc(l->alloc, len);
	if (!b)
		return NULL;
	*b = (struct weft_load_block){ .next = l->blocks, .len = len, .used = sizeof(*b) };
	l->blocks = b;
	l->bytes += len;
	return b;
}

static void *give(struct weft_loading *l, size_t len, size_t align)
{
	struct weft_load_block *b = l->blocks;
	size_t at = b ? (b->used + align - 1) & ~(align - 1) : 0;

	if (!b || at > b->len || b->len - at < len) {
		b = len < SIZE_MAX / 2 ? make(l, len) : NULL;
		if (!b) {
			l->no_memory = true;
			return NULL;
		}
		at = (b->used + align - 1) & ~(align - 1);
	}
	b->used = at + len;
	return (char *)b + at;
}

void *weft_load_alloc(struct weft_loading *l, size_t len)
{
	void *p = give(l, len, alignof(max_align_t));

	return p ? memset(p, 0, len) : NULL;
}

const char *weft_load_text(struct weft_loading *l, const char *text, size_t len)
{
	char *copy = give(l, len + 1, 1);

	if (!copy)
		return NULL;
	if (len) /* what was no text is none here, and was told */
		memcpy(copy, text, len);
	copy[len] = '\0';
	return copy;
}

void weft_load_take_back(struct weft_loading *l, const void *from)
{
	struct weft_load_block *b = l->blocks;
	uintptr_t at = (uintptr_t)from, start = (uintptr_t)b;

	if (at > start && at <= start + b->used)
		b->used = at - start;
}

void weft_load_free(const struct weft_allocator *alloc, struct weft_load_block *blocks)
{
	struct weft_load_block *b;

	while ((b = blocks)) {
		blocks = b->next;
		weft_free(alloc, b, b->len);
	}
}
