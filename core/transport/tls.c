/* SPDX-License-Identifier: MIT */
/*
 * TLS as a transport. Ciphertext that arrived stays in the loop's receive buffer while it is worked on,
 * and is copied aside only if the turn moves on before it is used up.
 */
#include "core/transport/tls.h"

#include <stdio.h>

#include "core/system/context.h"
#include "core/system/file.h"

enum {
	BATCH = 65536,      /* plaintext that is encrypted before it is sent on */
	FILE_PIECE = 16384, /* read from a file at once: a record */
	MAX_SEGMENTS = 32,
};

enum phase { HELLO, SHAKING, OPEN, ENDED, BROKEN };

struct tls_transport {
	struct weft_transport base;
	struct weft_context *ctx;
	const struct weft_tls_ops *ops;
	void *session;
	weft_tls_choose_fn choose;
	void *choose_user;
	enum phase phase;
	struct weft_span in;     /* unread ciphertext, in the receive buffer or in kept */
	uint64_t in_serial;      /* of the receive buffer that in points into; 0: kept */
	struct weft_buffer kept; /* ciphertext that outlived its turn */
	struct weft_buffer out;  /* ciphertext that the layer below did not take yet */
	size_t hello_need;
	bool below_eof;
	bool shut; /* close_notify is in out, or gone */
	char sni[256];
};

static enum weft_status tls_flush(struct weft_transport *base, struct weft_error *err)
{
	struct tls_transport *t = (struct tls_transport *)base;
	struct weft_segment seg;
	enum weft_status st;
	size_t taken = 0;

	if (t->out.failed)
		return weft_error_set(err, WEFT_ERR_MEMORY, 0, "no memory for TLS output");
	if (weft_buffer_len(&t->out)) {
		seg = weft_segment_borrowed(weft_buffer_bytes(&t->out), weft_buffer_len(&t->out));
		st = base->below->ops->write(base->below, &seg, 1, &taken, err);
		weft_buffer_consume(&t->out, taken);
		if (st)
			return st;
		weft_buffer_finish(&t->out);
	}
	return base->below->ops->flush(base->below, err);
}

/* Adds to what is kept, which is then all that is unread; nothing is, once bytes are missing in it. */
static enum weft_status append(
	struct tls_transport *t, const struct weft_span *bytes, struct weft_error *err)
{
	weft_buffer_append(&t->kept, bytes->ptr, bytes->len);
	t->in_serial = 0;
	t->in = (struct weft_span){ NULL, 0 };
	if (t->kept.failed)
		return weft_error_set(err, WEFT_ERR_MEMORY, 0, "no memory for TLS input");
	t->in = (struct weft_span){ weft_buffer_bytes(&t->kept), weft_buffer_len(&t->kept) };
	return WEFT_OK;
}

/* Copies unread input aside. Idempotent, in failure too. */
static enum weft_status keep(struct tls_transport *t, struct weft_error *err)
{
	const struct weft_span unread = t->in_serial ? t->in : (struct weft_span){ NULL, 0 };

	return append(t, &unread, err);
}

/* The session took from the front of in; follow it in kept. */
static void consumed(struct tls_transport *t)
{
	if (t->in_serial || t->kept.failed)
		return;
	weft_buffer_consume(&t->kept, weft_buffer_len(&t->kept) - t->in.len);
	if (!t->in.len)
		weft_buffer_finish(&t->kept);
}

/* More ciphertext from below, behind what is unread. */
static enum weft_status fill(struct tls_transport *t, struct weft_error *err)
{
	struct weft_transport *below = t->base.below;
	struct weft_span got = { NULL, 0 };
	enum weft_status st;

	if (t->below_eof)
		return WEFT_EOF;
	/* the read below may overwrite what in points to */
	if (keep(t, err))
		return WEFT_ERR_MEMORY;
	st = below->ops->read(below, &got, err);
	if (st == WEFT_EOF)
		t->below_eof = true;
	if (st)
		return st;
	if (!t->in.len) {
		t->in = got;
		t->in_serial = t->ctx->recv_serial ? t->ctx->recv_serial : 1;
		return WEFT_OK;
	}
	return append(t, &got, err);
}

