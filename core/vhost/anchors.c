/* SPDX-License-Identifier: MIT */
/* Bundles into single certificates, so that a backend can say which one is bad. */
#include "core/vhost/anchors.h"

#include "core/system/file.h"
#include "core/vhost/pem.h"

enum { BUNDLE_MAX = 16 << 20 };

/* Single certificates (CRLs) out of buffers, as an array of spans in `to`. */
static enum weft_status split(const struct weft_buffer *const *from, size_t count,
	struct weft_buffer *to, const char *what, struct weft_error *err)
{
	struct weft_span rest, block;
	bool any;

	for (size_t i = 0; i < count; i++) {
		rest = (struct weft_span){ weft_buffer_bytes(from[i]), weft_buffer_len(from[i]) };
		any = !rest.len;
		while (weft_pem_next(&rest, &block)) {
			weft_buffer_append(to, &block, sizeof(block));
			any = true;
		}
		if (!any)
			return weft_error_set(err, WEFT_ERR_ARGUMENT, 0,
				"no %s in it: expected PEM or DER", what);
	}
	return to->failed ? weft_error_set(err, WEFT_ERR_MEMORY, 0, "no memory for %ss", what)
			  : WEFT_OK;
}

static enum weft_status load_system(
	struct weft_context *ctx, struct weft_buffer *to, struct weft_error *err)
{
	const char *bundle = weft_file_system_trust();

	if (bundle)
		return weft_file_load(bundle, BUNDLE_MAX, to, err);
	weft_log(ctx, WEFT_LOG_WARN,
		"the system has no bundle of trusted certificates: no server will be accepted");
	return WEFT_OK;
}

void weft_anchors_init(struct weft_anchors *a, const struct weft_allocator *alloc)
{
	weft_buffer_init(&a->system, alloc);
	weft_buffer_init(&a->ca, alloc);
	weft_buffer_init(&a->crl, alloc);
}

/* They stay as long as the trust: used as they are, but where the system's store comes before them. */
static enum weft_status take_tables(const struct weft_policy_trust *from, struct weft_anchors *a,
	struct weft_tls_ctx_options *options, struct weft_error *err)
{
	options->ca = from->ca;
	options->ca_count = from->ca_count;
	options->crl = from->crl;
	options->crl_count = from->crl_count;
	options->pins = from->pins;
	options->pin_count = from->pin_count;
	if (!from->system)
		return WEFT_OK;
	weft_buffer_append(&a->ca, from->ca, from->ca_count * sizeof(from->ca[0]));
	options->ca = (const void *)weft_buffer_bytes(&a->ca);
	options->ca_count = weft_buffer_len(&a->ca) / sizeof(struct weft_span);
	return a->ca.failed ? weft_error_set(err, WEFT_ERR_MEMORY, 0, "no memory for certificates")
			    : WEFT_OK;
}

enum weft_status weft_anchors_load(struct weft_context *ctx, const struct weft_trust_spec *trust,
	struct weft_anchors *a, struct weft_tls_ctx_options *options, struct weft_error *err)
{
	const struct weft_buffer *const ca[] = { &trust->ca_file, &trust->ca, &a->system };
	const struct weft_buffer *const crl[] = { &trust->crl_file, &trust->crl };
	enum weft_status st = WEFT_OK;

	weft_anchors_init(a, &ctx->memory.alloc);
	if (trust->system)
		st = load_system(ctx, &a->system, err);
	if (st == WEFT_OK)
		st = split(ca, 3, &a->ca, "certificate", err);
	if (st == WEFT_OK)
		st = split(crl, 2, &a->crl, "CRL", err);
	if (st == WEFT_OK && trust->from)
		return take_tables(trust->from, a, options, err);
	options->ca = (const void *)weft_buffer_bytes(&a->ca);
	options->ca_count = weft_buffer_len(&a->ca) / sizeof(struct weft_span);
	options->crl = (const void *)weft_buffer_bytes(&a->crl);
	options->crl_count = weft_buffer_len(&a->crl) / sizeof(struct weft_span);
	options->pins = (const unsigned char(*)[WEFT_SHA256_BYTES])(const void *)weft_buffer_bytes(
		&trust->pins);
	options->pin_count = weft_buffer_len(&trust->pins) / WEFT_SHA256_BYTES;
	return st;
}

void weft_anchors_finish(struct weft_anchors *a)
{
	weft_buffer_finish(&a->crl);
	weft_buffer_finish(&a->ca);
	weft_buffer_finish(&a->system);
}
