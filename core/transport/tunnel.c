/* SPDX-License-Identifier: MIT */
/*
 * Bytes through a stream. Its windows and its outbox bound what is held, both ways: here there is one piece at
 * most that was taken and not read yet. Reports come from a timer of no delay, so from the loop.
 */
#include "core/transport/tunnel.h"

#include "core/conn/conn.h"
#include "core/stream/stream.h"

enum { PIECE = 16384 };

struct tunnel {
	struct weft_transport base;
	struct weft_context *ctx;
	const struct weft_route *route;
	struct weft_stream *stream; /* NULL: not opened yet, or over */
	struct weft_buffer in;      /* taken from the stream */
	size_t handed;              /* bytes of it that the last read gave out */
	size_t held; /* bytes in the stream's outbox, as the last write or flush found it */
	struct weft_transport_owner owner;
	struct weft_timer timer;
	unsigned interest, due; /* events to be told of */
	bool in_fin;
	bool lost; /* the stream ended, and not in order */
	bool shut, abort;
	struct weft_error why;
};

static void report(struct weft_timer *timer, void *user)
{
	struct tunnel *t = user;
	unsigned events = t->due & (t->interest | WEFT_EVENT_WRITE);

	(void)timer;
	t->due &= ~events;
	if (events)
		t->owner.ready(t->owner.user, events);
}

/* Has the owner told, at the next turn. */
static void poke(struct tunnel *t, unsigned events)
{
	t->due |= events;
	if (t->owner.ready)
		weft_loop_timer(&t->ctx->loop, &t->timer, 0, report, t);
}

/* ---- what the stream tells ---- */

static size_t on_data(struct weft_stream *s, const void *bytes, size_t len, void *user)
{
	struct tunnel *t = user;
	size_t n = len < PIECE ? len : PIECE;

	(void)s;
	if (weft_buffer_len(&t->in) || !(t->interest & WEFT_EVENT_READ))
		return 0;
	weft_buffer_append(&t->in, bytes, n);
	if (t->in.failed) {
		weft_error_set(&t->why, WEFT_ERR_MEMORY, 0, "no memory for a tunnel's bytes");
		t->lost = true;
	}
	poke(t, WEFT_EVENT_READ);
	return n;
}

static void on_end(struct weft_stream *s, void *user)
{
	struct tunnel *t = user;

	(void)s;
	t->in_fin = true;
	poke(t, WEFT_EVENT_READ);
}

static void on_writable(struct weft_stream *s, void *user)
{
	(void)s;
	poke(user, WEFT_EVENT_WRITE);
}

static void on_close(struct weft_stream *s, const struct weft_error *why, void *user)
{
	struct tunnel *t = user;

	(void)s;
	t->stream = NULL;
	t->in_fin = true;
	if (why->status && !t->lost) {
		t->lost = true;
		weft_error_set(&t->why, WEFT_ERR_RESET, why->native,
			"the stream under the tunnel: %.200s", why->text);
	}
	poke(t, WEFT_EVENT_READ | WEFT_EVENT_WRITE);
}

static const struct weft_stream_ops stream_ops = {
	.on_data = on_data,
	.on_end = on_end,
	.on_writable = on_writable,
	.on_close = on_close,
};

/* ---- ops ---- */

static enum weft_status tunnel_start(struct weft_transport *base,
	const struct weft_transport_owner *owner, struct weft_error *err)
{
	struct tunnel *t = (struct tunnel *)base;

	(void)err;
	t->owner = *owner;
	poke(t, WEFT_EVENT_READ);
	return WEFT_OK;
}

static enum weft_status tunnel_advance(struct weft_transport *base, struct weft_error *err)
{
	(void)base;
	(void)err;
	return WEFT_OK;
}

/* What was given out has been used: the stream may go on. */
static void tunnel_settle(struct weft_transport *base)
{
	struct tunnel *t = (struct tunnel *)base;

	if (!t->handed)
		return;
	weft_buffer_consume(&t->in, t->handed);
	t->handed = 0;
	if (weft_buffer_len(&t->in))
		return;
	weft_buffer_finish(&t->in);
	if (t->stream && (t->interest & WEFT_EVENT_READ))
		weft_stream_resume(t->stream);
}

static enum weft_status tunnel_read(
	struct weft_transport *base, struct weft_span *got, struct weft_error *err)
{
	struct tunnel *t = (struct tunnel *)base;
	size_t fragment = t->ctx->fragment_bytes;

	tunnel_settle(base);
	if (t->lost) {
		if (err)
			*err = t->why;
		return t->why.status;
	}
	t->handed = weft_buffer_len(&t->in);
	if (!t->handed)
		return t->in_fin ? WEFT_EOF : WEFT_AGAIN;
	if (fragment && t->handed > fragment)
		t->handed = fragment;
	got->ptr = weft_buffer_bytes(&t->in);
	got->len = t->handed;
	return WEFT_OK;
}

/* One segment. AGAIN: the outbox is full, and has taken less or nothing. */
static enum weft_status put(struct weft_stream *s, const struct weft_segment *seg, size_t *taken)
{
	enum weft_status st;
	size_t n;

	if (seg->kind == WEFT_SEGMENT_BORROWED) {
		n = weft_stream_write(s, seg->ptr, seg->len);
		*taken += n;
		return n < seg->len ? WEFT_AGAIN : WEFT_OK;
	}
	weft_segment_ref(seg);
	st = weft_stream_write_segment(s, seg);
	if (st)
		weft_segment_release(seg);
	else
		*taken += seg->len;
	return st;
}