static void tls_settle(struct weft_transport *base)
{
	struct tls_transport *t = (struct tls_transport *)base;

	(void)keep(t, NULL); /* a failure shows at the next fill */
	if (base->below->ops->settle)
		base->below->ops->settle(base->below);
}

static enum weft_status open_session(struct tls_transport *t, struct weft_error *err)
{
	struct weft_tls_session_options options = { .size = sizeof(options) };
	struct weft_hello hello;
	enum weft_status st;
	void *tls_ctx;

	if (t->in.len < t->hello_need)
		return WEFT_AGAIN;
	st = weft_hello_parse(t->in.ptr, t->in.len, &hello, &t->hello_need);
	if (st == WEFT_AGAIN)
		return st;
	snprintf(t->sni, sizeof(t->sni), "%s", hello.sni);
	tls_ctx = t->choose(t->choose_user, &hello, err);
	if (!tls_ctx)
		return err ? err->status : WEFT_ERR_TLS;
	st = t->ops->session_create(tls_ctx, &options, &t->session, err);
	if (st)
		return st;
	t->phase = SHAKING;
	return WEFT_OK;
}

static enum weft_status shake(struct tls_transport *t, struct weft_error *err)
{
	enum weft_status st;

	st = t->phase == HELLO ? open_session(t, err) : WEFT_OK;
	if (st == WEFT_OK) {
		st = t->ops->handshake(t->session, &t->in, &t->out, err);
		consumed(t);
		(void)tls_flush(&t->base, NULL); /* what fails here fails at the next flush too */
	}
	if (st >= 0 && t->out.failed)
		st = weft_error_set(err, WEFT_ERR_MEMORY, 0, "no memory for TLS output");
	if (st != WEFT_AGAIN)
		t->phase = st < 0 ? BROKEN : OPEN;
	return st;
}

static enum weft_status tls_advance(struct weft_transport *base, struct weft_error *err)
{
	struct tls_transport *t = (struct tls_transport *)base;
	enum weft_status st = base->below->ops->advance(base->below, err);

	if (st || t->phase == OPEN)
		return st;
	/* a client speaks first; a server has nothing to say before it has heard something */
	st = t->session || t->in.len ? shake(t, err) : WEFT_AGAIN;
	while (st == WEFT_AGAIN) {
		st = fill(t, err);
		if (st == WEFT_EOF)
			return weft_error_set(err, WEFT_ERR_TRUNCATED, 0,
				"the peer closed the connection during the TLS handshake");
		if (st)
			break;
		st = shake(t, err);
	}
	tls_settle(base);
	return st;
}

/* There is no session to understand it, but the end is still waited for. */
static enum weft_status discard(
	struct tls_transport *t, struct weft_span *got, struct weft_error *err)
{
	enum weft_status st = t->base.below->ops->read(t->base.below, got, err);

	weft_buffer_finish(&t->kept);
	t->in = *got = (struct weft_span){ NULL, 0 };
	t->in_serial = 0;
	return st;
}

static enum weft_status tls_read(
	struct weft_transport *base, struct weft_span *got, struct weft_error *err)
{
	struct tls_transport *t = (struct tls_transport *)base;
	enum weft_status st;

	if (t->phase == ENDED)
		return WEFT_EOF;
	if (t->phase != OPEN)
		return discard(t, got, err);
	for (;;) {
		st = WEFT_AGAIN;
		if (t->in.len) {
			st = t->ops->decrypt(t->session, &t->in, got, &t->out, err);
			consumed(t);
			(void)tls_flush(&t->base, NULL);
		}
		if (st == WEFT_EOF || st < 0)
			t->phase = st < 0 ? BROKEN : ENDED;
		/* an empty one goes up too: the caller counts its reads, and a peer may send many */
		if (st != WEFT_AGAIN)
			return st;
		st = fill(t, err);
		if (st == WEFT_EOF)
			return weft_error_set(err, WEFT_ERR_TRUNCATED, 0,
				"the peer closed the connection without a TLS close_notify");
		if (st)
			return st;
	}
}

