/* SPDX-License-Identifier: MIT */
/*
 * A transport through a stream of another connection's: what is read is the stream's body, what is written becomes
 * its body. RFC 9110 section 7.8, RFC 8441.
 */
#ifndef WEFT_CORE_TRANSPORT_TUNNEL_H
#define WEFT_CORE_TRANSPORT_TUNNEL_H

#include "weft/plugin/transport.h"
#include "weft/vhost.h"

/* route: whose the tunnel is. NULL: no memory. It touches s only once it is opened. */
struct weft_transport *weft_transport_tunnel(
	struct weft_context *ctx, const struct weft_route *route);
/* s, which was accepted as a tunnel, is the transport's from now on. */
void weft_transport_tunnel_open(struct weft_transport *tunnel, struct weft_stream *s);
/* The route of a tunnel; NULL where a connection has no tunnel under it. */
const struct weft_route *weft_transport_tunnel_route(const struct weft_transport *top);

#endif
