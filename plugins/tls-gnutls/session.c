/* SPDX-License-Identifier: MIT */
/* One connection's TLS: GnuTLS fed from spans, writing into buffers. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "backend.h"

enum { RECORD = 16384 };

static ssize_t pull(gnutls_transport_ptr_t ptr, void *to, size_t len)
{
	struct tls_session *s = ptr;

	if (!s->in || !s->in->len) {
		gnutls_transport_set_errno(s->tls, EAGAIN);
		return -1;
	}
	if (len > s->in->len)
		len = s->in->len;
	memcpy(to, s->in->ptr, len);
	s->in->ptr += len;
	s->in->len -= len;
	return (ssize_t)len;
}

static ssize_t push(gnutls_transport_ptr_t ptr, const giovec_t *iov, int count)
{
	struct tls_session *s = ptr;
	ssize_t sum = 0;

	for (int i = 0; i < count; i++) {
		weft_buffer_append(s->out, iov[i].iov_base, iov[i].iov_len);
		sum += (ssize_t)iov[i].iov_len;
	}
	return sum;
}

static void drop_packet(struct tls_session *s)
{
	if (s->packet)
		gnutls_packet_deinit(s->packet);
	s->packet = NULL;
}

static bool about_certificate(int code)
{
	return code == GNUTLS_E_CERTIFICATE_ERROR || code == GNUTLS_E_NO_CERTIFICATE_FOUND ||
	       code == GNUTLS_E_CERTIFICATE_REQUIRED || code == GNUTLS_E_KEY_USAGE_VIOLATION ||
	       code == GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR;
}

/* The peer is told what was found, or that there is none. */
static enum weft_status refuse_peer(struct tls_session *s, int code, struct weft_error *err)
{
	unsigned count;
	bool shown = gnutls_certificate_get_peers(s->tls, &count) != NULL;
	char words[200];

	/* the library's own finding, which has no other name */
	if (!(s->faults & ~s->allow))
		s->faults |= WEFT_TLS_MALFORMED;
	if (shown)
		gnutls_alert_send(
			s->tls, GNUTLS_AL_FATAL, gnutls_adapter_alert(s->faults & ~s->allow));
	else
		gnutls_alert_send_appropriate(s->tls, code);
	return weft_error_set(err, WEFT_ERR_VERIFY, code, "%s",
		weft_tls_faults_text(s->faults & ~s->allow ? s->faults & ~s->allow
							   : (unsigned)WEFT_TLS_MALFORMED,
			words, sizeof(words)));
}

/* What the library's code means, in words; tells the peer by an alert. */
static enum weft_status failure(struct tls_session *s, int code, struct weft_error *err)
{
	s->failed = true;
	if (code == GNUTLS_E_FATAL_ALERT_RECEIVED) {
		gnutls_alert_description_t alert = gnutls_alert_get(s->tls);

		return weft_error_set(err,
			alert == GNUTLS_A_NO_APPLICATION_PROTOCOL ? WEFT_ERR_UNSUPPORTED
								  : WEFT_ERR_PROTOCOL,
			code, "the peer sent a TLS alert: %s", gnutls_alert_get_name(alert));
	}
	if (about_certificate(code))
		return refuse_peer(s, code, err);
	gnutls_alert_send_appropriate(s->tls, code);
	if (code == GNUTLS_E_MEMORY_ERROR)
		return weft_error_set(err, WEFT_ERR_MEMORY, code, "no memory for TLS");
	if (code == GNUTLS_E_PK_SIGN_FAILED)
		return weft_error_set(err, WEFT_ERR_TLS, code,
			"the handshake could not be signed with the private key");
	return weft_error_set(
		err, WEFT_ERR_PROTOCOL, code, "TLS failed: %s", gnutls_strerror(code));
}

