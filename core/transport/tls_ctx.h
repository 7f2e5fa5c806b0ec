/* SPDX-License-Identifier: MIT */
/* A backend's ctx, counted: who makes sessions with it holds it, and so does each session. */
#ifndef WEFT_CORE_TRANSPORT_TLS_CTX_H
#define WEFT_CORE_TRANSPORT_TLS_CTX_H

#include "weft/plugin/tls.h"

struct weft_tls_ctx {
	const struct weft_tls_ops *ops;
	const struct weft_allocator *alloc;
	void *ctx; /* the backend's */
	unsigned refs;
};

/* The first reference is the caller's. options->alloc makes this block, too. */
enum weft_status weft_tls_ctx_make(const struct weft_tls_ops *ops,
	const struct weft_tls_ctx_options *options, struct weft_tls_ctx **out,
	struct weft_error *err);
struct weft_tls_ctx *weft_tls_ctx_ref(struct weft_tls_ctx *tls);
/* Nobody makes a session with it any more; whoever has one has shaken hands. NULL is safe. */
void weft_tls_ctx_trim(struct weft_tls_ctx *tls);
/* NULL is safe. */
void weft_tls_ctx_release(struct weft_tls_ctx *tls);

#endif
