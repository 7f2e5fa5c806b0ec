/* SPDX-License-Identifier: MIT */
/* The end of a context: drained in order, cut at the deadline, freed when nothing is left. */
#include "core/client/pool.h"
#include "core/client/tickets.h"
#include "core/conn/conn.h"
#include "core/stream/stream.h"
#include "core/system/context.h"
#include "core/vhost/listener.h"
#include "core/vhost/vhost.h"

static void drain_all(struct weft_context *ctx)
{
	weft_list_each(node, &ctx->vhosts)
		weft_vhost_stop_listening(weft_container_of(node, struct weft_vhost, node));
	weft_list_each(node, &ctx->conns)
		weft_conn_drain(weft_container_of(node, struct weft_conn, node));
	weft_pool_drain(ctx);
	weft_context_changed(ctx);
}

/* Whatever still runs ends now. */
static void cut(struct weft_context *ctx)
{
	struct weft_error why;

	weft_error_set(&why, WEFT_ERR_SHUTDOWN, 0, "the context was destroyed");
	/* first, because it leaves streams that are complete but for what the application took */
	weft_list_each(node, &ctx->conns)
		weft_conn_kill(weft_container_of(node, struct weft_conn, node), &why);
	weft_list_each(node, &ctx->streams)
	{
		struct weft_stream *s = weft_container_of(node, struct weft_stream, node);

		if (s->client && s->state == WEFT_STREAM_QUEUED)
			weft_stream_over(s, &why);
		/* an application that paused will not come back for the rest */
		s->paused = false;
		if (s->state == WEFT_STREAM_DONE) {
			s->end_told = true;
			weft_buffer_finish(&s->in);
			weft_turn_queue(ctx, &ctx->queues.closed, &s->close_node);
		}
	}
}

static bool idle(const struct weft_context *ctx)
{
	return weft_list_empty((struct weft_list *)&ctx->conns) &&
	       weft_list_empty((struct weft_list *)&ctx->streams);
}

static void deadline(struct weft_timer *timer, void *user)
{
	(void)timer;
	cut(user);
}

void weft_context_drain(
	struct weft_context *ctx, uint32_t deadline_ms, void (*drained)(void *user), void *user)
{
	uint64_t due = weft_loop_now(&ctx->loop) + (uint64_t)deadline_ms * 1000;

	if (ctx->life == WEFT_LIFE_DESTROYING)
		return;
	if (ctx->life == WEFT_LIFE_RUNNING) {
		ctx->life = WEFT_LIFE_DRAINING;
		ctx->drained = drained;
		ctx->drained_user = user;
		drain_all(ctx);
	}
	if (deadline_ms && (!ctx->life_timer.queued || due < ctx->life_timer.due_us))
		weft_loop_timer(&ctx->loop, &ctx->life_timer, due, deadline, ctx);
}

/* The application's vhosts go with the context, destroyed or not. */
static void end_vhosts(struct weft_context *ctx)
{
	weft_list_each_safe(node, &ctx->vhosts)
		weft_vhost_destroy(weft_container_of(node, struct weft_vhost, node));
}

static void finish(struct weft_context *ctx)
{
	void (*done)(void *) = ctx->done;
	void *user = ctx->done_user;

	weft_loop_timer_cancel(&ctx->loop, &ctx->life_timer);
	weft_loop_timer_cancel(&ctx->loop, &ctx->calm_timer);
	weft_pool_finish(ctx);
	weft_tickets_finish(ctx);
	end_vhosts(ctx);
	weft_context_free(ctx);
	if (done)
		done(user);
}

bool weft_context_live(struct weft_context *ctx)
{
	if (!ctx->life_changed || !idle(ctx))
		return false;
	ctx->life_changed = false;
	if (ctx->drained) {
		void (*drained)(void *) = ctx->drained;

		ctx->drained = NULL;
		/* nothing will be opened that could need the tickets, and the blocks kept at hand */
		weft_tickets_finish(ctx);
		weft_memory_finish(&ctx->memory);
		drained(ctx->drained_user);
	}
	if (ctx->life != WEFT_LIFE_DESTROYING)
		return false;
	finish(ctx);
	return true;
}

void weft_context_destroy(
	struct weft_context *ctx, uint32_t deadline_ms, void (*done)(void *user), void *user)
{
	uint64_t due;
	bool again;

	if (!ctx)
		return;
	due = deadline_ms ? weft_loop_now(&ctx->loop) + (uint64_t)deadline_ms * 1000 : 0;
	again = ctx->life == WEFT_LIFE_DESTROYING;
	if (!again) {
		ctx->life = WEFT_LIFE_DESTROYING;
		ctx->done = done;
		ctx->done_user = user;
		drain_all(ctx);
	}
	if (deadline_ms || ctx->loop.calling || ctx->in_turn) {
		/* even without time left: somebody's callback may be on the stack */
		if (!again || due < ctx->life_timer.due_us)
			weft_loop_timer(&ctx->loop, &ctx->life_timer, due, deadline, ctx);
		return;
	}
	while (!idle(ctx)) {
		cut(ctx);
		if (weft_context_end_turn(ctx) == WEFT_TURN_GONE)
			return;
	}
	finish(ctx);
}
