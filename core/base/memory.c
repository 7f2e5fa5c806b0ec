/* SPDX-License-Identifier: MIT */
/* Counting allocator and block cache. */
#include "core/base/memory.h"

struct weft_block {
	struct weft_block *next;
};

/* How many of each class are kept: 48 KiB, 64 KiB and 68 KiB at most. */
static const struct {
	size_t cap;
	unsigned keep;
} classes[WEFT_BLOCK_CLASSES] = {
	{ WEFT_BLOCK_SMALL, 32 },
	{ WEFT_BLOCK_MEDIUM, 16 },
	{ WEFT_BLOCK_LARGE, 4 },
};

static void *counted_resize(void *user, void *ptr, size_t old_len, size_t new_len)
{
	struct weft_memory *m = user;
	void *p;

	/* a difference, because a sum with a hostile length could wrap around */
	if (m->max && new_len > old_len && new_len - old_len > m->max - m->now)
		return NULL;
	p = m->backing->resize(m->backing->user, ptr, old_len, new_len);
	if (!p && new_len)
		return NULL;
	if (new_len)
		m->allocs++;
	m->now = m->now - old_len + new_len;
	if (m->now > m->peak)
		m->peak = m->now;
	return p;
}

void weft_memory_init(struct weft_memory *m, const struct weft_allocator *backing, size_t max)
{
	*m = (struct weft_memory){
		.alloc = { .user = m, .resize = counted_resize },
		.backing = backing,
		.max = max,
	};
}

void weft_memory_finish(struct weft_memory *m)
{
	for (unsigned i = 0; i < WEFT_BLOCK_CLASSES; i++) {
		while (m->kept[i].first) {
			struct weft_block *b = m->kept[i].first;

			m->kept[i].first = b->next;
			weft_free(&m->alloc, b, classes[i].cap);
		}
		m->kept[i].count = 0;
	}
}

void *weft_block_get(struct weft_memory *m, size_t len, size_t *cap)
{
	for (unsigned i = 0; i < WEFT_BLOCK_CLASSES; i++) {
		struct weft_block *b = m->kept[i].first;

		if (len > classes[i].cap)
			continue;
		*cap = classes[i].cap;
		if (!b)
			return weft_alloc(&m->alloc, classes[i].cap);
		m->kept[i].first = b->next;
		m->kept[i].count--;
		return b;
	}
	*cap = len;
	return weft_alloc(&m->alloc, len);
}

void weft_block_put(struct weft_memory *m, void *block, size_t cap)
{
	struct weft_block *b = block;

	if (!b)
		return;
	for (unsigned i = 0; i < WEFT_BLOCK_CLASSES; i++) {
		if (cap != classes[i].cap || m->kept[i].count >= classes[i].keep)
			continue;
		b->next = m->kept[i].first;
		m->kept[i].first = b;
		m->kept[i].count++;
		return;
	}
	weft_free(&m->alloc, block, cap);
}
