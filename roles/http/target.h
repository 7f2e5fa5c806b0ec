/* SPDX-License-Identifier: MIT */
/* Request targets in their four forms, and authorities: RFC 9112 section 3.2, RFC 3986. */
#ifndef WEFT_ROLES_HTTP_TARGET_H
#define WEFT_ROLES_HTTP_TARGET_H

#include "roles/http/framing.h"

/* Spans of the message or static text. */
struct weft_http_target {
	struct weft_span authority; /* empty: HTTP/1.0 without a Host */
	struct weft_span target;    /* path and query, "*", or CONNECT's authority */
	const char *scheme;         /* of the absolute form, else NULL */
};

/* Where a request goes, by its target and its Host, both of which are checked. */
WEFT_API enum weft_status weft_http_request_target(const struct weft_http_message *m,
	const struct weft_http_facts *facts, struct weft_http_target *t,
	struct weft_http_refusal *no);

/* host[:port] with a host that is not empty; port: it must be there, and not 0. */
WEFT_API bool weft_http_authority(const char *text, size_t len, bool port);

/* What a client may send as target with this method: origin form, or "*" with OPTIONS. */
WEFT_API bool weft_http_origin(const char *method, const char *target, size_t len);

/*
 * Decodes the path of an origin-form target (up to '?') into out and terminates it. Refused: what does
 * not fit, bad escapes, an encoded '/' or NUL, empty segments, and segments that begin with a dot, encoded or not. The
 * result begins with '/'.
 */
WEFT_API bool weft_http_decode_path(const char *target, char *out, size_t out_len);

#endif
