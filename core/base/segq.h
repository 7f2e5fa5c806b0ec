/* SPDX-License-Identifier: MIT */
/*
 * Queues of segments: a stream's outbox and a connection's output chain. Copied bytes are gathered in
 * reference-counted chunks, the others stay with their owners.
 */
#ifndef WEFT_CORE_BASE_SEGQ_H
#define WEFT_CORE_BASE_SEGQ_H

#include "core/base/memory.h"
#include "weft/segment.h"

struct weft_segq_ring;

/* Small while it is empty: idle connections have one, too. */
struct weft_segq {
	struct weft_memory *memory;
	struct weft_segq_ring *ring; /* NULL while empty */
	size_t len;                  /* bytes in all */
};

void weft_segq_init(struct weft_segq *q, struct weft_memory *memory);
/* Releases everything; the queue is as after init. */
void weft_segq_finish(struct weft_segq *q);

/* Copies bytes to the end. false: no memory; some may be queued, and the owner gives up. */
bool weft_segq_write(struct weft_segq *q, const void *bytes, size_t len);
/* Appends a segment with a reference of its own. Borrowed bytes are copied; so are others if gather is
 * set and they are short: a reference and an iovec cost more. */
bool weft_segq_push(struct weft_segq *q, const struct weft_segment *seg, bool gather);
/* Describes the front: at most max bytes in at most *count segments, without taking or referencing. */
size_t weft_segq_peek(
	const struct weft_segq *q, size_t max, struct weft_segment *segs, size_t *count);
/* Drops len bytes from the front. */
void weft_segq_consume(struct weft_segq *q, size_t len);
/* to, which must be empty, gets all that from has. */
void weft_segq_move(struct weft_segq *to, struct weft_segq *from);
/* Whether the owner keeps the segment's bytes as they are (not gathered in a chunk of ours). */
bool weft_segq_owned(const struct weft_segment *seg);

#endif
