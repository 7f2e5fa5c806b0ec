/* SPDX-License-Identifier: MIT */
/*
 * A limit that the client streams of one name share: bytes that they have written and that no connection has
 * taken yet. Streams without such a limit have no flight, and pay a look at a NULL pointer.
 */
#ifndef WEFT_CORE_STREAM_FLIGHT_H
#define WEFT_CORE_STREAM_FLIGHT_H

#include "core/stream/stream.h"

/*
 * Invariant: while somebody waits and there is room, the one that has waited longest is in the turn's queue
 * to be told.
 */
struct weft_flight {
	struct weft_context *ctx;
	struct weft_flight *next;            /* of ctx->flights */
	const struct weft_policy_stream *of; /* by whose address it is found */
	const struct weft_stream *telling;   /* whose on_writable is on the stack */
	struct weft_list waiting;            /* streams, the one that has waited longest first */
	size_t max, bytes;                   /* bytes may be more: a segment is taken whole */
	unsigned streams;
};

/* Gives s its flight, made if need be, where policy (NULL: none) has a limit. MEMORY: it has none. */
enum weft_status weft_flight_join(
	struct weft_stream *s, const struct weft_policy_stream *policy, struct weft_error *err);
/* The last one frees it. */
void weft_flight_part(struct weft_stream *s);

/* What s may still write; nothing while others have waited for longer. */
size_t weft_flight_room(const struct weft_stream *s);
/* s got less than it wanted; it keeps its place if it has one. */
void weft_flight_wait(struct weft_stream *s);
/* s wants nothing any more. */
void weft_flight_give_way(struct weft_stream *s);
/* s->out has changed. */
void weft_flight_count(struct weft_stream *s);
/* About to tell s that it may write. false: it is not its turn, and it waits. */
bool weft_flight_tell(struct weft_stream *s);
/* It was told. */
void weft_flight_told(struct weft_stream *s);

#endif
