/* SPDX-License-Identifier: MIT */
/*
 * What all streams of one policy name have written and no connection has taken: bounded together where the policy
 * says so. One struct for each such name in use.
 */
#ifndef WEFT_CORE_STREAM_FLIGHT_H
#define WEFT_CORE_STREAM_FLIGHT_H

#include "core/base/list.h"
#include "weft/policy.h"

struct weft_flight {
	struct weft_list node; /* of ctx->flights */
	struct weft_context *ctx;
	const struct weft_policy_stream *name;
	unsigned refs;
	size_t bytes, max;
	struct weft_list
		waiting; /* streams whose write took less than offered, the first one first */
};

/* The one of stream's name, made if need be; NULL: no memory. */
struct weft_flight *weft_flight_join(
	struct weft_context *ctx, const struct weft_policy_stream *stream);
void weft_flight_leave(struct weft_stream *s);
/* What may still be written. */
size_t weft_flight_room(const struct weft_flight *f);
/* Written, and taken or lost again. */
void weft_flight_add(struct weft_stream *s, size_t len);
void weft_flight_remove(struct weft_stream *s, size_t len);
/* s wants to hear of room. */
void weft_flight_wait(struct weft_stream *s);

#endif
