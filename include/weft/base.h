/* SPDX-License-Identifier: MIT */
/* What every other header needs: visibility, checked results, byte spans, the version. */
#ifndef WEFT_BASE_H
#define WEFT_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WEFT_VERSION "0.1.0"

#ifdef __cplusplus
#define WEFT_BEGIN extern "C" {
#define WEFT_END }
#else
#define WEFT_BEGIN
#define WEFT_END
#endif

#if defined(__GNUC__)
#define WEFT_API __attribute__((visibility("default")))
#define WEFT_MUST_CHECK __attribute__((warn_unused_result))
#define WEFT_PRINTF(fmt, first) __attribute__((format(printf, fmt, first)))
#else
#define WEFT_API
#define WEFT_MUST_CHECK
#define WEFT_PRINTF(fmt, first)
#endif

/* Bytes somebody else owns. ptr may be NULL only where len is 0. */
struct weft_span {
	const unsigned char *ptr;
	size_t len;
};

/* An absolute time that never comes, in microseconds of the monotonic clock. */
#define WEFT_NEVER UINT64_MAX

#endif
