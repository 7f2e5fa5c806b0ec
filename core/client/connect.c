/* SPDX-License-Identifier: MIT */
/* A client's connection on its way up: vhost, dialling, transports. */
#include <stdio.h>
#include <string.h>

#include "core/base/faults.h"
#include "core/client/entry.h"
#include "core/client/tickets.h"
#include "core/net/dial.h"
#include "core/net/proxy.h"
#include "core/net/url.h"
#include "core/transport/proxy.h"
#include "core/transport/socket.h"
#include "core/transport/tls.h"
#include "core/vhost/trust.h"
#include "core/vhost/vhost.h"

static void warn_of_checks(const struct weft_conn *conn)
{
	const struct weft_pool_key *key = &weft_client_conn(conn)->entry->key;
	bool brackets = strchr(key->host, ':');
	char off[256];

	weft_log(conn->ctx, WEFT_LOG_WARN, "%s%s%s:%u: certificate checks switched off: %s",
		brackets ? "[" : "", key->host, brackets ? "]" : "", key->port,
		weft_tls_checks_text(key->allow, off, sizeof(off)));
}

static void got_ticket(void *user, struct weft_span bytes)
{
	struct weft_client_conn *c = weft_client_conn(user);

	if (!c->entry)
		return;
	weft_tickets_put(c->conn.ctx, &c->entry->key, bytes);
	weft_ticket_free(c->ticket);
	c->ticket = NULL;
}

/* What is resumed was checked once and is not checked again: nothing that was allowed for want of a clock. */
static weft_tls_ticket_fn resume(struct weft_conn *conn, struct weft_tls_session_options *options)
{
	struct weft_client_conn *c = weft_client_conn(conn);
	const struct weft_pool_entry *e = c->entry;

	if (!conn->ctx->ticket_max || options->allow != e->key.allow)
		return NULL;
	if (!e->no_resume)
		c->ticket = weft_tickets_take(conn->ctx, &e->key);
	if (c->ticket)
		options->resume = (struct weft_span){ c->ticket->bytes, c->ticket->len };
	c->offered = c->ticket != NULL;
	return got_ticket;
}

/* The ground leads to the proxy, if there is one: the way through it. */
static enum weft_status build_tunnel(
	struct weft_conn *conn, struct weft_transport **top, struct weft_error *err)
{
	const struct weft_pool_key *key = &weft_client_conn(conn)->entry->key;
	char host[WEFT_URL_NAME_MAX + 1];
	struct weft_proxy proxy;
	uint16_t port;

	if (!key->proxy[0])
		return WEFT_OK;
	if (weft_proxy_parse(key->proxy, &proxy, err) ||
		weft_proxy_target(key->host, key->port, key->connect_to, host, &port, err))
		return WEFT_ERR_ARGUMENT;
	return weft_transport_proxy(conn->ctx, *top, &proxy, host, port, top, err);
}

/* Puts TLS on the transport where the scheme wants it. On failure *top is what there is so far. */
static enum weft_status build_chain(
	struct weft_conn *conn, struct weft_transport **top, struct weft_error *err)
{
	const struct weft_pool_key *key = &weft_client_conn(conn)->entry->key;
	struct weft_tls_session_options options = { .size = sizeof(options), .allow = key->allow };
	struct weft_address literal;
	weft_tls_ticket_fn ticket;
	char name[256];

	if (build_tunnel(conn, top, err))
		return err->status;
	if (!conn->scheme->tls)
		return WEFT_OK;
	if (key->allow)
		warn_of_checks(conn);
	options.allow |= weft_trust_dates(conn->ctx, key->trust, key->host);
	options.sni = key->sni[0] ? key->sni : NULL;
	if (weft_address_parse(key->host, 0, &literal, NULL) == WEFT_OK)
		options.verify_ip = (struct weft_span){ literal.ip,
			literal.family == WEFT_FAMILY_IPV4 ? 4 : 16 };
	else
		options.verify_host = name;
	snprintf(name, sizeof(name), "%.*s", (int)weft_url_name_len(key->host), key->host);
	ticket = resume(conn, &options);
	return weft_transport_tls_client(
		conn->ctx, *top, conn->vhost->client_tls, &options, ticket, conn, top, err);
}

static void start(struct weft_conn *conn, struct weft_transport *ground)
{
	struct weft_transport *top = ground;
	struct weft_error err = { .status = WEFT_OK };

	if (build_chain(conn, &top, &err)) {
		weft_transport_destroy(top);
		weft_conn_kill(conn, &err);
		return;
	}
	weft_conn_start(conn, top);
	/* with TLS the time runs already */
	if (conn->state == WEFT_CONN_SHAKING && conn->state_due_us == WEFT_NEVER &&
		weft_transport_proxy_waited(top))
		weft_conn_state_timer(conn, weft_conn_limits(conn)->handshake_ms);
}