static int set_up(struct tls_session *s, const struct weft_tls_session_options *o)
{
	struct tls_ctx *c = s->ctx;
	int ret = gnutls_priority_set(s->tls, c->server ? c->own_order : c->priority);

	if (ret >= 0)
		ret = gnutls_credentials_set(s->tls, GNUTLS_CRD_CERTIFICATE, c->cred);
	/* mandatory: no common name is the peer's no_application_protocol; the server's order decides */
	if (ret >= 0 && c->alpn_count)
		ret = gnutls_alpn_set_protocols(s->tls, c->alpn, c->alpn_count,
			c->server ? GNUTLS_ALPN_MANDATORY | GNUTLS_ALPN_SERVER_PRECEDENCE : 0);
	if (ret >= 0 && o->sni && !c->server)
		ret = gnutls_server_name_set(s->tls, GNUTLS_NAME_DNS, o->sni, strlen(o->sni));
	if (ret >= 0)
		ret = gnutls_adapter_set_tickets(s, &o->resume);
	if (c->server)
		gnutls_adapter_watch_hello(s);
	if (c->client_auth)
		gnutls_certificate_server_set_request(s->tls,
			c->client_auth == WEFT_TLS_CLIENT_AUTH_REQUIRED ? GNUTLS_CERT_REQUIRE
									: GNUTLS_CERT_REQUEST);
	gnutls_session_set_ptr(s->tls, s);
	gnutls_transport_set_ptr(s->tls, s);
	gnutls_transport_set_pull_function(s->tls, pull);
	gnutls_transport_set_vec_push_function(s->tls, push);
	/* time limits are the connection's */
	gnutls_handshake_set_timeout(s->tls, GNUTLS_INDEFINITE_TIMEOUT);
	return ret;
}

static void drop_checks(struct tls_session *s)
{
	weft_free(s->ctx->alloc, s->checks, sizeof(*s->checks));
	s->checks = NULL;
}

static bool set_checks(struct tls_session *s, const struct weft_tls_session_options *o)
{
	if (s->ctx->server || (!o->verify_host && !o->verify_ip.len))
		return true;
	s->checks = weft_zalloc(s->ctx->alloc, sizeof(*s->checks));
	if (!s->checks)
		return false;
	if (o->verify_host)
		snprintf(s->checks->host, sizeof(s->checks->host), "%s", o->verify_host);
	if (o->verify_ip.len && o->verify_ip.len <= sizeof(s->checks->ip)) {
		memcpy(s->checks->ip, o->verify_ip.ptr, o->verify_ip.len);
		s->checks->ip_len = (unsigned)o->verify_ip.len;
	}
	return true;
}

enum weft_status gnutls_adapter_session_create(
	void *ctx, const struct weft_tls_session_options *o, void **session, struct weft_error *err)
{
	struct tls_ctx *c = ctx;
	struct tls_session *s = weft_zalloc(c->alloc, sizeof(*s));
	unsigned flags = GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL | GNUTLS_NO_AUTO_SEND_TICKET |
			 (c->tickets ? 0u : (unsigned)GNUTLS_NO_TICKETS) |
			 (c->server ? (unsigned)GNUTLS_SERVER
				    : (unsigned)(GNUTLS_CLIENT | GNUTLS_FORCE_CLIENT_CERT));
	int ret;

	if (!s)
		return weft_error_set(err, WEFT_ERR_MEMORY, 0, "no memory for a TLS session");
	s->ctx = c;
	s->allow = o->allow & WEFT_TLS_ALLOW_ALL;
	ret = set_checks(s, o) ? gnutls_init(&s->tls, flags) : GNUTLS_E_MEMORY_ERROR;
	if (ret < 0) {
		drop_checks(s);
		weft_free(c->alloc, s, sizeof(*s));
		return weft_error_set(err, WEFT_ERR_MEMORY, ret, "no memory for a TLS session");
	}
	ret = set_up(s, o);
	if (ret < 0) {
		gnutls_adapter_session_destroy(s);
		return weft_error_set(err, WEFT_ERR_TLS, ret,
			"a TLS session could not be set up: %s", gnutls_strerror(ret));
	}
	*session = s;
	return WEFT_OK;
}

