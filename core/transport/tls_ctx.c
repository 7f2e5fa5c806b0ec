/* SPDX-License-Identifier: MIT */
/* Counting what sessions of TLS are made with. */
#include "core/transport/tls_ctx.h"

enum weft_status weft_tls_ctx_make(const struct weft_tls_ops *ops,
	const struct weft_tls_ctx_options *options, struct weft_tls_ctx **out,
	struct weft_error *err)
{
	struct weft_tls_ctx *tls = weft_zalloc(options->alloc, sizeof(*tls));
	enum weft_status st;

	if (!tls)
		return weft_error_set(err, WEFT_ERR_MEMORY, 0, "no memory for a TLS context");
	tls->ops = ops;
	tls->alloc = options->alloc;
	tls->refs = 1;
	st = ops->ctx_create(options, &tls->ctx, err);
	if (st) {
		weft_free(tls->alloc, tls, sizeof(*tls));
		return st;
	}
	*out = tls;
	return WEFT_OK;
}

struct weft_tls_ctx *weft_tls_ctx_ref(struct weft_tls_ctx *tls)
{
	tls->refs++;
	return tls;
}

void weft_tls_ctx_trim(struct weft_tls_ctx *tls)
{
	if (tls && tls->refs > 1 && tls->ops->ctx_trim)
		tls->ops->ctx_trim(tls->ctx);
}

void weft_tls_ctx_release(struct weft_tls_ctx *tls)
{
	if (!tls || --tls->refs)
		return;
	tls->ops->ctx_destroy(tls->ctx);
	weft_free(tls->alloc, tls, sizeof(*tls));
}
