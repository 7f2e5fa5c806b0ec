/* SPDX-License-Identifier: MIT */
/* The pipe: what a role may ask of the connection under it. */
#include "core/conn/conn.h"
#include "core/stream/stream.h"

/* Bytes queued above which a role gets no room. A file takes no memory: as much as a few sends take. */
enum { PIPE_HIGH = 65536, FILE_AT_ONCE = 524288 };

enum weft_status weft_pipe_attach(
	struct weft_pipe *pipe, const struct weft_plugin *role, struct weft_error *err)
{
	struct weft_conn *conn = weft_pipe_conn(pipe);
	struct weft_role_attach attach = {
		.size = sizeof(attach),
		.pipe = pipe,
		.alloc = &conn->ctx->memory.alloc,
		.client = conn->client,
		.limits = weft_conn_limits(conn),
	};
	enum weft_status st;

	st = role->role->ops->attach(&attach, &pipe->state, err);
	if (st == WEFT_OK)
		pipe->role = role;
	return st;
}

void weft_pipe_detach(struct weft_pipe *pipe, const struct weft_error *why)
{
	const struct weft_plugin *role = pipe->role;

	weft_conn_tick_at(weft_pipe_conn(pipe), WEFT_NEVER);
	weft_list_remove(&pipe->output_node);
	if (!role)
		return;
	pipe->role = NULL;
	role->role->ops->detach(pipe->state, why);
	pipe->state = NULL;
	/* a role that forgot one must not leave a stream pointing to a dead pipe */
	while (!weft_list_empty(&pipe->streams))
		weft_role_closed(
			weft_container_of(pipe->streams.next, struct weft_stream, pipe_node),
			WEFT_CAUSE_UNKNOWN, why);
}

size_t weft_pipe_room(const struct weft_pipe *pipe)
{
	const struct weft_conn *conn = weft_pipe_conn(pipe);
	size_t queued = pipe->out.len;

	if (conn->top)
		queued += conn->top->ops->pending(conn->top);
	return queued < PIPE_HIGH ? PIPE_HIGH - queued : 0;
}

size_t weft_pipe_room_for(const struct weft_pipe *pipe, const struct weft_stream *stream)
{
	size_t room = weft_pipe_room(pipe), count = 1;
	struct weft_segment first;

	/* with TLS it is work that counts, which is to be shared out among connections */
	if (!room || weft_pipe_secure(pipe))
		return room;
	weft_segq_peek(&stream->out, FILE_AT_ONCE, &first, &count);
	return count && first.kind == WEFT_SEGMENT_FILE && first.len > room ? first.len : room;
}

enum weft_status weft_pipe_send(struct weft_pipe *pipe, uint32_t port,
	const struct weft_segment *segs, size_t count, bool fin)
{
	struct weft_conn *conn = weft_pipe_conn(pipe);
	struct weft_error err;

	(void)port;
	if (conn->out_fin || conn->state != WEFT_CONN_OPEN)
		return WEFT_ERR_STATE;
	for (size_t i = 0; i < count; i++) {
		if (!weft_segq_push(&pipe->out, &segs[i], true)) {
			weft_error_set(&err, WEFT_ERR_MEMORY, 0, "no memory to queue output");
			conn->abortive = true;
			weft_conn_fail(conn, &err);
			return WEFT_ERR_MEMORY;
		}
	}
	conn->out_fin = fin;
	weft_turn_queue(conn->ctx, &conn->ctx->queues.flush, &conn->flush_node);
	return WEFT_OK;
}

void weft_pipe_want_output(struct weft_pipe *pipe)
{
	struct weft_conn *conn = weft_pipe_conn(pipe);

	conn->starved = false;
	weft_turn_queue(conn->ctx, &conn->ctx->queues.output, &pipe->output_node);
}

void weft_pipe_output(struct weft_pipe *pipe)
{
	struct weft_conn *conn = weft_pipe_conn(pipe);
	struct weft_error err;
	enum weft_status st;

	if (!pipe->role || conn->state != WEFT_CONN_OPEN)
		return;
	weft_error_clear(&err);
	if (!weft_pipe_room(pipe)) {
		conn->starved = true;
		return;
	}
	st = pipe->role->role->ops->output(pipe->state, &err);
	if (st < 0) {
		if (err.status == WEFT_OK)
			weft_error_set(&err, st, 0, "the role could not write");
		weft_conn_fail(conn, &err);
	}
}

