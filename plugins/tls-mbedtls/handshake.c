/* SPDX-License-Identifier: MIT */
/* The handshake, step by step: what the library does not do itself, or does not tell later, is done between. */
#include <string.h>

#include <mbedtls/ssl_internal.h>

#include "backend.h"

static bool at_certificate(const struct tls_session *s)
{
	if (s->tls.state == MBEDTLS_SSL_SERVER_CERTIFICATE)
		return !s->ctx->server;
	return s->tls.state == MBEDTLS_SSL_CLIENT_CERTIFICATE && s->ctx->server &&
	       s->ctx->client_auth;
}

/*
 * The library has chosen a suite that fits the certificate, as for a new session; a resumed one has its own,
 * which the client must have offered, or it is none: RFC 5246 section 7.4.1.2.
 */
static void keep_suite(struct tls_session *s)
{
	if (!s->ctx->server || s->tls.state != MBEDTLS_SSL_SERVER_HELLO ||
		!s->tls.handshake->resume)
		return;
	s->tls.session_negotiate->ciphersuite = s->suite;
	s->tls.handshake->ciphersuite_info = mbedtls_ssl_ciphersuite_from_id(s->suite);
}

static int step(struct tls_session *s)
{
	bool certificate = at_certificate(s);
	int ret = certificate ? mbedtls_adapter_take_chain(s) : 0;

	if (!ret)
		ret = mbedtls_ssl_handshake_step(&s->tls);
	if (!ret && certificate)
		ret = mbedtls_adapter_judge_peer(s);
	if (!ret && s->tls.handshake)
		keep_suite(s);
	/* goes into tickets, and is told again of the session when it is resumed */
	if (s->tls.session_negotiate && !(s->tls.handshake && s->tls.handshake->resume))
		s->tls.session_negotiate->verify_result = s->faults;
	/* gone with the last step */
	if (s->tls.handshake) {
		s->resumed = s->tls.handshake->resume;
		s->extended = s->tls.handshake->extended_ms == MBEDTLS_SSL_EXTENDED_MS_ENABLED;
	}
	return ret;
}

static int check_end(struct tls_session *s)
{
	const mbedtls_ssl_session *now = mbedtls_ssl_get_session_pointer(&s->tls);

	if (s->resumed)
		s->faults = now->verify_result;
	/* no way leads here without a verdict; should one, it ends here */
	else if (!s->judged && (!s->ctx->server || s->ctx->client_auth))
		return MBEDTLS_ERR_SSL_INTERNAL_ERROR;
	/* all that are kept are of extended master secrets: RFC 7627 section 5.3 */
	if (s->resumed && !s->extended) {
		mbedtls_adapter_alert(s, MBEDTLS_SSL_ALERT_MSG_HANDSHAKE_FAILURE);
		return s->ctx->server ? MBEDTLS_ERR_SSL_BAD_HS_CLIENT_HELLO
				      : MBEDTLS_ERR_SSL_BAD_HS_SERVER_HELLO;
	}
	return 0;
}

static int walk(struct tls_session *s)
{
	int ret = 0;

	while (!ret && s->tls.state != MBEDTLS_SSL_HANDSHAKE_OVER)
		ret = step(s);
	return ret ? ret : check_end(s);
}

enum weft_status mbedtls_adapter_handshake(
	void *session, struct weft_span *in, struct weft_buffer *out, struct weft_error *err)
{
	struct tls_session *s = session;
	size_t before;
	int ret;

	s->in = in;
	s->out = out;
	s->ctx->now = s;
	do {
		before = in->len;
		ret = walk(s);
	} while (ret == MBEDTLS_ERR_SSL_WANT_READ && in->len != before);
	s->ctx->now = NULL;
	if (ret == MBEDTLS_ERR_SSL_WANT_READ || ret == MBEDTLS_ERR_SSL_WANT_WRITE)
		return WEFT_AGAIN;
	mbedtls_adapter_drop_expected(s);
	if (ret)
		return mbedtls_adapter_failure(s, ret, err);
	s->shaken = true;
	return WEFT_OK;
}
