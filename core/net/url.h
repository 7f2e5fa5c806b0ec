/* SPDX-License-Identifier: MIT */
/* URLs as far as the core cares: who to talk to. What is asked there is the role's business. RFC 3986. */
#ifndef WEFT_CORE_NET_URL_H
#define WEFT_CORE_NET_URL_H

#include "weft/address.h"

/* Spans into the text that was parsed. */
struct weft_url {
	struct weft_span scheme;
	struct weft_span host;      /* without brackets */
	struct weft_span authority; /* host[:port] as written */
	struct weft_span target; /* from the first '/' or '?', without the fragment; may be empty */
	struct weft_span path;   /* of SCHEME+unix:PATH */
	uint16_t port;
	bool has_port, is_ipv6, is_unix;
};

/* ARGUMENT says what is wrong and at which column (from 1). User information is refused: RFC 9110 4.2.4. */
enum weft_status weft_url_parse(const char *text, struct weft_url *url, struct weft_error *err);
/* "ADDR:PORT", "[ADDR]:PORT" or "unix:/path", literal addresses only. */
enum weft_status weft_endpoint_parse(
	const char *text, struct weft_address *out, struct weft_error *err);
/* The length of a host name as TLS knows it: without the dot of a root. */
size_t weft_url_name_len(const char *host);
/* What DNS allows; RFC 1035 section 2.3.4. */
enum { WEFT_URL_NAME_MAX = 254 };
bool weft_span_is(struct weft_span span, const char *text);

#endif
