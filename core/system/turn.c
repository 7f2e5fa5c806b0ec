/* SPDX-License-Identifier: MIT */
/*
 * The end of a turn: all that callbacks put off is done here, in a fixed order, and repeated while it
 * raises more, but not for ever.
 */
#include "core/client/pool.h"
#include "core/conn/conn.h"
#include "core/stream/stream.h"
#include "core/system/context.h"
#include "core/system/mailbox.h"

enum {
	PASSES = 16,
	CALM_US = 1000000,
};

#define FOR_ALL(queue, type, node, step)                                \
	static bool run_##queue(struct weft_context *ctx)               \
	{                                                               \
		struct weft_list now, *at;                              \
                                                                        \
		if (weft_list_empty(&ctx->queues.queue))                \
			return false;                                   \
		weft_list_init(&now);                                   \
		weft_list_splice(&now, &ctx->queues.queue);             \
		while ((at = weft_list_pop(&now)))                      \
			step(weft_container_of(at, struct type, node)); \
		return true;                                            \
	}

FOR_ALL(input, weft_conn, input_node, weft_conn_input)
FOR_ALL(deliver, weft_stream, deliver_node, weft_stream_deliver)
FOR_ALL(writable, weft_stream, writable_node, weft_stream_tell_writable)
FOR_ALL(pump, weft_pool_entry, pump_node, weft_pool_pump)
FOR_ALL(output, weft_pipe, output_node, weft_pipe_output)
FOR_ALL(flush, weft_conn, flush_node, weft_conn_flush)
FOR_ALL(closed, weft_stream, close_node, weft_stream_tell_closed)
FOR_ALL(reap, weft_conn, flush_node, weft_conn_reap)

static bool pass(struct weft_context *ctx)
{
	bool any = false;

	any |= run_input(ctx);
	any |= run_deliver(ctx);
	any |= run_writable(ctx);
	any |= run_pump(ctx);
	any |= run_output(ctx);
	any |= run_flush(ctx);
	any |= run_closed(ctx);
	any |= run_reap(ctx);
	return any;
}

static void calm(struct weft_timer *timer, void *user)
{
	/* that a turn comes is all */
	(void)timer;
	(void)user;
}

static void settle_memory(struct weft_context *ctx)
{
	/* with nothing under way there is nothing to be quick for */
	if (!ctx->counters.conns_now && !ctx->counters.streams_now) {
		weft_memory_finish(&ctx->memory);
		return;
	}
	if (weft_memory_settle(&ctx->memory) && !ctx->calm_timer.queued)
		weft_loop_timer(&ctx->loop, &ctx->calm_timer, weft_loop_now(&ctx->loop) + CALM_US,
			calm, ctx);
}

enum weft_turn weft_context_end_turn(void *user)
{
	struct weft_context *ctx = user;
	enum weft_turn next = WEFT_TURN_WAIT;
	bool more = true;

	ctx->in_turn = true;
	weft_mailbox_run(ctx->mailbox, ctx);
	for (unsigned i = 0; i < PASSES && more; i++)
		more = pass(ctx);
	settle_memory(ctx);
	ctx->turns++;
	ctx->in_turn = false;
	if (ctx->life != WEFT_LIFE_RUNNING)
		next = weft_context_live(ctx);
	return next == WEFT_TURN_WAIT && more ? WEFT_TURN_AGAIN : next;
}
