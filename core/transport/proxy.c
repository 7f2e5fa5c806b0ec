/* SPDX-License-Identifier: MIT */
/* The transport between a socket and what is meant for the target: a handshake, then nothing but a way through. */
#include "core/transport/proxy.h"

#include <stdio.h>
#include <string.h>

#include "core/system/context.h"
#include "weft/buffer.h"

static const char connect_scheme[] = "http://", socks_scheme[] = "socks5://";

struct proxy_transport {
	struct weft_transport base;
	struct weft_context *ctx;
	struct weft_proxy_answer answer;
	char *name;
	char *host;
	uint16_t port;
	bool asked, open, given; /* given: what was left behind the answer was read */
	struct weft_buffer out, in;
};

enum weft_status weft_proxy_parse(
	const char *text, enum weft_proxy_kind *kind, struct weft_url *url, struct weft_error *err)
{
	enum weft_status st;

	if (!strncmp(text, connect_scheme, sizeof(connect_scheme) - 1))
		*kind = WEFT_PROXY_CONNECT;
	else if (!strncmp(text, socks_scheme, sizeof(socks_scheme) - 1))
		*kind = WEFT_PROXY_SOCKS5;
	else
		return weft_error_set(err, WEFT_ERR_ARGUMENT, 0,
			"proxy \"%.100s\": expected http://HOST:PORT or socks5://HOST:PORT", text);
	st = weft_url_parse(text, url, err);
	if (st)
		return weft_error_prefix(err, "proxy"), st;
	if (!url->has_port || !url->port || !url->host.len || url->host.len > WEFT_URL_NAME_MAX ||
		url->target.len > 1)
		return weft_error_set(err, WEFT_ERR_ARGUMENT, 0,
			"proxy \"%.100s\": expected a host and a port, and nothing else", text);
	return WEFT_OK;
}

/* ---- what we say ---- */

