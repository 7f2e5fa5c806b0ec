/* SPDX-License-Identifier: MIT */
/* The chunked transfer coding, both ways: RFC 9112 section 7.1. Trailers are the head scanner's. */
#ifndef WEFT_ROLES_HTTP_CHUNKED_H
#define WEFT_ROLES_HTTP_CHUNKED_H

#include "roles/http/refusal.h"

/* All zero: before the first chunk. */
struct weft_http_chunked {
	uint64_t left;      /* of the present chunk */
	uint32_t ext_bytes; /* of extensions so far, which are skipped but bounded */
	uint8_t state;
	uint8_t digits; /* of the size */
};

/*
 * Goes on with in[0, len). OK with data: that many body bytes, at most max of them; call again with what is
 * behind used. AGAIN: all was used, more is needed. EOF: the last chunk was seen, what follows is the
 * trailer section. PROTOCOL: no is filled.
 */
WEFT_API enum weft_status weft_http_chunked_decode(struct weft_http_chunked *dec,
	const unsigned char *in, size_t len, size_t max, size_t *used, struct weft_span *data,
	struct weft_http_refusal *no);

enum { WEFT_HTTP_CHUNK_HEAD_MAX = 18 };
/* "1a2b\r\n" into out; returns the length. */
WEFT_API size_t weft_http_chunk_head(char out[WEFT_HTTP_CHUNK_HEAD_MAX], uint64_t len);

#endif
