/* SPDX-License-Identifier: MIT */
/* What other threads know streams by. Only those whose id was asked for are in the table. */
#ifndef WEFT_CORE_STREAM_ID_H
#define WEFT_CORE_STREAM_ID_H

#include "weft/alloc.h"
#include "weft/stream.h"

enum { WEFT_STREAM_IDS_FEW = 16 };

/* Buckets of streams that are linked by themselves. All zero: empty. */
struct weft_stream_ids {
	struct weft_stream *few[WEFT_STREAM_IDS_FEW];
	struct weft_stream **many; /* instead of few, once there are more; NULL: few */
	size_t cap, count;         /* cap: of many, a power of two */
	uint64_t last;
};

/* From now on nobody finds it. Safe on a stream without an id. */
void weft_stream_forget_id(struct weft_stream *s);
void weft_stream_ids_finish(struct weft_stream_ids *ids, const struct weft_allocator *alloc);

#endif
