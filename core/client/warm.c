/* SPDX-License-Identifier: MIT */
/*
 * Connections between two streams: whether one may be used again, is still alive, and how long it is kept.
 * DESIGN 5, laws 6 and 7.
 */
#include "core/client/entry.h"
#include "core/policy/find.h"
#include "core/vhost/trust.h"
#include "core/vhost/vhost.h"

/* Law 7: nothing begins on it any more. */
static bool at_limit(const struct weft_client_conn *c)
{
	struct weft_context *ctx = c->conn.ctx;

	if (ctx->conn_requests && c->conn.served >= ctx->conn_requests)
		return true;
	return ctx->conn_age_ms &&
	       weft_loop_now(&ctx->loop) - c->up_us >= (uint64_t)ctx->conn_age_ms * 1000;
}

unsigned weft_pool_room(const struct weft_conn *conn)
{
	const struct weft_role_ops *ops;

	if (conn->state != WEFT_CONN_OPEN || conn->ending || !conn->pipe.role)
		return 0;
	if (weft_client_conn(conn)->retired || at_limit(weft_client_conn(conn)))
		return 0;
	/* what it said unasked must be met before a request, lest it pass for the answer */
	if (conn->unread && weft_list_empty((struct weft_list *)&conn->pipe.streams))
		return 0;
	ops = conn->pipe.role->role->ops;
	return ops->capacity && ops->open ? ops->capacity(conn->pipe.state) : 0;
}

/* The one that was used last: the others may grow old and go. Where none takes it, the borrowed one. */
static struct weft_conn *freshest(struct weft_pool_entry *e, const struct weft_stream *s)
{
	struct weft_conn *best = NULL;
	uint64_t best_us = 0;

	weft_list_each(node, &e->conns)
	{
		struct weft_conn *conn = weft_pool_conn_of(node);
		uint64_t since_us = weft_client_conn(conn)->idle_since_us;

		if ((!best || since_us > best_us) && weft_pool_room(conn)) {
			best = conn;
			best_us = since_us;
		}
	}
	return best || !s->coalesce ? best : weft_pool_borrowed(e);
}

/*
 * The loop has told of every end up to the beginning of this turn. For a stream that was queued within the
 * turn, one read finds what has come since; none is needed where exchanges go back to back.
 */
static bool must_be_read(struct weft_conn *conn, const struct weft_stream *s)
{
	struct weft_client_conn *c = weft_client_conn(conn);
	uint64_t turn = conn->ctx->turns;

	if (s->queued_turn != turn || !conn->served || c->busy || c->idle_turn == turn ||
		c->read_turn == turn)
		return false;
	c->read_turn = turn;
	return true;
}

static void read_it(struct weft_conn *conn)
{
	struct weft_transport *ground = conn->top;

	while (ground->below)
		ground = ground->below;
	if (ground->ops->probe)
		ground->ops->probe(ground);
	weft_conn_read(conn);
}

struct weft_conn *weft_pool_ready_conn(struct weft_pool_entry *e)
{
	const struct weft_stream *s =
		weft_container_of(e->queue.next, struct weft_stream, entry_node);
	struct weft_conn *conn;

	while ((conn = freshest(e, s)) && must_be_read(conn, s))
		read_it(conn);
	return conn;
}

void weft_pool_retire(struct weft_pool_entry *e)
{
	struct weft_context *ctx = e->ctx;

	if (!ctx->conn_requests && !ctx->conn_age_ms)
		return;
	weft_list_each_safe(node, &e->conns)
	{
		struct weft_conn *conn = weft_pool_conn_of(node);
		struct weft_client_conn *c = weft_client_conn(conn);

		if (conn->state != WEFT_CONN_OPEN || conn->ending || !at_limit(c))
			continue;
		if (!c->retired)
			ctx->counters.conns_retired++;
		if (!c->busy)
			weft_conn_close(conn);
		else if (!c->retired)
			weft_conn_drain(conn);
		c->retired = true;
	}
}

static void warm_due(struct weft_timer *timer, void *user)
{
	(void)timer;
	weft_pool_retire(user);
	weft_pool_cool(user);
}

