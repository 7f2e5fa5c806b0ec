/* SPDX-License-Identifier: MIT */
/* A ring of segments, and the reference-counted chunks that short bytes are gathered in. */
#include "core/base/segq.h"

#include <string.h>

enum { GATHER_BELOW = 256 };

struct weft_chunk {
	struct weft_owner owner;
	struct weft_memory *memory;
	unsigned refs;
	size_t cap, used; /* of data */
	unsigned char data[];
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

static struct weft_segment *slots(const struct weft_segq *q)
{
	return q->ring ? q->ring : (struct weft_segment *)q->inlined;
}

static struct weft_segment *slot(const struct weft_segq *q, size_t i)
{
	return &slots(q)[(q->first + i) & (q->cap - 1)];
}

void weft_segq_init(struct weft_segq *q, struct weft_memory *memory)
{
	memset(q, 0, sizeof(*q));
	q->memory = memory;
	q->cap = WEFT_SEGQ_INLINE;
}

static void drop_tail(struct weft_segq *q)
{
	if (q->tail)
		chunk_release(&q->tail->owner);
	q->tail = NULL;
}

static void free_ring(struct weft_segq *q)
{
	if (q->ring)
		weft_free(&q->memory->alloc, q->ring, q->cap * sizeof(*q->ring));
	q->ring = NULL;
	q->cap = WEFT_SEGQ_INLINE;
	q->first = 0;
}

void weft_segq_finish(struct weft_segq *q)
{
	for (size_t i = 0; i < q->count; i++)
		weft_segment_release(slot(q, i));
	drop_tail(q);
	free_ring(q);
	weft_segq_init(q, q->memory);
}

static bool make_slot(struct weft_segq *q)
{
	struct weft_segment *bigger;
	size_t cap = q->cap * 2;

	if (q->count < q->cap)
		return true;
	bigger = weft_alloc(&q->memory->alloc, cap * sizeof(*bigger));
	if (!bigger)
		return false;
	for (size_t i = 0; i < q->count; i++)
		bigger[i] = *slot(q, i);
	free_ring(q);
	q->ring = bigger;
	q->cap = cap;
	return true;
}

static void append(struct weft_segq *q, const struct weft_segment *seg)
{
	*slot(q, q->count++) = *seg;
	q->len += seg->len;
}

bool weft_segq_write(struct weft_segq *q, const void *bytes, size_t len)
{
	const unsigned char *from = bytes;
	struct weft_segment *last;
	size_t n;

	while (len) {
		if (!q->tail || q->tail->used == q->tail->cap) {
			struct weft_chunk *c;

			if (!make_slot(q))
				return false;
			c = chunk_make(q->memory, len);
			if (!c)
				return false;
			drop_tail(q);
			q->tail = c;
			chunk_ref(&c->owner);
			append(q, &(struct weft_segment){ .kind = WEFT_SEGMENT_MEM,
					  .fd = -1,
					  .ptr = c->data,
					  .owner = &c->owner });
		}
		n = q->tail->cap - q->tail->used;
		if (n > len)
			n = len;
		memcpy(q->tail->data + q->tail->used, from, n);
		q->tail->used += n;
		last = slot(q, q->count - 1);
		last->len += n;
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
	drop_tail(q);
	append(q, seg);
	return true;
}

size_t weft_segq_peek(
	const struct weft_segq *q, size_t max, struct weft_segment *segs, size_t *count)
{
	size_t room = *count, sum = 0;

	*count = 0;
	for (size_t i = 0; i < q->count && *count < room && sum < max; i++) {
		struct weft_segment *s = &segs[(*count)++];

		*s = *slot(q, i);
		if (s->len > max - sum)
			s->len = max - sum;
		sum += s->len;
	}
	return sum;
}

void weft_segq_consume(struct weft_segq *q, size_t len)
{
	q->len -= len;
	while (q->count) {
		struct weft_segment *s = slot(q, 0);

		if (s->len > len) {
			s->len -= len;
			s->ptr = s->ptr ? s->ptr + len : NULL;
			s->off += len;
			return;
		}
		len -= s->len;
		weft_segment_release(s);
		q->first = (q->first + 1) & (q->cap - 1);
		q->count--;
	}
	drop_tail(q);
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
