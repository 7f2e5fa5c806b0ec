/* SPDX-License-Identifier: MIT */
/* Making and running a context, and the small questions it answers. */
#include "core/system/context.h"

#include <string.h>

#include "core/net/resolve.h"
#include "core/plugin/registry.h"
#include "core/system/local.h"
#include "core/system/mailbox.h"
#include "core/vhost/trust.h"

static uint32_t pick(uint32_t value, uint32_t otherwise)
{
	return value ? value : otherwise;
}

static void set_options(struct weft_context *ctx, const struct weft_context_options *o)
{
	ctx->limits = (struct weft_limits){
		.header_bytes = pick(o->header_bytes, 65536),
		.header_count = pick(o->header_count, 128),
		.window_bytes = pick(o->window_bytes, 65536),
		.connect_ms = pick(o->connect_ms, 10000),
		.handshake_ms = pick(o->handshake_ms, 10000),
		.header_ms = pick(o->header_ms, 10000),
		.idle_ms = pick(o->idle_ms, 60000),
		.flush_ms = pick(o->flush_ms, 30000),
		.linger_ms = pick(o->linger_ms, 2000),
		.body_rate_min = pick(o->body_rate_min, 100),
		.rate_grace_ms = pick(o->rate_grace_ms, 10000),
		.streams = pick(o->streams, 100),
	};
	ctx->client_limits = ctx->limits;
	/* a client waits for an answer as long as idle_ms allows, unless told otherwise */
	ctx->client_limits.header_ms = 0;
	ctx->client_limits.early_streams = o->early_streams;
	ctx->client_limits.ping_ms = o->ping_ms == UINT32_MAX ? 0 : pick(o->ping_ms, 20000);
	ctx->write_high = pick(o->write_high, 65536);
	ctx->keep_warm_ms = o->no_keep_warm ? 0 : pick(o->keep_warm_ms, 5000);
	ctx->max_conns = pick(o->max_conns, 1);
	ctx->max_queue = pick(o->max_queue, 10000);
	ctx->admission.max = o->conns_max;
	ctx->admission.per_address = o->conns_per_address;
	ctx->reuse_port = o->reuse_port;
	ctx->queue_ms = o->queue_ms;
	ctx->conn_requests = o->conn_requests;
	ctx->conn_age_ms = o->conn_age_ms;
	ctx->retry_percent = pick(o->retry_percent, 20);
	ctx->ticket_max = o->no_tickets ? 0 : pick(o->ticket_cache, 64);
	ctx->fragment_bytes = o->fragment_bytes < WEFT_RECV_BYTES ? o->fragment_bytes : 0;
	ctx->log = o->log ? o->log : weft_log_stderr;
	ctx->log_user = o->log ? o->log_user : ctx;
	ctx->log_level = o->log_level ? o->log_level : WEFT_LOG_WARN;
}

static void init_lists(struct weft_context *ctx)
{
	struct weft_list *const lists[] = {
		&ctx->locals,
		&ctx->vhosts,
		&ctx->listeners,
		&ctx->conns,
		&ctx->streams,
		&ctx->entries,
		&ctx->tickets,
		&ctx->queues.input,
		&ctx->queues.deliver,
		&ctx->queues.writable,
		&ctx->queues.pump,
		&ctx->queues.output,
		&ctx->queues.flush,
		&ctx->queues.closed,
		&ctx->queues.reap,
	};

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		weft_list_init(lists[i]);
}

static enum weft_status find_plugins(
	struct weft_context *ctx, const struct weft_context_options *o, struct weft_error *err)
{
	enum weft_status st = WEFT_OK;

	if (o->registry)
		ctx->registry = weft_registry_ref(o->registry);
	else
		st = weft_registry_create(o->plugin_dir, &ctx->registry, err);
	if (st == WEFT_OK)
		st = weft_registry_find(
			ctx->registry, WEFT_PLUGIN_EVENT, o->event, &ctx->event, err);
	if (st == WEFT_OK)
		st = weft_registry_roles(ctx->registry, err);
	if (st || (o->tls && !strcmp(o->tls, "none")))
		return st;
	st = weft_registry_find(ctx->registry, WEFT_PLUGIN_TLS, o->tls, &ctx->tls, err);
	if (st == WEFT_ERR_NOT_FOUND && !o->tls) {
		/* a build without TLS: what was not found is no failure */
		st = WEFT_OK;
		if (err)
			weft_error_clear(err);
	}
	return st;
}

/* What is left of a context whose loop may never have started. */
void weft_context_free(struct weft_context *ctx)
{
	const struct weft_allocator *backing = ctx->memory.backing;

	weft_context_drop_locals(ctx);
	weft_trust_release(ctx->no_trust);
	weft_resolver_destroy(ctx->resolver);
	weft_mailbox_close(ctx->mailbox, ctx->id);
	weft_loop_finish(&ctx->loop);
	weft_registry_release(ctx->registry);
	weft_free(&ctx->memory.alloc, ctx->recv_buf, WEFT_RECV_BYTES);
	weft_stream_ids_finish(&ctx->ids, &ctx->memory.alloc);
	weft_memory_finish(&ctx->memory);
	if (ctx->gone)
		*ctx->gone = true;
	weft_free(backing, ctx, sizeof(*ctx));
}

