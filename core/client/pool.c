/* SPDX-License-Identifier: MIT */
/*
 * The pool's queue: who waits, when another connection is made, and when all is lost.
 * DESIGN 5; the numbers in the comments are its laws. Binding: bind.c; warm connections: warm.c; retries: retry.c.
 */
#include "core/client/pool.h"

#include <string.h>

#include "core/client/entry.h"
#include "core/client/tickets.h"
#include "core/plugin/roles.h"
#include "core/transport/proxy.h"
#include "core/vhost/trust.h"

enum {
	ATTEMPTS_MAX = 2, /* law 5: one fresh attempt, then all fail */
	LEAVING_MAX = 16, /* connections beyond max_conns that only finish what they have */
};

uint64_t weft_pool_age_us(const struct weft_stream *s)
{
	return weft_loop_now(&s->ctx->loop) - s->opened_us;
}

void weft_pool_wake(struct weft_pool_entry *e)
{
	weft_turn_queue(e->ctx, &e->ctx->queues.pump, &e->pump_node);
}

/* Law 5: it keeps its place. Newcomers have the highest order, so this ends at once for them. */
void weft_pool_enqueue(struct weft_pool_entry *e, struct weft_stream *s)
{
	struct weft_list *before = &e->queue;

	while (before->prev != &e->queue &&
		weft_container_of(before->prev, struct weft_stream, entry_node)->order > s->order)
		before = before->prev;
	weft_list_insert(before, &s->entry_node);
	e->queued++;
	e->faithful += !s->coalesce;
	if (e->faithful && e->promised) /* a connection of its own is needed anyway */
		weft_pool_return_loan(e);
	e->ctx->counters.streams_queued++;
	s->state = WEFT_STREAM_QUEUED;
	s->queued_us = weft_loop_now(&e->ctx->loop);
	s->queued_turn = e->ctx->loop.in_turn ? e->ctx->turns : UINT64_MAX;
	if (s->queue_ms || s->total_due_us != WEFT_NEVER)
		weft_stream_arm(s);
	weft_pool_wake(e);
}

void weft_pool_dequeue(struct weft_pool_entry *e, struct weft_stream *s)
{
	uint64_t waited = weft_loop_now(&e->ctx->loop) - s->queued_us;

	weft_list_remove(&s->entry_node);
	e->queued--;
	e->faithful -= !s->coalesce;
	s->waited_us += waited;
	e->ctx->counters.queue_us += waited;
	if (waited > e->ctx->counters.queue_us_max)
		e->ctx->counters.queue_us_max = waited;
}

/*
 * Why it has to wait, if it has to; whether an idle connection's role would take it is not asked here,
 * where one of its ops may be on the stack.
 */
static void tell_queued(struct weft_pool_entry *e, struct weft_stream *s)
{
	struct weft_told told = { .event = WEFT_STORY_QUEUED_CONNECTING, .a = e->queued };
	const struct weft_conn *shaking = NULL, *busy = NULL;

	weft_list_each(node, &e->conns)
	{
		const struct weft_conn *conn = weft_pool_conn_of(node);

		if (conn->state == WEFT_CONN_SHAKING && !shaking)
			shaking = conn;
		if (conn->state == WEFT_CONN_OPEN && !conn->ending && !busy)
			busy = conn;
		if (busy == conn && !e->queued && !weft_client_conn(conn)->busy)
			return;
	}
	if (shaking) {
		told.event = WEFT_STORY_QUEUED_SHAKING;
		told.number = shaking->id;
	} else if (busy && e->conn_count >= e->ctx->max_conns) {
		told.event = WEFT_STORY_QUEUED_BUSY;
		told.number = busy->id;
		told.b = e->conn_count;
	}
	weft_pool_tell(s, told);
}

enum weft_status weft_pool_submit(struct weft_stream *s, const struct weft_pool_key *key,
	const struct weft_plugin *role, bool alone, struct weft_transport *transport,
	struct weft_error *err)
{
	struct weft_context *ctx = s->ctx;
	struct weft_pool_entry *e = alone ? NULL : weft_pool_entry_find(ctx, key);

	if (e && e->queued >= ctx->max_queue) {
		ctx->counters.limits_hit++;
		return weft_error_set(err, WEFT_ERR_LIMIT, 0,
			"%u streams wait for %s:%u already, and more may not (max_queue)",
			e->queued, key->host, key->port);
	}
	if (e)
		weft_pool_entry_renew(e, key);
	else
		e = weft_pool_entry_make(ctx, key, role);
	if (!e)
		return weft_error_set(err, WEFT_ERR_MEMORY, 0, "no memory to queue a stream");
	e->alone = alone;
	e->transport = transport;
	e->given = transport != NULL;
	s->entry = e;
	e->streams++;
	s->order = ctx->counters.streams_opened++;
	weft_budget_earn(ctx, e->place);
	tell_queued(e, s);
	weft_pool_enqueue(e, s);
	return WEFT_OK;
}

