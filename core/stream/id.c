/* SPDX-License-Identifier: MIT */
/* Streams by id, and calls from other threads that are meant for one. */
#include "core/stream/id.h"

#include <stdlib.h>

#include "core/stream/stream.h"
#include "core/system/mailbox.h"

static struct weft_stream **bucket(struct weft_stream_ids *ids, uint64_t id)
{
	if (ids->many)
		return &ids->many[id & (ids->cap - 1)];
	return &ids->few[id % WEFT_STREAM_IDS_FEW];
}

static void link_in(struct weft_stream_ids *ids, struct weft_stream *s)
{
	struct weft_stream **at = bucket(ids, s->id);

	s->id_next = *at;
	*at = s;
}

/* Twice the buckets, where there is memory; without, the chains are longer. */
static void grow(struct weft_stream_ids *ids, const struct weft_allocator *alloc)
{
	struct weft_stream **old = ids->many ? ids->many : ids->few;
	size_t old_cap = ids->many ? ids->cap : (size_t)WEFT_STREAM_IDS_FEW;
	struct weft_stream **bigger = weft_zalloc(alloc, old_cap * 2 * sizeof(*bigger)), *s;

	if (!bigger)
		return;
	ids->many = bigger;
	ids->cap = old_cap * 2;
	for (size_t i = 0; i < old_cap; i++) {
		while ((s = old[i])) {
			old[i] = s->id_next;
			link_in(ids, s);
		}
	}
	if (old != ids->few)
		weft_free(alloc, old, old_cap * sizeof(*old));
}

uint64_t weft_stream_id(const struct weft_stream *stream)
{
	struct weft_stream *s =
		(struct weft_stream *)stream; /* the id is made when it is asked for */
	struct weft_stream_ids *ids = &s->ctx->ids;

	if (s->id)
		return s->id;
	if (ids->count >= (ids->many ? ids->cap : (size_t)WEFT_STREAM_IDS_FEW))
		grow(ids, &s->ctx->memory.alloc);
	s->id = ++ids->last;
	s->id_linked = true;
	ids->count++;
	link_in(ids, s);
	return s->id;
}

void weft_stream_forget_id(struct weft_stream *s)
{
	struct weft_stream **at;

	if (!s->id_linked)
		return;
	s->id_linked = false;
	at = bucket(&s->ctx->ids, s->id);
	while (*at != s)
		at = &(*at)->id_next;
	*at = s->id_next;
	if (!--s->ctx->ids.count)
		weft_stream_ids_finish(&s->ctx->ids, &s->ctx->memory.alloc);
}

void weft_stream_ids_finish(struct weft_stream_ids *ids, const struct weft_allocator *alloc)
{
	weft_free(alloc, ids->many, ids->cap * sizeof(struct weft_stream *));
	ids->many = NULL;
}

struct weft_stream *weft_stream_by_id(struct weft_context *ctx, uint64_t id)
{
	struct weft_stream *s = *bucket(&ctx->ids, id);

	while (s && s->id != id)
		s = s->id_next;
	return s;
}

/* ---- from other threads ---- */

/* What travels: this thread must not touch the context's allocator. */
struct letter {
	uint64_t stream_id;
	void (*fn)(struct weft_stream *s, void *arg);
	void *arg;
	void (*drop)(void *arg);
};

static void undelivered(void *arg)
{
	struct letter *l = arg;

	if (l->drop)
		l->drop(l->arg);
	free(l);
}

static void deliver(struct weft_context *ctx, void *arg)
{
	struct letter *l = arg;
	struct weft_stream *s = weft_stream_by_id(ctx, l->stream_id);

	if (!s) {
		undelivered(l);
		return;
	}
	l->fn(s, l->arg);
	free(l);
}

enum weft_status weft_stream_post(uint64_t context_id, uint64_t stream_id,
	void (*fn)(struct weft_stream *s, void *arg), void *arg, void (*drop)(void *arg))
{
	struct letter *l = malloc(sizeof(*l));
	enum weft_status st;

	if (!l)
		return WEFT_ERR_MEMORY;
	*l = (struct letter){ .stream_id = stream_id, .fn = fn, .arg = arg, .drop = drop };
	st = weft_mailbox_post(context_id, deliver, l, undelivered);
	if (st)
		free(l);
	return st;
}
