/* SPDX-License-Identifier: MIT */
/* The life of a stream, from its making to on_close, and what an application may ask of it. */
#include "core/stream/stream.h"

#include <string.h>

#include "core/client/pool.h"
#include "core/conn/conn.h"
#include "core/stream/flight.h"
#include "core/vhost/vhost.h"
#include "weft/policy_load.h"

static const struct weft_stream_ops nobody = { .on_data = NULL };

struct weft_stream *weft_stream_create(struct weft_context *ctx, bool client)
{
	size_t cap;
	struct weft_stream *s = weft_block_get(&ctx->memory, sizeof(*s), &cap);

	if (!s)
		return NULL;
	memset(s, 0, offsetof(struct weft_stream, why));
	s->why.status = WEFT_OK;
	s->why.native = 0;
	s->why.text[0] = '\0';
	s->request = (struct weft_head){ .method = NULL };
	s->story.count = 0;
	s->ctx = ctx;
	s->client = client;
	s->ops = &nobody;
	s->state = WEFT_STREAM_QUEUED;
	s->write_high = ctx->write_high;
	s->opened_us = weft_loop_now(&ctx->loop);
	s->total_due_us = WEFT_NEVER;
	weft_arena_init(&s->arena, &ctx->memory);
	weft_segq_init(&s->out, &ctx->memory);
	weft_segq_init(&s->taken, &ctx->memory);
	weft_buffer_init(&s->in, &ctx->memory.alloc);
	weft_list_append(&ctx->streams, &s->node);
	if (++ctx->counters.streams_now > ctx->counters.streams_peak)
		ctx->counters.streams_peak = ctx->counters.streams_now;
	return s;
}

/* The same class as at its making, whatever class that is. */
static void give_back(struct weft_memory *m, struct weft_stream *s)
{
	size_t cap = sizeof(*s) <= WEFT_BLOCK_SMALL ? (size_t)WEFT_BLOCK_SMALL
						    : (size_t)WEFT_BLOCK_MEDIUM;

	_Static_assert(sizeof(*s) <= WEFT_BLOCK_MEDIUM, "a stream fits a block");
	weft_block_put(m, s, cap);
}

void weft_stream_free(struct weft_stream *s)
{
	struct weft_context *ctx = s->ctx;

	weft_loop_timer_cancel(&ctx->loop, &s->timer);
	weft_stream_forget_id(s);
	if (s->entry)
		weft_pool_leave(s);
	weft_list_remove(&s->node);
	weft_list_remove(&s->pipe_node);
	weft_list_remove(&s->deliver_node);
	weft_list_remove(&s->writable_node);
	weft_list_remove(&s->close_node);
	weft_segq_finish(&s->out);
	weft_segq_finish(&s->taken);
	if (s->flight)
		weft_flight_part(s);
	weft_buffer_finish(&s->in);
	weft_arena_finish(&s->arena);
	if (s->vhost && s->client)
		weft_vhost_release_stream(s->vhost);
	else if (s->vhost)
		weft_vhost_release(s->vhost);
	weft_policy_release(s->policy_of);
	ctx->counters.streams_now--;
	give_back(&ctx->memory, s);
	weft_context_changed(ctx);
}

/* What it had of the limit that those of its name share is theirs. */
static void ended(struct weft_stream *s)
{
	weft_flight_count(s);
	weft_flight_give_way(s);
}

void weft_stream_over(struct weft_stream *s, const struct weft_error *why)
{
	if (s->state == WEFT_STREAM_DONE)
		return;
	s->state = WEFT_STREAM_DONE;
	if (why)
		s->why = *why;
	if (s->client) {
		weft_story_add(&s->story, weft_loop_now(&s->ctx->loop) - s->opened_us,
			(struct weft_told){
				.event = s->why.status ? WEFT_STORY_FAILED : WEFT_STORY_DONE,
				.status = (signed char)s->why.status,
			});
		if (s->entry)
			weft_pool_leave(s);
	}
	if (s->why.status)
		s->ctx->counters.streams_failed++;
	else
		s->ctx->counters.streams_ok++;
	weft_loop_timer_cancel(&s->ctx->loop, &s->timer);
	weft_segq_finish(&s->out);
	weft_segq_finish(&s->taken);
	if (s->flight)
		ended(s);
	weft_turn_queue(s->ctx, &s->ctx->queues.closed, &s->close_node);
}

void weft_stream_unbind(struct weft_stream *s)
{
	struct weft_pipe *pipe = s->pipe;

	if (!pipe)
		return;
	weft_list_remove(&s->pipe_node);
	s->pipe = NULL;
	if (pipe->role)
		pipe->role->role->ops->reset(pipe->state, s);
	if (s->client)
		weft_pool_capacity_changed(weft_pipe_conn(pipe));
}

/* Nothing is owed any more in either direction. */
static bool complete(const struct weft_stream *s)
{
	return s->in_fin && !weft_buffer_len(&s->in) && s->finished && !s->out.len;
}

