/* SPDX-License-Identifier: MIT */
/* A trust store on its way into a backend: single certificates, CRLs and pins. Ends with ctx_create. */
#ifndef WEFT_CORE_VHOST_ANCHORS_H
#define WEFT_CORE_VHOST_ANCHORS_H

#include "core/vhost/trust.h"
#include "weft/plugin/tls.h"

struct weft_anchors {
	struct weft_buffer system;  /* the system's bundle */
	struct weft_buffer ca, crl; /* spans into the buffers above and of the trust */
};

void weft_anchors_init(struct weft_anchors *a, const struct weft_allocator *alloc);
/* Fills in options what is to be believed. Whatever comes of it, *a is to be finished, behind ctx_create. */
enum weft_status weft_anchors_load(struct weft_context *ctx, const struct weft_trust_spec *trust,
	struct weft_anchors *a, struct weft_tls_ctx_options *options, struct weft_error *err);
void weft_anchors_finish(struct weft_anchors *a);

#endif
