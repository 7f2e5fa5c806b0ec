/* SPDX-License-Identifier: MIT */
/*
 * How far a run of characters of one class goes: the hot loops of HTTP/1's parsers, 16 bytes at a step where
 * the CPU can. Nothing outside of [p, p + len) is ever read.
 */
#ifndef WEFT_ROLES_HTTP_RUN_H
#define WEFT_ROLES_HTTP_RUN_H

#include "weft/base.h"

/* The number of leading bytes that are WEFT_HTTP_VALUE. */
size_t weft_http_run(const unsigned char *p, size_t len);
/* WEFT_HTTP_TOKEN: best for names of fields, which are letters and hyphens. */
size_t weft_http_run_token(const unsigned char *p, size_t len);
/* WEFT_HTTP_TARGET. */
size_t weft_http_run_target(const unsigned char *p, size_t len);

/* One way to do it; for tests, which hold all that this CPU can against each other. */
struct weft_http_runner {
	const char *name;
	size_t (*value)(const unsigned char *p, size_t len);
	size_t (*token)(const unsigned char *p, size_t len);
	size_t (*target)(const unsigned char *p, size_t len);
};

/* The one in use comes first. */
extern const struct weft_http_runner *const weft_http_runners[];
extern const size_t weft_http_runner_count;

#endif
