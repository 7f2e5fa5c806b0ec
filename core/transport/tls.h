/* SPDX-License-Identifier: MIT */
/* TLS over any transport, by whichever backend: the driver between a sans-I/O session and the bytes. */
#ifndef WEFT_CORE_TRANSPORT_TLS_H
#define WEFT_CORE_TRANSPORT_TLS_H

#include "core/transport/hello.h"
#include "core/transport/tls_ctx.h"
#include "weft/plugin/transport.h"

struct weft_context;

/* Chooses the identity for a ClientHello: *tls, of which the session takes a reference of its own. */
typedef enum weft_status (*weft_tls_choose_fn)(void *user, const struct weft_hello *hello,
	struct weft_tls_ctx **tls, struct weft_tls_session_options *session,
	struct weft_error *err);

/* What a later session may be resumed with; called once at most. The bytes are wiped behind it. */
typedef void (*weft_tls_ticket_fn)(void *user, struct weft_span ticket);

/*
 * below passes to the chain on success. session's strings are used at once only. ticket NULL: nobody wants
 * one; user is its.
 */
enum weft_status weft_transport_tls_client(struct weft_context *ctx, struct weft_transport *below,
	struct weft_tls_ctx *tls, const struct weft_tls_session_options *session,
	weft_tls_ticket_fn ticket, void *user, struct weft_transport **out, struct weft_error *err);
enum weft_status weft_transport_tls_server(struct weft_context *ctx, struct weft_transport *below,
	weft_tls_choose_fn choose, void *user, struct weft_transport **out, struct weft_error *err);

#endif
