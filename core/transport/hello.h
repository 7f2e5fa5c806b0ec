/* SPDX-License-Identifier: MIT */
/* What a server must know of a ClientHello before it can choose an identity. RFC 8446 section 4.1.2. */
#ifndef WEFT_CORE_TRANSPORT_HELLO_H
#define WEFT_CORE_TRANSPORT_HELLO_H

#include "weft/status.h"

enum {
	WEFT_HELLO_MAX = 16384,    /* handshake bytes that are looked at */
	WEFT_HELLO_ALPN_MAX = 256, /* longer offers are cut at a name's end */
};

struct weft_hello {
	char sni[256];                  /* lower case, or "" */
	char alpn[WEFT_HELLO_ALPN_MAX]; /* the names offered, comma-separated */
};

/*
 * Looks at what a client sent first. OK: *hello is filled. AGAIN: *need says how many bytes must be
 * there before another look makes sense. PROTOCOL: these bytes begin no ClientHello that we accept;
 * a TLS library will know the fitting alert.
 */
enum weft_status weft_hello_parse(
	const unsigned char *bytes, size_t len, struct weft_hello *hello, size_t *need);

#endif
