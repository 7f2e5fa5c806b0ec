/* SPDX-License-Identifier: MIT */
/* Small pieces that are kept at hand. */
#include <string.h>

#include "core/base/memory.h"

struct weft_block {
	struct weft_block *next;
};

static size_t bin_of(size_t len)
{
	return (len - 1) / WEFT_QUICK_STEP;
}

static size_t size_of(size_t bin)
{
	return (bin + 1) * WEFT_QUICK_STEP;
}

static bool is_piece(size_t len)
{
	return len && len <= WEFT_QUICK_STEP * WEFT_QUICK_BINS;
}

static void *get(struct weft_memory *m, size_t bin)
{
	struct weft_quick *q = &m->quick;
	struct weft_block *b = q->bins[bin];
	size_t size = size_of(bin);

	if (b) {
		q->bins[bin] = b->next;
		q->kept -= size;
	} else {
		b = weft_alloc(&m->alloc, size);
	}
	if (b && (q->used += size) > q->peak)
		q->peak = q->used;
	return b;
}

static void put(struct weft_memory *m, struct weft_block *b, size_t bin)
{
	struct weft_quick *q = &m->quick;
	size_t size = size_of(bin);

	q->used -= size;
	if (q->kept + size > q->limit && q->kept + size + q->used > q->peak) {
		weft_free(&m->alloc, b, size);
		return;
	}
	b->next = q->bins[bin];
	q->bins[bin] = b;
	q->kept += size;
}

/* Between two sizes of which one at least is a piece's. */
static void *move(struct weft_memory *m, void *ptr, size_t old_len, size_t new_len)
{
	void *p = is_piece(new_len) ? get(m, bin_of(new_len)) : weft_alloc(&m->alloc, new_len);

	if (!p || !ptr)
		return p;
	memcpy(p, ptr, old_len < new_len ? old_len : new_len);
	if (is_piece(old_len))
		put(m, ptr, bin_of(old_len));
	else
		weft_free(&m->alloc, ptr, old_len);
	return p;
}

static void *quick_resize(void *user, void *ptr, size_t old_len, size_t new_len)
{
	struct weft_memory *m = user;

	if (!new_len && ptr && is_piece(old_len)) {
		put(m, ptr, bin_of(old_len));
		return NULL;
	}
	if ((ptr && is_piece(old_len)) || is_piece(new_len))
		return ptr && is_piece(old_len) && is_piece(new_len) &&
				       bin_of(old_len) == bin_of(new_len)
			       ? ptr
			       : move(m, ptr, old_len, new_len);
	return m->alloc.resize(m, ptr, old_len, new_len);
}

void weft_quick_init(struct weft_memory *m)
{
	m->quick.alloc = (struct weft_allocator){ .user = m, .resize = quick_resize };
}

void weft_quick_give_back(struct weft_memory *m, size_t keep)
{
	struct weft_quick *q = &m->quick;

	for (size_t bin = WEFT_QUICK_BINS; bin-- && q->kept > keep;) {
		while (q->bins[bin] && q->kept > keep) {
			struct weft_block *b = q->bins[bin];

			q->bins[bin] = b->next;
			q->kept -= size_of(bin);
			weft_free(&m->alloc, b, size_of(bin));
		}
	}
}

void weft_quick_settle(struct weft_memory *m)
{
	struct weft_quick *q = &m->quick;

	q->limit -= (q->limit + 7) / 8;
	if (q->limit < q->peak - q->used)
		q->limit = q->peak - q->used;
	q->peak = q->used;
	weft_quick_give_back(m, q->limit);
}
