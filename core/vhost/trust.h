/* SPDX-License-Identifier: MIT */
/* The content of a trust store and a credential: what vhosts are shared by. Raw bytes, nothing parsed. */
#ifndef WEFT_CORE_VHOST_TRUST_H
#define WEFT_CORE_VHOST_TRUST_H

#include "core/system/context.h"
#include "weft/buffer.h"
#include "weft/trust.h"

enum { WEFT_ALPN_MAX = 8 };

struct weft_trust_spec {
	unsigned refs;
	const struct weft_allocator *alloc;
	bool tls;    /* false: everything below is empty */
	bool system; /* read when it is used, and not kept */
	struct weft_buffer ca_file, ca, crl_file, crl, cert, key;
	char alpn_text[64];                  /* names, each terminated */
	const char *alpn[WEFT_ALPN_MAX + 1]; /* into alpn_text */
};

/* Reads the files and copies the rest. alpn: NULL-terminated, or NULL. One reference is the caller's. */
enum weft_status weft_trust_load(struct weft_context *ctx, const struct weft_trust *trust,
	const struct weft_credential *credential, const char *const *alpn,
	struct weft_trust_spec **out, struct weft_error *err);
/* The one of streams without TLS. */
enum weft_status weft_trust_none(
	struct weft_context *ctx, struct weft_trust_spec **out, struct weft_error *err);
struct weft_trust_spec *weft_trust_ref(struct weft_trust_spec *spec);
void weft_trust_release(struct weft_trust_spec *spec);
bool weft_trust_equal(const struct weft_trust_spec *a, const struct weft_trust_spec *b);

/* A credential's PEM, from files or memory. */
enum weft_status weft_credential_load(const struct weft_credential *credential,
	struct weft_buffer *cert, struct weft_buffer *key, struct weft_error *err);

#endif