static void not_dialed(struct weft_conn *conn, const struct weft_error *err)
{
	const struct weft_pool_entry *e = weft_client_conn(conn)->entry;
	struct weft_error why = *err;

	if (why.status == WEFT_ERR_TIMEOUT)
		conn->ctx->counters.timeouts++;
	if (e->key.proxy[0])
		weft_error_prefix(&why, "proxy %.100s", e->key.proxy);
	weft_conn_kill(conn, &why);
}

static void dialed(
	void *user, enum weft_status status, weft_socket sock, const struct weft_error *err)
{
	struct weft_conn *conn = user;
	struct weft_transport *ground;
	struct weft_error no_memory;

	weft_client_conn(conn)->dial = NULL;
	if (status) {
		not_dialed(conn, err);
		return;
	}
	if (weft_transport_socket(conn->ctx, sock, &ground, &no_memory)) {
		conn->ctx->loop.net->close(conn->ctx->loop.net_state, sock, true);
		weft_conn_kill(conn, &no_memory);
		return;
	}
	weft_client_conn(conn)->dialed_us = weft_loop_now(&conn->ctx->loop);
	start(conn, ground);
}

/* Before the first of them is tried: there may be a connection that will do. */
static uint64_t found(void *user, const struct weft_address *addresses, size_t count)
{
	return weft_pool_borrow(weft_client_conn(user)->entry, addresses, count);
}

static enum weft_status dial(struct weft_conn *conn, struct weft_error *err)
{
	struct weft_pool_entry *e = weft_client_conn(conn)->entry;
	struct weft_dial_options options = {
		.host = e->key.host,
		.port = e->key.port,
		.connect_ms = weft_conn_limits(conn)->connect_ms,
		.resolved_us = &weft_client_conn(conn)->resolved_us,
		.found = found,
	};
	struct weft_address to, local;
	struct weft_proxy proxy;
	enum weft_status st = WEFT_OK;

	weft_pool_forget_addresses(e);
	if (e->key.proxy[0]) {
		st = weft_proxy_parse(e->key.proxy, &proxy, err);
		options.host = proxy.host;
		options.port = proxy.port;
	} else if (e->key.connect_to[0]) {
		st = weft_endpoint_parse(e->key.connect_to, &to, err);
		options.to = &to;
	}
	if (st == WEFT_OK && e->key.local[0]) {
		st = weft_address_parse(e->key.local, 0, &local, err);
		options.local = &local;
	}
	return st ? st
		  : weft_dial_start(
			    conn->ctx, &options, dialed, conn, &weft_client_conn(conn)->dial, err);
}

/* It may have to read a large store: within a turn, whose time stands still, so that the clock is asked. */
static enum weft_status make_vhost(struct weft_client_conn *c, struct weft_error *err)
{
	struct weft_loop *loop = &c->conn.ctx->loop;
	uint64_t before = loop->net->now(loop->net_state);
	enum weft_status st =
		weft_vhost_client(c->conn.ctx, c->entry->key.trust, &c->conn.vhost, err);

	if (st)
		return st;
	weft_vhost_hold_conn(c->conn.vhost);
	c->begun_us = loop->net->now(loop->net_state);
	c->vhost_ms = weft_story_ms(c->begun_us - before);
	return WEFT_OK;
}

void weft_pool_connect(struct weft_pool_entry *e)
{
	struct weft_context *ctx = e->ctx;
	struct weft_error err = { .status = WEFT_OK };
	struct weft_transport *ground;
	struct weft_client_conn *c;
	struct weft_conn *conn;

	if (e->given && !e->transport) {
		weft_error_set(
			&e->why, WEFT_ERR_RESET, 0, "the transport that was given has ended");
		e->failures = UINT32_MAX;
		return;
	}
	conn = weft_conn_create(ctx, e->role, e->key.scheme, true);
	if (!conn) {
		weft_error_set(&e->why, WEFT_ERR_MEMORY, 0, "no memory for a connection");
		e->failures = UINT32_MAX;
		return;
	}
	c = weft_client_conn(conn);
	weft_list_init(&c->borrowers);
	c->entry = e;
	c->limits = *weft_stream_limits(
		weft_container_of(e->queue.next, struct weft_stream, entry_node));
	c->keep_warm_ms =
		weft_container_of(e->queue.next, struct weft_stream, entry_node)->keep_warm_ms;
	c->failures_before = e->failures;
	weft_list_append(&e->conns, &c->entry_node);
	e->conn_count++;
	e->connecting++;
	ctx->counters.conns_tried++;
	if (make_vhost(c, &err)) {
		weft_conn_kill(conn, &err);
		return;
	}
	if (e->transport) {
		ground = e->transport;
		e->transport = NULL;
		start(conn, ground);
		return;
	}
	if (dial(conn, &err))
		weft_conn_kill(conn, &err);
}
