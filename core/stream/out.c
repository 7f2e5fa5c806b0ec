/* SPDX-License-Identifier: MIT */
/* The way out of a stream: heads, the outbox, and what a role takes from it. */
#include "core/base/field.h"
#include "core/conn/conn.h"
#include "core/stream/flight.h"
#include "core/stream/stream.h"

/* NULL: none has it, or it is on its way out. */
static const struct weft_role_ops *role_of(const struct weft_stream *s)
{
	return s->pipe && s->pipe->role ? s->pipe->role->role->ops : NULL;
}

static void tell_role_ready(struct weft_stream *s)
{
	const struct weft_role_ops *ops = role_of(s);

	if (ops)
		ops->ready(s->pipe->state, s);
}

/* Whether the application may still write. */
static bool writable(const struct weft_stream *s)
{
	return s->state != WEFT_STREAM_DONE && !s->finished && !s->detached;
}

/* What its own limit leaves. */
static size_t own_room(const struct weft_stream *s)
{
	return writable(s) && s->out.len < s->write_high ? s->write_high - s->out.len : 0;
}

size_t weft_stream_room(const struct weft_stream *s)
{
	size_t own = own_room(s), shared;

	if (!s->flight || !own)
		return own;
	shared = weft_flight_room(s);
	return shared < own ? shared : own;
}

/* A write took less than offered. What stopped it says when it goes on: its own outbox, or those of its name. */
static void want_write(struct weft_stream *s)
{
	s->want_write = true;
	if (s->flight && own_room(s))
		weft_flight_wait(s);
}

/* Bytes came into the outbox. */
static void added(struct weft_stream *s, size_t n)
{
	s->ctx->counters.bytes_out += n;
	if (!s->flight)
		return;
	weft_flight_count(s);
	if (!own_room(s)) /* it waits for nobody but itself */
		weft_flight_give_way(s);
}

size_t weft_stream_write(struct weft_stream *s, const void *bytes, size_t len)
{
	size_t n = weft_stream_room(s);
	struct weft_error why;

	if (!writable(s))
		return 0;
	if (n > len)
		n = len;
	if (!n) {
		if (len)
			want_write(s);
		return 0;
	}
	if (!weft_segq_write(&s->out, bytes, n)) {
		/* a part may be queued: the stream cannot go on */
		weft_error_set(&why, WEFT_ERR_MEMORY, 0, "no memory to keep what was written");
		weft_stream_unbind(s);
		weft_stream_over(s, &why);
		return 0;
	}
	added(s, n);
	if (n < len)
		want_write(s);
	tell_role_ready(s);
	return n;
}

enum weft_status weft_stream_write_segment(struct weft_stream *s, const struct weft_segment *seg)
{
	if (seg->kind == WEFT_SEGMENT_BORROWED)
		return WEFT_ERR_ARGUMENT;
	if (!writable(s))
		return WEFT_ERR_STATE;
	if (!weft_stream_room(s)) {
		want_write(s);
		return WEFT_AGAIN;
	}
	if (!weft_segq_push(&s->out, seg, false))
		return WEFT_ERR_MEMORY;
	added(s, seg->len);
	weft_segment_release(seg); /* the queue has its own */
	tell_role_ready(s);
	return WEFT_OK;
}

static void finished(struct weft_stream *s)
{
	s->finished = true;
	if (s->flight)
		weft_flight_give_way(s);
}

void weft_stream_finish(struct weft_stream *s)
{
	if (!writable(s))
		return;
	finished(s);
	tell_role_ready(s);
}

static enum weft_status send_trailer(
	struct weft_stream *s, const struct weft_head *head, struct weft_error *err)
{
	enum weft_status st = weft_head_copy(&s->arena, &s->trailer, head);
	const struct weft_role_ops *ops = role_of(s);

	if (st)
		return weft_error_set(err, st, 0, "no memory for trailers");
	if (ops) {
		st = ops->head(s->pipe->state, s, &s->trailer, WEFT_HEAD_TRAILER, true, err);
		if (st)
			return st;
	}
	s->has_trailer = true;
	finished(s);
	tell_role_ready(s);
	return WEFT_OK;
}

enum weft_status weft_stream_send_head(struct weft_stream *s, const struct weft_head *head,
	enum weft_head_kind kind, bool fin, struct weft_error *err)
{
	const struct weft_role_ops *ops = role_of(s);
	enum weft_status st;

	if (!writable(s))
		return weft_error_set(err, WEFT_ERR_STATE, 0, "the stream takes no head any more");
	if (ops && !ops->head)
		return weft_error_set(
			err, WEFT_ERR_UNSUPPORTED, 0, "role %s has no heads", s->pipe->role->name);
	if (kind == WEFT_HEAD_TRAILER)
		return send_trailer(s, head, err);
	if (s->client || !ops)
		return weft_error_set(
			err, WEFT_ERR_STATE, 0, "a client's head is what it was opened with");
	if (s->head_sent)
		return weft_error_set(err, WEFT_ERR_STATE, 0, "the head was sent already");
	st = ops->head(s->pipe->state, s, head, kind, fin, err);
	if (st)
		return st;
	if (kind == WEFT_HEAD_FINAL) {
		s->head_sent = true;
		s->status = head->status;
		if (fin)
			weft_stream_finish(s);
	}
	return WEFT_OK;
}

void weft_stream_tell_writable(struct weft_stream *s)
{
	if (!own_room(s)) {
		if (s->flight)
			weft_flight_give_way(s);
		return;
	}
	if (s->flight && !weft_flight_tell(s))
		return;
	s->want_write = false;
	if (s->ops->on_writable)
		s->ops->on_writable(s, s->user);
	if (s->flight)
		weft_flight_told(s);
}

/* What may be needed again on another connection. */
static void keep_taken(struct weft_stream *s, const struct weft_segment *segs, size_t count)
{
	if (!s->client || s->answered || s->ops->body_rewind) {
		s->body_lost = true;
		return;
	}
	for (size_t i = 0; i < count && !s->body_lost; i++) {
		if (!weft_segq_owned(&segs[i]) || !weft_segq_push(&s->taken, &segs[i], false))
			s->body_lost = true;
	}
	if (s->body_lost)
		weft_segq_finish(&s->taken);
}

size_t weft_stream_take(
	struct weft_stream *s, size_t max, struct weft_segment *segs, size_t *count, bool *fin)
{
	size_t n = weft_segq_peek(&s->out, max, segs, count);

	for (size_t i = 0; i < *count; i++)
		weft_segment_ref(&segs[i]);
	if (n && !s->body_lost)
		keep_taken(s, segs, *count);
	weft_segq_consume(&s->out, n);
	s->body_out += n;
	*fin = s->finished && !s->out.len;
	if (s->flight)
		weft_flight_count(s);
	if (s->want_write && s->out.len <= s->write_high / 2)
		weft_turn_queue(s->ctx, &s->ctx->queues.writable, &s->writable_node);
	return n;
}

size_t weft_stream_pending(const struct weft_stream *s, bool *fin)
{
	*fin = s->finished;
	return s->out.len;
}