/* When an idle connection is to end. */
static uint64_t warm_until(const struct weft_client_conn *c)
{
	struct weft_context *ctx = c->conn.ctx;
	uint64_t due = c->idle_since_us + (uint64_t)c->keep_warm_ms * 1000;
	uint64_t old = c->up_us + (uint64_t)ctx->conn_age_ms * 1000;

	return ctx->conn_age_ms && old < due ? old : due;
}

void weft_pool_cool(struct weft_pool_entry *e)
{
	uint64_t now = weft_loop_now(&e->ctx->loop), next = WEFT_NEVER, due;
	bool close_now = e->alone || e->ctx->life != WEFT_LIFE_RUNNING ||
			 weft_trust_outdated(e->ctx, e->key.trust);

	if (e->queued) /* what waits for its role to be ready is not idle */
		return;
	weft_list_each_safe(node, &e->conns)
	{
		struct weft_conn *conn = weft_pool_conn_of(node);

		if (conn->state != WEFT_CONN_OPEN || !weft_list_empty(&conn->pipe.streams))
			continue;
		if (!conn->served && weft_pool_is_wanted(weft_client_conn(conn)))
			continue;
		due = warm_until(weft_client_conn(conn));
		if (close_now || due <= now)
			weft_conn_close(conn);
		else if (due < next)
			next = due;
	}
	/* what it knows of another's connection is kept like one of its own; where it is unwelcome, as long as that is */
	if (e->borrowed && !e->streams && !e->unwelcome) {
		due = e->idle_us + (uint64_t)e->ctx->keep_warm_ms * 1000;
		if (close_now || due <= now)
			weft_pool_return_loan(e);
		else if (due < next)
			next = due;
	}
	if (next == WEFT_NEVER)
		weft_loop_timer_cancel(&e->ctx->loop, &e->warm);
	else
		weft_loop_timer(&e->ctx->loop, &e->warm, next, warm_due, e);
}

static void forget(struct weft_pool_entry *e)
{
	weft_list_each_safe(node, &e->conns)
	{
		struct weft_conn *conn = weft_pool_conn_of(node);
		struct weft_client_conn *c = weft_client_conn(conn);

		if (conn->state != WEFT_CONN_OPEN || conn->ending || c->retired)
			continue;
		c->retired = true;
		if (c->busy)
			weft_conn_drain(conn);
		else
			weft_conn_close(conn);
	}
}

void weft_pool_forget_policy(struct weft_context *ctx)
{
	weft_list_each(node, &ctx->entries)
	{
		struct weft_pool_entry *e = weft_container_of(node, struct weft_pool_entry, node);

		if (e->key.trust->policy)
			forget(e);
	}
}

void weft_pool_let_go(struct weft_client_conn *c)
{
	struct weft_vhost *vh = c->conn.vhost;

	if (!c->lets_go || !vh)
		return;
	c->conn.vhost = NULL;
	weft_vhost_release_conn(vh);
}

void weft_pool_take_hold(struct weft_client_conn *c, const struct weft_stream *s)
{
	struct weft_vhost *vh;

	if (!c->conn.vhost && !c->lets_go) {
		vh = weft_vhost_client_find(c->conn.ctx, c->entry->key.trust);
		if (vh && vh->refs) {
			c->conn.vhost = weft_vhost_ref(vh);
			weft_vhost_hold_conn(vh);
		}
	}
	if (c->conn.vhost && s->policy)
		weft_vhost_client_wish(c->conn.vhost, weft_policy_trust_of(s->policy));
}

void weft_pool_distrust(struct weft_pool_entry *e, const struct weft_conn *dead)
{
	weft_list_each_safe(node, &e->conns)
	{
		struct weft_conn *conn = weft_pool_conn_of(node);

		/* the one that was used last is taken first: all that are idle have been so for longer */
		if (conn != dead && conn->state == WEFT_CONN_OPEN && conn->served &&
			!weft_client_conn(conn)->busy)
			weft_conn_close(conn);
	}
}