/* One batch: from segs, skipping done bytes, to as many as BATCH. Returns the plaintext bytes. */
static size_t gather(const struct weft_segment *segs, size_t count, size_t done,
	struct weft_segment *batch, size_t *batch_count)
{
	size_t sum = 0, n = 0;

	for (size_t i = 0; i < count && n < MAX_SEGMENTS && sum < BATCH; i++) {
		struct weft_segment s = segs[i];

		if (done >= s.len) {
			done -= s.len;
			continue;
		}
		if (s.kind == WEFT_SEGMENT_FILE && n)
			break;
		s.len -= done;
		s.off += done;
		s.ptr = s.ptr ? s.ptr + done : NULL;
		done = 0;
		if (s.kind == WEFT_SEGMENT_FILE && s.len > FILE_PIECE)
			s.len = FILE_PIECE;
		if (s.len > BATCH - sum)
			s.len = BATCH - sum;
		batch[n++] = s;
		sum += s.len;
		if (s.kind == WEFT_SEGMENT_FILE)
			break;
	}
	*batch_count = n;
	return sum;
}

static enum weft_status encrypt_file(
	struct tls_transport *t, const struct weft_segment *seg, struct weft_error *err)
{
	struct weft_segment mem;
	unsigned char *piece;
	enum weft_status st;
	size_t cap;

	st = weft_file_piece(&t->ctx->memory, seg, &piece, &cap, err);
	if (st)
		return st;
	mem = weft_segment_borrowed(piece, seg->len);
	st = t->ops->encrypt(t->session, &mem, 1, &t->out, err);
	weft_block_put(&t->ctx->memory, piece, cap);
	return st;
}

static enum weft_status tls_write(struct weft_transport *base, const struct weft_segment *segs,
	size_t count, size_t *taken, struct weft_error *err)
{
	struct tls_transport *t = (struct tls_transport *)base;
	struct weft_segment batch[MAX_SEGMENTS];
	enum weft_status st = tls_flush(base, err);
	size_t n, len;

	*taken = 0;
	while (st == WEFT_OK) {
		len = gather(segs, count, *taken, batch, &n);
		if (!len)
			break;
		st = batch[0].kind == WEFT_SEGMENT_FILE
			     ? encrypt_file(t, &batch[0], err)
			     : t->ops->encrypt(t->session, batch, n, &t->out, err);
		if (st)
			return st;
		*taken += len;
		/* a record's worth of files at a time is too little for a send */
		if (batch[0].kind == WEFT_SEGMENT_FILE && weft_buffer_len(&t->out) < BATCH)
			continue;
		st = tls_flush(base, err);
	}
	return st == WEFT_OK ? tls_flush(base, err) : st;
}

static size_t tls_pending(const struct weft_transport *base)
{
	const struct tls_transport *t = (const struct tls_transport *)base;

	return weft_buffer_len(&t->out) + base->below->ops->pending(base->below);
}

static bool tls_buffered(const struct weft_transport *base)
{
	const struct tls_transport *t = (const struct tls_transport *)base;

	/* unread ciphertext may be half a record: reading tells, and then waits for ready */
	return t->in.len || base->below->ops->buffered(base->below);
}

static enum weft_status tls_shutdown(struct weft_transport *base, struct weft_error *err)
{
	struct tls_transport *t = (struct tls_transport *)base;
	enum weft_status st;

	if (!t->shut && t->session) {
		t->ops->close_notify(t->session, &t->out);
		t->shut = true;
	}
	st = tls_flush(base, err);
	return st ? st : base->below->ops->shutdown(base->below, err);
}

