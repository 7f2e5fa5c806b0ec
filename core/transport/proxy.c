/* SPDX-License-Identifier: MIT */
/*
 * A transport that asks a proxy for a tunnel, and is the tunnel from then on: all but what came right behind
 * the answer passes through untouched.
 */
#include "core/transport/proxy.h"

#include <string.h>

#include "core/system/context.h"
#include "core/transport/proxy_talk.h"

struct proxy_transport {
	struct weft_transport base;
	struct weft_context *ctx;
	struct weft_proxy_talk talk;
	char *name, *host;      /* until the tunnel is there */
	struct weft_buffer in;  /* the answer, then what came behind it */
	struct weft_buffer out; /* what the layer below did not take yet */
	bool open;
};

static enum weft_status proxy_start(struct weft_transport *base,
	const struct weft_transport_owner *owner, struct weft_error *err)
{
	return base->below->ops->start(base->below, owner, err);
}

/* ---- asking ---- */

static enum weft_status no_memory(struct weft_error *err)
{
	return weft_error_set(err, WEFT_ERR_MEMORY, 0, "no memory to ask a proxy");
}

static enum weft_status send_out(struct proxy_transport *p, struct weft_error *err)
{
	struct weft_transport *below = p->base.below;
	struct weft_segment seg;
	enum weft_status st;
	size_t taken = 0;

	if (p->out.failed)
		return no_memory(err);
	if (weft_buffer_len(&p->out)) {
		seg = weft_segment_borrowed(weft_buffer_bytes(&p->out), weft_buffer_len(&p->out));
		st = below->ops->write(below, &seg, 1, &taken, err);
		weft_buffer_consume(&p->out, taken);
		if (st)
			return st;
		weft_buffer_finish(&p->out);
	}
	return below->ops->flush(below, err);
}

static enum weft_status fill(struct proxy_transport *p, struct weft_error *err)
{
	struct weft_transport *below = p->base.below;
	struct weft_span got = { NULL, 0 };
	enum weft_status st = below->ops->read(below, &got, err);

	if (st == WEFT_EOF)
		return weft_error_set(
			err, WEFT_ERR_TRUNCATED, 0, "closed the connection before it had answered");
	if (st)
		return st;
	weft_buffer_append(&p->in, got.ptr, got.len);
	return p->in.failed ? no_memory(err) : WEFT_OK;
}

static void forget_names(struct proxy_transport *p)
{
	weft_strfree(&p->ctx->memory.alloc, p->name);
	weft_strfree(&p->ctx->memory.alloc, p->host);
	p->name = p->host = NULL;
}

/* OK: the tunnel is there. */
static enum weft_status ask(struct proxy_transport *p, struct weft_error *err)
{
	enum weft_status st, sent;

	for (;;) {
		st = weft_proxy_talk(&p->talk, &p->in, &p->out, err);
		if (st < 0)
			return st;
		sent = send_out(p, err);
		if (sent || st == WEFT_OK)
			return sent;
		st = fill(p, err);
		if (st)
			return st;
	}
}

static void proxy_settle(struct weft_transport *base)
{
	if (base->below->ops->settle)
		base->below->ops->settle(base->below);
}

static enum weft_status proxy_advance(struct weft_transport *base, struct weft_error *err)
{
	struct proxy_transport *p = (struct proxy_transport *)base;
	enum weft_status st = base->below->ops->advance(base->below, err);

	if (st || p->open)
		return st;
	st = ask(p, err);
	if (st < 0) {
		if (err && err->status == WEFT_OK)
			weft_error_set(err, st, 0, "%s", weft_status_name(st));
		weft_error_prefix(err, "proxy %.100s", p->name);
	}
	if (st == WEFT_OK) {
		p->open = true;
		forget_names(p);
	}
	proxy_settle(base);
	return st;
}

/* ---- the tunnel ---- */

static enum weft_status proxy_read(
	struct weft_transport *base, struct weft_span *got, struct weft_error *err)
{
	struct proxy_transport *p = (struct proxy_transport *)base;
	size_t len = weft_buffer_len(&p->in), fragment = p->ctx->fragment_bytes;

	if (!p->open || !len) {
		weft_buffer_finish(&p->in);
		return base->below->ops->read(base->below, got, err);
	}
	if (fragment && len > fragment)
		len = fragment;
	*got = (struct weft_span){ weft_buffer_bytes(&p->in), len };
	weft_buffer_consume(&p->in, len); /* the memory stays until the next read */
	return WEFT_OK;
}

static enum weft_status proxy_flush(struct weft_transport *base, struct weft_error *err)
{
	return send_out((struct proxy_transport *)base, err);
}

static enum weft_status proxy_write(struct weft_transport *base, const struct weft_segment *segs,
	size_t count, size_t *taken, struct weft_error *err)
{
	struct proxy_transport *p = (struct proxy_transport *)base;

	if (p->open)
		return base->below->ops->write(base->below, segs, count, taken, err);
	/* the goodbye of a layer above to somebody who was never reached */
	*taken = 0;
	for (size_t i = 0; i < count; i++)
		*taken += segs[i].len;
	return WEFT_OK;
}

static size_t proxy_pending(const struct weft_transport *base)
{
	const struct proxy_transport *p = (const struct proxy_transport *)base;

	return weft_buffer_len(&p->out) + base->below->ops->pending(base->below);
}

static bool proxy_buffered(const struct weft_transport *base)
{
	const struct proxy_transport *p = (const struct proxy_transport *)base;

	return weft_buffer_len(&p->in) || base->below->ops->buffered(base->below);
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
	struct proxy_transport *p = (struct proxy_transport *)base;

	forget_names(p);
	weft_buffer_finish(&p->in);
	weft_buffer_finish(&p->out);
	weft_free(&p->ctx->memory.alloc, p, sizeof(*p));
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

const char *weft_transport_proxy_waited(const struct weft_transport *top)
{
	for (; top; top = top->below) {
		if (top->ops == &proxy_ops)
			return ((const struct proxy_transport *)top)->name;
	}
	return NULL;
}

enum weft_status weft_transport_proxy(struct weft_context *ctx, struct weft_transport *below,
	const struct weft_proxy *proxy, const char *host, uint16_t port,
	struct weft_transport **out, struct weft_error *err)
{
	const struct weft_allocator *alloc = &ctx->memory.alloc;
	struct proxy_transport *p = weft_zalloc(alloc, sizeof(*p));
	char text[WEFT_PROXY_TEXT_MAX];

	if (!p)
		return no_memory(err);
	p->base.ops = &proxy_ops;
	p->base.below = below;
	p->ctx = ctx;
	weft_buffer_init(&p->in, alloc);
	weft_buffer_init(&p->out, alloc);
	weft_proxy_format(proxy, text);
	p->name = weft_strndup(alloc, text, strlen(text));
	p->host = weft_strndup(alloc, host, strlen(host));
	if (!p->name || !p->host) {
		proxy_destroy(&p->base);
		return no_memory(err);
	}
	p->talk = (struct weft_proxy_talk){ .kind = proxy->kind, .host = p->host, .port = port };
	*out = &p->base;
	return WEFT_OK;
}