static enum weft_status tunnel_write(struct weft_transport *base, const struct weft_segment *segs,
	size_t count, size_t *taken, struct weft_error *err)
{
	struct tunnel *t = (struct tunnel *)base;
	enum weft_status st = WEFT_OK;

	*taken = 0;
	for (size_t i = 0; i < count && st == WEFT_OK; i++) {
		if (!t->stream || t->stream->state == WEFT_STREAM_DONE)
			return weft_error_set(
				err, WEFT_ERR_RESET, 0, "the stream under the tunnel is over");
		st = put(t->stream, &segs[i], taken);
	}
	t->held += *taken;
	if (st < 0)
		weft_error_set(err, st, 0, "the stream under the tunnel took nothing");
	return st;
}

/* What the stream's connection took since is as good as sent. */
static enum weft_status tunnel_flush(struct weft_transport *base, struct weft_error *err)
{
	struct tunnel *t = (struct tunnel *)base;
	size_t left = t->stream ? t->stream->out.len : 0;

	(void)err;
	t->ctx->sent_serial += left < t->held;
	t->held = left;
	if (!left)
		return WEFT_OK;
	t->stream->want_write = true;
	return WEFT_AGAIN;
}

static size_t tunnel_pending(const struct weft_transport *base)
{
	return ((const struct tunnel *)base)->held;
}

static bool tunnel_buffered(const struct weft_transport *base)
{
	const struct tunnel *t = (const struct tunnel *)base;

	return weft_buffer_len(&t->in) > t->handed || t->in_fin || t->lost;
}

static void tunnel_interest(struct weft_transport *base, unsigned events)
{
	struct tunnel *t = (struct tunnel *)base;
	unsigned more = events & ~t->interest;

	t->interest = events;
	if (!(more & WEFT_EVENT_READ))
		return;
	if (tunnel_buffered(base))
		poke(t, WEFT_EVENT_READ);
	else if (t->stream)
		weft_stream_resume(t->stream);
}

static enum weft_status tunnel_shutdown(struct weft_transport *base, struct weft_error *err)
{
	struct tunnel *t = (struct tunnel *)base;

	(void)err;
	t->shut = true;
	if (t->stream)
		weft_stream_finish(t->stream);
	return WEFT_OK;
}

static void tunnel_abort(struct weft_transport *base)
{
	((struct tunnel *)base)->abort = true;
}

/* Whom the stream's connection is with. What was agreed on there is not spoken here. */
static void tunnel_info(const struct weft_transport *base, struct weft_conn_info *info)
{
	const struct tunnel *t = (const struct tunnel *)base;
	const struct weft_transport *top;

	if (!t->stream || !t->stream->pipe)
		return;
	top = weft_pipe_conn(t->stream->pipe)->top;
	if (top)
		top->ops->info(top, info);
	info->alpn[0] = '\0';
}

static enum weft_status tunnel_peer_cert(const struct weft_transport *base, struct weft_span *der)
{
	const struct tunnel *t = (const struct tunnel *)base;

	return t->stream ? weft_stream_peer_cert(t->stream, der) : WEFT_ERR_STATE;
}

static void tunnel_destroy(struct weft_transport *base)
{
	struct tunnel *t = (struct tunnel *)base;
	struct weft_stream *s = t->stream;

	weft_loop_timer_cancel(&t->ctx->loop, &t->timer);
	weft_buffer_finish(&t->in);
	if (s) {
		weft_stream_set_ops(s, NULL, NULL);
		/* what ended both ways in order ends by itself */
		if (!t->shut || !t->in_fin || t->abort)
			weft_stream_close(s);
	}
	weft_free(&t->ctx->memory.alloc, t, sizeof(*t));
}

static const struct weft_transport_ops tunnel_ops = {
	.size = sizeof(tunnel_ops),
	.name = "tunnel",
	.start = tunnel_start,
	.advance = tunnel_advance,
	.read = tunnel_read,
	.settle = tunnel_settle,
	.write = tunnel_write,
	.flush = tunnel_flush,
	.pending = tunnel_pending,
	.buffered = tunnel_buffered,
	.interest = tunnel_interest,
	.shutdown = tunnel_shutdown,
	.abort = tunnel_abort,
	.info = tunnel_info,
	.peer_cert = tunnel_peer_cert,
	.destroy = tunnel_destroy,
};

struct weft_transport *weft_transport_tunnel(
	struct weft_context *ctx, const struct weft_route *route)
{
	struct tunnel *t = weft_zalloc(&ctx->memory.alloc, sizeof(*t));

	if (!t)
		return NULL;
	t->base.ops = &tunnel_ops;
	t->ctx = ctx;
	t->route = route;
	t->interest = WEFT_EVENT_READ;
	weft_buffer_init(&t->in, &ctx->memory.alloc);
	return &t->base;
}

void weft_transport_tunnel_open(struct weft_transport *tunnel, struct weft_stream *s)
{
	((struct tunnel *)tunnel)->stream = s;
	weft_stream_set_ops(s, &stream_ops, tunnel);
}

const struct weft_route *weft_transport_tunnel_route(const struct weft_transport *top)
{
	return top->ops == &tunnel_ops ? ((const struct tunnel *)top)->route : NULL;
}
