/* SPDX-License-Identifier: MIT */
/* The ground transport: a stream socket that is connected, or on its way to be. */
#ifndef WEFT_CORE_TRANSPORT_SOCKET_H
#define WEFT_CORE_TRANSPORT_SOCKET_H

#include "weft/plugin/net.h"
#include "weft/plugin/transport.h"

struct weft_context;

/* sock passes to the transport on success. */
enum weft_status weft_transport_socket(struct weft_context *ctx, weft_socket sock,
	struct weft_transport **out, struct weft_error *err);

#endif