enum weft_status weft_context_create(const struct weft_context_options *options,
	struct weft_context **out, struct weft_error *err)
{
	static const struct weft_context_options defaults = { .event = NULL };
	const struct weft_context_options *o = options ? options : &defaults;
	const struct weft_allocator *backing = o->allocator ? o->allocator : &weft_allocator_system;
	struct weft_context *ctx = weft_zalloc(backing, sizeof(*ctx));
	enum weft_status st;

	if (!ctx)
		return weft_error_set(err, WEFT_ERR_MEMORY, 0, "no memory for a context");
	weft_memory_init(&ctx->memory, backing, o->heap_max);
	init_lists(ctx);
	set_options(ctx, o);
	st = find_plugins(ctx, o, err);
	if (st)
		goto fail;
	st = weft_loop_init(&ctx->loop, ctx->event->event, &ctx->memory.alloc, o->foreign_loop,
		weft_context_end_turn, ctx, err);
	if (st)
		goto fail;
	ctx->recv_buf = weft_alloc(&ctx->memory.alloc, WEFT_RECV_BYTES);
	if (!ctx->recv_buf) {
		st = weft_error_set(err, WEFT_ERR_MEMORY, 0, "no memory for a context");
		goto fail;
	}
	st = weft_mailbox_open(&ctx->loop, &ctx->memory.alloc, &ctx->mailbox, &ctx->id, err);
	if (st)
		goto fail;
	*out = ctx;
	return WEFT_OK;
fail:
	weft_context_free(ctx);
	return st;
}

/* ---- running ---- */

static enum weft_status run_turn(struct weft_context *ctx, uint64_t max_wait_us, bool *gone)
{
	struct weft_error err = { .status = WEFT_OK };
	enum weft_status st;

	*gone = false;
	/* objects that callbacks on the stack still work with would be freed at this turn's end */
	if (ctx->loop.calling || ctx->in_turn)
		return WEFT_ERR_STATE;
	ctx->gone = gone;
	st = weft_loop_run(&ctx->loop, max_wait_us, &err);
	if (*gone)
		return WEFT_EOF;
	ctx->gone = NULL;
	if (st < 0)
		weft_log(ctx, WEFT_LOG_ERROR, "the loop failed: %s", err.text);
	return st;
}

enum weft_status weft_context_turn(struct weft_context *ctx, uint32_t max_wait_ms)
{
	bool gone;

	return run_turn(ctx, (uint64_t)max_wait_ms * 1000, &gone);
}

enum weft_status weft_context_run(struct weft_context *ctx)
{
	enum weft_status st = WEFT_OK;
	bool gone = false;

	ctx->stop = false;
	while (st == WEFT_OK) {
		st = run_turn(ctx, WEFT_NEVER, &gone);
		if (gone)
			return WEFT_OK;
		if (ctx->stop)
			break;
	}
	return st < 0 ? st : WEFT_OK;
}

void weft_context_stop(struct weft_context *ctx)
{
	ctx->stop = true;
	weft_context_nudge(ctx);
}

/* ---- questions ---- */

uint64_t weft_context_id(const struct weft_context *ctx)
{
	return ctx->id;
}

uint64_t weft_context_now(const struct weft_context *ctx)
{
	return weft_loop_now((struct weft_loop *)&ctx->loop);
}

int64_t weft_context_wall(const struct weft_context *ctx)
{
	return ctx->loop.net->wall(ctx->loop.net_state);
}

const char *weft_context_event(const struct weft_context *ctx)
{
	return ctx->event->name;
}

const char *weft_context_tls(const struct weft_context *ctx)
{
	return ctx->tls ? ctx->tls->name : "none";
}

const struct weft_allocator *weft_context_allocator(struct weft_context *ctx)
{
	return &ctx->memory.alloc;
}

bool weft_context_memory_low(struct weft_context *ctx)
{
	return weft_memory_low(&ctx->memory);
}

struct weft_registry *weft_context_registry(struct weft_context *ctx)
{
	return ctx->registry;
}

void weft_timer_set(struct weft_context *ctx, struct weft_timer *timer, uint64_t delay_us,
	void (*fn)(struct weft_timer *timer, void *user), void *user)
{
	uint64_t now = weft_loop_now(&ctx->loop);
	uint64_t due;

	/* due now would be due in this very turn, and a timer that sets itself again would never let it end */
	if (!delay_us)
		delay_us = 1;
	due = delay_us > WEFT_NEVER - 1 - now ? WEFT_NEVER - 1 : now + delay_us;
	weft_loop_timer(&ctx->loop, timer, due, fn, user);
}

void weft_timer_cancel(struct weft_context *ctx, struct weft_timer *timer)
{
	weft_loop_timer_cancel(&ctx->loop, timer);
}

void weft_context_counters(const struct weft_context *ctx, struct weft_counters *out)
{
	*out = ctx->counters;
	out->net_wait = ctx->loop.waits;
	out->heap_now = ctx->memory.now;
	out->heap_peak = ctx->memory.peak;
	out->heap_allocs = ctx->memory.allocs;
}
