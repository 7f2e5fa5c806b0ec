/* SPDX-License-Identifier: MIT */
/* Segments: how bytes travel outwards without being copied more often than needed. */
#ifndef WEFT_SEGMENT_H
#define WEFT_SEGMENT_H

#include "weft/base.h"

WEFT_BEGIN

/* Who keeps a segment's memory or file alive. Embed it first in your own struct. Not thread-safe. */
struct weft_owner {
	void (*ref)(struct weft_owner *owner);
	void (*release)(struct weft_owner *owner);
};

enum weft_segment_kind {
	WEFT_SEGMENT_MEM,      /* ptr,len; alive until released (owner NULL: static, for ever) */
	WEFT_SEGMENT_FILE,     /* fd,off,len; the descriptor stays the owner's */
	WEFT_SEGMENT_BORROWED, /* ptr,len; valid only until the call it is passed to returns */
};

struct weft_segment {
	enum weft_segment_kind kind;
	int fd;                   /* FILE only */
	const unsigned char *ptr; /* MEM and BORROWED */
	uint64_t off;             /* FILE only: where it starts, in bytes */
	size_t len;
	struct weft_owner *owner; /* may be NULL */
};

static inline struct weft_segment weft_segment_static(const void *ptr, size_t len)
{
	return (struct weft_segment){
		.kind = WEFT_SEGMENT_MEM, .fd = -1, .ptr = (const unsigned char *)ptr, .len = len
	};
}

static inline struct weft_segment weft_segment_borrowed(const void *ptr, size_t len)
{
	return (struct weft_segment){ .kind = WEFT_SEGMENT_BORROWED,
		.fd = -1,
		.ptr = (const unsigned char *)ptr,
		.len = len };
}

static inline void weft_segment_ref(const struct weft_segment *s)
{
	if (s->owner)
		s->owner->ref(s->owner);
}

static inline void weft_segment_release(const struct weft_segment *s)
{
	if (s->owner)
		s->owner->release(s->owner);
}

/* A walk over segments in pieces; all zero but segs and count to begin with. */
struct weft_gather {
	const struct weft_segment *segs; /* MEM and BORROWED */
	size_t count;
	size_t at, off; /* the segment that is next, and how much of it is done */
};

/*
 * The next piece, max bytes long but for the last: bytes of one segment where they are, or several segments'
 * copied together into room, which has max bytes. Valid while segments and room are; len 0 at the end.
 */
WEFT_API struct weft_span weft_gather_next(
	struct weft_gather *gather, unsigned char *room, size_t max);

WEFT_END

#endif