void weft_stream_close(struct weft_stream *s)
{
	struct weft_error why;
	bool done;

	if (!s || s->detached)
		return;
	done = complete(s);
	s->detached = true;
	weft_list_remove(&s->writable_node);
	weft_buffer_finish(&s->in);
	if (s->state == WEFT_STREAM_DONE) {
		weft_turn_queue(s->ctx, &s->ctx->queues.closed, &s->close_node);
		return;
	}
	weft_stream_unbind(s);
	weft_error_set(&why, WEFT_ERR_CANCELLED, 0, "closed by its own side");
	weft_stream_over(s, done ? NULL : &why);
}

void weft_stream_tell_closed(struct weft_stream *s)
{
	void (*on_close)(struct weft_stream *, const struct weft_error *, void *) =
		s->ops->on_close;

	/* a complete exchange is over once the application has seen all of it */
	if (!s->detached && s->why.status == WEFT_OK && (weft_buffer_len(&s->in) || !s->end_told)) {
		if (!s->paused)
			weft_turn_queue(s->ctx, &s->ctx->queues.deliver, &s->deliver_node);
		return;
	}
	s->detached = true;
	weft_access_tell(s);
	weft_stream_forget_id(s);
	if (on_close)
		on_close(s, &s->why, s->user);
	weft_stream_free(s);
}

static enum weft_status rewind_out(struct weft_stream *s, struct weft_error *err)
{
	struct weft_segment seg;
	size_t count;

	if (s->body_lost) {
		if (!s->ops->body_rewind || s->detached)
			return weft_error_set(err, WEFT_ERR_NOT_REPLAYABLE, 0,
				"the connection was lost and the body cannot be sent again");
		weft_segq_finish(&s->out);
		weft_segq_finish(&s->taken);
		s->finished = false;
		s->body_lost = false;
		if (s->ops->body_rewind(s, s->user))
			return weft_error_set(err, WEFT_ERR_NOT_REPLAYABLE, 0,
				"the application would not send the body again");
		return WEFT_OK;
	}
	if (!s->taken.len)
		return WEFT_OK;
	while (s->out.len) {
		count = 1;
		weft_segq_peek(&s->out, SIZE_MAX, &seg, &count);
		if (!weft_segq_push(&s->taken, &seg, false))
			return weft_error_set(err, WEFT_ERR_MEMORY, 0, "no memory to send again");
		weft_segq_consume(&s->out, seg.len);
	}
	weft_segq_move(&s->out, &s->taken);
	return WEFT_OK;
}

enum weft_status weft_stream_rewind(struct weft_stream *s, struct weft_error *err)
{
	enum weft_status st = rewind_out(s, err);

	if (s->flight)
		weft_flight_count(s);
	return st;
}

void weft_stream_set_ops(struct weft_stream *s, const struct weft_stream_ops *ops, void *user)
{
	s->ops = ops ? ops : &nobody;
	s->user = user;
}

void *weft_stream_user(const struct weft_stream *s)
{
	return s->user;
}

struct weft_context *weft_stream_context(const struct weft_stream *s)
{
	return s->ctx;
}

void weft_stream_set_role_data(struct weft_stream *s, void *data)
{
	s->role_data = data;
}

void weft_stream_set_role_number(struct weft_stream *s, uint64_t number)
{
	s->role_number = number;
}

void *weft_stream_role_data(const struct weft_stream *s)
{
	return s->role_data;
}

struct weft_vhost *weft_stream_vhost(const struct weft_stream *s)
{
	return s->vhost ? s->vhost : s->pipe ? weft_pipe_conn(s->pipe)->vhost : NULL;
}

const struct weft_head *weft_stream_request(const struct weft_stream *s)
{
	return &s->request;
}

const struct weft_head *weft_stream_response(const struct weft_stream *s)
{
	return s->has_response ? &s->response : NULL;
}

const struct weft_limits *weft_stream_limits(const struct weft_stream *s)
{
	if (s->limits)
		return s->limits;
	if (s->vhost)
		return &s->vhost->limits;
	return s->pipe ? weft_conn_limits(weft_pipe_conn(s->pipe)) : &s->ctx->limits;
}

enum weft_status weft_stream_conn_info(const struct weft_stream *s, struct weft_conn_info *info)
{
	if (!s->pipe)
		return WEFT_ERR_STATE;
	weft_pipe_info(s->pipe, info);
	return WEFT_OK;
}

enum weft_status weft_stream_peer_cert(const struct weft_stream *s, struct weft_span *der)
{
	const struct weft_transport *t;

	if (!s->pipe || !weft_pipe_conn(s->pipe)->top)
		return WEFT_ERR_STATE;
	for (t = weft_pipe_conn(s->pipe)->top; t; t = t->below) {
		if (t->ops->peer_cert)
			return t->ops->peer_cert(t, der);
	}
	return WEFT_ERR_NOT_FOUND;
}

size_t weft_stream_explain(const struct weft_stream *s, char *out, size_t out_len)
{
	return weft_story_tell(&s->story, out, out_len);
}
