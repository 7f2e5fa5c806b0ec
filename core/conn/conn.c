/* SPDX-License-Identifier: MIT */
/* The life of a connection: made, established, ended in order or at once, freed at the turn's end. */
#include "core/conn/conn.h"

#include <string.h>

#include "core/client/pool.h"
#include "core/client/tickets.h"
#include "core/net/dial.h"
#include "core/plugin/roles.h"
#include "core/transport/proxy.h"
#include "core/vhost/listener.h"
#include "core/vhost/trust.h"
#include "core/vhost/vhost.h"

enum { TLS_1_2 = 0x0303 };

static const struct weft_error no_reason = { .status = WEFT_OK };
/* of a conn that ended for another reason, which there was no memory to keep */
static struct weft_error unknown_reason = {
	.status = WEFT_ERR_MEMORY,
	.text = "no memory for the reason why a connection ended",
};

const struct weft_error *weft_conn_why(const struct weft_conn *conn)
{
	return conn->why ? conn->why : &no_reason;
}

void weft_conn_set_why(struct weft_conn *conn, const struct weft_error *why)
{
	if (conn->why || why->status == WEFT_OK)
		return;
	conn->why = weft_alloc(&conn->ctx->memory.alloc, sizeof(*why));
	if (conn->why)
		*conn->why = *why;
	else
		conn->why = &unknown_reason;
}

const struct weft_limits *weft_conn_limits(const struct weft_conn *conn)
{
	return conn->client ? &weft_client_conn(conn)->limits : &conn->vhost->limits;
}

static size_t size_of(bool client)
{
	return client ? sizeof(struct weft_client_conn) : sizeof(struct weft_conn);
}

struct weft_conn *weft_conn_create(struct weft_context *ctx, const struct weft_plugin *role,
	const struct weft_scheme *scheme, bool client)
{
	struct weft_conn *conn = weft_zalloc(&ctx->memory.alloc, size_of(client));

	if (!conn)
		return NULL;
	conn->ctx = ctx;
	conn->client = client;
	conn->pipe.default_role = role;
	conn->scheme = scheme;
	conn->id = ++ctx->next_conn_id;
	conn->state_due_us = conn->tick_due_us = WEFT_NEVER;
	conn->sent_ms = (uint32_t)(weft_loop_now(&ctx->loop) / 1000);
	weft_list_init(&conn->pipe.streams);
	weft_segq_init(&conn->pipe.out, &ctx->memory);
	weft_list_append(&ctx->conns, &conn->node);
	ctx->counters.conns_now++;
	return conn;
}

void weft_conn_update_interest(struct weft_conn *conn)
{
	bool reads = !conn->in_fin && !conn->blocked && conn->state != WEFT_CONN_CLOSING;

	if (conn->top && conn->state < WEFT_CONN_DEAD)
		conn->top->ops->interest(conn->top, reads ? (unsigned)WEFT_EVENT_READ : 0);
}

/* ---- coming up ---- */

static void count_handshake(struct weft_conn *conn, const struct weft_conn_info *info)
{
	char faults[256];

	/* what a tunnel goes through was counted where it was made */
	if (!info->tls || !conn->top->below)
		return;
	if (info->tls_resumed)
		conn->ctx->counters.handshakes_resumed++;
	else
		conn->ctx->counters.handshakes_full++;
	if (info->tls_faults)
		weft_log(conn->ctx, WEFT_LOG_WARN, "conn %llu: faults that were allowed: %s",
			(unsigned long long)conn->id,
			weft_tls_faults_text(info->tls_faults, faults, sizeof(faults)));
}

/* TLS 1.2 may resume one session often, and need not give another ticket for it. */
static void settle_ticket(struct weft_conn *conn, const struct weft_conn_info *info)
{
	struct weft_client_conn *c;

	if (!conn->client)
		return;
	c = weft_client_conn(conn);
	if (c->ticket && info->tls_resumed && info->tls_version == TLS_1_2)
		weft_tickets_return(c->ticket);
	else
		weft_ticket_free(c->ticket);
	c->ticket = NULL;
	c->offered = false;
}

