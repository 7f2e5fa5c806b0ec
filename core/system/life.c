/* SPDX-License-Identifier: MIT */
/* The end of a context: drained in order, cut at the deadline, freed when nothing is left. */
#include "core/client/pool.h"
#include "core/client/tickets.h"
#include "core/conn/conn.h"
#include "core/stream/stream.h"
#include "core/system/context.h"
#include "core/vhost/listener.h"
#include "core/vhost/vhost.h"

/* Nothing new will need those that linger. */
static void end_lingering(struct weft_context *ctx)
{
	weft_list_each_safe(node, &ctx->vhosts)
	{
		struct weft_vhost *vh = weft_container_of(node, struct weft_vhost, node);

		if (vh->client)
			weft_vhost_client_end(vh);
	}
}

static void drain_all(struct weft_context *ctx)
{
	end_lingering(ctx);
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

	weft_error_set(&why, WEFT_ERR_SHUTDOWN, 0,
		ctx->life == WEFT_LIFE_DRAINING ? "the drain's deadline came"
						: "the context was destroyed");
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
	struct weft_context *ctx = user;

	(void)timer;
	if (!idle(ctx))
		weft_log(ctx, WEFT_LOG_WARN,
			"the deadline came: %llu connections and %llu streams are cut",
			(unsigned long long)ctx->counters.conns_now,
			(unsigned long long)ctx->counters.streams_now);
	cut(ctx);
}

static void set_deadline(struct weft_context *ctx, uint64_t due_us)
{
	/* an earlier one was promised to somebody */
	if (!ctx->life_timer.queued || due_us < ctx->life_timer.due_us)
		weft_loop_timer(&ctx->loop, &ctx->life_timer, due_us, deadline, ctx);
}

void weft_context_drain(
	struct weft_context *ctx, uint32_t deadline_ms, void (*drained)(void *user), void *user)
{
	if (ctx->life == WEFT_LIFE_DESTROYING)
		return;
	if (ctx->life == WEFT_LIFE_RUNNING) {
		weft_log(ctx, WEFT_LOG_INFO,
			"draining %llu connections with %llu streams, deadline %u ms",
			(unsigned long long)ctx->counters.conns_now,
			(unsigned long long)ctx->counters.streams_now, deadline_ms);
		ctx->life = WEFT_LIFE_DRAINING;
		ctx->drain_due = true;
		ctx->drained = drained;
		ctx->drained_user = user;
		drain_all(ctx);
	}
	if (deadline_ms)
		set_deadline(ctx, weft_loop_now(&ctx->loop) + (uint64_t)deadline_ms * 1000);
}

/* The application's vhosts go with the context, destroyed or not. */
static void end_vhosts(struct weft_context *ctx)
{
	weft_policy_finish(ctx);
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

static void tell_drained(struct weft_context *ctx)
{
	void (*drained)(void *) = ctx->drained;

	ctx->drain_due = false;
	weft_log(ctx, WEFT_LOG_INFO, "drained");
	if (ctx->life == WEFT_LIFE_DRAINING)
		weft_loop_timer_cancel(&ctx->loop, &ctx->life_timer);
	/* nothing will be opened that could need the tickets, and the blocks kept at hand */
	weft_tickets_finish(ctx);
	weft_memory_finish(&ctx->memory);
	if (!drained)
		return;
	/* a destroy in it must leave the context to those who called us */
	ctx->in_turn = true;
	drained(ctx->drained_user);
	ctx->in_turn = false;
}

enum weft_turn weft_context_live(struct weft_context *ctx)
{
	if (!ctx->life_changed || !idle(ctx))
		return WEFT_TURN_WAIT;
	ctx->life_changed = false;
	if (ctx->drain_due) {
		tell_drained(ctx);
		/* it may have begun something, or the end */
		ctx->life_changed = true;
		return WEFT_TURN_AGAIN;
	}
	if (ctx->life != WEFT_LIFE_DESTROYING)
		return WEFT_TURN_WAIT;
	finish(ctx);
	return WEFT_TURN_GONE;
}

void weft_context_destroy(
	struct weft_context *ctx, uint32_t deadline_ms, void (*done)(void *user), void *user)
{
	if (!ctx)
		return;
	if (ctx->life != WEFT_LIFE_DESTROYING) {
		ctx->life = WEFT_LIFE_DESTROYING;
		ctx->done = done;
		ctx->done_user = user;
		drain_all(ctx);
	}
	if (deadline_ms || ctx->loop.calling || ctx->in_turn) {
		/* even without time left: somebody's callback may be on the stack */
		set_deadline(ctx,
			deadline_ms ? weft_loop_now(&ctx->loop) + (uint64_t)deadline_ms * 1000 : 0);
		return;
	}
	while (ctx->drain_due || !idle(ctx)) {
		if (idle(ctx))
			tell_drained(ctx);
		cut(ctx);
		if (weft_context_end_turn(ctx) == WEFT_TURN_GONE)
			return;
	}
	finish(ctx);
}
