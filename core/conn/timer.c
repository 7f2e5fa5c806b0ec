/* SPDX-License-Identifier: MIT */
/* A connection's one timer, for what its state allows and for what its role waits for. */
#include "core/conn/conn.h"
#include "core/transport/proxy.h"

/*
 * Output was pending all this while. A byte now and then is not enough: the least rate of those who send
 * bodies is asked of those who read, too, over flush_ms each time.
 */
static bool reads_too_slowly(struct weft_conn *conn, struct weft_error *why)
{
	const struct weft_limits *l = weft_conn_limits(conn);
	uint64_t least = (uint64_t)l->body_rate_min * l->flush_ms / 1000;

	if (conn->flushed > 0 && conn->flushed >= least)
		return false;
	weft_error_set(why, WEFT_ERR_TIMEOUT, 0,
		"the peer took %llu bytes of what waited for it in %u ms, expected %llu",
		(unsigned long long)conn->flushed, l->flush_ms,
		(unsigned long long)(least ? least : 1));
	return true;
}

static void too_long(const struct weft_conn *conn, struct weft_error *why)
{
	const char *proxy = weft_transport_proxy_waited(conn->top);
	uint32_t ms = weft_conn_limits(conn)->handshake_ms;

	if (proxy)
		weft_error_set(why, WEFT_ERR_TIMEOUT, 0,
			"proxy %.100s: gave no way through within %u ms (handshake_ms)", proxy, ms);
	else
		weft_error_set(
			why, WEFT_ERR_TIMEOUT, 0, "the TLS handshake took longer than %u ms", ms);
}

static void state_timeout(struct weft_conn *conn)
{
	struct weft_error err;

	if (conn->state == WEFT_CONN_LINGERING) {
		weft_conn_end(conn);
		return;
	}
	if (conn->state == WEFT_CONN_SHAKING) {
		too_long(conn, &err);
	} else if (!reads_too_slowly(conn, &err)) {
		conn->flushed = 0;
		weft_conn_state_timer(conn, weft_conn_limits(conn)->flush_ms);
		return;
	}
	conn->ctx->counters.timeouts++;
	weft_conn_kill(conn, &err);
}

static void arm(struct weft_conn *conn);

static void conn_timer(struct weft_timer *timer, void *user)
{
	struct weft_conn *conn = user;
	uint64_t now = weft_loop_now(&conn->ctx->loop);

	(void)timer;
	if (conn->state_due_us <= now) {
		conn->state_due_us = WEFT_NEVER;
		state_timeout(conn);
	}
	if (conn->tick_due_us <= now) {
		conn->tick_due_us = WEFT_NEVER;
		weft_pipe_tick(&conn->pipe);
	}
	arm(conn);
}

static void arm(struct weft_conn *conn)
{
	struct weft_loop *loop = &conn->ctx->loop;
	uint64_t due =
		conn->state_due_us < conn->tick_due_us ? conn->state_due_us : conn->tick_due_us;

	if (due == WEFT_NEVER)
		weft_loop_timer_cancel(loop, &conn->timer);
	else
		weft_loop_timer(loop, &conn->timer, due, conn_timer, conn);
}

void weft_conn_tick_at(struct weft_conn *conn, uint64_t due_us)
{
	conn->tick_due_us = due_us;
	arm(conn);
}

void weft_conn_state_timer(struct weft_conn *conn, uint32_t ms)
{
	conn->state_due_us = weft_loop_now(&conn->ctx->loop) + (uint64_t)ms * 1000;
	arm(conn);
}

void weft_conn_no_state_timer(struct weft_conn *conn)
{
	if (conn->state_due_us == WEFT_NEVER)
		return;
	conn->state_due_us = WEFT_NEVER;
	arm(conn);
}
