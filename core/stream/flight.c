/* SPDX-License-Identifier: MIT */
/* Bytes under way, counted by the policy's names. */
#include "core/stream/flight.h"

#include "core/stream/stream.h"
#include "core/system/context.h"

struct weft_flight *weft_flight_join(
	struct weft_context *ctx, const struct weft_policy_stream *stream)
{
	struct weft_flight *f;

	weft_list_each(node, &ctx->flights)
	{
		f = weft_container_of(node, struct weft_flight, node);
		if (f->name == stream) {
			f->refs++;
			return f;
		}
	}
	f = weft_zalloc(&ctx->memory.alloc, sizeof(*f));
	if (!f)
		return NULL;
	f->ctx = ctx;
	f->name = stream;
	f->refs = 1;
	f->max = stream->max_in_flight_bytes;
	weft_list_init(&f->waiting);
	weft_list_append(&ctx->flights, &f->node);
	return f;
}

size_t weft_flight_room(const struct weft_flight *f)
{
	return f->bytes < f->max ? f->max - f->bytes : 0;
}

/* Whoever has waited longest is asked first, and the rest with it: each takes what is left by then. */
static void tell(struct weft_flight *f)
{
	struct weft_list *node;

	if (f->bytes > f->max / 2)
		return;
	while ((node = weft_list_pop(&f->waiting))) {
		struct weft_stream *s = weft_container_of(node, struct weft_stream, flight_node);

		weft_turn_queue(f->ctx, &f->ctx->queues.writable, &s->writable_node);
	}
}

void weft_flight_add(struct weft_stream *s, size_t len)
{
	if (s->flight)
		s->flight->bytes += len;
}

void weft_flight_remove(struct weft_stream *s, size_t len)
{
	if (!s->flight || !len)
		return;
	s->flight->bytes -= len;
	tell(s->flight);
}

void weft_flight_wait(struct weft_stream *s)
{
	if (s->flight && !weft_list_linked(&s->flight_node))
		weft_list_append(&s->flight->waiting, &s->flight_node);
}

void weft_flight_leave(struct weft_stream *s)
{
	struct weft_flight *f = s->flight;

	if (!f)
		return;
	weft_list_remove(&s->flight_node);
	s->flight = NULL;
	if (--f->refs)
		return;
	weft_list_remove(&f->node);
	weft_free(&f->ctx->memory.alloc, f, sizeof(*f));
}
