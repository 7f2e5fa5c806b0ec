/* SPDX-License-Identifier: MIT */
/* What characters may be where in HTTP: RFC 9110 section 5.6, RFC 3986. One table for all parsers. */
#ifndef WEFT_ROLES_HTTP_CHARS_H
#define WEFT_ROLES_HTTP_CHARS_H

#include <string.h>

#include "weft/base.h"

enum {
	WEFT_HTTP_TOKEN = 1u << 0,  /* tchar */
	WEFT_HTTP_VALUE = 1u << 1,  /* field-vchar, SP, HTAB, obs-text */
	WEFT_HTTP_TARGET = 1u << 2, /* visible ASCII that browsers do send in a path or query */
	WEFT_HTTP_HEX = 1u << 3,
	WEFT_HTTP_HOST = 1u << 4, /* of a reg-name: unreserved, sub-delims */
};

extern WEFT_API const unsigned char weft_http_chars[256];

static inline bool weft_http_is(unsigned char c, unsigned class)
{
	return (weft_http_chars[c] & class) != 0;
}

/* At least one tchar, and nothing else. */
WEFT_API bool weft_http_token(const char *text, size_t len);
/* Nothing that may not stand in a field value; may be empty. */
WEFT_API bool weft_http_value(const char *text, size_t len);
/* The first len bytes of both are equal without regard to the case of ASCII letters. */
WEFT_API bool weft_http_same_bytes(const char *a, const char *b, size_t len);
/* Equal without regard to the case of ASCII letters. */
static inline bool weft_http_same(const char *text, size_t len, const char *word)
{
	return len == strlen(word) && weft_http_same_bytes(text, word, len);
}
/* The next element of a comma-separated list (RFC 9110 section 5.6.1); empty ones are passed over. */
WEFT_API bool weft_http_list_next(struct weft_span *rest, struct weft_span *item);

#endif
