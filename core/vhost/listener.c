/* SPDX-License-Identifier: MIT */
/* Listening and accepting. */
#include "core/vhost/listener.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/conn/conn.h"
#include "core/net/url.h"
#include "core/plugin/roles.h"
#include "core/system/file.h"
#include "core/transport/socket.h"
#include "core/vhost/identity.h"
#include "core/vhost/vhost.h"

enum {
	ACCEPTS_PER_TURN = 64,
	BACKLOG = 1024,
	AGAIN_US = 100000, /* a pause when the process has no descriptor left */
	TELL_US = 1000000, /* between two lines about it */
};

struct weft_listener *weft_listener_ref(struct weft_listener *l)
{
	l->refs++;
	return l;
}

static void close_listener(struct weft_listener *l)
{
	const struct weft_net_ops *net = l->ctx->loop.net;

	if (l->sock == WEFT_SOCKET_NONE)
		return;
	weft_loop_timer_cancel(&l->ctx->loop, &l->again);
	weft_loop_unwatch(&l->ctx->loop, &l->watch);
	net->close(l->ctx->loop.net_state, l->sock, false);
	l->sock = WEFT_SOCKET_NONE;
	if (l->bound.family == WEFT_FAMILY_UNIX)
		unlink(l->bound.path);
	weft_list_remove(&l->node);
}

void weft_listener_release(struct weft_listener *l)
{
	if (--l->refs)
		return;
	close_listener(l);
	weft_free(&l->ctx->memory.alloc, l, sizeof(*l));
}

struct weft_vhost *weft_listener_find(const struct weft_listener *l, const char *host)
{
	enum weft_vhost_match best = WEFT_VHOST_MATCH_NONE, fits;
	struct weft_vhost *found = NULL;

	weft_list_each(node, (struct weft_list *)&l->bindings)
	{
		struct weft_vhost *vh =
			weft_container_of(node, struct weft_binding, listener_node)->vhost;

		fits = weft_vhost_matches(vh, host);
		if (fits > best) {
			best = fits;
			found = vh;
		}
	}
	return found;
}

static void unbind(struct weft_binding *b)
{
	struct weft_listener *l = b->listener;

	weft_list_remove(&b->vhost_node);
	weft_list_remove(&b->listener_node);
	weft_free(&l->ctx->memory.alloc, b, sizeof(*b));
	if (weft_list_empty(&l->bindings))
		close_listener(l);
	weft_listener_release(l);
}

void weft_vhost_stop_listening(struct weft_vhost *vh)
{
	while (!weft_list_empty(&vh->bindings))
		unbind(weft_container_of(vh->bindings.next, struct weft_binding, vhost_node));
}

static void take_conn(struct weft_listener *l, weft_socket sock, const struct weft_address *peer)
{
	const struct weft_net_ops *net = l->ctx->loop.net;
	struct weft_binding *first =
		weft_container_of(l->bindings.next, struct weft_binding, listener_node);
	struct weft_transport *transport;
	struct weft_origin *origin;
	struct weft_error err;

	if (!weft_admission_enter(l->ctx, peer, &origin)) {
		net->close(l->ctx->loop.net_state, sock, true);
		return;
	}
	if (l->bound.family != WEFT_FAMILY_UNIX)
		(void)net->option(l->ctx->loop.net_state, sock, WEFT_SOCKOPT_NODELAY, 1, NULL);
	if (weft_transport_socket(l->ctx, sock, &transport, &err)) {
		net->close(l->ctx->loop.net_state, sock, true);
		weft_admission_leave(l->ctx, origin);
		weft_admission_refused(l->ctx, err.text);
		return;
	}
	if (weft_conn_accept(first->vhost, l, origin, l->role, l->scheme, transport, &err)) {
		transport->ops->abort(transport);
		weft_transport_destroy(transport);
		weft_admission_leave(l->ctx, origin);
		weft_admission_refused(l->ctx, err.text);
	}
}

static void accept_again(struct weft_timer *timer, void *user)
{
	struct weft_listener *l = user;

	(void)timer;
	weft_loop_interest(&l->ctx->loop, &l->watch, WEFT_EVENT_READ);
}

