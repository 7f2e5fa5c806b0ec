/* SPDX-License-Identifier: MIT */
/* Dialling: each address gets its own time; refused by one, the next is tried. */
#include "core/net/dial.h"

#include <string.h>

#include "core/net/resolve.h"

struct weft_dial {
	struct weft_context *ctx;
	weft_dialed_fn fn;
	void *user;
	void *query; /* of the resolver, or of the net's own */
	struct weft_address *addresses;
	size_t count, next;
	struct weft_address local;
	bool has_local;
	uint32_t connect_ms;
	uint64_t *resolved_us;
	uint64_t (*found)(void *user, const struct weft_address *addresses, size_t count);
	weft_socket sock;
	struct weft_watch watch;
	struct weft_timer timer;
	struct weft_error err; /* of the last address */
};

static void try_next(struct weft_dial *d);

static void close_socket(struct weft_dial *d)
{
	struct weft_loop *loop = &d->ctx->loop;

	weft_loop_timer_cancel(loop, &d->timer);
	weft_loop_unwatch(loop, &d->watch);
	if (d->sock != WEFT_SOCKET_NONE)
		loop->net->close(loop->net_state, d->sock, true);
	d->sock = WEFT_SOCKET_NONE;
}

static void cancel_query(struct weft_dial *d)
{
	struct weft_loop *loop = &d->ctx->loop;

	if (!d->query)
		return;
	if (loop->net->resolve)
		loop->net->resolve_cancel(loop->net_state, d->query);
	else
		weft_resolve_cancel(d->ctx->resolver, d->query);
	d->query = NULL;
}

void weft_dial_cancel(struct weft_dial *d)
{
	const struct weft_allocator *alloc;

	if (!d)
		return;
	alloc = &d->ctx->memory.alloc;
	cancel_query(d);
	close_socket(d);
	weft_free(alloc, d->addresses, d->count * sizeof(*d->addresses));
	weft_free(alloc, d, sizeof(*d));
}

static void done(struct weft_dial *d, enum weft_status status)
{
	weft_dialed_fn fn = d->fn;
	void *user = d->user;
	struct weft_error err = d->err;
	weft_socket sock = d->sock;

	if (status == WEFT_OK) {
		weft_loop_timer_cancel(&d->ctx->loop, &d->timer);
		weft_loop_unwatch(&d->ctx->loop, &d->watch);
		d->sock = WEFT_SOCKET_NONE;
	} else if (d->count > 1) {
		weft_error_prefix(&err, "all of %zu addresses failed, the last", d->count);
	}
	weft_dial_cancel(d);
	fn(user, status, sock, &err);
}

static void failed(struct weft_dial *d)
{
	char text[WEFT_ADDRESS_TEXT_MAX];

	weft_error_prefix(
		&d->err, "%s", weft_address_format(&d->addresses[d->next - 1], text, sizeof(text)));
	close_socket(d);
	try_next(d);
}

static void dial_ready(struct weft_watch *watch, unsigned events)
{
	struct weft_dial *d = weft_container_of(watch, struct weft_dial, watch);
	struct weft_loop *loop = &d->ctx->loop;

	(void)events;
	if (loop->net->error(loop->net_state, d->sock, &d->err))
		failed(d);
	else
		done(d, WEFT_OK);
}

static void dial_timeout(struct weft_timer *timer, void *user)
{
	struct weft_dial *d = user;

	(void)timer;
	weft_error_set(&d->err, WEFT_ERR_TIMEOUT, 0, "no connection within %u ms", d->connect_ms);
	failed(d);
}

/* Makes a socket for the next address and begins; OK also where it is connected at once. */
static enum weft_status begin(struct weft_dial *d, const struct weft_address *to)
{
	struct weft_loop *loop = &d->ctx->loop;
	const struct weft_net_ops *net = loop->net;
	enum weft_status st =
		net->socket(loop->net_state, to->family, WEFT_SOCKET_STREAM, &d->sock, &d->err);

	if (st) {
		d->sock = WEFT_SOCKET_NONE;
		return st;
	}
	if (d->has_local)
		st = net->bind(loop->net_state, d->sock, &d->local, &d->err);
	if (st == WEFT_OK && to->family != WEFT_FAMILY_UNIX)
		(void)net->option(loop->net_state, d->sock, WEFT_SOCKOPT_NODELAY, 1, NULL);
	if (st == WEFT_OK)
		st = net->connect(loop->net_state, d->sock, to, &d->err);
	if (st < 0)
		return st;
	/* connected at once or not: the loop says so, and nobody is called from here */
	weft_loop_timer(loop, &d->timer, weft_loop_now(loop) + (uint64_t)d->connect_ms * 1000,
		dial_timeout, d);
	return weft_loop_watch(loop, &d->watch, d->sock, WEFT_EVENT_WRITE, dial_ready, &d->err);
}

