/* SPDX-License-Identifier: MIT */
/* RFC 7468 textual encoding, as far as its boundaries. */
#include "core/vhost/pem.h"

#include <string.h>

static const char begin[] = "-----BEGIN ";
static const char end[] = "-----END ";

/* A sequence of more than 127 bytes, as every certificate is. Its tag alone is the digit 0 in a text. */
static bool is_der(const struct weft_span *span)
{
	return span->len > 1 && span->ptr[0] == 0x30 && span->ptr[1] & 0x80;
}

bool weft_pem_next(struct weft_span *rest, struct weft_span *block)
{
	const unsigned char *limit, *from, *to;

	if (!rest->len)
		return false;
	limit = rest->ptr + rest->len;
	if (is_der(rest)) {
		*block = *rest;
		*rest = (struct weft_span){ limit, 0 };
		return true;
	}
	from = memmem(rest->ptr, rest->len, begin, sizeof(begin) - 1);
	to = from ? memmem(from, (size_t)(limit - from), end, sizeof(end) - 1) : NULL;
	if (to)
		to = memchr(to, '\n', (size_t)(limit - to));
	if (!from)
		return false;
	/* without an end it is the backend that says what is wrong */
	to = to ? to + 1 : limit;
	*block = (struct weft_span){ from, (size_t)(to - from) };
	*rest = (struct weft_span){ to, (size_t)(limit - to) };
	return true;
}
