/* SPDX-License-Identifier: MIT */
/* A way through a proxy: a handshake with it on the ground transport, and then the bytes of the target. */
#ifndef WEFT_CORE_TRANSPORT_PROXY_H
#define WEFT_CORE_TRANSPORT_PROXY_H

#include "core/net/url.h"
#include "weft/plugin/transport.h"

struct weft_context;

enum weft_proxy_kind {
	WEFT_PROXY_CONNECT, /* RFC 9110 section 9.3.6 */
	WEFT_PROXY_SOCKS5,  /* RFC 1928, without authentication */
};

/* "http://HOST:PORT" or "socks5://HOST:PORT"; the host is in url, which points into text. ARGUMENT says what is wrong. */
enum weft_status weft_proxy_parse(
	const char *text, enum weft_proxy_kind *kind, struct weft_url *url, struct weft_error *err);

/*
 * On top of below, which is then its own: connects to host:port (a name, or a literal without brackets) through the
 * proxy called name in messages. All is copied. On failure below is the caller's.
 */
enum weft_status weft_transport_proxy(struct weft_context *ctx, struct weft_transport *below,
	const char *name, const char *host, uint16_t port, struct weft_transport **out,
	struct weft_error *err);

/* What the proxy said so far: how much of it is its answer. For tests and fuzzing, too. */
struct weft_proxy_answer {
	enum weft_proxy_kind kind;
	bool greeted; /* SOCKS5: the first of its two answers was had */
	size_t used;  /* out: bytes that are done with */
};

/* OK: the way is free behind used. AGAIN: more is needed. REFUSED, PROTOCOL, LIMIT: err says what it said. */
enum weft_status weft_proxy_understand(struct weft_proxy_answer *a, const unsigned char *bytes,
	size_t len, struct weft_error *err);

#endif
