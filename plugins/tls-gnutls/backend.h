/* SPDX-License-Identifier: MIT */
/* What the parts of the GnuTLS adapter know of each other. */
#ifndef WEFT_TLS_GNUTLS_BACKEND_H
#define WEFT_TLS_GNUTLS_BACKEND_H

#include <gnutls/gnutls.h>

#include "weft/plugin/tls.h"

enum { ALPN_MAX = 8 };

struct tls_ctx {
	const struct weft_allocator *alloc;
	gnutls_certificate_credentials_t cred;
	gnutls_priority_t priority;
	gnutls_datum_t alpn[ALPN_MAX]; /* point into alpn_text */
	unsigned alpn_count;
	char alpn_text[128];
	bool server;
};

struct tls_session {
	struct tls_ctx *ctx;
	gnutls_session_t tls;
	/* only while an op is on the stack */
	struct weft_span *in;
	struct weft_buffer *out;
	gnutls_packet_t packet; /* whose bytes the last decrypt handed out */
	unsigned allow, faults;
	char verify_host[256];
	unsigned char verify_ip[16];
	unsigned verify_ip_len;
	bool failed;
};

enum weft_status gnutls_adapter_ctx_create(
	const struct weft_tls_ctx_options *options, void **ctx, struct weft_error *err);
void gnutls_adapter_ctx_destroy(void *ctx);

enum weft_status gnutls_adapter_session_create(void *ctx,
	const struct weft_tls_session_options *options, void **session, struct weft_error *err);
void gnutls_adapter_session_destroy(void *session);
enum weft_status gnutls_adapter_handshake(
	void *session, struct weft_span *in, struct weft_buffer *out, struct weft_error *err);
enum weft_status gnutls_adapter_decrypt(void *session, struct weft_span *in,
	struct weft_span *plain, struct weft_buffer *out, struct weft_error *err);
enum weft_status gnutls_adapter_encrypt(void *session, const struct weft_segment *segs,
	size_t count, struct weft_buffer *out, struct weft_error *err);
void gnutls_adapter_close_notify(void *session, struct weft_buffer *out);
void gnutls_adapter_info(void *session, struct weft_tls_info *info);

/* GnuTLS's verification hook: 0 accepts. Fills faults. */
int gnutls_adapter_verify_peer(gnutls_session_t tls);

#endif
