/* SPDX-License-Identifier: MIT */
/* Feeds a head to the scanner in pieces, each time from memory of exactly the length that is there. */
#ifndef WEFT_TESTS_SUPPORT_HTTP_FEED_H
#define WEFT_TESTS_SUPPORT_HTTP_FEED_H

#include "roles/http/parse.h"

enum { HTTP_FEED_FIELDS = 160 };

/* How it ended, and with what. feed->m has spans into feed->bytes. */
struct http_feed {
	enum weft_status status;
	struct weft_http_refusal no;
	struct weft_http_scan scan;
	struct weft_http_message m;
	struct weft_field fields[HTTP_FEED_FIELDS];
	unsigned char *bytes; /* a copy of what was there at the end */
	size_t len;
};

/*
 * Shows the first bytes, then step more each time, until there is a verdict or nothing is left (AGAIN).
 * What is complete is parsed. Ended by http_feed_done.
 */
void http_feed(struct http_feed *f, enum weft_http_kind kind, const char *text, size_t len,
	const struct weft_http_bounds *bounds, size_t first, size_t step);
/* At once; and fails the test if any two pieces, or single bytes, come to another result. */
void http_feed_all_ways(struct http_feed *f, enum weft_http_kind kind, const char *text, size_t len,
	const struct weft_http_bounds *bounds);
void http_feed_done(struct http_feed *f);

#endif
