/* SPDX-License-Identifier: MIT */
/*
 * The pool's decisions: who is bound to what, when another connection is made, and what happens to
 * streams whose connection ended. DESIGN 5; the numbers in the comments are its laws.
 */
#include "core/client/pool.h"

#include <string.h>

#include "core/client/entry.h"
#include "core/client/tickets.h"

enum {
	TRIES_MAX = 5,    /* connections that one stream may see end */
	ATTEMPTS_MAX = 2, /* law 5: one fresh attempt, then all fail */
};

static uint64_t age_us(const struct weft_stream *s)
{
	return weft_loop_now(&s->ctx->loop) - s->opened_us;
}

static void wake(struct weft_pool_entry *e)
{
	weft_turn_queue(e->ctx, &e->ctx->queues.pump, &e->pump_node);
}

/* Law 5: it keeps its place. Newcomers have the highest order, so this ends at once for them. */
static void enqueue(struct weft_pool_entry *e, struct weft_stream *s)
{
	struct weft_list *before = &e->queue;

	while (before->prev != &e->queue &&
		weft_container_of(before->prev, struct weft_stream, entry_node)->order > s->order)
		before = before->prev;
	weft_list_insert(before, &s->entry_node);
	e->queued++;
	e->ctx->counters.streams_queued++;
	s->state = WEFT_STREAM_QUEUED;
	s->queued_us = weft_loop_now(&e->ctx->loop);
	wake(e);
}

static void dequeue(struct weft_pool_entry *e, struct weft_stream *s)
{
	uint64_t waited = weft_loop_now(&e->ctx->loop) - s->queued_us;

	weft_list_remove(&s->entry_node);
	e->queued--;
	e->ctx->counters.queue_us += waited;
	if (waited > e->ctx->counters.queue_us_max)
		e->ctx->counters.queue_us_max = waited;
}

enum weft_status weft_pool_submit(struct weft_stream *s, const struct weft_pool_key *key,
	const struct weft_plugin *role, const struct weft_limits *limits, bool alone,
	struct weft_transport *transport, struct weft_error *err)
{
	struct weft_context *ctx = s->ctx;
	struct weft_pool_entry *e = alone ? NULL : weft_pool_entry_find(ctx, key);

	if (e && e->queued >= ctx->max_queue) {
		ctx->counters.limits_hit++;
		return weft_error_set(err, WEFT_ERR_LIMIT, 0, "%u streams wait for %s:%u already",
			e->queued, key->host, key->port);
	}
	if (!e)
		e = weft_pool_entry_make(ctx, key, role, limits);
	if (!e)
		return weft_error_set(err, WEFT_ERR_MEMORY, 0, "no memory to queue a stream");
	e->alone = alone;
	e->transport = transport;
	e->given = transport != NULL;
	s->entry = e;
	s->order = ctx->counters.streams_opened++;
	weft_story_add(&s->story,
		e->conn_count ? WEFT_STORY_QUEUED_BUSY : WEFT_STORY_QUEUED_CONNECTING, 0, WEFT_OK,
		e->queued);
	enqueue(e, s);
	return WEFT_OK;
}

void weft_pool_leave(struct weft_stream *s)
{
	struct weft_pool_entry *e = s->entry;

	if (!e)
		return;
	if (weft_list_linked(&s->entry_node))
		dequeue(e, s);
	s->entry = NULL;
	wake(e);
}

/* ---- binding ---- */

static unsigned capacity(const struct weft_conn *conn)
{
	const struct weft_role_ops *ops;

	if (conn->state != WEFT_CONN_OPEN || conn->ending || !conn->pipe.role)
		return 0;
	/* what it said unasked must be met before a request, lest it pass for the answer */
	if (conn->unread && weft_list_empty(&conn->pipe.streams))
		return 0;
	ops = conn->pipe.role->role->ops;
	return ops->capacity && ops->open ? ops->capacity(conn->pipe.state) : 0;
}

/* The one that was used last: the others may grow old and go. */
static struct weft_conn *ready_conn(struct weft_pool_entry *e)
{
	struct weft_conn *best = NULL;

	weft_list_each(node, &e->conns)
	{
		struct weft_conn *conn = weft_container_of(node, struct weft_conn, entry_node);

		if (capacity(conn) && (!best || conn->idle_since_us > best->idle_since_us))
			best = conn;
	}
	return best;
}

static void count_bound(struct weft_conn *conn, struct weft_stream *s)
{
	struct weft_counters *c = &conn->ctx->counters;

	if (++conn->served > c->streams_per_conn_max)
		c->streams_per_conn_max = conn->served;
	weft_story_add(&s->story, conn->served > 1 ? WEFT_STORY_BOUND_REUSED : WEFT_STORY_BOUND_NEW,
		age_us(s), WEFT_OK, conn->id);
}

