/* SPDX-License-Identifier: MIT */
/* A stream socket through the loop's net table. Holds no bytes: what the socket does not take, the
 * connection keeps. */
#include "core/transport/socket.h"

#include "core/system/context.h"
#include "core/system/file.h"

enum { FILE_PIECE = 16384 };

struct socket_transport {
	struct weft_transport base;
	struct weft_context *ctx;
	weft_socket sock;
	struct weft_watch watch;
	struct weft_transport_owner owner;
	unsigned wanted; /* by the owner */
	bool drained;    /* the last read came back short: the next would only say AGAIN */
	bool write_wait; /* a send came back short */
	bool abort;
};

static void socket_interest_now(struct socket_transport *t)
{
	weft_loop_interest(&t->ctx->loop, &t->watch,
		t->wanted | (t->write_wait ? (unsigned)WEFT_EVENT_WRITE : 0));
}

static void socket_ready(struct weft_watch *watch, unsigned events)
{
	struct socket_transport *t = weft_container_of(watch, struct socket_transport, watch);

	if (events & (WEFT_EVENT_READ | WEFT_EVENT_ERROR))
		t->drained = false;
	if (events & WEFT_EVENT_WRITE) {
		t->write_wait = false;
		socket_interest_now(t);
	}
	t->owner.ready(t->owner.user, events);
}

static enum weft_status socket_start(struct weft_transport *base,
	const struct weft_transport_owner *owner, struct weft_error *err)
{
	struct socket_transport *t = (struct socket_transport *)base;

	t->owner = *owner;
	t->wanted = WEFT_EVENT_READ;
	return weft_loop_watch(&t->ctx->loop, &t->watch, t->sock, t->wanted, socket_ready, err);
}

static enum weft_status socket_advance(struct weft_transport *base, struct weft_error *err)
{
	(void)base;
	(void)err;
	return WEFT_OK;
}

static enum weft_status socket_read(
	struct weft_transport *base, struct weft_span *got, struct weft_error *err)
{
	struct socket_transport *t = (struct socket_transport *)base;
	struct weft_context *ctx = t->ctx;
	size_t max = ctx->fragment_bytes ? ctx->fragment_bytes : WEFT_RECV_BYTES;
	enum weft_status st;

	if (t->drained)
		return WEFT_AGAIN;
	ctx->recv_serial++;
	ctx->counters.net_recv++;
	st = ctx->loop.net->recv(ctx->loop.net_state, t->sock, ctx->recv_buf, max, got, err);
	if (st == WEFT_AGAIN || (st == WEFT_OK && got->len < max))
		t->drained = true;
	return st;
}

/* Waits for room after a short send. */
static enum weft_status sent(struct socket_transport *t, enum weft_status st)
{
	if (st == WEFT_AGAIN) {
		t->write_wait = true;
		socket_interest_now(t);
	}
	return st;
}

/* For a net without sendfile: a piece at a time, through memory. */
static enum weft_status send_piece(struct socket_transport *t, const struct weft_segment *file,
	size_t *taken, struct weft_error *err)
{
	struct weft_segment part = *file, seg;
	unsigned char *piece;
	enum weft_status st;
	size_t cap;

	if (part.len > FILE_PIECE)
		part.len = FILE_PIECE;
	st = weft_file_piece(&t->ctx->memory, &part, &piece, &cap, err);
	if (st)
		return st;
	seg = weft_segment_borrowed(piece, part.len);
	st = t->ctx->loop.net->sendv(t->ctx->loop.net_state, t->sock, &seg, 1, taken, err);
	weft_block_put(&t->ctx->memory, piece, cap);
	return st;
}

static enum weft_status send_file(struct socket_transport *t, const struct weft_segment *file,
	size_t *taken, struct weft_error *err)
{
	const struct weft_net_ops *net = t->ctx->loop.net;

	if (!net->sendfile)
		return send_piece(t, file, taken, err);
	return net->sendfile(
		t->ctx->loop.net_state, t->sock, file->fd, file->off, file->len, taken, err);
}

