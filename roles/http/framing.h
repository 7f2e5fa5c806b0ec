/* SPDX-License-Identifier: MIT */
/*
 * What a message's fields say about the connection and about where its body ends: RFC 9112 sections 6
 * and 9. Whatever two readers could read in two ways is refused.
 */
#ifndef WEFT_ROLES_HTTP_FRAMING_H
#define WEFT_ROLES_HTTP_FRAMING_H

#include "roles/http/parse.h"

enum weft_http_body {
	WEFT_HTTP_BODY_NONE,
	WEFT_HTTP_BODY_LENGTH,
	WEFT_HTTP_BODY_CHUNKED,
	WEFT_HTTP_BODY_CLOSE,  /* until the connection ends */
	WEFT_HTTP_BODY_TUNNEL, /* no message any more: bytes both ways */
};

/* The fields that a connection must understand, in one pass over the table. */
struct weft_http_facts {
	const struct weft_field *host, *length, *upgrade;
	unsigned hosts, lengths, codings;
	bool close, keep_alive; /* options of the connection field */
	bool upgrade_option;
	bool expect_continue;
	bool expect_other;   /* an expectation that nobody here can meet */
	bool chunked;        /* the final coding */
	bool coding_unknown; /* one of them */
	bool coding_bad;     /* chunked twice, or not at the end, or a field without any */
};

WEFT_API void weft_http_facts(const struct weft_http_message *m, struct weft_http_facts *facts);
/* Whether the peer will read or send another message on this connection: RFC 9112 section 9.3. */
WEFT_API bool weft_http_persistent(
	const struct weft_http_message *m, const struct weft_http_facts *facts);

/* Sets *body and, for LENGTH, *length. A length of 0 is NONE. */
WEFT_API enum weft_status weft_http_request_body(const struct weft_http_message *m,
	const struct weft_http_facts *facts, enum weft_http_body *body, uint64_t *length,
	struct weft_http_refusal *no);
/* The same for a final response to method; TUNNEL for 101 and a CONNECT that succeeded. */
WEFT_API enum weft_status weft_http_response_body(const struct weft_http_message *m,
	const struct weft_http_facts *facts, const char *method, enum weft_http_body *body,
	uint64_t *length, struct weft_http_refusal *no);

/* Whether a response with this status to this method has no body, whatever its fields say. */
WEFT_API bool weft_http_bodyless(const char *method, unsigned status);

#endif