static void bind(struct weft_pool_entry *e, struct weft_stream *s, struct weft_conn *conn)
{
	const struct weft_role_ops *ops = conn->pipe.role->role->ops;
	struct weft_error err = { .status = WEFT_OK };

	dequeue(e, s);
	e->failures = 0;
	s->state = WEFT_STREAM_BOUND;
	s->pipe = &conn->pipe;
	s->tries++;
	weft_list_append(&conn->pipe.streams, &s->pipe_node);
	count_bound(conn, s);
	if (ops->open(conn->pipe.state, s, &err)) {
		weft_list_remove(&s->pipe_node);
		s->pipe = NULL;
		weft_stream_over(s, &err);
		return;
	}
	if (s->has_trailer && s->pipe && ops->head)
		(void)ops->head(conn->pipe.state, s, &s->trailer, WEFT_HEAD_TRAILER, true, NULL);
	if (s->pipe && (s->out.len || s->finished))
		ops->ready(conn->pipe.state, s);
}

/*
 * Laws 2 and 7: as many connections as streams wait for, and as may be. Law 5: after a failure one at a time,
 * and a limited number of them.
 */
static bool may_connect(const struct weft_pool_entry *e)
{
	unsigned max = e->alone ? 1 : e->ctx->max_conns;

	return e->queued > e->connecting && e->conn_count < max && e->failures < ATTEMPTS_MAX &&
	       (!e->failures || !e->connecting);
}

/* While a connection is there, or may be still, somebody will serve the queue. */
static bool hopeless(const struct weft_pool_entry *e)
{
	return e->failures >= ATTEMPTS_MAX && !e->conn_count;
}

static void fail_queue(struct weft_pool_entry *e)
{
	struct weft_list all;
	struct weft_list *node;

	weft_list_init(&all);
	weft_list_splice(&all, &e->queue);
	while ((node = all.next) != &all) {
		struct weft_stream *s = weft_container_of(node, struct weft_stream, entry_node);

		weft_stream_over(s, &e->why);
	}
}

/* Closes what has been idle for too long; tells when to look again. */
static void cool(struct weft_pool_entry *e);

static void warm_due(struct weft_timer *timer, void *user)
{
	(void)timer;
	cool(user);
}

static void cool(struct weft_pool_entry *e)
{
	uint64_t now = weft_loop_now(&e->ctx->loop), next = WEFT_NEVER, due;
	bool close_now = e->alone || e->ctx->life != WEFT_LIFE_RUNNING;

	if (e->queued) /* what waits for its role to be ready is not idle */
		return;
	weft_list_each_safe(node, &e->conns)
	{
		struct weft_conn *conn = weft_container_of(node, struct weft_conn, entry_node);

		if (conn->state != WEFT_CONN_OPEN || !weft_list_empty(&conn->pipe.streams))
			continue;
		due = conn->idle_since_us + (uint64_t)e->ctx->keep_warm_ms * 1000;
		if (close_now || due <= now)
			weft_conn_close(conn);
		else if (due < next)
			next = due;
	}
	if (next == WEFT_NEVER)
		weft_loop_timer_cancel(&e->ctx->loop, &e->warm);
	else
		weft_loop_timer(&e->ctx->loop, &e->warm, next, warm_due, e);
}

void weft_pool_pump(struct weft_pool_entry *e)
{
	struct weft_conn *conn;

	if (hopeless(e)) {
		fail_queue(e);
		e->failures = 0;
	}
	while (!weft_list_empty(&e->queue) && (conn = ready_conn(e)))
		bind(e, weft_container_of(e->queue.next, struct weft_stream, entry_node), conn);
	while (may_connect(e))
		weft_pool_connect(e);
	if (e->queued && hopeless(e))
		wake(e); /* without a connection there is nobody else to do it */
	/* a stream that needs no connection any more leaves none that is still being made */
	if (!e->queued && e->connecting) {
		weft_list_each_safe(node, &e->conns)
		{
			conn = weft_container_of(node, struct weft_conn, entry_node);
			if (conn->state < WEFT_CONN_OPEN)
				weft_conn_close(conn);
		}
	}
	if (!e->queued && weft_list_empty(&e->conns) && !weft_list_linked(&e->pump_node)) {
		weft_pool_entry_free(e);
		return;
	}
	cool(e);
}

/* ---- what conns and roles report ---- */

void weft_pool_conn_up(struct weft_conn *conn)
{
	struct weft_pool_entry *e = conn->entry;

	e->connecting--;
	conn->idle_since_us = weft_loop_now(&e->ctx->loop);
	wake(e);
}

