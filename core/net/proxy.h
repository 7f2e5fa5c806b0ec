/* SPDX-License-Identifier: MIT */
/* Proxies as options name them. What is said to one: core/transport/proxy_talk.h. */
#ifndef WEFT_CORE_NET_PROXY_H
#define WEFT_CORE_NET_PROXY_H

#include "core/net/url.h"

enum weft_proxy_kind {
	WEFT_PROXY_CONNECT, /* RFC 9110 section 9.3.6 */
	WEFT_PROXY_SOCKS5,  /* RFC 1928 */
};

struct weft_proxy {
	enum weft_proxy_kind kind;
	uint16_t port;
	char host[WEFT_URL_NAME_MAX + 1]; /* lower case, without brackets */
};

enum { WEFT_PROXY_TEXT_MAX = WEFT_URL_NAME_MAX + 24 };

/* "http://HOST:PORT" or "socks5://HOST:PORT". ARGUMENT says what is wrong, and shows no password. */
enum weft_status weft_proxy_parse(const char *text, struct weft_proxy *out, struct weft_error *err);
/* The same for all ways to write the same proxy. Returns out, which has WEFT_PROXY_TEXT_MAX bytes. */
const char *weft_proxy_format(const struct weft_proxy *proxy, char *out);
/*
 * What it is asked for: connect_to if that is not "", else host and port. host_out has WEFT_URL_NAME_MAX + 1
 * bytes. ARGUMENT: a Unix socket, or an address that means something on this machine alone.
 */
enum weft_status weft_proxy_target(const char *host, uint16_t port, const char *connect_to,
	char *host_out, uint16_t *port_out, struct weft_error *err);

#endif
