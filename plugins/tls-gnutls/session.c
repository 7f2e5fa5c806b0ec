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

/* What the library's code means, in words; tells the peer by an alert. */
static enum weft_status failure(struct tls_session *s, int code, struct weft_error *err)
{
	char words[200];

	s->failed = true;
	if (code == GNUTLS_E_FATAL_ALERT_RECEIVED)
		return weft_error_set(err, WEFT_ERR_PROTOCOL, code, "the peer sent a TLS alert: %s",
			gnutls_alert_get_name(gnutls_alert_get(s->tls)));
	gnutls_alert_send_appropriate(s->tls, code);
	if (code == GNUTLS_E_CERTIFICATE_ERROR || code == GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR ||
		code == GNUTLS_E_NO_CERTIFICATE_FOUND)
		return weft_error_set(err, WEFT_ERR_VERIFY, code, "%s",
			weft_tls_faults_text(s->faults ? s->faults & ~s->allow : WEFT_TLS_MALFORMED,
				words, sizeof(words)));
	if (code == GNUTLS_E_MEMORY_ERROR)
		return weft_error_set(err, WEFT_ERR_MEMORY, code, "no memory for TLS");
	return weft_error_set(
		err, WEFT_ERR_PROTOCOL, code, "TLS failed: %s", gnutls_strerror(code));
}

static int set_up(struct tls_session *s, const struct weft_tls_session_options *o)
{
	struct tls_ctx *c = s->ctx;
	int ret = gnutls_priority_set(s->tls, c->priority);

	if (ret >= 0)
		ret = gnutls_credentials_set(s->tls, GNUTLS_CRD_CERTIFICATE, c->cred);
	/* mandatory: no common name is the peer's no_application_protocol; the server's order decides */
	if (ret >= 0 && c->alpn_count)
		ret = gnutls_alpn_set_protocols(s->tls, c->alpn, c->alpn_count,
			c->server ? GNUTLS_ALPN_MANDATORY | GNUTLS_ALPN_SERVER_PRECEDENCE : 0);
	if (ret >= 0 && o->sni)
		ret = gnutls_server_name_set(s->tls, GNUTLS_NAME_DNS, o->sni, strlen(o->sni));
	gnutls_session_set_ptr(s->tls, s);
	gnutls_transport_set_ptr(s->tls, s);
	gnutls_transport_set_pull_function(s->tls, pull);
	gnutls_transport_set_vec_push_function(s->tls, push);
	/* time limits are the connection's */
	gnutls_handshake_set_timeout(s->tls, GNUTLS_INDEFINITE_TIMEOUT);
	return ret;
}

enum weft_status gnutls_adapter_session_create(
	void *ctx, const struct weft_tls_session_options *o, void **session, struct weft_error *err)
{
	struct tls_ctx *c = ctx;
	struct tls_session *s = weft_zalloc(c->alloc, sizeof(*s));
	unsigned flags = GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL | GNUTLS_NO_TICKETS |
			 (c->server ? (unsigned)GNUTLS_SERVER : (unsigned)GNUTLS_CLIENT);
	int ret;

	if (!s)
		return weft_error_set(err, WEFT_ERR_MEMORY, 0, "no memory for a TLS session");
	s->ctx = c;
	s->allow = o->allow;
	if (o->verify_host)
		snprintf(s->verify_host, sizeof(s->verify_host), "%s", o->verify_host);
	if (o->verify_ip.len && o->verify_ip.len <= sizeof(s->verify_ip)) {
		memcpy(s->verify_ip, o->verify_ip.ptr, o->verify_ip.len);
		s->verify_ip_len = (unsigned)o->verify_ip.len;
	}
	ret = gnutls_init(&s->tls, flags);
	if (ret < 0) {
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
	gnutls_deinit(s->tls);
	weft_free(s->ctx->alloc, s, sizeof(*s));
}

static bool again(int code)
{
	return code == GNUTLS_E_AGAIN || code == GNUTLS_E_INTERRUPTED ||
	       code == GNUTLS_E_WARNING_ALERT_RECEIVED;
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
	return ret < 0 ? failure(s, ret, err) : WEFT_OK;
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
	int ret = 0;

	s->out = out;
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

void gnutls_adapter_info(void *session, struct weft_tls_info *info)
{
	struct tls_session *s = session;
	gnutls_datum_t alpn;
	const char *cipher = gnutls_ciphersuite_get(s->tls);

	*info = (struct weft_tls_info){ .faults = s->faults };
	if (gnutls_alpn_get_selected_protocol(s->tls, &alpn) >= 0 && alpn.size < sizeof(info->alpn))
		memcpy(info->alpn, alpn.data, alpn.size);
	if (gnutls_protocol_get_version(s->tls) == GNUTLS_TLS1_3)
		info->version = 0x0304;
	else if (gnutls_protocol_get_version(s->tls) == GNUTLS_TLS1_2)
		info->version = 0x0303;
	snprintf(info->cipher, sizeof(info->cipher), "%s", cipher ? cipher : "");
	info->resumed = gnutls_session_is_resumed(s->tls);
}
