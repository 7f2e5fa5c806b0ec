/* SPDX-License-Identifier: MIT */
/* The TLS side of vhosts: contexts for schemes, made at first use and replaced by a reload. */
#ifndef WEFT_CORE_VHOST_IDENTITY_H
#define WEFT_CORE_VHOST_IDENTITY_H

#include "core/vhost/vhost.h"

/* A server's context for one scheme: schemes differ in ALPN. */
struct weft_vhost_tls {
	struct weft_list node; /* of vh->tls */
	const struct weft_scheme *scheme;
	struct weft_tls_ctx *tls;
};

/* Takes what options say on credential, clients and tickets, or says what is wrong with it. */
enum weft_status weft_vhost_identify(
	struct weft_vhost *vh, const struct weft_vhost_options *options, struct weft_error *err);
/* A client's context, by its trust. */
enum weft_status weft_vhost_client_tls(struct weft_vhost *vh, struct weft_error *err);
/* Contexts, credential and secret go; sessions keep the context that they have. */
void weft_vhost_forget(struct weft_vhost *vh);

/* A server's context for scheme, made at its first use; the vhost's own. NULL and err if it cannot be. */
struct weft_tls_ctx *weft_vhost_tls(
	struct weft_vhost *vh, const struct weft_scheme *scheme, struct weft_error *err);
/* Checks of clients' certificates that are given up at present. Logs a warning where there are any. */
unsigned weft_vhost_allow(struct weft_vhost *vh);

#endif