static void accept_ready(struct weft_watch *watch, unsigned events)
{
	struct weft_listener *l = weft_container_of(watch, struct weft_listener, watch);
	struct weft_loop *loop = &l->ctx->loop;
	struct weft_address peer;
	struct weft_error err;
	enum weft_status st = WEFT_OK;
	weft_socket sock;

	(void)events;
	for (int i = 0; i < ACCEPTS_PER_TURN && st == WEFT_OK; i++) {
		if (l->sock == WEFT_SOCKET_NONE || weft_list_empty(&l->bindings))
			return;
		l->ctx->counters.net_accept++;
		st = loop->net->accept(loop->net_state, l->sock, &sock, &peer, &err);
		if (st == WEFT_OK)
			take_conn(l, sock, &peer);
	}
	if (st >= 0)
		return;
	if (st == WEFT_ERR_RESET) /* gone before we looked */
		return;
	if (!l->told_us || weft_loop_now(loop) - l->told_us >= TELL_US) {
		weft_log(l->ctx, WEFT_LOG_WARN, "accept: %s", err.text);
		l->told_us = weft_loop_now(loop);
	}
	weft_loop_interest(loop, &l->watch, 0);
	weft_loop_timer(loop, &l->again, weft_loop_now(loop) + AGAIN_US, accept_again, l);
}

/* A socket file that nobody answers at is a leftover. To connect to any other file is refused as well. */
static void remove_stale(struct weft_context *ctx, const struct weft_address *a)
{
	const struct weft_net_ops *net = ctx->loop.net;
	weft_socket sock;
	enum weft_status st;

	if (!weft_file_is_socket(a->path) ||
		net->socket(ctx->loop.net_state, WEFT_FAMILY_UNIX, WEFT_SOCKET_STREAM, &sock, NULL))
		return;
	st = net->connect(ctx->loop.net_state, sock, a, NULL);
	net->close(ctx->loop.net_state, sock, false);
	if (st == WEFT_ERR_REFUSED)
		unlink(a->path);
}

static enum weft_status open_socket(struct weft_listener *l, struct weft_error *err)
{
	const struct weft_net_ops *net = l->ctx->loop.net;
	void *state = l->ctx->loop.net_state;
	enum weft_status st;

	if (l->asked.family == WEFT_FAMILY_UNIX)
		remove_stale(l->ctx, &l->asked);
	st = net->socket(state, l->asked.family, WEFT_SOCKET_STREAM, &l->sock, err);
	if (st)
		return st;
	if (l->asked.family != WEFT_FAMILY_UNIX)
		st = net->option(state, l->sock, WEFT_SOCKOPT_REUSEADDR, 1, err);
	if (st == WEFT_OK && l->ctx->reuse_port && l->asked.family != WEFT_FAMILY_UNIX)
		st = net->option(state, l->sock, WEFT_SOCKOPT_REUSEPORT, 1, err);
	/* "[::]" and "0.0.0.0" may stand side by side: each means its own family */
	if (st == WEFT_OK && l->asked.family == WEFT_FAMILY_IPV6)
		st = net->option(state, l->sock, WEFT_SOCKOPT_V6ONLY, 1, err);
	if (st == WEFT_OK)
		st = net->bind(state, l->sock, &l->asked, err);
	if (st == WEFT_OK)
		st = net->listen(state, l->sock, BACKLOG, err);
	if (st == WEFT_OK)
		st = net->names(state, l->sock, &l->bound, NULL, err);
	if (st == WEFT_OK && l->asked.family == WEFT_FAMILY_UNIX)
		l->bound = l->asked;
	if (st == WEFT_OK)
		st = weft_loop_watch(
			&l->ctx->loop, &l->watch, l->sock, WEFT_EVENT_READ, accept_ready, err);
	if (st) {
		net->close(state, l->sock, false);
		l->sock = WEFT_SOCKET_NONE;
	}
	return st;
}

static enum weft_status make_listener(struct weft_context *ctx, const struct weft_plugin *role,
	const struct weft_scheme *scheme, const struct weft_address *addr,
	struct weft_listener **out, struct weft_error *err)
{
	struct weft_listener *l = weft_zalloc(&ctx->memory.alloc, sizeof(*l));
	enum weft_status st;

	if (!l)
		return weft_error_set(err, WEFT_ERR_MEMORY, 0, "no memory for a listener");
	l->ctx = ctx;
	l->refs = 1;
	l->role = role;
	l->scheme = scheme;
	l->asked = *addr;
	weft_list_init(&l->bindings);
	st = open_socket(l, err);
	if (st) {
		weft_free(&ctx->memory.alloc, l, sizeof(*l));
		return st;
	}
	weft_list_append(&ctx->listeners, &l->node);
	*out = l;
	return WEFT_OK;
}

/* One that has the address already: shared, if it speaks the same. */
static enum weft_status find_or_make(struct weft_context *ctx, const struct weft_plugin *role,
	const struct weft_scheme *scheme, const struct weft_address *addr,
	struct weft_listener **out, struct weft_error *err)
{
	weft_list_each(node, &ctx->listeners)
	{
		struct weft_listener *l = weft_container_of(node, struct weft_listener, node);

		if (!weft_address_equal(&l->bound, addr))
			continue;
		if (l->scheme != scheme)
			return weft_error_set(err, WEFT_ERR_EXISTS, 0,
				"this address is listened at for %s already", l->scheme->name);
		*out = weft_listener_ref(l);
		return WEFT_OK;
	}
	return make_listener(ctx, role, scheme, addr, out, err);
}