void weft_pipe_resume(struct weft_pipe *pipe)
{
	struct weft_conn *conn = weft_pipe_conn(pipe);

	if (!conn->blocked)
		return;
	conn->blocked = false;
	weft_turn_queue(conn->ctx, &conn->ctx->queues.input, &conn->input_node);
}

void weft_pipe_close(struct weft_pipe *pipe)
{
	weft_conn_close(weft_pipe_conn(pipe));
}

void weft_pipe_fail(struct weft_pipe *pipe, const struct weft_error *why)
{
	weft_conn_fail(weft_pipe_conn(pipe), why);
}

void weft_pipe_tick(struct weft_pipe *pipe)
{
	struct weft_conn *conn = weft_pipe_conn(pipe);
	struct weft_error err = { .status = WEFT_OK };
	enum weft_status st;

	if (!pipe->role || conn->state != WEFT_CONN_OPEN || !pipe->role->role->ops->tick)
		return;
	st = pipe->role->role->ops->tick(pipe->state, weft_pipe_now(pipe), &err);
	if (st < 0) {
		if (err.status == WEFT_OK)
			weft_error_set(&err, st, 0, "the role gave up");
		weft_conn_fail(conn, &err);
	}
}

void weft_pipe_deadline(struct weft_pipe *pipe, uint64_t deadline_us)
{
	weft_conn_tick_at(weft_pipe_conn(pipe), deadline_us);
}

void weft_pipe_info(const struct weft_pipe *pipe, struct weft_conn_info *info)
{
	struct weft_conn *conn = weft_pipe_conn(pipe);

	*info = (struct weft_conn_info){ .id = conn->id };
	if (pipe->role)
		snprintf(info->role, sizeof(info->role), "%s", pipe->role->name);
	if (conn->top)
		conn->top->ops->info(conn->top, info);
}

const struct weft_allocator *weft_pipe_alloc(const struct weft_pipe *pipe)
{
	return &weft_pipe_conn(pipe)->ctx->memory.alloc;
}

const struct weft_allocator *weft_pipe_quick(const struct weft_pipe *pipe)
{
	return &weft_pipe_conn(pipe)->ctx->memory.quick.alloc;
}

void *weft_pipe_workspace(struct weft_pipe *pipe, size_t len)
{
	struct weft_context *ctx = weft_pipe_conn(pipe)->ctx;

	if (!ctx->workspace.users) {
		ctx->workspace.ptr = weft_alloc(&ctx->memory.alloc, len);
		ctx->workspace.len = len;
	}
	if (!ctx->workspace.ptr || ctx->workspace.len != len)
		return NULL;
	ctx->workspace.users++;
	return ctx->workspace.ptr;
}

void weft_pipe_workspace_end(struct weft_pipe *pipe)
{
	struct weft_context *ctx = weft_pipe_conn(pipe)->ctx;

	if (--ctx->workspace.users)
		return;
	weft_free(&ctx->memory.alloc, ctx->workspace.ptr, ctx->workspace.len);
	ctx->workspace.ptr = NULL;
}

bool weft_pipe_secure(const struct weft_pipe *pipe)
{
	return weft_pipe_conn(pipe)->scheme->tls;
}

uint64_t weft_pipe_now(const struct weft_pipe *pipe)
{
	return weft_loop_now(&weft_pipe_conn(pipe)->ctx->loop);
}

uint64_t weft_pipe_sent_at(const struct weft_pipe *pipe)
{
	uint64_t now = weft_pipe_now(pipe);
	/* their difference is right, whatever was cut off */
	uint32_t past_ms = (uint32_t)(now / 1000) - weft_pipe_conn(pipe)->sent_ms;

	return (uint64_t)past_ms * 1000 < now ? now - (uint64_t)past_ms * 1000 : 0;
}

int64_t weft_pipe_wall(const struct weft_pipe *pipe)
{
	struct weft_context *ctx = weft_pipe_conn(pipe)->ctx;
	uint64_t now = weft_loop_now(&ctx->loop);

	/* asked for with each answer: as the other clock, it stands still within a turn */
	if (!ctx->loop.in_turn || ctx->wall_us != now) {
		ctx->wall = weft_context_wall(ctx);
		ctx->wall_us = now;
	}
	return ctx->wall;
}
