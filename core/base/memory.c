/* SPDX-License-Identifier: MIT */
/* Counting allocator and block cache. */
#include "core/base/memory.h"

struct weft_block {
	struct weft_block *next;
};

/* How many of each class are always kept: 48 KiB, 64 KiB and 68 KiB. */
static const struct {
	size_t cap;
	unsigned keep;
} classes[WEFT_BLOCK_CLASSES] = {
	{ WEFT_BLOCK_SMALL, 32 },
	{ WEFT_BLOCK_MEDIUM, 16 },
	{ WEFT_BLOCK_LARGE, 4 },
};

static void give_back(struct weft_memory *m, unsigned class, unsigned keep)
{
	struct weft_block_class *k = &m->kept[class];

	while (k->count > keep) {
		struct weft_block *b = k->first;

		k->first = b->next;
		k->count--;
		weft_free(&m->alloc, b, classes[class].cap);
	}
}

/* Within the cap? What is only kept at hand makes room for what is needed. */
static bool fits(struct weft_memory *m, size_t more)
{
	if (!m->max || more <= m->max - m->now)
		return true;
	for (unsigned i = 0; i < WEFT_BLOCK_CLASSES; i++)
		give_back(m, i, 0);
	weft_quick_give_back(m, 0);
	/* a difference, because a sum with a hostile length could wrap around */
	return more <= m->max - m->now;
}

static void *counted_resize(void *user, void *ptr, size_t old_len, size_t new_len)
{
	struct weft_memory *m = user;
	void *p;

	if (new_len > old_len && !fits(m, new_len - old_len))
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

bool weft_memory_low(struct weft_memory *m)
{
	return !fits(m, m->max / 8);
}

void weft_memory_init(struct weft_memory *m, const struct weft_allocator *backing, size_t max)
{
	*m = (struct weft_memory){
		.alloc = { .user = m, .resize = counted_resize },
		.backing = backing,
		.max = max,
	};
	for (unsigned i = 0; i < WEFT_BLOCK_CLASSES; i++)
		m->kept[i].limit = classes[i].keep;
	weft_quick_init(m);
}

void weft_memory_finish(struct weft_memory *m)
{
	weft_quick_give_back(m, 0);
	m->quick.limit = 0;
	for (unsigned i = 0; i < WEFT_BLOCK_CLASSES; i++) {
		give_back(m, i, 0);
		m->kept[i].limit = classes[i].keep;
	}
}

bool weft_memory_settle(struct weft_memory *m)
{
	bool more;

	if (m->quick.kept)
		weft_quick_settle(m);
	more = m->quick.kept > 0;
	for (unsigned i = 0; i < WEFT_BLOCK_CLASSES; i++) {
		struct weft_block_class *k = &m->kept[i];

		k->limit -= (k->limit + 7) / 8;
		if (k->limit < k->peak - k->used)
			k->limit = k->peak - k->used;
		if (k->limit < classes[i].keep)
			k->limit = classes[i].keep;
		k->peak = k->used;
		give_back(m, i, k->limit);
		more |= k->count > classes[i].keep;
	}
	return more;
}

void *weft_block_get(struct weft_memory *m, size_t len, size_t *cap)
{
	for (unsigned i = 0; i < WEFT_BLOCK_CLASSES; i++) {
		struct weft_block_class *k = &m->kept[i];
		struct weft_block *b = k->first;

		if (len > classes[i].cap)
			continue;
		*cap = classes[i].cap;
		if (b) {
			k->first = b->next;
			k->count--;
		} else {
			b = weft_alloc(&m->alloc, classes[i].cap);
		}
		if (b && ++k->used > k->peak)
			k->peak = k->used;
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
		struct weft_block_class *k = &m->kept[i];

		if (cap != classes[i].cap)
			continue;
		k->used--;
		if (k->count >= k->limit && k->count + k->used >= k->peak)
			break;
		b->next = k->first;
		k->first = b;
		k->count++;
		return;
	}
	weft_free(&m->alloc, block, cap);
}

void weft_block_forget(struct weft_memory *m, size_t cap)
{
	for (unsigned i = 0; i < WEFT_BLOCK_CLASSES; i++)
		m->kept[i].used -= cap == classes[i].cap;
}
