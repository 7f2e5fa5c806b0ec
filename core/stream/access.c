/* SPDX-License-Identifier: MIT */
/* What a vhost's on_access is told of each exchange. Nothing is kept where nobody asks. */
#include "core/conn/conn.h"
#include "core/stream/stream.h"
#include "core/vhost/vhost.h"

/* Asked of the system once a connection. NULL: no memory. */
static const struct weft_address *peer_of(struct weft_conn *conn)
{
	struct weft_conn_info info = { .id = 0 };

	if (!conn->peer) {
		conn->peer = weft_alloc(&conn->ctx->memory.alloc, sizeof(*conn->peer));
		if (!conn->peer)
			return NULL;
		conn->top->ops->info(conn->top, &info);
		*conn->peer = info.peer;
	}
	return conn->peer;
}

static void note(struct weft_stream *s, struct weft_conn *conn)
{
	const struct weft_address *peer = peer_of(conn);

	s->begun_wall = weft_context_wall(s->ctx);
	s->peer = peer ? weft_arena_alloc(&s->arena, sizeof(*s->peer)) : NULL;
	if (s->peer)
		*s->peer = *peer;
}

void weft_access_begin(struct weft_stream *s)
{
	if (s->vhost->on_access)
		note(s, weft_pipe_conn(s->pipe));
}

void weft_access_tell(struct weft_stream *s)
{
	const struct weft_net_ops *net = s->ctx->loop.net;
	struct weft_access access;

	if (s->client || !s->vhost || !s->vhost->on_access)
		return;
	access = (struct weft_access){
		.status = s->status,
		.body_in = s->body_in,
		.body_out = s->body_out,
		.begun_wall = s->begun_wall,
		.why = &s->why,
	};
	if (s->peer)
		access.peer = *s->peer;
	/* the turn's time stands still within a turn, which most exchanges take */
	access.duration_us = net->now(s->ctx->loop.net_state) - s->opened_us;
	s->vhost->on_access(s, &access, s->vhost->access_user);
}

/* As a stream that is over, so that it is told in its turn, and like any other. */
static void stand_in(struct weft_pipe *pipe, unsigned status, const struct weft_error *why)
{
	struct weft_conn *conn = weft_pipe_conn(pipe);
	struct weft_stream *s;

	if (!conn->vhost->on_access)
		return;
	s = weft_stream_create(conn->ctx, false);
	if (!s)
		return;
	s->vhost = weft_vhost_ref(conn->vhost);
	s->status = status;
	s->state = WEFT_STREAM_DONE;
	s->detached = true;
	s->why = *why;
	note(s, conn);
	weft_turn_queue(s->ctx, &s->ctx->queues.closed, &s->close_node);
}

void weft_role_refused(struct weft_pipe *pipe, struct weft_stream *s, unsigned status,
	const struct weft_error *why)
{
	weft_pipe_conn(pipe)->ctx->counters.requests_refused++;
	if (!s) {
		stand_in(pipe, status, why);
		return;
	}
	if (!s->status)
		s->status = status;
	/* its head could not be kept: there was no vhost to tell yet */
	if (!s->vhost) {
		s->vhost = weft_vhost_ref(weft_pipe_conn(pipe)->vhost);
		if (s->vhost->on_access)
			note(s, weft_pipe_conn(pipe));
	}
}
