/* SPDX-License-Identifier: MIT */
/* TLS over any transport, by whichever backend: the driver between a sans-I/O session and the bytes. */
#ifndef WEFT_CORE_TRANSPORT_TLS_H
#define WEFT_CORE_TRANSPORT_TLS_H

#include "core/transport/hello.h"
#include "weft/plugin/tls.h"
#include "weft/plugin/transport.h"

struct weft_context;

/* Chooses the identity for a ClientHello: the backend's ctx, which must live as long as the transport. */
typedef void *(*weft_tls_choose_fn)(
	void *user, const struct weft_hello *hello, struct weft_error *err);

/* below passes to the chain on success. session's strings are used at once only. */
enum weft_status weft_transport_tls_client(struct weft_context *ctx, struct weft_transport *below,
	const struct weft_tls_ops *ops, void *tls_ctx,
	const struct weft_tls_session_options *session, struct weft_transport **out,
	struct weft_error *err);
enum weft_status weft_transport_tls_server(struct weft_context *ctx, struct weft_transport *below,
	const struct weft_tls_ops *ops, weft_tls_choose_fn choose, void *user,
	struct weft_transport **out, struct weft_error *err);

#endif
