/* SPDX-License-Identifier: MIT */
/* The way in: what roles report, and how it reaches the application under its backpressure. */
#include <string.h>

#include "core/base/field.h"
#include "core/client/pool.h"
#include "core/conn/conn.h"
#include "core/stream/stream.h"
#include "core/vhost/listener.h"
#include "core/vhost/vhost.h"

enum { MISDIRECTED = 421 }; /* RFC 9110 section 15.5.20 */

void *weft_role_alloc(struct weft_stream *s, size_t len)
{
	return weft_arena_alloc(&s->arena, len);
}

enum weft_status weft_role_head(
	struct weft_stream *s, const struct weft_head *head, enum weft_head_kind kind)
{
	struct weft_head copy;
	enum weft_status st;

	if (s->detached)
		return WEFT_OK;
	st = weft_head_copy(&s->arena, &copy, head);
	return st ? st : weft_role_head_kept(s, &copy, kind);
}

enum weft_status weft_role_head_kept(
	struct weft_stream *s, const struct weft_head *head, enum weft_head_kind kind)
{
	if (s->detached)
		return WEFT_OK;
	if (kind == WEFT_HEAD_FINAL && !s->client) {
		s->request = *head;
		weft_stream_serve(s);
		return WEFT_OK;
	}
	if (kind == WEFT_HEAD_FINAL && head->status == MISDIRECTED && weft_pool_misdirected(s))
		return WEFT_OK;
	s->answered = true;
	weft_segq_finish(&s->taken);
	if (kind == WEFT_HEAD_FINAL) {
		s->response = *head;
		s->has_response = true;
		head = &s->response;
	}
	if (s->ops->on_head)
		s->ops->on_head(s, head, kind, s->user);
	return WEFT_OK;
}

/* The application took n bytes: the role may let more come. */
static void credit(struct weft_stream *s, size_t n)
{
	if (n && s->pipe && s->pipe->role)
		s->pipe->role->role->ops->credit(s->pipe->state, s, n);
}

static size_t offer(struct weft_stream *s, const void *bytes, size_t len)
{
	size_t n;

	if (!s->ops->on_data)
		return len;
	n = s->ops->on_data(s, bytes, len, s->user);
	return n > len ? len : n;
}

static void tell_end(struct weft_stream *s)
{
	if (!s->in_fin || s->end_told || s->paused || s->detached || weft_buffer_len(&s->in))
		return;
	s->end_told = true;
	if (s->ops->on_end)
		s->ops->on_end(s, s->user);
}

void weft_role_data(struct weft_stream *s, const void *bytes, size_t len)
{
	struct weft_error why;
	size_t n = 0;

	s->ctx->counters.bytes_in += len;
	s->answered = true;
	if (s->detached) {
		credit(s, len);
		return;
	}
	if (!s->client && !weft_stream_count_body(s, len))
		return;
	if (!s->paused && !s->delivering && !weft_buffer_len(&s->in)) {
		s->delivering = true;
		n = offer(s, bytes, len);
		s->delivering = false;
		if (n < len)
			s->paused = true;
	}
	if (s->detached)
		return;
	if (n < len) {
		weft_buffer_append(&s->in, (const char *)bytes + n, len - n);
		if (s->in.failed) {
			weft_error_set(&why, WEFT_ERR_MEMORY, 0, "no memory to keep received data");
			weft_stream_unbind(s);
			weft_stream_over(s, &why);
			return;
		}
	}
	credit(s, n);
}

void weft_role_fin(struct weft_stream *s)
{
	s->in_fin = true;
	if (!s->delivering)
		tell_end(s);
}

void weft_stream_deliver(struct weft_stream *s)
{
	size_t n, len = weft_buffer_len(&s->in);

	if (s->detached || s->delivering)
		return;
	if (len && !s->paused) {
		s->delivering = true;
		n = offer(s, weft_buffer_bytes(&s->in), len);
		s->delivering = false;
		if (s->detached)
			return;
		weft_buffer_consume(&s->in, n);
		if (!weft_buffer_len(&s->in))
			weft_buffer_finish(&s->in);
		else
			s->paused = true;
		credit(s, n);
	}
	tell_end(s);
	if (s->state == WEFT_STREAM_DONE && s->end_told && !weft_list_linked(&s->close_node))
		weft_turn_queue(s->ctx, &s->ctx->queues.closed, &s->close_node);
}

void weft_stream_resume(struct weft_stream *s)
{
	if (s->detached || !s->paused)
		return;
	s->paused = false;
	if (weft_buffer_len(&s->in) || (s->in_fin && !s->end_told))
		weft_turn_queue(s->ctx, &s->ctx->queues.deliver, &s->deliver_node);
}

void weft_stream_pause(struct weft_stream *s)
{
	s->paused = true;
}

void weft_role_tunnel(struct weft_stream *s)
{
	s->tunnel = true;
	/* a request that was complete already is followed by the tunnel's bytes, and their own end */
	s->in_fin = false;
	s->end_told = false;
}

void weft_role_closed(struct weft_stream *s, enum weft_cause cause, const struct weft_error *why)
{
	struct weft_pipe *pipe = s->pipe;
	struct weft_error lost;

	weft_list_remove(&s->pipe_node);
	s->pipe = NULL;
	if (cause == WEFT_CAUSE_DONE && (!why || why->status == WEFT_OK)) {
		why = NULL;
	} else if (!why || why->status == WEFT_OK) {
		weft_error_set(&lost, WEFT_ERR_TRUNCATED, 0,
			"the connection ended before the exchange was complete");
		why = &lost;
	}
	if (s->client && s->entry && cause != WEFT_CAUSE_DONE && !s->detached)
		weft_pool_returned(s, weft_pipe_conn(pipe), cause, why);
	else
		weft_stream_over(s, why);
	if (pipe && weft_pipe_conn(pipe)->client)
		weft_pool_capacity_changed(weft_pipe_conn(pipe));
}

void weft_role_timed_out(struct weft_pipe *pipe)
{
	weft_pipe_conn(pipe)->ctx->counters.timeouts++;
}

void weft_role_drained(struct weft_pipe *pipe)
{
	if (weft_pipe_conn(pipe)->client)
		weft_pool_conn_drained(weft_pipe_conn(pipe));
}

void weft_role_capacity_changed(struct weft_pipe *pipe)
{
	if (weft_pipe_conn(pipe)->client)
		weft_pool_capacity_changed(weft_pipe_conn(pipe));
}