static enum weft_status socket_write(struct weft_transport *base, const struct weft_segment *segs,
	size_t count, size_t *taken, struct weft_error *err)
{
	struct socket_transport *t = (struct socket_transport *)base;
	const struct weft_net_ops *net = t->ctx->loop.net;
	void *state = t->ctx->loop.net_state;
	enum weft_status st = WEFT_OK;
	size_t i = 0, run, want, n;

	*taken = 0;
	while (i < count && st == WEFT_OK) {
		t->ctx->counters.net_send++;
		n = 0;
		if (segs[i].kind == WEFT_SEGMENT_FILE) {
			want = segs[i].len;
			st = send_file(t, &segs[i], &n, err);
			run = 1;
		} else {
			want = 0;
			for (run = 0; i + run < count && segs[i + run].kind != WEFT_SEGMENT_FILE;
				run++)
				want += segs[i + run].len;
			st = net->sendv(state, t->sock, segs + i, run, &n, err);
		}
		*taken += n;
		t->ctx->sent_serial += n > 0;
		if (st == WEFT_OK && n < want)
			st = WEFT_AGAIN;
		i += run;
	}
	return sent(t, st);
}

static enum weft_status socket_flush(struct weft_transport *base, struct weft_error *err)
{
	(void)base;
	(void)err;
	return WEFT_OK;
}

static size_t socket_pending(const struct weft_transport *base)
{
	(void)base;
	return 0;
}

static void socket_probe(struct weft_transport *base)
{
	((struct socket_transport *)base)->drained = false;
}

static bool socket_buffered(const struct weft_transport *base)
{
	return !((const struct socket_transport *)base)->drained;
}

static void socket_interest(struct weft_transport *base, unsigned events)
{
	struct socket_transport *t = (struct socket_transport *)base;

	t->wanted = events;
	socket_interest_now(t);
}

static enum weft_status socket_shutdown(struct weft_transport *base, struct weft_error *err)
{
	struct socket_transport *t = (struct socket_transport *)base;

	return t->ctx->loop.net->shutdown(t->ctx->loop.net_state, t->sock, err);
}

static void socket_abort(struct weft_transport *base)
{
	((struct socket_transport *)base)->abort = true;
}

static void socket_info(const struct weft_transport *base, struct weft_conn_info *info)
{
	const struct socket_transport *t = (const struct socket_transport *)base;

	if (t->ctx->loop.net->names(
		    t->ctx->loop.net_state, t->sock, &info->local, &info->peer, NULL)) {
		info->local.family = WEFT_FAMILY_NONE;
		info->peer.family = WEFT_FAMILY_NONE;
	}
}

static void socket_destroy(struct weft_transport *base)
{
	struct socket_transport *t = (struct socket_transport *)base;

	weft_loop_unwatch(&t->ctx->loop, &t->watch);
	t->ctx->loop.net->close(t->ctx->loop.net_state, t->sock, t->abort);
	weft_free(&t->ctx->memory.alloc, t, sizeof(*t));
}

static const struct weft_transport_ops socket_ops = {
	.size = sizeof(socket_ops),
	.name = "socket",
	.start = socket_start,
	.advance = socket_advance,
	.read = socket_read,
	.write = socket_write,
	.flush = socket_flush,
	.pending = socket_pending,
	.probe = socket_probe,
	.buffered = socket_buffered,
	.interest = socket_interest,
	.shutdown = socket_shutdown,
	.abort = socket_abort,
	.info = socket_info,
	.destroy = socket_destroy,
};

enum weft_status weft_transport_socket(struct weft_context *ctx, weft_socket sock,
	struct weft_transport **out, struct weft_error *err)
{
	struct socket_transport *t = weft_zalloc(&ctx->memory.alloc, sizeof(*t));

	if (!t)
		return weft_error_set(
			err, WEFT_ERR_MEMORY, 0, "no memory for a connection's socket");
	t->base.ops = &socket_ops;
	t->ctx = ctx;
	t->sock = sock;
	*out = &t->base;
	return WEFT_OK;
}