void weft_pool_waited_out(struct weft_stream *s)
{
	struct weft_pool_entry *e = s->entry;
	uint64_t waited = s->waited_us + weft_loop_now(&s->ctx->loop) - s->queued_us;
	struct weft_error why;

	s->ctx->counters.timeouts++;
	s->ctx->counters.queue_timeouts++;
	weft_error_set(&why, WEFT_ERR_TIMEOUT, 0,
		"no connection to %.100s:%u within %u ms (queue_ms): %u streams wait, %u of %u "
		"connections are there, %u of them being made",
		e->key.host, e->key.port, s->queue_ms, e->queued, e->conn_count,
		e->alone ? 1 : s->ctx->max_conns, e->connecting);
	weft_pool_tell(s, (struct weft_told){
				  .event = WEFT_STORY_QUEUE_TIMEOUT, .a = weft_story_ms(waited) });
	weft_stream_over(s, &why);
}

void weft_pool_leave(struct weft_stream *s)
{
	struct weft_pool_entry *e = s->entry;

	if (!e)
		return;
	if (weft_list_linked(&s->entry_node))
		weft_pool_dequeue(e, s);
	s->entry = NULL;
	e->streams--;
	e->idle_us = weft_loop_now(&e->ctx->loop);
	weft_pool_wake(e);
}

/* ---- connections ---- */

/* Connections that take streams, now or as soon as they have room; others' streams are nothing to wait for. */
static unsigned living(const struct weft_pool_entry *e)
{
	unsigned n = 0;

	weft_list_each(node, &e->conns)
	{
		const struct weft_client_conn *c = weft_client_conn(weft_pool_conn_of(node));

		n += !c->conn.ending && !c->retired && !weft_pool_is_given_away(c);
	}
	return n;
}

bool weft_pool_may_mux(const struct weft_pool_entry *e)
{
	if (e->known)
		return e->mux;
	if (e->role->role->caps & WEFT_ROLE_MUX)
		return true;
	for (const char *const *name = e->key.trust->alpn; *name; name++) {
		const struct weft_plugin *role = weft_roles_by_alpn(e->ctx, e->key.scheme, *name);

		if (role && (role->role->caps & WEFT_ROLE_MUX))
			return true;
	}
	return false;
}

/*
 * Laws 2, 4 and 7: as many connections as streams wait for, and as may be; one where it may carry all of them, beside
 * such as only finish what they have. Law 5: after a failure one at a time, and a limited number of them.
 */
static bool may_connect(const struct weft_pool_entry *e)
{
	unsigned max = e->alone ? 1 : e->ctx->max_conns;

	if (e->queued <= e->connecting || e->failures >= ATTEMPTS_MAX ||
		(e->failures && e->connecting))
		return false;
	if (e->conn_count >= max && (!e->mux || e->alone || e->conn_count >= max + LEAVING_MAX))
		return false;
	return !weft_pool_may_mux(e) || !living(e);
}

