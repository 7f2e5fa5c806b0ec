/* SPDX-License-Identifier: MIT */
/* A growable run of bytes: appended at the end, consumed at the front. */
#ifndef WEFT_BUFFER_H
#define WEFT_BUFFER_H

#include "weft/alloc.h"
#include "weft/base.h"
#include "weft/status.h"

WEFT_BEGIN

/*
 * Invariant: start <= end <= cap, and the content is ptr[start, end). Holds no memory while it was
 * never written to. `failed` is sticky: once memory ran out, appends do nothing and the owner, who
 * checks when it suits, finds it set. That is what lets writers append without checking each call.
 */
struct weft_buffer {
	const struct weft_allocator *alloc;
	unsigned char *ptr;
	size_t start, end, cap;
	bool failed;
};

WEFT_API void weft_buffer_init(struct weft_buffer *b, const struct weft_allocator *alloc);
/* Frees the memory; the buffer is as after init. */
WEFT_API void weft_buffer_finish(struct weft_buffer *b);
/* Copies len bytes to the end. */
WEFT_API void weft_buffer_append(struct weft_buffer *b, const void *bytes, size_t len);
/* Appends printf output, without the terminator. */
WEFT_API void weft_buffer_printf(struct weft_buffer *b, const char *fmt, ...) WEFT_PRINTF(2, 3);
/* Room for len more bytes at the end, to be filled by the caller and then committed. NULL: no memory. */
WEFT_API unsigned char *weft_buffer_reserve(struct weft_buffer *b, size_t len);
WEFT_API void weft_buffer_commit(struct weft_buffer *b, size_t len);
/* Drops len bytes from the front. Keeps the memory. */
WEFT_API void weft_buffer_consume(struct weft_buffer *b, size_t len);

static inline size_t weft_buffer_len(const struct weft_buffer *b)
{
	return b->end - b->start;
}

static inline const unsigned char *weft_buffer_bytes(const struct weft_buffer *b)
{
	return b->ptr ? b->ptr + b->start : NULL;
}

WEFT_END

#endif