/* Whether a client may speak the scheme's own protocol to a server that agreed on none. */
static bool default_is_wanted(const struct weft_conn *conn)
{
	const char *const *alpn;
	bool other = false;

	if (!conn->client || !weft_client_conn(conn)->entry)
		return true;
	alpn = weft_client_conn(conn)->entry->key.trust->alpn;
	for (; *alpn; alpn++) {
		const struct weft_plugin *role = weft_roles_by_alpn(conn->ctx, conn->scheme, *alpn);

		if (role == conn->pipe.default_role)
			return true;
		other |= role != NULL;
	}
	return !other;
}

/* NULL: none, and err says why. */
static const struct weft_plugin *role_for(
	const struct weft_conn *conn, const struct weft_conn_info *info, struct weft_error *err)
{
	const struct weft_plugin *role =
		info->alpn[0] ? weft_roles_by_alpn(conn->ctx, conn->scheme, info->alpn) : NULL;

	if (role)
		return role;
	if (!info->tls || default_is_wanted(conn))
		return conn->pipe.default_role;
	weft_error_set(err, WEFT_ERR_UNSUPPORTED, 0,
		"the server agreed on none of the protocols that were asked for (ALPN), and the "
		"scheme's own is not among them");
	return NULL;
}

static void established(struct weft_conn *conn)
{
	struct weft_conn_info info = { .id = conn->id };
	const struct weft_plugin *role;
	struct weft_error err = { .status = WEFT_OK };

	conn->top->ops->info(conn->top, &info);
	count_handshake(conn, &info);
	weft_conn_no_state_timer(conn);
	settle_ticket(conn, &info);
	role = role_for(conn, &info, &err);
	conn->state = WEFT_CONN_OPEN;
	if (!role || weft_pipe_attach(&conn->pipe, role, &err)) {
		conn->state = WEFT_CONN_SHAKING; /* it never was open: an attempt that failed */
		weft_conn_fail(conn, &err);
		return;
	}
	weft_log(conn->ctx, WEFT_LOG_DEBUG, "conn %llu: up, role %s%s%s",
		(unsigned long long)conn->id, role->name, info.tls ? ", " : "", info.tls_cipher);
	if (conn->client && weft_client_conn(conn)->entry)
		weft_pool_conn_up(conn, &info);
	if (conn->ctx->life != WEFT_LIFE_RUNNING || conn->vhost->dying)
		weft_conn_drain(conn);
}

static void advance(struct weft_conn *conn)
{
	struct weft_error err = { .status = WEFT_OK };
	enum weft_status st = conn->top->ops->advance(conn->top, &err);

	if (st == WEFT_AGAIN)
		return;
	if (st == WEFT_OK) {
		established(conn);
		return;
	}
	if (err.status == WEFT_OK)
		weft_error_set(&err, st, 0, "the connection could not be set up");
	if (conn->scheme->tls && !weft_transport_proxy_waited(conn->top))
		conn->ctx->counters.handshakes_failed++;
	weft_conn_fail(conn, &err);
}

static void conn_ready(void *user, unsigned events)
{
	struct weft_conn *conn = user;

	if (conn->state == WEFT_CONN_SHAKING && conn->ending)
		return; /* it failed in this very turn */
	if (conn->state == WEFT_CONN_SHAKING) {
		if (events & WEFT_EVENT_WRITE) {
			struct weft_error err;

			if (conn->top->ops->flush(conn->top, &err) < 0) {
				weft_conn_kill(conn, &err);
				return;
			}
		}
		advance(conn);
		/* what came behind the handshake is in our buffers: nobody reports it again */
		if (conn->state != WEFT_CONN_OPEN || !conn->top->ops->buffered(conn->top))
			return;
		events |= WEFT_EVENT_READ;
	}
	if (events & WEFT_EVENT_WRITE)
		weft_turn_queue(conn->ctx, &conn->ctx->queues.flush, &conn->flush_node);
	if (events & (WEFT_EVENT_READ | WEFT_EVENT_ERROR))
		weft_conn_read(conn);
}

