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

enum {
	WEFT_QUICK_STEP = 64, /* sizes of pieces are multiples */
	WEFT_QUICK_BINS = 16,
};

struct weft_block;

/* Pieces that come and go with each exchange, of 64 to 1,024 bytes, kept as blocks are, all sizes together. */
struct weft_quick {
	struct weft_allocator alloc; /* larger ones pass through it */
	struct weft_block *bins[WEFT_QUICK_BINS];
	size_t kept;       /* bytes at hand */
	size_t used, peak; /* bytes handed out; the most at once since the last settle */
	size_t limit;      /* bytes kept beyond a turn */
};

struct weft_memory {
	struct weft_allocator alloc; /* what everybody in the context uses */
	struct weft_quick quick;
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
/* quick.c, for memory.c: how these are kept. */
void weft_quick_init(struct weft_memory *m);
void weft_quick_settle(struct weft_memory *m);
/* Keeps no more than so many bytes at hand. */
void weft_quick_give_back(struct weft_memory *m, size_t keep);

/* A block of cap bytes became something else, by the allocator: it will not be put back. */
void weft_block_forget(struct weft_memory *m, size_t cap);

#endif