/* While a connection is there, or may be still, somebody will serve the queue. */
static bool hopeless(const struct weft_pool_entry *e)
{
	return e->failures >= ATTEMPTS_MAX && !e->conn_count && !weft_pool_hopes(e);
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

/* A stream that needs no connection any more leaves none that is still being made, if nobody else waits for it. */
static void forgo(struct weft_pool_entry *e)
{
	if (e->promised)
		weft_pool_return_loan(e);
	if (!e->connecting)
		return;
	weft_list_each_safe(node, &e->conns)
	{
		struct weft_conn *conn = weft_pool_conn_of(node);

		if (conn->state < WEFT_CONN_OPEN &&
			weft_list_empty(&weft_client_conn(conn)->borrowers))
			weft_conn_close(conn);
	}
}

void weft_pool_pump(struct weft_pool_entry *e)
{
	struct weft_conn *conn;

	while (!weft_list_empty(&e->queue) && (conn = weft_pool_ready_conn(e)))
		weft_pool_bind(
			e, weft_container_of(e->queue.next, struct weft_stream, entry_node), conn);
	if (hopeless(e)) {
		fail_queue(e);
		e->failures = 0;
	}
	weft_pool_retire(e);
	while (may_connect(e))
		weft_pool_connect(e);
	if (e->queued && hopeless(e))
		weft_pool_wake(e); /* without a connection there is nobody else to do it */
	if (e->queued)
		weft_pool_lose_patience(e);
	else
		forgo(e);
	if (!e->streams && !e->borrowed && weft_list_empty(&e->conns) &&
		!weft_list_linked(&e->pump_node)) {
		weft_pool_entry_free(e);
		return;
	}
	weft_pool_cool(e);
}

/* ---- what conns and roles report ---- */

void weft_pool_conn_up(struct weft_conn *conn, const struct weft_conn_info *info)
{
	struct weft_client_conn *c = weft_client_conn(conn);
	struct weft_pool_entry *e = c->entry;
	struct weft_loop *loop = &e->ctx->loop;

	e->connecting--;
	e->ctx->counters.conns_opened++;
	/* a handshake's work is done within a turn, whose time stands still */
	c->tls_ms = weft_story_ms(loop->net->now(loop->net_state) - c->dialed_us);
	c->up_us = c->idle_since_us = weft_loop_now(&e->ctx->loop);
	e->known = true;
	e->mux = (conn->pipe.role->role->caps & WEFT_ROLE_MUX) != 0;
	c->tls_version = (uint16_t)info->tls_version;
	c->tls_resumed = info->tls_resumed;
	weft_pool_wake(e);
	weft_pool_lend(c); /* behind its own */
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
	if (!weft_client_conn(conn)->offered || e->given ||
		weft_transport_proxy_waited(conn->top) || conn->why->status == WEFT_ERR_MEMORY ||
		conn->why->status == WEFT_ERR_TIMEOUT)
		return false;
	e->no_resume = true;
	weft_tickets_drop(e->ctx, &e->key);
	return true;
}

static void count_failure(struct weft_pool_entry *e, const struct weft_conn *conn)
{
	if (would_repeat(conn->why) || e->alone)
		e->failures = ATTEMPTS_MAX;
	else if (weft_client_conn(conn)->failures_before ==
		 e->failures) /* else it went on beside one that failed */
		e->failures++;
}

/* It ended before it carried a stream. */
static void attempt_failed(struct weft_pool_entry *e, struct weft_conn *conn)
{
	struct weft_error ended;

	if (!conn->why) {
		if (conn->state < WEFT_CONN_OPEN || !e->queued) /* nobody wanted it any more */
			return;
		weft_error_set(&ended, WEFT_ERR_RESET, 0,
			"the server ended the connection before it took a stream");
		weft_conn_set_why(conn, &ended);
	}
	e->ctx->counters.conns_failed++;
	e->why = *conn->why;
	if (!blame_resumption(e, conn))
		count_failure(e, conn);
	weft_list_each(node, &e->queue)
	{
		struct weft_stream *s = weft_container_of(node, struct weft_stream, entry_node);

		weft_pool_tell(s, (struct weft_told){
					  .event = WEFT_STORY_CONN_FAILED,
					  .status = (signed char)conn->why->status,
					  .number = conn->id,
				  });
	}
}

/* Law 6: it was about to be used, and died before. */
static void was_stale(struct weft_pool_entry *e, const struct weft_client_conn *c)
{
	e->ctx->counters.conns_stale++;
	weft_pool_tell(weft_container_of(e->queue.next, struct weft_stream, entry_node),
		(struct weft_told){
			.event = WEFT_STORY_CONN_STALE,
			.status = (signed char)weft_conn_why(&c->conn)->status,
			.number = c->conn.id,
		});
}

void weft_pool_conn_down(struct weft_conn *conn)
{
	struct weft_client_conn *c = weft_client_conn(conn);
	struct weft_pool_entry *e = c->entry;

	if (conn->state < WEFT_CONN_OPEN)
		e->connecting--;
	if (!conn->served)
		attempt_failed(e, conn);
	else
		e->failures = 0; /* there was a way, and now there is room */
	if (conn->served && e->queued && !c->busy && (conn->in_fin || conn->why) &&
		c->idle_turn != e->ctx->turns)
		was_stale(e, c);
	weft_pool_end_loans(c);
	c->entry = NULL;
	weft_list_remove(&c->entry_node);
	e->conn_count--;
	weft_pool_wake(e);
}

void weft_pool_capacity_changed(struct weft_conn *conn)
{
	struct weft_client_conn *c = weft_client_conn(conn);

	if (!c->entry)
		return;
	if (c->busy && weft_list_empty(&conn->pipe.streams)) {
		c->busy = false;
		c->idle_since_us = weft_loop_now(&conn->ctx->loop);
		c->idle_turn = conn->ctx->turns;
		weft_pool_let_go(c);
	}
	weft_pool_wake(c->entry);
	weft_pool_wake_borrowers(c);
}

void weft_pool_conn_drained(struct weft_conn *conn)
{
	struct weft_client_conn *c = weft_client_conn(conn);

	c->retired = true;
	if (c->entry)
		weft_pool_wake(c->entry);
}

void weft_pool_drain(struct weft_context *ctx)
{
	weft_list_each(node, &ctx->entries)
		weft_pool_wake(weft_container_of(node, struct weft_pool_entry, node));
}

void weft_pool_finish(struct weft_context *ctx)
{
	weft_list_each_safe(node, &ctx->entries)
		weft_pool_entry_free(weft_container_of(node, struct weft_pool_entry, node));
}