static void ask_connect(struct proxy_transport *t)
{
	bool brackets = strchr(t->host, ':');
	char place[WEFT_URL_NAME_MAX + 16];

	snprintf(place, sizeof(place), "%s%s%s:%u", brackets ? "[" : "", t->host,
		brackets ? "]" : "", t->port);
	weft_buffer_printf(&t->out, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n\r\n", place, place);
}

static void greet(struct proxy_transport *t)
{
	static const unsigned char greeting[] = { 5, 1,
		0 }; /* version, one method, no authentication */

	weft_buffer_append(&t->out, greeting, sizeof(greeting));
}

/* Names are the proxy's to resolve. */
static void ask_socks(struct proxy_transport *t)
{
	struct weft_address literal;
	const unsigned char port[] = { (unsigned char)(t->port >> 8),
		(unsigned char)(t->port & 0xff) };
	unsigned char head[] = { 5, 1, 0, 3, (unsigned char)strlen(t->host) };

	if (weft_address_parse(t->host, 0, &literal, NULL) == WEFT_OK) {
		bool v4 = literal.family == WEFT_FAMILY_IPV4;

		head[3] = v4 ? 1 : 4;
		weft_buffer_append(&t->out, head, sizeof(head) - 1);
		weft_buffer_append(&t->out, literal.ip, v4 ? 4 : 16);
	} else {
		weft_buffer_append(&t->out, head, sizeof(head));
		weft_buffer_append(&t->out, t->host, strlen(t->host));
	}
	weft_buffer_append(&t->out, port, sizeof(port));
}

static enum weft_status flush_out(struct proxy_transport *t, struct weft_error *err)
{
	struct weft_transport *below = t->base.below;
	struct weft_segment seg;
	enum weft_status st;
	size_t taken;

	if (t->out.failed)
		return weft_error_set(err, WEFT_ERR_MEMORY, 0, "no memory to ask the proxy");
	if (!weft_buffer_len(&t->out))
		return WEFT_OK;
	seg = weft_segment_borrowed(weft_buffer_bytes(&t->out), weft_buffer_len(&t->out));
	st = below->ops->write(below, &seg, 1, &taken, err);
	weft_buffer_consume(&t->out, taken);
	if (st == WEFT_OK)
		weft_buffer_finish(&t->out);
	return st;
}

/* ---- the handshake ---- */

static enum weft_status understand(struct proxy_transport *t, struct weft_error *err)
{
	bool greeted = t->answer.greeted;
	enum weft_status st = weft_proxy_understand(
		&t->answer, weft_buffer_bytes(&t->in), weft_buffer_len(&t->in), err);

	if (st || t->answer.kind == WEFT_PROXY_CONNECT || greeted)
		return st;
	ask_socks(t);
	st = flush_out(t, err);
	return st < 0 ? st : WEFT_AGAIN;
}

static enum weft_status more(struct proxy_transport *t, struct weft_error *err)
{
	struct weft_span got = { NULL, 0 };
	enum weft_status st = t->base.below->ops->read(t->base.below, &got, err);

	if (st == WEFT_EOF)
		return weft_error_set(err, WEFT_ERR_TRUNCATED, 0,
			"the proxy closed the connection instead of an answer");
	if (st)
		return st;
	weft_buffer_append(&t->in, got.ptr, got.len);
	return t->in.failed
		       ? weft_error_set(err, WEFT_ERR_MEMORY, 0, "no memory for the proxy's answer")
		       : WEFT_OK;
}

static enum weft_status shake(struct proxy_transport *t, struct weft_error *err)
{
	enum weft_status st;

	if (!t->asked && t->answer.kind == WEFT_PROXY_CONNECT)
		ask_connect(t);
	else if (!t->asked)
		greet(t);
	t->asked = true;
	st = flush_out(t, err);
	if (st < 0)
		return st;
	while ((st = more(t, err)) == WEFT_OK) {
		st = understand(t, err);
		if (st != WEFT_AGAIN)
			return st;
	}
	return st;
}

static enum weft_status proxy_advance(struct weft_transport *base, struct weft_error *err)
{
	struct proxy_transport *t = (struct proxy_transport *)base;
	enum weft_status st = base->below->ops->advance(base->below, err);

	if (st || t->open)
		return st;
	st = shake(t, err);
	if (st == WEFT_AGAIN)
		return st;
	if (st < 0) {
		if (err)
			weft_error_prefix(err, "%.80s, for %.60s:%u", t->name, t->host, t->port);
		return st;
	}
	t->open = true;
	weft_buffer_consume(&t->in, t->answer.used);
	return WEFT_OK;
}

/* ---- the way through ---- */

static enum weft_status proxy_read(
	struct weft_transport *base, struct weft_span *got, struct weft_error *err)
{
	struct proxy_transport *t = (struct proxy_transport *)base;

	if (t->given)
		weft_buffer_finish(&t->in);
	if (!t->open || !weft_buffer_len(&t->in))
		return base->below->ops->read(base->below, got, err);
	*got = (struct weft_span){ weft_buffer_bytes(&t->in), weft_buffer_len(&t->in) };
	t->given = true;
	return WEFT_OK;
}

static void proxy_settle(struct weft_transport *base)
{
	struct proxy_transport *t = (struct proxy_transport *)base;

	if (t->given)
		weft_buffer_finish(&t->in);
	if (base->below->ops->settle)
		base->below->ops->settle(base->below);
}

static bool proxy_buffered(const struct weft_transport *base)
{
	const struct proxy_transport *t = (const struct proxy_transport *)base;

	return (!t->given && weft_buffer_len(&t->in)) || base->below->ops->buffered(base->below);
}

static enum weft_status proxy_start(struct weft_transport *base,
	const struct weft_transport_owner *owner, struct weft_error *err)
{
	return base->below->ops->start(base->below, owner, err);
}

static enum weft_status proxy_write(struct weft_transport *base, const struct weft_segment *segs,
	size_t count, size_t *taken, struct weft_error *err)
{
	return base->below->ops->write(base->below, segs, count, taken, err);
}

static enum weft_status proxy_flush(struct weft_transport *base, struct weft_error *err)
{
	struct proxy_transport *t = (struct proxy_transport *)base;
	enum weft_status st = flush_out(t, err);

	return st ? st : base->below->ops->flush(base->below, err);
}

static size_t proxy_pending(const struct weft_transport *base)
{
	return base->below->ops->pending(base->below);
}

static void proxy_interest(struct weft_transport *base, unsigned events)
{
	base->below->ops->interest(base->below, events);
}

static enum weft_status proxy_shutdown(struct weft_transport *base, struct weft_error *err)
{
	return base->below->ops->shutdown(base->below, err);
}

static void proxy_abort(struct weft_transport *base)
{
	base->below->ops->abort(base->below);
}

static void proxy_info(const struct weft_transport *base, struct weft_conn_info *info)
{
	base->below->ops->info(base->below, info);
}

static void proxy_destroy(struct weft_transport *base)
{
	struct proxy_transport *t = (struct proxy_transport *)base;
	const struct weft_allocator *alloc = &t->ctx->memory.alloc;

	weft_buffer_finish(&t->in);
	weft_buffer_finish(&t->out);
	weft_strfree(alloc, t->name);
	weft_strfree(alloc, t->host);
	weft_free(alloc, t, sizeof(*t));
}

static const struct weft_transport_ops proxy_ops = {
	.size = sizeof(proxy_ops),
	.name = "proxy",
	.start = proxy_start,
	.advance = proxy_advance,
	.read = proxy_read,
	.settle = proxy_settle,
	.write = proxy_write,
	.flush = proxy_flush,
	.pending = proxy_pending,
	.buffered = proxy_buffered,
	.interest = proxy_interest,
	.shutdown = proxy_shutdown,
	.abort = proxy_abort,
	.info = proxy_info,
	.destroy = proxy_destroy,
};

enum weft_status weft_transport_proxy(struct weft_context *ctx, struct weft_transport *below,
	const char *name, const char *host, uint16_t port, struct weft_transport **out,
	struct weft_error *err)
{
	const struct weft_allocator *alloc = &ctx->memory.alloc;
	struct proxy_transport *t = weft_zalloc(alloc, sizeof(*t));
	struct weft_url url;

	if (!t)
		return weft_error_set(
			err, WEFT_ERR_MEMORY, 0, "no memory for a way through a proxy");
	t->base.ops = &proxy_ops;
	t->ctx = ctx;
	t->port = port;
	t->name = weft_strndup(alloc, name, strlen(name));
	t->host = weft_strndup(alloc, host, strlen(host));
	weft_buffer_init(&t->in, alloc);
	weft_buffer_init(&t->out, alloc);
	if (!t->name || !t->host || weft_proxy_parse(name, &t->answer.kind, &url, err)) {
		proxy_destroy(&t->base);
		return weft_error_set(
			err, WEFT_ERR_MEMORY, 0, "no memory for a way through a proxy");
	}
	t->base.below = below;
	*out = &t->base;
	return WEFT_OK;
}
