/* SPDX-License-Identifier: MIT */
/*
 * A context's memory: counts and caps what goes through the application's allocator, and keeps blocks of
 * common sizes at hand, as many as a busy turn needed, so that the steady state allocates nothing.
 */
#ifndef WEFT_CORE_BASE_MEMORY_H
#define WEFT_CORE_BASE_MEMORY_H

#include "weft/alloc.h"

enum {
	WEFT_BLOCK_SMALL = 1536,
	WEFT_BLOCK_MEDIUM = 4096,
	WEFT_BLOCK_LARGE = 17408, /* a TLS record and some */
	WEFT_BLOCK_CLASSES = 3,
};

struct weft_block;

struct weft_memory {
	struct weft_allocator alloc; /* what everybody in the context uses */
	const struct weft_allocator *backing;
	size_t now, peak, max; /* max 0: no cap */
	uint64_t allocs;
	struct weft_block_class {
		struct weft_block *first; /* kept at hand */
		unsigned count;
		unsigned used, peak; /* handed out; the most at once since the last settle */
		unsigned limit; /* kept beyond a turn; goes down slowly when turns get calmer */
	} kept[WEFT_BLOCK_CLASSES];
};

void weft_memory_init(struct weft_memory *m, const struct weft_allocator *backing, size_t max);
/* Gives the kept blocks back. */
void weft_memory_finish(struct weft_memory *m);
/*
 * At the end of a turn: gives a part of those back that this turn had no use for. true: more than what is
 * always kept is still there, and settling again later gives more back.
 */
bool weft_memory_settle(struct weft_memory *m);
/* Less than an eighth of the cap is left, even without what is kept at hand. */
bool weft_memory_low(struct weft_memory *m);

/*
 * A block of at least len bytes; *cap says how many. Larger ones than the largest class are plain
 * allocations of exactly len. NULL: no memory.
 */
void *weft_block_get(struct weft_memory *m, size_t len, size_t *cap);
void weft_block_put(struct weft_memory *m, void *block, size_t cap);
/* A block of cap bytes became something else, by the allocator: it will not be put back. */
void weft_block_forget(struct weft_memory *m, size_t cap);

#endif
