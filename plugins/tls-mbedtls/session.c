/* SPDX-License-Identifier: MIT */
/* One connection's TLS: mbedTLS fed from spans, writing into buffers. */
#include <stdio.h>
#include <string.h>

#include <mbedtls/error.h>
#include <mbedtls/net_sockets.h>
#include <mbedtls/ssl_internal.h>

#include "backend.h"

enum { RECORD = 16384 };

static int pull(void *ptr, unsigned char *to, size_t len)
{
	struct tls_session *s = ptr;

	if (!s->in || !s->in->len)
		return MBEDTLS_ERR_SSL_WANT_READ;
	if (len > s->in->len)
		len = s->in->len;
	memcpy(to, s->in->ptr, len);
	s->in->ptr += len;
	s->in->len -= len;
	return (int)len;
}

static int push(void *ptr, const unsigned char *from, size_t len)
{
	struct tls_session *s = ptr;

	if (s->alerted || !s->out)
		return (int)len;
	weft_buffer_append(s->out, from, len);
	/* each call is one record; until the handshake is done the library has no warnings to send */
	s->alerted = !s->shaken && from[0] == MBEDTLS_SSL_MSG_ALERT;
	return (int)len;
}

void mbedtls_adapter_alert(struct tls_session *s, unsigned char alert)
{
	if (s->alerted)
		return;
	mbedtls_ssl_send_alert_message(&s->tls, MBEDTLS_SSL_ALERT_LEVEL_FATAL, alert);
	s->alerted = true;
}

static bool make_record(struct tls_session *s)
{
	if (!s->record) {
		s->record = s->ctx->spare ? s->ctx->spare : weft_alloc(s->ctx->alloc, RECORD);
		s->ctx->spare = NULL;
	}
	return s->record != NULL;
}

static void drop_record(struct tls_session *s)
{
	if (s->ctx->spare)
		weft_free(s->ctx->alloc, s->record, RECORD);
	else
		s->ctx->spare = s->record;
	s->record = NULL;
}

void mbedtls_adapter_drop_spare(struct tls_ctx *c)
{
	weft_free(c->alloc, c->spare, RECORD);
}

/* RFC 8446 section 6. */
static const char *alert_name(unsigned code)
{
	static const struct {
		unsigned char code;
		const char *name;
	} names[] = {
		{ 0, "close notify" },
		{ 10, "unexpected message" },
		{ 20, "bad record MAC" },
		{ 22, "record overflow" },
		{ 40, "handshake failed" },
		{ 42, "certificate is bad" },
		{ 43, "certificate is not supported" },
		{ 44, "certificate was revoked" },
		{ 45, "certificate is expired" },
		{ 46, "unknown certificate" },
		{ 47, "illegal parameter" },
		{ 48, "CA is unknown" },
		{ 49, "access was denied" },
		{ 50, "decode error" },
		{ 51, "decrypt error" },
		{ 70, "error in protocol version" },
		{ 71, "insufficient security" },
		{ 80, "internal error" },
		{ 90, "user canceled" },
		{ 100, "no renegotiation" },
		{ 110, "unsupported extension" },
		{ 112, "the server name is not recognized" },
		{ 116, "certificate is required" },
		{ 120, "no application protocol" },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (names[i].code == code)
			return names[i].name;
	}
	return "of an unknown kind";
}

static enum weft_status not_verified(struct tls_session *s, int code, struct weft_error *err)
{
	unsigned held = s->faults & ~s->allow;
	char words[200];

	return weft_error_set(err, WEFT_ERR_VERIFY, code, "%s",
		weft_tls_faults_text(held ? held : WEFT_TLS_MALFORMED, words, sizeof(words)));
}

enum weft_status mbedtls_adapter_failure(struct tls_session *s, int code, struct weft_error *err)
{
	char words[200];

	s->failed = true;
	if (code == MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE) {
		unsigned alert = s->tls.in_msg ? s->tls.in_msg[1] : 255;

		return weft_error_set(err,
			alert == MBEDTLS_SSL_ALERT_MSG_NO_APPLICATION_PROTOCOL
				? WEFT_ERR_UNSUPPORTED
				: WEFT_ERR_PROTOCOL,
			code, "the peer sent a TLS alert: %s", alert_name(alert));
	}
	if (code == MBEDTLS_ERR_X509_CERT_VERIFY_FAILED)
		return not_verified(s, code, err);
	if (code == MBEDTLS_ERR_SSL_ALLOC_FAILED)
		return weft_error_set(err, WEFT_ERR_MEMORY, code, "no memory for TLS");
	if (s->sign_failed) {
		mbedtls_adapter_alert(s, MBEDTLS_SSL_ALERT_MSG_INTERNAL_ERROR);
		return weft_error_set(err, WEFT_ERR_TLS, code,
			"the handshake could not be signed with the private key");
	}
	/* most failures of the library come without an alert of its own */
	if (!s->shaken)
		mbedtls_adapter_alert(s, MBEDTLS_SSL_ALERT_MSG_UNEXPECTED_MESSAGE);
	mbedtls_strerror(code, words, sizeof(words));
	return weft_error_set(err, WEFT_ERR_PROTOCOL, code, "TLS failed: %s", words);
}

void mbedtls_adapter_drop_expected(struct tls_session *s)
{
	if (!s->expected)
		return;
	mbedtls_x509_crt_free(&s->expected->chain);
	weft_free(s->ctx->alloc, s->expected, sizeof(*s->expected));
	s->expected = NULL;
}

