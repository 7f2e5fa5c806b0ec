/* SPDX-License-Identifier: MIT */
/* Growable byte runs. Room at the front is reused before more memory is taken. */
#include "weft/buffer.h"

#include <string.h>

enum { FIRST_CAP = 512 };

void weft_buffer_init(struct weft_buffer *b, const struct weft_allocator *alloc)
{
	*b = (struct weft_buffer){ .alloc = alloc };
}

void weft_buffer_finish(struct weft_buffer *b)
{
	weft_free(b->alloc, b->ptr, b->cap);
	weft_buffer_init(b, b->alloc);
}

static bool grow(struct weft_buffer *b, size_t need)
{
	size_t cap = b->cap ? b->cap : FIRST_CAP;
	unsigned char *p;

	if (need > SIZE_MAX / 2)
		return false;
	while (cap < need)
		cap *= 2;
	p = b->alloc->resize(b->alloc->user, b->ptr, b->cap, cap);
	if (!p)
		return false;
	b->ptr = p;
	b->cap = cap;
	return true;
}

unsigned char *weft_buffer_reserve(struct weft_buffer *b, size_t len)
{
	size_t used = weft_buffer_len(b);

	if (b->failed)
		return NULL;
	if (b->cap - b->end < len) {
		/* moving is cheap while little is left: at most half of what is held */
		if (b->start && used <= b->cap / 2 && b->cap - used >= len) {
			memmove(b->ptr, b->ptr + b->start, used);
			b->start = 0;
			b->end = used;
		} else if (len > SIZE_MAX / 4 || !grow(b, b->end + len)) {
			b->failed = true;
			return NULL;
		}
	}
	return b->ptr + b->end;
}

void weft_buffer_commit(struct weft_buffer *b, size_t len)
{
	b->end += len;
}

void weft_buffer_append(struct weft_buffer *b, const void *bytes, size_t len)
{
	unsigned char *to;

	if (!len)
		return;
	to = weft_buffer_reserve(b, len);
	if (to) {
		memcpy(to, bytes, len);
		b->end += len;
	}
}

void weft_buffer_printf(struct weft_buffer *b, const char *fmt, ...)
{
	va_list args, again;
	unsigned char *to;
	int len;

	va_start(args, fmt);
	va_copy(again, args);
	len = vsnprintf(NULL, 0, fmt, args);
	if (len >= 0) {
		to = weft_buffer_reserve(b, (size_t)len + 1);
		if (to) {
			vsnprintf((char *)to, (size_t)len + 1, fmt, again);
			b->end += (size_t)len;
		}
	}
	va_end(again);
	va_end(args);
}

void weft_buffer_consume(struct weft_buffer *b, size_t len)
{
	b->start += len;
	if (b->start == b->end)
		b->start = b->end = 0;
}