static enum weft_status tls_start(struct weft_transport *base,
	const struct weft_transport_owner *owner, struct weft_error *err)
{
	return base->below->ops->start(base->below, owner, err);
}

static void tls_interest(struct weft_transport *base, unsigned events)
{
	base->below->ops->interest(base->below, events);
}

static void tls_abort(struct weft_transport *base)
{
	base->below->ops->abort(base->below);
}

static void tls_info(const struct weft_transport *base, struct weft_conn_info *info)
{
	const struct tls_transport *t = (const struct tls_transport *)base;
	struct weft_tls_info tls = { .version = 0 };

	base->below->ops->info(base->below, info);
	info->tls = true;
	snprintf(info->sni, sizeof(info->sni), "%s", t->sni);
	if (!t->session)
		return;
	t->ops->info(t->session, &tls);
	snprintf(info->alpn, sizeof(info->alpn), "%s", tls.alpn);
	snprintf(info->tls_cipher, sizeof(info->tls_cipher), "%s", tls.cipher);
	info->tls_version = tls.version;
	info->tls_faults = tls.faults;
	info->tls_resumed = tls.resumed;
}

static void tls_destroy(struct weft_transport *base)
{
	struct tls_transport *t = (struct tls_transport *)base;

	if (t->session)
		t->ops->session_destroy(t->session);
	weft_buffer_finish(&t->kept);
	weft_buffer_finish(&t->out);
	weft_free(&t->ctx->memory.alloc, t, sizeof(*t));
}

static const struct weft_transport_ops tls_transport_ops = {
	.size = sizeof(tls_transport_ops),
	.name = "tls",
	.start = tls_start,
	.advance = tls_advance,
	.read = tls_read,
	.settle = tls_settle,
	.write = tls_write,
	.flush = tls_flush,
	.pending = tls_pending,
	.buffered = tls_buffered,
	.interest = tls_interest,
	.shutdown = tls_shutdown,
	.abort = tls_abort,
	.info = tls_info,
	.destroy = tls_destroy,
};

static struct tls_transport *make(struct weft_context *ctx, struct weft_transport *below,
	const struct weft_tls_ops *ops, struct weft_error *err)
{
	struct tls_transport *t = weft_zalloc(&ctx->memory.alloc, sizeof(*t));

	if (!t) {
		weft_error_set(err, WEFT_ERR_MEMORY, 0, "no memory for a TLS connection");
		return NULL;
	}
	t->base.ops = &tls_transport_ops;
	t->base.below = below;
	t->ctx = ctx;
	t->ops = ops;
	weft_buffer_init(&t->kept, &ctx->memory.alloc);
	weft_buffer_init(&t->out, &ctx->memory.alloc);
	return t;
}

enum weft_status weft_transport_tls_client(struct weft_context *ctx, struct weft_transport *below,
	const struct weft_tls_ops *ops, void *tls_ctx,
	const struct weft_tls_session_options *session, struct weft_transport **out,
	struct weft_error *err)
{
	struct tls_transport *t = make(ctx, below, ops, err);
	enum weft_status st;

	if (!t)
		return WEFT_ERR_MEMORY;
	st = ops->session_create(tls_ctx, session, &t->session, err);
	if (st) {
		weft_free(&ctx->memory.alloc, t, sizeof(*t));
		return st;
	}
	t->phase = SHAKING;
	if (session->sni)
		snprintf(t->sni, sizeof(t->sni), "%s", session->sni);
	*out = &t->base;
	return WEFT_OK;
}

enum weft_status weft_transport_tls_server(struct weft_context *ctx, struct weft_transport *below,
	const struct weft_tls_ops *ops, weft_tls_choose_fn choose, void *user,
	struct weft_transport **out, struct weft_error *err)
{
	struct tls_transport *t = make(ctx, below, ops, err);

	if (!t)
		return WEFT_ERR_MEMORY;
	t->phase = HELLO;
	t->choose = choose;
	t->choose_user = user;
	*out = &t->base;
	return WEFT_OK;
}