void weft_conn_start(struct weft_conn *conn, struct weft_transport *top)
{
	struct weft_transport_owner owner = { .ready = conn_ready, .user = conn };
	struct weft_error err = { .status = WEFT_OK };

	conn->top = top;
	conn->state = WEFT_CONN_SHAKING;
	if (top->ops->start(top, &owner, &err)) {
		weft_conn_kill(conn, &err);
		return;
	}
	if (top->below)
		weft_conn_state_timer(conn, weft_conn_limits(conn)->handshake_ms);
	advance(conn);
}

/* ---- ending ---- */

void weft_conn_close(struct weft_conn *conn)
{
	if (conn->state >= WEFT_CONN_CLOSING || conn->ending)
		return;
	conn->ending = true;
	weft_turn_queue(conn->ctx, &conn->ctx->queues.flush, &conn->flush_node);
}

/* Whether the transport can still carry a goodbye. */
static bool broken(enum weft_status status)
{
	return status == WEFT_ERR_RESET || status == WEFT_ERR_IO || status == WEFT_ERR_REFUSED ||
	       status == WEFT_ERR_UNREACHABLE;
}

void weft_conn_fail(struct weft_conn *conn, const struct weft_error *why)
{
	bool again =
		conn->why != NULL; /* a role may find out both by its input and by its output */

	if (conn->state >= WEFT_CONN_CLOSING)
		return;
	weft_conn_set_why(conn, why);
	if (broken(why->status))
		conn->abortive = true;
	if (why->status == WEFT_ERR_TIMEOUT && !again)
		conn->ctx->counters.timeouts++;
	if (why->status == WEFT_ERR_LIMIT && !again)
		conn->ctx->counters.limits_hit++;
	conn->ending = true;
	weft_turn_queue(conn->ctx, &conn->ctx->queues.flush, &conn->flush_node);
}

void weft_conn_end(struct weft_conn *conn)
{
	struct weft_context *ctx = conn->ctx;

	if (conn->state == WEFT_CONN_DEAD)
		return;
	conn->state = WEFT_CONN_DEAD;
	weft_conn_no_state_timer(conn);
	weft_list_remove(&conn->input_node);
	weft_list_remove(&conn->flush_node);
	weft_turn_queue(ctx, &ctx->queues.reap, &conn->flush_node);
}

/* The role goes, its streams with it, and the pool hears of it; once. */
static void leave(struct weft_conn *conn)
{
	struct weft_client_conn *c;

	if (conn->why)
		weft_log(conn->ctx, WEFT_LOG_DEBUG, "conn %llu: %s: %s",
			(unsigned long long)conn->id, weft_status_name(conn->why->status),
			conn->why->text);
	weft_pipe_detach(&conn->pipe, weft_conn_why(conn));
	if (!conn->client)
		return;
	c = weft_client_conn(conn);
	weft_dial_cancel(c->dial);
	c->dial = NULL;
	if (c->entry)
		weft_pool_conn_down(conn);
}

void weft_conn_kill(struct weft_conn *conn, const struct weft_error *why)
{
	if (conn->state == WEFT_CONN_DEAD)
		return;
	if (why)
		weft_conn_set_why(conn, why);
	if (conn->state < WEFT_CONN_CLOSING)
		leave(conn);
	if (conn->top)
		conn->top->ops->abort(conn->top);
	weft_conn_end(conn);
}

/* Our FIN is out: wait for the peer's, or have done. */
static void linger(struct weft_conn *conn)
{
	conn->shut = true;
	if (conn->in_fin || !weft_conn_limits(conn)->linger_ms) {
		weft_conn_end(conn);
		return;
	}
	conn->state = WEFT_CONN_LINGERING;
	conn->blocked = false;
	weft_conn_update_interest(conn);
	weft_conn_state_timer(conn, weft_conn_limits(conn)->linger_ms);
	weft_turn_queue(conn->ctx, &conn->ctx->queues.input, &conn->input_node);
}

