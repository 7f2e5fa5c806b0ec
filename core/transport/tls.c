/* SPDX-License-Identifier: MIT */
/*
 * TLS as a transport. Ciphertext that arrived stays in the loop's receive buffer while it is worked on,
 * and is copied aside only if the turn moves on before it is used up.
 */
#include "core/transport/tls_inside.h"

#include <stdio.h>
#include <string.h>

/*
 * Tickets come when the server likes, mostly with its first bytes. One is asked for behind that many reads,
 * which may bring a byte each, and not for ever.
 */
enum { ASKS = 1000 };

/* Adds to what is kept, which is then all that is unread; nothing is, once bytes are missing in it. */
static enum weft_status append(
	struct weft_tls_transport *t, const struct weft_span *bytes, struct weft_error *err)
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
static enum weft_status keep(struct weft_tls_transport *t, struct weft_error *err)
{
	const struct weft_span unread = t->in_serial ? t->in : (struct weft_span){ NULL, 0 };

	return append(t, &unread, err);
}

/* The session took from the front of in; follow it in kept. */
static void consumed(struct weft_tls_transport *t)
{
	if (t->in_serial || t->kept.failed)
		return;
	weft_buffer_consume(&t->kept, weft_buffer_len(&t->kept) - t->in.len);
	if (!t->in.len)
		weft_buffer_finish(&t->kept);
}

/* More ciphertext from below, behind what is unread. */
static enum weft_status fill(struct weft_tls_transport *t, struct weft_error *err)
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
	struct weft_tls_transport *t = (struct weft_tls_transport *)base;

	(void)keep(t, NULL); /* a failure shows at the next fill */
	if (t->phase == WEFT_TLS_OPEN && t->tls->ops->settle)
		t->tls->ops->settle(t->session);
	if (base->below->ops->settle)
		base->below->ops->settle(base->below);
}

enum weft_status weft_tls_set_sni(
	struct weft_tls_transport *t, const char *sni, struct weft_error *err)
{
	if (!sni || !sni[0])
		return WEFT_OK;
	t->sni = weft_strndup(&t->ctx->memory.alloc, sni, strlen(sni));
	return t->sni ? WEFT_OK
		      : weft_error_set(err, WEFT_ERR_MEMORY, 0, "no memory for a TLS connection");
}

/* The session holds what it is made with, whatever becomes of that in the meantime. */
enum weft_status weft_tls_make_session(struct weft_tls_transport *t, struct weft_tls_ctx *tls,
	const struct weft_tls_session_options *options, struct weft_error *err)
{
	enum weft_status st = tls->ops->session_create(tls->ctx, options, &t->session, err);

	if (st)
		return st;
	t->tls = weft_tls_ctx_ref(tls);
	t->phase = WEFT_TLS_SHAKING;
	return WEFT_OK;
}

static void ask_for_ticket(struct weft_tls_transport *t)
{
	struct weft_buffer ticket;

	if (!t->asks)
		return;
	t->asks--;
	weft_buffer_init(&ticket, &t->ctx->memory.alloc);
	if (t->tls->ops->session_export(t->session, &ticket) == WEFT_OK &&
		weft_buffer_len(&ticket) && !ticket.failed) {
		t->asks = 0;
		t->ticket(t->user,
			(struct weft_span){ weft_buffer_bytes(&ticket), weft_buffer_len(&ticket) });
	}
	if (ticket.ptr)
		explicit_bzero(ticket.ptr, ticket.cap);
	weft_buffer_finish(&ticket);
}

static enum weft_status shake(struct weft_tls_transport *t, struct weft_error *err)
{
	enum weft_status st;

	st = t->phase == WEFT_TLS_HELLO ? weft_tls_open_session(t, err) : WEFT_OK;
	if (st == WEFT_OK) {
		st = t->tls->ops->handshake(t->session, &t->in, &t->out, err);
		consumed(t);
		(void)weft_tls_flush(
			&t->base, NULL); /* what fails here fails at the next flush too */
	}
	if (st >= 0 && t->out.failed)
		st = weft_error_set(err, WEFT_ERR_MEMORY, 0, "no memory for TLS output");
	if (st != WEFT_AGAIN)
		t->phase = st < 0 ? WEFT_TLS_BROKEN : WEFT_TLS_OPEN;
	if (st == WEFT_OK)
		ask_for_ticket(t);
	return st;
}

static enum weft_status tls_advance(struct weft_transport *base, struct weft_error *err)
{
	struct weft_tls_transport *t = (struct weft_tls_transport *)base;
	enum weft_status st = base->below->ops->advance(base->below, err);

