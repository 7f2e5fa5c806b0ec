/* SPDX-License-Identifier: MIT */
/* Who may write how much of what the streams of one name have together, and who is next. */
#include "core/stream/flight.h"

#include "weft/policy.h"

static struct weft_stream *first(const struct weft_flight *f)
{
	return weft_list_empty(&f->waiting)
		       ? NULL
		       : weft_container_of(f->waiting.next, struct weft_stream, flight_node);
}

static void keep_invariant(struct weft_flight *f)
{
	struct weft_stream *s = first(f);

	if (s && f->bytes < f->max)
		weft_turn_queue(f->ctx, &f->ctx->queues.writable, &s->writable_node);
}

enum weft_status weft_flight_join(
	struct weft_stream *s, const struct weft_policy_stream *policy, struct weft_error *err)
{
	struct weft_context *ctx = s->ctx;
	struct weft_flight *f = ctx->flights;

	if (!policy || !policy->max_in_flight_bytes)
		return WEFT_OK;
	while (f && f->of != policy)
		f = f->next;
	if (!f) {
		f = weft_zalloc(&ctx->memory.alloc, sizeof(*f));
		if (!f)
			return weft_error_set(err, WEFT_ERR_MEMORY, 0, "no memory for a stream");
		f->ctx = ctx;
		f->of = policy;
		f->max = policy->max_in_flight_bytes;
		weft_list_init(&f->waiting);
		f->next = ctx->flights;
		ctx->flights = f;
	}
	f->streams++;
	s->flight = f;
	return WEFT_OK;
}

void weft_flight_part(struct weft_stream *s)
{
	struct weft_flight *f = s->flight, **at;

	f->bytes -= s->in_flight;
	weft_list_remove(&s->flight_node);
	s->flight = NULL;
	if (--f->streams) {
		keep_invariant(f);
		return;
	}
	at = &f->ctx->flights;
	while (*at != f)
		at = &(*at)->next;
	*at = f->next;
	weft_free(&f->ctx->memory.alloc, f, sizeof(*f));
}

size_t weft_flight_room(const struct weft_stream *s)
{
	const struct weft_flight *f = s->flight;
	const struct weft_stream *next = first(f);

	if (next && next != s && f->telling != s)
		return 0;
	return f->bytes < f->max ? f->max - f->bytes : 0;
}

void weft_flight_wait(struct weft_stream *s)
{
	if (!weft_list_linked(&s->flight_node))
		weft_list_append(&s->flight->waiting, &s->flight_node);
	keep_invariant(s->flight);
}

void weft_flight_give_way(struct weft_stream *s)
{
	weft_list_remove(&s->flight_node);
	keep_invariant(s->flight);
}

void weft_flight_count(struct weft_stream *s)
{
	struct weft_flight *f = s->flight;
	bool less = s->out.len < s->in_flight;

	f->bytes = f->bytes - s->in_flight + s->out.len;
	s->in_flight = s->out.len;
	if (less)
		keep_invariant(f);
}

bool weft_flight_tell(struct weft_stream *s)
{
	struct weft_flight *f = s->flight;

	if (!weft_flight_room(s)) {
		weft_flight_wait(s);
		return false;
	}
	weft_list_remove(&s->flight_node);
	f->telling = s;
	return true;
}

void weft_flight_told(struct weft_stream *s)
{
	s->flight->telling = NULL;
	keep_invariant(s->flight);
}
