/* SPDX-License-Identifier: MIT */
/* Network addresses, the same for every net backend. */
#ifndef WEFT_ADDRESS_H
#define WEFT_ADDRESS_H

#include "weft/base.h"
#include "weft/status.h"

WEFT_BEGIN

enum weft_family {
	WEFT_FAMILY_NONE,
	WEFT_FAMILY_IPV4,
	WEFT_FAMILY_IPV6,
	WEFT_FAMILY_UNIX,
};

struct weft_address {
	enum weft_family family;
	uint16_t port;        /* host order; IP only */
	uint32_t scope;       /* IPv6 scope id, 0 for none */
	unsigned char ip[16]; /* network order; IPv4 uses the first four */
	char path[108];       /* UNIX, terminated */
};

/* Large enough for any address as text. */
#define WEFT_ADDRESS_TEXT_MAX 128

/*
 * A literal: "127.0.0.1", "::1", "fe80::1%2" (no brackets). Names are not resolved:
 * WEFT_ERR_ARGUMENT for them. RFC 4291 section 2.2, RFC 4007 section 11.
 */
WEFT_API WEFT_MUST_CHECK enum weft_status weft_address_parse(
	const char *text, uint16_t port, struct weft_address *out, struct weft_error *err);

/* "127.0.0.1:80", "[::1]:80", "unix:/path". Returns out. */
WEFT_API const char *weft_address_format(const struct weft_address *a, char *out, size_t out_len);

WEFT_API bool weft_address_equal(const struct weft_address *a, const struct weft_address *b);

WEFT_END

#endif
