/* SPDX-License-Identifier: MIT */
/* The way through a proxy, between the transport to it and whatever the tunnel carries. */
#ifndef WEFT_CORE_TRANSPORT_PROXY_H
#define WEFT_CORE_TRANSPORT_PROXY_H

#include "core/net/proxy.h"
#include "weft/plugin/transport.h"

struct weft_context;

/* below, which leads to the proxy, passes to the chain on success. host is copied: a name or a literal. */
enum weft_status weft_transport_proxy(struct weft_context *ctx, struct weft_transport *below,
	const struct weft_proxy *proxy, const char *host, uint16_t port,
	struct weft_transport **out, struct weft_error *err);
/* The proxy that this chain has no way through yet; NULL: none is in it, or the tunnel is there. */
const char *weft_transport_proxy_waited(const struct weft_transport *top);

#endif
