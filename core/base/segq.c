/* SPDX-License-Identifier: MIT */
/* A ring of segments, and the reference-counted chunks that short bytes are gathered in. */
#include "core/base/segq.h"

#include <string.h>

enum {
	GATHER_BELOW = 256,
	SLOTS = 32, /* of a ring; with its head they fill a small block */
};

struct weft_chunk {
	struct weft_owner owner;
	struct weft_memory *memory;
	unsigned refs;
	size_t cap, used; /* of data */
	unsigned char data[];
};

struct weft_segq_ring {
	size_t block;            /* bytes of it */
	struct weft_chunk *tail; /* what the last segment lies in, if more fits behind it */
	size_t mask;             /* slots less 1; a power of two of them */
	size_t first, count;
	struct weft_segment slots[];
};

static void chunk_ref(struct weft_owner *owner)
{
	((struct weft_chunk *)owner)->refs++;
}

static void chunk_release(struct weft_owner *owner)
{
	struct weft_chunk *c = (struct weft_chunk *)owner;

	if (--c->refs == 0)
		weft_block_put(c->memory, c, sizeof(*c) + c->cap);
}

static struct weft_chunk *chunk_make(struct weft_memory *m, size_t want)
{
	size_t cap;
	struct weft_chunk *c = weft_block_get(m,
		want > WEFT_BLOCK_SMALL / 2
			? (want > WEFT_BLOCK_MEDIUM / 2 ? WEFT_BLOCK_LARGE : WEFT_BLOCK_MEDIUM)
			: WEFT_BLOCK_SMALL,
		&cap);

	if (c) {
		*c = (struct weft_chunk){
			.owner = { .ref = chunk_ref, .release = chunk_release },
			.memory = m,
			.refs = 1,
			.cap = cap - sizeof(*c),
		};
	}
	return c;
}

static struct weft_segment *slot(const struct weft_segq_ring *r, size_t i)
{
	return (struct weft_segment *)&r->slots[(r->first + i) & r->mask];
}

void weft_segq_init(struct weft_segq *q, struct weft_memory *memory)
{
	*q = (struct weft_segq){ .memory = memory };
}

static void drop_tail(struct weft_segq_ring *r)
{
	if (r->tail)
		chunk_release(&r->tail->owner);
	r->tail = NULL;
}

static void free_ring(struct weft_segq *q)
{
	struct weft_segq_ring *r = q->ring;

	drop_tail(r);
	weft_block_put(q->memory, r, r->block);
	weft_segq_init(q, q->memory);
}

void weft_segq_finish(struct weft_segq *q)
{
	if (!q->ring)
		return;
	for (size_t i = 0; i < q->ring->count; i++)
		weft_segment_release(slot(q->ring, i));
	free_ring(q);
}

static struct weft_segq_ring *make_ring(struct weft_memory *m, size_t slots)
{
	size_t block;
	struct weft_segq_ring *r = weft_block_get(
		m, sizeof(struct weft_segq_ring) + slots * sizeof(struct weft_segment), &block);

	if (r) {
		r->block = block;
		r->tail = NULL;
		r->mask = slots - 1;
		r->first = r->count = 0;
	}
	return r;
}

static bool make_slot(struct weft_segq *q)
{
	struct weft_segq_ring *r = q->ring, *bigger;

	if (!r)
		return (q->ring = make_ring(q->memory, SLOTS)) != NULL;
	if (r->count <= r->mask)
		return true;
	bigger = make_ring(q->memory, 2 * (r->mask + 1));
	if (!bigger)
		return false;
	for (size_t i = 0; i < r->count; i++)
		bigger->slots[i] = *slot(r, i);
	bigger->count = r->count;
	bigger->tail = r->tail;
	weft_block_put(q->memory, r, r->block);
	q->ring = bigger;
	return true;
}

static void append(struct weft_segq *q, const struct weft_segment *seg)
{
	*slot(q->ring, q->ring->count++) = *seg;
	q->len += seg->len;
}

/* A chunk with room at the end of the queue. */
static bool make_tail(struct weft_segq *q, size_t want)
{
	struct weft_chunk *c = q->ring ? q->ring->tail : NULL;

	if (c && c->used < c->cap)
		return true;
	if (!make_slot(q))
		return false;
	c = chunk_make(q->memory, want);
	if (!c)
		return false;
	drop_tail(q->ring);
	q->ring->tail = c;
	chunk_ref(&c->owner);
	append(q, &(struct weft_segment){
			  .kind = WEFT_SEGMENT_MEM, .fd = -1, .ptr = c->data, .owner = &c->owner });
	return true;
}

bool weft_segq_write(struct weft_segq *q, const void *bytes, size_t len)
{
	const unsigned char *from = bytes;
	struct weft_segq_ring *r;
	struct weft_chunk *c;
	size_t n;

	while (len) {
		if (!make_tail(q, len)) {
			if (q->ring && !q->ring->count)
				free_ring(q);
			return false;
		}
		r = q->ring;
		c = r->tail;
		n = c->cap - c->used;
		if (n > len)
			n = len;
		memcpy(c->data + c->used, from, n);
		c->used += n;
		slot(r, r->count - 1)->len += n;
		q->len += n;
		from += n;
		len -= n;
	}
	return true;
}

bool weft_segq_push(struct weft_segq *q, const struct weft_segment *seg, bool gather)
{
	if (!seg->len)
		return true;
	if (seg->kind == WEFT_SEGMENT_BORROWED ||
		(gather && seg->kind == WEFT_SEGMENT_MEM && seg->len < GATHER_BELOW))
		return weft_segq_write(q, seg->ptr, seg->len);
	if (!make_slot(q))
		return false;
	weft_segment_ref(seg);
	drop_tail(q->ring);
	append(q, seg);
	return true;
}

size_t weft_segq_peek(
	const struct weft_segq *q, size_t max, struct weft_segment *segs, size_t *count)
{
	size_t room = *count, have = q->ring ? q->ring->count : 0, sum = 0;

	*count = 0;
	for (size_t i = 0; i < have && *count < room && sum < max; i++) {
		struct weft_segment *s = &segs[(*count)++];

		*s = *slot(q->ring, i);
		if (s->len > max - sum)
			s->len = max - sum;
		sum += s->len;
	}
	return sum;
}

void weft_segq_consume(struct weft_segq *q, size_t len)
{
	struct weft_segq_ring *r = q->ring;

	if (!r)
		return;
	q->len -= len;
	while (r->count) {
		struct weft_segment *s = slot(r, 0);

		if (s->len > len) {
			s->len -= len;
			s->ptr = s->ptr ? s->ptr + len : NULL;
			s->off += len;
			return;
		}
		len -= s->len;
		weft_segment_release(s);
		r->first = (r->first + 1) & r->mask;
		r->count--;
	}
	free_ring(q);
}

bool weft_segq_owned(const struct weft_segment *seg)
{
	return !seg->owner || seg->owner->release != chunk_release;
}

void weft_segq_move(struct weft_segq *to, struct weft_segq *from)
{
	weft_segq_finish(to);
	*to = *from;
	weft_segq_init(from, from->memory);
}
