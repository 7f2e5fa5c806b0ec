/* SPDX-License-Identifier: MIT */
/* The Range field: RFC 9110 section 14. */
#ifndef WEFT_ROLES_HTTP_RANGE_H
#define WEFT_ROLES_HTTP_RANGE_H

#include "weft/base.h"

enum { WEFT_HTTP_RANGES_MAX = 16 };

struct weft_http_range {
	uint64_t first, len; /* len > 0 */
};

enum weft_http_ranges {
	WEFT_HTTP_RANGES_IGNORED, /* the whole: another unit, no proper list, or too many */
	WEFT_HTTP_RANGES_SOME,
	WEFT_HTTP_RANGES_UNSATISFIABLE, /* 416 */
};

/*
 * What a field's value asks of size bytes, in the order asked for. Those that overlap, or lie so close that
 * a part's head would cost more than the bytes between, are made one.
 */
enum weft_http_ranges weft_http_ranges(const char *text, size_t len, uint64_t size,
	struct weft_http_range ranges[WEFT_HTTP_RANGES_MAX], size_t *count);

#endif
