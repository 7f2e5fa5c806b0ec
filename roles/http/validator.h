/* SPDX-License-Identifier: MIT */
/* Validators and the conditions that requests put on them: RFC 9110 sections 8.8 and 13. */
#ifndef WEFT_ROLES_HTTP_VALIDATOR_H
#define WEFT_ROLES_HTTP_VALIDATOR_H

#include "weft/stream.h"

enum { WEFT_HTTP_ETAG_MAX = 72 };

/* Of the representation that was selected. */
struct weft_http_validator {
	char etag[WEFT_HTTP_ETAG_MAX]; /* with its quotes, and W/ if it is weak */
	int64_t modified;              /* seconds since 1970 */
	int64_t now;
};

enum weft_http_verdict {
	WEFT_HTTP_GO_ON,
	WEFT_HTTP_NOT_MODIFIED,        /* 304 */
	WEFT_HTTP_PRECONDITION_FAILED, /* 412 */
};

/* An entity tag out of three numbers that change with the content; suffix may be "". */
void weft_http_etag(char out[WEFT_HTTP_ETAG_MAX], bool weak, uint64_t a, uint64_t b, uint64_t c,
	const char *suffix);
/* Whether etag is in a list of them, or that is "*". What is no list matches nothing. */
bool weft_http_etag_listed(const char *list, size_t len, const char *etag, bool weakly);
/* If-Match, If-Unmodified-Since, If-None-Match, If-Modified-Since in the order of section 13.2.2. */
enum weft_http_verdict weft_http_preconditions(
	const struct weft_head *request, const struct weft_http_validator *v);
/* Whether Range counts: no If-Range, or one that is met. Section 13.1.5. */
bool weft_http_if_range(const struct weft_head *request, const struct weft_http_validator *v);

#endif
