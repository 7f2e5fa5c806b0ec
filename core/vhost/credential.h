/* SPDX-License-Identifier: MIT */
/* Who we are: a credential as it was loaded, and what of TLS needs a backend that can it. */
#ifndef WEFT_CORE_VHOST_CREDENTIAL_H
#define WEFT_CORE_VHOST_CREDENTIAL_H

#include "core/system/context.h"
#include "weft/buffer.h"
#include "weft/trust.h"

/* PEM, and DER for ocsp. All empty: nobody. */
struct weft_credential_spec {
	struct weft_buffer cert, key, ocsp;
	const struct weft_signer *signer; /* instead of key; the application's */
};

/* Reads the files, and copies the rest. Whatever comes of it, *spec is to be finished. */
enum weft_status weft_credential_load(const struct weft_context *ctx,
	const struct weft_credential *credential, struct weft_credential_spec *spec,
	struct weft_error *err);
void weft_credential_init(struct weft_credential_spec *spec, const struct weft_allocator *alloc);
/* Whether a certificate and something to sign with are both there, and the backend can it. */
enum weft_status weft_credential_complete(const struct weft_context *ctx,
	const struct weft_credential_spec *spec, struct weft_error *err);
/* No key is left behind in freed memory. */
void weft_credential_finish(struct weft_credential_spec *spec);
/* Of certificate and key: what is stapled makes nobody another. */
bool weft_credential_equal(
	const struct weft_credential_spec *a, const struct weft_credential_spec *b);

/* UNSUPPORTED without a backend, or with one that cannot do this: "staple OCSP responses". cap 0: any can. */
enum weft_status weft_tls_require(
	const struct weft_context *ctx, unsigned cap, const char *what, struct weft_error *err);

/* A file, or memory where file is NULL. */
enum weft_status weft_file_or_memory(
	const char *file, struct weft_span memory, struct weft_buffer *to, struct weft_error *err);
bool weft_buffer_equal(const struct weft_buffer *a, const struct weft_buffer *b);

#endif