static void try_next(struct weft_dial *d)
{
	char text[WEFT_ADDRESS_TEXT_MAX];

	while (d->next < d->count) {
		const struct weft_address *to = &d->addresses[d->next++];

		if (begin(d, to) == WEFT_OK)
			return;
		weft_error_prefix(&d->err, "%s", weft_address_format(to, text, sizeof(text)));
		close_socket(d);
	}
	done(d, d->err.status);
}

static void dial_put_off(struct weft_timer *timer, void *user)
{
	(void)timer;
	try_next(user);
}

static void try_first(struct weft_dial *d)
{
	struct weft_loop *loop = &d->ctx->loop;
	uint64_t wait = d->found ? d->found(d->user, d->addresses, d->count) : 0;

	if (wait)
		weft_loop_timer(loop, &d->timer, weft_loop_now(loop) + wait, dial_put_off, d);
	else
		try_next(d);
}

static void dial_first(struct weft_timer *timer, void *user)
{
	(void)timer;
	try_first(user);
}

void weft_dial_hurry(struct weft_dial *d)
{
	if (d && d->timer.queued && d->timer.fn == dial_put_off)
		weft_loop_timer(
			&d->ctx->loop, &d->timer, weft_loop_now(&d->ctx->loop), dial_put_off, d);
}

const struct weft_address *weft_dial_trying(const struct weft_dial *d)
{
	return d->next ? &d->addresses[d->next - 1] : NULL;
}

static enum weft_status set_addresses(struct weft_dial *d, const struct weft_address *addresses,
	size_t count, struct weft_error *err)
{
	d->addresses = weft_alloc(&d->ctx->memory.alloc, count * sizeof(*addresses));
	if (!d->addresses)
		return weft_error_set(err, WEFT_ERR_MEMORY, 0, "no memory for addresses");
	memcpy(d->addresses, addresses, count * sizeof(*addresses));
	d->count = count;
	if (d->resolved_us)
		*d->resolved_us = weft_loop_now(&d->ctx->loop);
	return WEFT_OK;
}

static void resolved(void *user, enum weft_status status, const struct weft_address *addresses,
	size_t count, const struct weft_error *err)
{
	struct weft_dial *d = user;

	d->query = NULL;
	if (status || !count) {
		d->err = *err;
		d->err.status = status ? status : WEFT_ERR_RESOLVE;
		done(d, d->err.status);
		return;
	}
	if (set_addresses(d, addresses, count, &d->err))
		done(d, WEFT_ERR_MEMORY);
	else
		try_first(d);
}

static enum weft_status resolve(
	struct weft_dial *d, const char *host, uint16_t port, struct weft_error *err)
{
	struct weft_context *ctx = d->ctx;
	enum weft_status st;

	if (ctx->loop.net->resolve)
		return ctx->loop.net->resolve(
			ctx->loop.net_state, host, port, resolved, d, &d->query, err);
	if (!ctx->resolver) {
		st = weft_resolver_create(&ctx->loop, &ctx->memory.alloc, &ctx->resolver, err);
		if (st)
			return st;
	}
	return weft_resolve(ctx->resolver, host, port, resolved, d, &d->query, err);
}

enum weft_status weft_dial_start(struct weft_context *ctx, const struct weft_dial_options *o,
	weft_dialed_fn fn, void *user, struct weft_dial **out, struct weft_error *err)
{
	struct weft_dial *d = weft_zalloc(&ctx->memory.alloc, sizeof(*d));
	struct weft_address literal;
	enum weft_status st;

	if (!d)
		return weft_error_set(err, WEFT_ERR_MEMORY, 0, "no memory to connect");
	d->ctx = ctx;
	d->fn = fn;
	d->user = user;
	d->sock = WEFT_SOCKET_NONE;
	d->connect_ms = o->connect_ms;
	d->resolved_us = o->resolved_us;
	d->found = o->found;
	if (o->local) {
		d->local = *o->local;
		d->has_local = true;
	}
	if (o->to)
		st = set_addresses(d, o->to, 1, err);
	else if (weft_address_parse(o->host, o->port, &literal, NULL) == WEFT_OK)
		st = set_addresses(d, &literal, 1, err);
	else
		st = resolve(d, o->host, o->port, err);
	if (st) {
		weft_dial_cancel(d);
		return st;
	}
	if (d->count)
		weft_loop_timer(&ctx->loop, &d->timer, 0, dial_first, d);
	*out = d;
	return WEFT_OK;
}