static bool expect(struct tls_session *s, const struct weft_tls_session_options *o)
{
	struct tls_expected *x = weft_zalloc(s->ctx->alloc, sizeof(*x));

	s->expected = x;
	if (!x)
		return false;
	mbedtls_x509_crt_init(&x->chain);
	if (s->ctx->server)
		return true;
	if (o->verify_host)
		snprintf(x->host, sizeof(x->host), "%s", o->verify_host);
	if (o->verify_ip.len && o->verify_ip.len <= sizeof(x->ip)) {
		memcpy(x->ip, o->verify_ip.ptr, o->verify_ip.len);
		x->ip_len = o->verify_ip.len;
	}
	return true;
}

enum weft_status mbedtls_adapter_session_create(
	void *ctx, const struct weft_tls_session_options *o, void **session, struct weft_error *err)
{
	struct tls_ctx *c = ctx;
	struct tls_session *s = weft_zalloc(c->alloc, sizeof(*s));
	int ret;

	if (!s)
		return weft_error_set(err, WEFT_ERR_MEMORY, 0, "no memory for a TLS session");
	s->ctx = c;
	s->allow = o->allow & ~(unsigned)WEFT_TLS_WRONG_PIN;
	mbedtls_ssl_init(&s->tls);
	ret = expect(s, o) ? mbedtls_ssl_setup(&s->tls, &c->conf) : MBEDTLS_ERR_SSL_ALLOC_FAILED;
	/* this is the SNI; what is verified is compared by our own hook */
	if (!ret && !c->server)
		ret = mbedtls_ssl_set_hostname(&s->tls, o->sni);
	if (!ret)
		ret = mbedtls_adapter_session_resume(s, o->resume);
	if (ret) {
		mbedtls_adapter_session_destroy(s);
		return weft_error_set(err, WEFT_ERR_MEMORY, ret, "no memory for a TLS session");
	}
	mbedtls_ssl_set_bio(&s->tls, s, push, pull, NULL);
	*session = s;
	return WEFT_OK;
}

void mbedtls_adapter_session_destroy(void *session)
{
	struct tls_session *s = session;

	drop_record(s);
	mbedtls_adapter_drop_expected(s);
	mbedtls_ssl_free(&s->tls);
	weft_free(s->ctx->alloc, s, sizeof(*s));
}

/* A handshake message after the handshake: the library has refused it with a warning, we end it. */
static enum weft_status refuse_renegotiation(struct tls_session *s, struct weft_error *err)
{
	s->failed = true;
	mbedtls_adapter_alert(s, MBEDTLS_SSL_ALERT_MSG_NO_RENEGOTIATION);
	return weft_error_set(err, WEFT_ERR_PROTOCOL, MBEDTLS_ERR_SSL_UNEXPECTED_MESSAGE,
		"the peer wanted to renegotiate TLS, which is refused");
}

enum weft_status mbedtls_adapter_decrypt(void *session, struct weft_span *in,
	struct weft_span *plain, struct weft_buffer *out, struct weft_error *err)
{
	struct tls_session *s = session;
	size_t before, written = weft_buffer_len(out);
	int ret;

	s->in = in;
	s->out = out;
	if (!make_record(s))
		return weft_error_set(err, WEFT_ERR_MEMORY, 0, "no memory for a TLS record");
	do {
		before = in->len;
		ret = mbedtls_ssl_read(&s->tls, s->record, RECORD);
	} while (ret == MBEDTLS_ERR_SSL_WANT_READ && in->len != before);
	if (ret > 0) {
		*plain = (struct weft_span){ s->record, (size_t)ret };
		return WEFT_OK;
	}
	drop_record(s);
	/* the only thing that reading writes by itself is the refusal of a new handshake */
	if (weft_buffer_len(out) != written)
		return refuse_renegotiation(s, err);
	if (ret == MBEDTLS_ERR_SSL_WANT_READ || ret == MBEDTLS_ERR_SSL_WANT_WRITE)
		return WEFT_AGAIN;
	if (!ret || ret == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY)
		return WEFT_EOF;
	if (ret == MBEDTLS_ERR_SSL_UNEXPECTED_MESSAGE)
		return refuse_renegotiation(s, err);
	return mbedtls_adapter_failure(s, ret, err);
}

static int send_all(struct tls_session *s, const unsigned char *bytes, size_t len)
{
	while (len) {
		int n = mbedtls_ssl_write(&s->tls, bytes, len);

		if (n == MBEDTLS_ERR_SSL_WANT_WRITE || n == MBEDTLS_ERR_SSL_WANT_READ)
			continue;
		if (n < 0)
			return n;
		bytes += n;
		len -= (size_t)n;
	}
	return 0;
}

enum weft_status mbedtls_adapter_encrypt(void *session, const struct weft_segment *segs,
	size_t count, struct weft_buffer *out, struct weft_error *err)
{
	struct weft_gather gather = { .segs = segs, .count = count };
	struct tls_session *s = session;
	unsigned char room[RECORD];
	struct weft_span record;
	int ret = 0;

	s->out = out;
	while (!ret && (record = weft_gather_next(&gather, room, RECORD)).len)
		ret = send_all(s, record.ptr, record.len);
	return ret ? mbedtls_adapter_failure(s, ret, err) : WEFT_OK;
}

void mbedtls_adapter_close_notify(void *session, struct weft_buffer *out)
{
	struct tls_session *s = session;

	if (s->failed)
		return;
	s->in = NULL;
	s->out = out;
	mbedtls_ssl_close_notify(&s->tls);
}

void mbedtls_adapter_settle(void *session)
{
	drop_record(session);
}