/* Law 5, end: what another attempt would meet again. */
static bool would_repeat(const struct weft_error *why)
{
	return why->status == WEFT_ERR_RESOLVE || why->status == WEFT_ERR_VERIFY ||
	       why->status == WEFT_ERR_ARGUMENT || why->status == WEFT_ERR_UNSUPPORTED ||
	       why->status == WEFT_ERR_NOT_FOUND;
}

/* What a full handshake may do better. It is not to be met twice: a ticket that does harm is gone. */
static bool blame_resumption(struct weft_pool_entry *e, const struct weft_conn *conn)
{
	if (!conn->offered || e->given || conn->why.status == WEFT_ERR_MEMORY ||
		conn->why.status == WEFT_ERR_TIMEOUT)
		return false;
	e->no_resume = true;
	weft_tickets_drop(e->ctx, &e->key);
	return true;
}

static void count_failure(struct weft_pool_entry *e, const struct weft_conn *conn)
{
	if (would_repeat(&conn->why) || e->alone)
		e->failures = ATTEMPTS_MAX;
	else if (conn->failures_before == e->failures) /* else it went on beside one that failed */
		e->failures++;
}

/* It ended before it carried a stream. */
static void attempt_failed(struct weft_pool_entry *e, struct weft_conn *conn)
{
	if (conn->why.status == WEFT_OK) {
		if (conn->state < WEFT_CONN_OPEN || !e->queued) /* nobody wanted it any more */
			return;
		weft_error_set(&conn->why, WEFT_ERR_RESET, 0,
			"the server ended the connection before it took a stream");
	}
	e->ctx->counters.conns_failed++;
	e->why = conn->why;
	if (!blame_resumption(e, conn))
		count_failure(e, conn);
	weft_list_each(node, &e->queue)
	{
		struct weft_stream *s = weft_container_of(node, struct weft_stream, entry_node);

		weft_story_add(
			&s->story, WEFT_STORY_CONN_FAILED, age_us(s), conn->why.status, conn->id);
	}
}

void weft_pool_conn_down(struct weft_conn *conn)
{
	struct weft_pool_entry *e = conn->entry;

	if (conn->state < WEFT_CONN_OPEN)
		e->connecting--;
	if (!conn->served)
		attempt_failed(e, conn);
	else
		e->failures = 0; /* there was a way, and now there is room */
	conn->entry = NULL;
	weft_list_remove(&conn->entry_node);
	e->conn_count--;
	wake(e);
}

void weft_pool_capacity_changed(struct weft_conn *conn)
{
	if (!conn->entry)
		return;
	if (weft_list_empty(&conn->pipe.streams))
		conn->idle_since_us = weft_loop_now(&conn->ctx->loop);
	wake(conn->entry);
}

/* Law 5: may it go to another connection? Says which event to tell, or why not. */
static enum weft_status may_retry(
	const struct weft_stream *s, enum weft_cause cause, enum weft_story_event *event)
{
	if (s->ctx->life == WEFT_LIFE_DESTROYING)
		return WEFT_ERR_SHUTDOWN;
	if (s->tries >= TRIES_MAX || s->answered || s->tunnel || s->entry->given)
		return WEFT_ERR_LIMIT;
	if (cause == WEFT_CAUSE_UNSENT)
		*event = WEFT_STORY_RETRIED_UNSENT;
	else if (cause == WEFT_CAUSE_UNPROCESSED)
		*event = WEFT_STORY_RETRIED_UNPROCESSED;
	else if (cause == WEFT_CAUSE_UNKNOWN && s->idempotent)
		*event = WEFT_STORY_RETRIED_IDEMPOTENT;
	else
		return WEFT_ERR_STATE;
	return WEFT_OK;
}

void weft_pool_returned(struct weft_stream *s, enum weft_cause cause, const struct weft_error *why)
{
	enum weft_story_event event = WEFT_STORY_NOT_RETRIED;
	struct weft_error err = *why;
	enum weft_status st =
		cause == WEFT_CAUSE_FAILED ? WEFT_ERR_STATE : may_retry(s, cause, &event);

	if (st == WEFT_OK)
		st = weft_stream_rewind(s, &err);
	if (s->state == WEFT_STREAM_DONE) /* the application gave it up while it was asked */
		return;
	if (st) {
		weft_story_add(&s->story, WEFT_STORY_NOT_RETRIED, age_us(s), err.status, 0);
		weft_stream_over(s, &err);
		return;
	}
	weft_story_add(&s->story, event, age_us(s), why->status, 0);
	s->ctx->counters.streams_retried++;
	enqueue(s->entry, s);
}

void weft_pool_drain(struct weft_context *ctx)
{
	weft_list_each(node, &ctx->entries)
		wake(weft_container_of(node, struct weft_pool_entry, node));
}

void weft_pool_finish(struct weft_context *ctx)
{
	weft_list_each_safe(node, &ctx->entries)
		weft_pool_entry_free(weft_container_of(node, struct weft_pool_entry, node));
}