void gnutls_adapter_session_destroy(void *session)
{
	struct tls_session *s = session;

	drop_packet(s);
	drop_checks(s);
	gnutls_deinit(s->tls);
	weft_free(s->ctx->alloc, s, sizeof(*s));
}

static bool again(int code)
{
	return code == GNUTLS_E_AGAIN || code == GNUTLS_E_INTERRUPTED ||
	       code == GNUTLS_E_WARNING_ALERT_RECEIVED;
}

/* A client's certificate that was good when the ticket was given need not be so now. */
static int verify_again(struct tls_session *s)
{
	if (!s->ctx->client_auth || !gnutls_session_is_resumed(s->tls))
		return 0;
	return gnutls_adapter_verify_peer(s->tls) ? GNUTLS_E_CERTIFICATE_ERROR : 0;
}

enum weft_status gnutls_adapter_handshake(
	void *session, struct weft_span *in, struct weft_buffer *out, struct weft_error *err)
{
	struct tls_session *s = session;
	size_t before;
	int ret;

	s->in = in;
	s->out = out;
	do {
		before = in->len;
		ret = gnutls_handshake(s->tls);
	} while (again(ret) && in->len != before);
	if (again(ret))
		return WEFT_AGAIN;
	if (ret >= 0)
		ret = verify_again(s);
	if (ret < 0)
		return failure(s, ret, err);
	drop_checks(s);
	return WEFT_OK;
}

enum weft_status gnutls_adapter_decrypt(void *session, struct weft_span *in,
	struct weft_span *plain, struct weft_buffer *out, struct weft_error *err)
{
	struct tls_session *s = session;
	gnutls_datum_t data;
	size_t before;
	ssize_t ret;

	s->in = in;
	s->out = out;
	drop_packet(s);
	do {
		before = in->len;
		ret = gnutls_record_recv_packet(s->tls, &s->packet);
	} while (again((int)ret) && in->len != before);
	if (again((int)ret))
		return WEFT_AGAIN;
	if (!ret && !s->packet)
		return WEFT_EOF;
	if (ret == GNUTLS_E_REHANDSHAKE) {
		s->failed = true;
		gnutls_alert_send(s->tls, GNUTLS_AL_FATAL, GNUTLS_A_NO_RENEGOTIATION);
		return weft_error_set(err, WEFT_ERR_PROTOCOL, GNUTLS_E_REHANDSHAKE,
			"the peer wanted to renegotiate TLS, which is refused");
	}
	if (ret < 0)
		return failure(s, (int)ret, err);
	gnutls_packet_get(s->packet, &data, NULL);
	*plain = (struct weft_span){ data.data, data.size };
	return WEFT_OK;
}

static int send_all(struct tls_session *s, const unsigned char *bytes, size_t len)
{
	while (len) {
		ssize_t n = gnutls_record_send(s->tls, bytes, len);

		if (n == GNUTLS_E_INTERRUPTED || n == GNUTLS_E_AGAIN)
			continue;
		if (n < 0)
			return (int)n;
		bytes += n;
		len -= (size_t)n;
	}
	return 0;
}

enum weft_status gnutls_adapter_encrypt(void *session, const struct weft_segment *segs,
	size_t count, struct weft_buffer *out, struct weft_error *err)
{
	struct weft_gather gather = { .segs = segs, .count = count };
	struct tls_session *s = session;
	unsigned char room[RECORD];
	struct weft_span record;
	int ret;

	s->in = NULL;
	s->out = out;
	ret = gnutls_adapter_give_ticket(s);
	while (ret >= 0 && (record = weft_gather_next(&gather, room, RECORD)).len)
		ret = send_all(s, record.ptr, record.len);
	return ret < 0 ? failure(s, ret, err) : WEFT_OK;
}

void gnutls_adapter_close_notify(void *session, struct weft_buffer *out)
{
	struct tls_session *s = session;

	if (s->failed)
		return;
	s->in = NULL;
	s->out = out;
	gnutls_bye(s->tls, GNUTLS_SHUT_WR);
}

/* A packet is as long as the longest record, whatever is in it. */
void gnutls_adapter_settle(void *session)
{
	drop_packet(session);
}
