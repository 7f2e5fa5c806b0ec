/* SPDX-License-Identifier: MIT */
/* What the parts of the mbedTLS adapter know of each other. */
#ifndef WEFT_TLS_MBEDTLS_BACKEND_H
#define WEFT_TLS_MBEDTLS_BACKEND_H

#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/ssl.h>
#include <mbedtls/x509_crt.h>

#include "weft/plugin/tls.h"

enum { ALPN_MAX = 8 };

struct tls_ctx {
	const struct weft_allocator *alloc;
	mbedtls_ssl_config conf;
	mbedtls_entropy_context entropy; /* a generator each: contexts share nothing */
	mbedtls_ctr_drbg_context drbg;
	mbedtls_x509_crt ca, chain;
	mbedtls_x509_crl crl;
	mbedtls_pk_context key;
	const char *alpn[ALPN_MAX + 1]; /* into alpn_text */
	char alpn_text[128];
	bool server;
};

struct tls_session {
	struct tls_ctx *ctx;
	mbedtls_ssl_context tls;
	/* only while an op is on the stack */
	struct weft_span *in;
	struct weft_buffer *out;
	unsigned char
		*record; /* what the last decrypt handed out; RECORD bytes while it is in use */
	unsigned allow, faults;
	char verify_host[256];
	unsigned char verify_ip[16];
	size_t verify_ip_len;
	bool lenient; /* the library does not insist; the hook does */
	bool failed;
	bool shaken;
};

enum weft_status mbedtls_adapter_ctx_create(
	const struct weft_tls_ctx_options *options, void **ctx, struct weft_error *err);
void mbedtls_adapter_ctx_destroy(void *ctx);

enum weft_status mbedtls_adapter_session_create(void *ctx,
	const struct weft_tls_session_options *options, void **session, struct weft_error *err);
void mbedtls_adapter_session_destroy(void *session);
enum weft_status mbedtls_adapter_handshake(
	void *session, struct weft_span *in, struct weft_buffer *out, struct weft_error *err);
enum weft_status mbedtls_adapter_decrypt(void *session, struct weft_span *in,
	struct weft_span *plain, struct weft_buffer *out, struct weft_error *err);
enum weft_status mbedtls_adapter_encrypt(void *session, const struct weft_segment *segs,
	size_t count, struct weft_buffer *out, struct weft_error *err);
void mbedtls_adapter_close_notify(void *session, struct weft_buffer *out);
void mbedtls_adapter_info(void *session, struct weft_tls_info *info);

/* mbedTLS's verification hook, once a certificate: collects faults, clears the flags that are allowed. */
int mbedtls_adapter_verify_peer(void *session, mbedtls_x509_crt *crt, int depth, uint32_t *flags);

#endif
