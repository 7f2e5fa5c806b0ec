/* SPDX-License-Identifier: MIT */
/*
 * HTTP/1 heads, RFC 9112 sections 2 to 5, strictly. First a scan that may see the bytes in any pieces and
 * looks at each once; then, when the head is complete, a parse into spans. Nothing is copied or allocated.
 */
#ifndef WEFT_ROLES_HTTP_PARSE_H
#define WEFT_ROLES_HTTP_PARSE_H

#include "roles/http/refusal.h"
#include "weft/stream.h"

enum weft_http_kind {
	WEFT_HTTP_REQUEST,
	WEFT_HTTP_RESPONSE,
	WEFT_HTTP_TRAILER, /* field lines without a start line */
	WEFT_HTTP_RESPONSE_TRAILER,
};

/* How far a head was looked at. All zero: at its first byte. */
struct weft_http_scan {
	uint32_t pos;   /* bytes looked at; when complete, the length of the head */
	uint32_t start; /* where the start line begins: empty lines before a request do not count */
	uint32_t lines; /* complete ones, the start line included */
	uint8_t state;
	uint8_t blanks; /* empty lines before the start line */
	bool folded; /* responses: there are lines that weft_http_unfold must join before the parse */
};

struct weft_http_bounds {
	uint32_t bytes; /* of the whole head */
	uint32_t fields;
};

/*
 * Goes on over in[0, len), which begins with the head's first byte at each call. OK: complete. AGAIN:
 * more bytes are needed. PROTOCOL, LIMIT: no is filled. The verdict does not depend on how the bytes
 * were split.
 */
WEFT_API enum weft_status weft_http_scan(struct weft_http_scan *scan, enum weft_http_kind kind,
	const unsigned char *in, size_t len, const struct weft_http_bounds *bounds,
	struct weft_http_refusal *no);

/* Joins folded lines of a head of len bytes, with spaces as long: RFC 9112 section 5.2. */
WEFT_API void weft_http_unfold(unsigned char *head, size_t len);

/* A head as spans into the bytes that were scanned. */
struct weft_http_message {
	struct weft_span method, target; /* requests */
	unsigned status;                 /* responses */
	struct weft_span reason;
	unsigned version;          /* 10 or 11 */
	struct weft_field *fields; /* the caller's table, of at least scan->lines elements */
	size_t count;
};

/* The head that scan found complete in `in`. m->fields is set by the caller, the rest by this. */
WEFT_API enum weft_status weft_http_parse(const struct weft_http_scan *scan,
	enum weft_http_kind kind, const unsigned char *in, struct weft_http_message *m,
	struct weft_http_refusal *no);

#endif