static enum weft_status listen_address(const struct weft_url *url, const struct weft_scheme *scheme,
	struct weft_address *addr, struct weft_error *err)
{
	char text[WEFT_ADDRESS_TEXT_MAX];

	if (url->is_unix) {
		if (url->path.len >= sizeof(addr->path))
			return weft_error_set(err, WEFT_ERR_ARGUMENT, 0,
				"a socket's path has at most %zu bytes", sizeof(addr->path) - 1);
		*addr = (struct weft_address){ .family = WEFT_FAMILY_UNIX };
		memcpy(addr->path, url->path.ptr, url->path.len);
		return WEFT_OK;
	}
	if (!url->has_port && !scheme->port)
		return weft_error_set(err, WEFT_ERR_ARGUMENT, 0, "expected a port");
	snprintf(text, sizeof(text), "%.*s", (int)url->host.len, (const char *)url->host.ptr);
	if (weft_span_is(url->host, "localhost"))
		snprintf(text, sizeof(text), "127.0.0.1");
	return weft_address_parse(text, url->has_port ? url->port : scheme->port, addr, err);
}

enum weft_status weft_vhost_listen(struct weft_vhost *vh, const char *text, struct weft_error *err)
{
	struct weft_context *ctx = vh->ctx;
	const struct weft_scheme *scheme;
	const struct weft_plugin *role;
	struct weft_binding *b;
	struct weft_address addr;
	struct weft_url url;
	enum weft_status st;

	if (vh->dying || ctx->life != WEFT_LIFE_RUNNING)
		return weft_error_set(
			err, WEFT_ERR_SHUTDOWN, 0, "vhost %s is going away", vh->name);
	st = weft_url_parse(text, &url, err);
	if (st)
		return st;
	role = weft_roles_by_scheme(ctx, url.scheme, &scheme, err);
	if (!role)
		return WEFT_ERR_UNSUPPORTED;
	st = listen_address(&url, scheme, &addr, err);
	if (st)
		return weft_error_prefix(err, "listen \"%.100s\"", text);
	if (scheme->tls && !weft_vhost_tls(vh, scheme, err))
		return err ? err->status : WEFT_ERR_TLS;
	b = weft_zalloc(&ctx->memory.alloc, sizeof(*b));
	if (!b)
		return weft_error_set(err, WEFT_ERR_MEMORY, 0, "no memory to listen");
	st = find_or_make(ctx, role, scheme, &addr, &b->listener, err);
	if (st) {
		weft_free(&ctx->memory.alloc, b, sizeof(*b));
		weft_error_prefix(err, "listen \"%.100s\"", text);
		return st;
	}
	b->vhost = vh;
	weft_list_append(&vh->bindings, &b->vhost_node);
	weft_list_append(&b->listener->bindings, &b->listener_node);
	return WEFT_OK;
}

enum weft_status weft_vhost_listener(
	const struct weft_vhost *vh, size_t index, char *out, size_t out_len)
{
	char text[WEFT_ADDRESS_TEXT_MAX];

	weft_list_each(node, (struct weft_list *)&vh->bindings)
	{
		const struct weft_listener *l =
			weft_container_of(node, struct weft_binding, vhost_node)->listener;

		if (index--)
			continue;
		weft_address_format(&l->bound, text, sizeof(text));
		if (l->bound.family == WEFT_FAMILY_UNIX)
			snprintf(out, out_len, "%s+%s", l->scheme->name, text);
		else
			snprintf(out, out_len, "%s://%s", l->scheme->name, text);
		return WEFT_OK;
	}
	return WEFT_ERR_NOT_FOUND;
}

enum weft_status weft_transport_serve(struct weft_vhost *vh, const char *scheme_name,
	struct weft_transport *transport, struct weft_error *err)
{
	struct weft_span name = { (const unsigned char *)scheme_name, strlen(scheme_name) };
	const struct weft_scheme *scheme;
	const struct weft_plugin *role = weft_roles_by_scheme(vh->ctx, name, &scheme, err);

	if (!role)
		return WEFT_ERR_UNSUPPORTED;
	if (scheme->tls && !weft_vhost_tls(vh, scheme, err))
		return err ? err->status : WEFT_ERR_TLS;
	return weft_conn_accept(vh, NULL, NULL, role, scheme, transport, err);
}
