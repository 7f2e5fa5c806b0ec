/* SPDX-License-Identifier: MIT */
/* The TLS backend that is none. */
#include "tests/support/fake_tls.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EOT = 4 };

struct fake_tls fake_tls;

struct session {
	bool resumed, given;
	unsigned records;
};

static void text_of(char *out, size_t out_len, struct weft_span bytes)
{
	snprintf(out, out_len, "%.*s", (int)bytes.len, bytes.ptr ? (const char *)bytes.ptr : "");
}

static enum weft_status ctx_create(
	const struct weft_tls_ctx_options *o, void **ctx, struct weft_error *err)
{
	struct fake_tls *f = &fake_tls;

	text_of(f->cert, sizeof(f->cert), o->cert_chain);
	text_of(f->key, sizeof(f->key), o->key);
	text_of(f->ocsp, sizeof(f->ocsp), o->ocsp);
	f->signer = o->signer;
	f->client_auth = o->client_auth;
	f->secret_len = o->ticket_secret.len;
	if (o->ticket_secret.len == sizeof(f->secret))
		memcpy(f->secret, o->ticket_secret.ptr, sizeof(f->secret));
	f->ca_count = o->ca_count;
	f->pin_count = o->pin_count;
	if (o->pin_count)
		memcpy(f->pins, o->pins, o->pin_count * sizeof(f->pins[0]));
	f->tickets = o->tickets;
	if (!strcmp(f->cert, "bad"))
		return weft_error_set(err, WEFT_ERR_TLS, 0, "the certificate is bad");
	f->ctxs++;
	f->ctxs_made++;
	*ctx = f;
	return WEFT_OK;
}

static void ctx_destroy(void *ctx)
{
	((struct fake_tls *)ctx)->ctxs--;
}

static enum weft_status session_create(
	void *ctx, const struct weft_tls_session_options *o, void **out, struct weft_error *err)
{
	struct session *s = calloc(1, sizeof(*s));

	(void)ctx;
	if (!s)
		return weft_error_set(err, WEFT_ERR_MEMORY, 0, "no memory");
	text_of(fake_tls.offered, sizeof(fake_tls.offered), o->resume);
	fake_tls.allow = o->allow;
	fake_tls.offers += o->resume.len > 0;
	s->resumed = o->resume.len > 0;
	fake_tls.sessions++;
	fake_tls.sessions_made++;
	*out = s;
	return WEFT_OK;
}

static void session_destroy(void *session)
{
	free(session);
	fake_tls.sessions--;
}

static enum weft_status handshake(
	void *session, struct weft_span *in, struct weft_buffer *out, struct weft_error *err)
{
	struct session *s = session;

	(void)in;
	(void)out;
	if (fake_tls.fail)
		return weft_error_set(err, fake_tls.fail, 0, "no handshake succeeds");
	if (s->resumed && fake_tls.resume_fail)
		return weft_error_set(err, fake_tls.resume_fail, 0, "resumption failed");
	return WEFT_OK;
}

static enum weft_status decrypt(void *session, struct weft_span *in, struct weft_span *plain,
	struct weft_buffer *out, struct weft_error *err)
{
	struct session *s = session;
	const unsigned char *end = memchr(in->ptr, EOT, in->len);
	size_t n = end ? (size_t)(end - in->ptr) : in->len;

	(void)out;
	(void)err;
	if (end == in->ptr) {
		in->ptr++;
		in->len--;
		return WEFT_EOF;
	}
	s->records++;
	*plain = (struct weft_span){ in->ptr, n };
	in->ptr += n;
	in->len -= n;
	return WEFT_OK;
}

static enum weft_status encrypt(void *session, const struct weft_segment *segs, size_t count,
	struct weft_buffer *out, struct weft_error *err)
{
	(void)session;
	(void)err;
	for (size_t i = 0; i < count; i++)
		weft_buffer_append(out, segs[i].ptr, segs[i].len);
	return WEFT_OK;
}

static void close_notify(void *session, struct weft_buffer *out)
{
	(void)session;
	(void)out;
}

static void info(void *session, struct weft_tls_info *i)
{
	*i = (struct weft_tls_info){
		.version = fake_tls.version ? fake_tls.version : 0x0304,
		.resumed = ((struct session *)session)->resumed && fake_tls.resumes,
	};
}

static enum weft_status session_export(void *session, struct weft_buffer *to)
{
	struct session *s = session;

	fake_tls.exports++;
	if (!fake_tls.ticket || s->given || s->records < fake_tls.ticket_after)
		return WEFT_AGAIN;
	s->given = true;
	weft_buffer_append(to, fake_tls.ticket, strlen(fake_tls.ticket));
	return WEFT_OK;
}

static enum weft_status peer_cert(void *session, struct weft_span *der)
{
	static const unsigned char cert[] = "certificate";

	(void)session;
	*der = (struct weft_span){ cert, sizeof(cert) - 1 };
	return WEFT_OK;
}

static void ctx_trim(void *ctx)
{
	((struct fake_tls *)ctx)->trims++;
}

static struct weft_tls_ops ops = {
	.size = sizeof(ops),
	.ctx_create = ctx_create,
	.ctx_destroy = ctx_destroy,
	.session_create = session_create,
	.session_destroy = session_destroy,
	.handshake = handshake,
	.decrypt = decrypt,
	.encrypt = encrypt,
	.close_notify = close_notify,
	.info = info,
	.session_export = session_export,
	.peer_cert = peer_cert,
	.ctx_trim = ctx_trim,
};

static const struct weft_plugin plugin = {
	WEFT_PLUGIN_HEAD,
	.kind = WEFT_PLUGIN_TLS,
	.name = "fake",
	.version = "1",
	.tls = &ops,
};

const struct weft_plugin *fake_tls_plugin(unsigned caps)
{
	memset(&fake_tls, 0, sizeof(fake_tls));
	ops.caps = caps;
	return &plugin;
}