/* Output is drained: end our direction, if it is to end. */
static enum weft_status finish_output(struct weft_conn *conn, struct weft_error *err)
{
	enum weft_status st;

	if (conn->shut || (conn->state == WEFT_CONN_OPEN && !conn->out_fin))
		return WEFT_OK;
	st = conn->top->ops->shutdown(conn->top, err);
	conn->shut = st == WEFT_OK;
	return st;
}

static void tell_drain(struct weft_conn *conn)
{
	const struct weft_role_ops *ops = conn->pipe.role->role->ops;

	conn->drain_due = false;
	if (ops->drain)
		ops->drain(conn->pipe.state);
	else if (weft_list_empty(&conn->pipe.streams))
		weft_conn_close(conn);
}

void weft_conn_flush(struct weft_conn *conn)
{
	struct weft_error err;
	enum weft_status st;

	weft_error_clear(&err);
	if (conn->state == WEFT_CONN_DEAD || conn->state == WEFT_CONN_LINGERING)
		return;
	if (conn->drain_due && conn->state == WEFT_CONN_OPEN && !conn->ending)
		tell_drain(conn);
	if (conn->ending && conn->state < WEFT_CONN_CLOSING) {
		bool up = conn->top != NULL;

		leave(conn);
		if (!up || conn->abortive) {
			if (up)
				conn->top->ops->abort(conn->top);
			weft_conn_end(conn);
			return;
		}
		conn->state = WEFT_CONN_CLOSING;
		weft_conn_update_interest(conn);
	}
	if (!conn->top || conn->state < WEFT_CONN_OPEN)
		return;
	st = weft_conn_write_out(conn, &err);
	if (st == WEFT_OK)
		st = finish_output(conn, &err);
	if (st < 0) {
		weft_conn_kill(conn, &err);
		return;
	}
	if (st == WEFT_AGAIN) {
		if (conn->state_due_us == WEFT_NEVER) {
			conn->flushed = 0;
			weft_conn_state_timer(conn, weft_conn_limits(conn)->flush_ms);
		}
		return;
	}
	weft_conn_no_state_timer(conn);
	if (conn->state == WEFT_CONN_CLOSING)
		linger(conn);
}

void weft_conn_drain(struct weft_conn *conn)
{
	if (conn->state == WEFT_CONN_DIALING || conn->state == WEFT_CONN_SHAKING) {
		/* a client's waiting streams decide; a server's peer has asked nothing yet */
		if (!conn->client)
			weft_conn_close(conn);
		return;
	}
	if (conn->state != WEFT_CONN_OPEN)
		return;
	/* one of the role's ops may be on the stack */
	conn->drain_due = true;
	weft_turn_queue(conn->ctx, &conn->ctx->queues.flush, &conn->flush_node);
}

void weft_conn_reap(struct weft_conn *conn)
{
	struct weft_context *ctx = conn->ctx;
	const struct weft_allocator *alloc = &ctx->memory.alloc;

	weft_pipe_detach(&conn->pipe, weft_conn_why(conn));
	weft_loop_timer_cancel(&ctx->loop, &conn->timer);
	weft_segq_finish(&conn->pipe.out);
	weft_conn_drop_inbox(conn);
	weft_transport_destroy(conn->top);
	if (conn->client) {
		weft_dial_cancel(weft_client_conn(conn)->dial);
		weft_ticket_free(weft_client_conn(conn)->ticket);
	}
	weft_free(alloc, conn->peer, sizeof(*conn->peer));
	if (conn->listener)
		weft_listener_release(conn->listener);
	weft_admission_leave(ctx, conn->origin);
	if (conn->vhost)
		weft_vhost_release_conn(conn->vhost);
	weft_list_remove(&conn->node);
	weft_list_remove(&conn->input_node);
	weft_list_remove(&conn->flush_node);
	if (conn->why != &unknown_reason)
		weft_free(alloc, conn->why, sizeof(*conn->why));
	ctx->counters.conns_now--;
	weft_free(alloc, conn, size_of(conn->client));
	weft_context_changed(ctx);
}