	if (st || t->phase == WEFT_TLS_OPEN)
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
	struct weft_tls_transport *t, struct weft_span *got, struct weft_error *err)
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
	struct weft_tls_transport *t = (struct weft_tls_transport *)base;
	enum weft_status st;

	if (t->phase == WEFT_TLS_ENDED)
		return WEFT_EOF;
	if (t->phase != WEFT_TLS_OPEN)
		return discard(t, got, err);
	for (;;) {
		st = WEFT_AGAIN;
		if (t->in.len) {
			st = t->tls->ops->decrypt(t->session, &t->in, got, &t->out, err);
			consumed(t);
			(void)weft_tls_flush(&t->base, NULL);
		}
		if (st == WEFT_EOF || st < 0)
			t->phase = st < 0 ? WEFT_TLS_BROKEN : WEFT_TLS_ENDED;
		else
			ask_for_ticket(t);
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

static bool tls_buffered(const struct weft_transport *base)
{
	const struct weft_tls_transport *t = (const struct weft_tls_transport *)base;

	/* unread ciphertext may be half a record: reading tells, and then waits for ready */
	return t->in.len || base->below->ops->buffered(base->below);
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
	const struct weft_tls_transport *t = (const struct weft_tls_transport *)base;
	struct weft_tls_info tls = { .version = 0 };

	base->below->ops->info(base->below, info);
	info->tls = true;
	snprintf(info->sni, sizeof(info->sni), "%s", t->sni ? t->sni : "");
	if (!t->session)
		return;
	t->tls->ops->info(t->session, &tls);
	snprintf(info->alpn, sizeof(info->alpn), "%s", tls.alpn);
	snprintf(info->tls_cipher, sizeof(info->tls_cipher), "%s", tls.cipher);
	info->tls_version = tls.version;
	info->tls_faults = tls.faults;
	info->tls_resumed = tls.resumed;
	info->peer_cert = tls.peer_cert;
	info->peer_verified = tls.peer_verified;
	snprintf(info->peer_name, sizeof(info->peer_name), "%s", tls.peer_name);
	memcpy(info->peer_sha256, tls.peer_sha256, sizeof(info->peer_sha256));
	memcpy(info->peer_spki, tls.peer_spki, sizeof(info->peer_spki));
}

static enum weft_status tls_peer_cert(const struct weft_transport *base, struct weft_span *der)
{
	const struct weft_tls_transport *t = (const struct weft_tls_transport *)base;

	if (!t->session || !t->tls->ops->peer_cert)
		return WEFT_ERR_NOT_FOUND;
	return t->tls->ops->peer_cert(t->session, der) == WEFT_OK ? WEFT_OK : WEFT_ERR_NOT_FOUND;
}

static void tls_destroy(struct weft_transport *base)
{
	struct weft_tls_transport *t = (struct weft_tls_transport *)base;

	if (t->session)
		t->tls->ops->session_destroy(t->session);
	weft_tls_ctx_release(t->tls);
	weft_strfree(&t->ctx->memory.alloc, t->sni);
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
	.write = weft_tls_write,
	.flush = weft_tls_flush,
	.pending = weft_tls_pending,
	.buffered = tls_buffered,
	.interest = tls_interest,
	.shutdown = weft_tls_shutdown,
	.abort = tls_abort,
	.info = tls_info,
	.peer_cert = tls_peer_cert,
	.destroy = tls_destroy,
};

struct weft_tls_transport *weft_tls_make(
	struct weft_context *ctx, struct weft_transport *below, struct weft_error *err)
{
	struct weft_tls_transport *t = weft_zalloc(&ctx->memory.alloc, sizeof(*t));

	if (!t) {
		weft_error_set(err, WEFT_ERR_MEMORY, 0, "no memory for a TLS connection");
		return NULL;
	}
	t->base.ops = &tls_transport_ops;
	t->base.below = below;
	t->ctx = ctx;
	weft_buffer_init(&t->kept, &ctx->memory.alloc);
	weft_buffer_init(&t->out, &ctx->memory.alloc);
	return t;
}

enum weft_status weft_transport_tls_client(struct weft_context *ctx, struct weft_transport *below,
	struct weft_tls_ctx *tls, const struct weft_tls_session_options *session,
	weft_tls_ticket_fn ticket, void *user, struct weft_transport **out, struct weft_error *err)
{
	struct weft_tls_transport *t = weft_tls_make(ctx, below, err);
	enum weft_status st;

	if (!t)
		return WEFT_ERR_MEMORY;
	t->ticket = ticket;
	t->user = user;
	t->asks = ticket && tls->ops->session_export ? ASKS : 0;
	st = weft_tls_set_sni(t, session->sni, err);
	if (st == WEFT_OK)
		st = weft_tls_make_session(t, tls, session, err);
	if (st) {
		tls_destroy(&t->base);
		return st;
	}
	*out = &t->base;
	return WEFT_OK;
}
