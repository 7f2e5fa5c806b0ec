/* SPDX-License-Identifier: MIT */
/* The streams of a connection: their making and their end, and what is kept of them. */
#include <string.h>

#include "roles/h2/h2.h"

struct weft_h2_stream *weft_h2_stream_make(struct weft_h2 *h, int32_t id)
{
	struct weft_h2_stream *hs = weft_zalloc(h->alloc, sizeof(*hs));

	if (!hs)
		return NULL;
	hs->h = h;
	hs->id = id;
	hs->in_us = hs->out_us = hs->rate_us = weft_pipe_now(h->pipe);
	weft_buffer_init(&hs->early, h->alloc);
	hs->prev = h->last;
	if (h->last)
		h->last->next = hs;
	else
		h->first = hs;
	h->last = hs;
	h->count++;
	h->served++;
	return hs;
}

static void drop_kept(struct weft_h2_stream *hs)
{
	while (hs->kept_at < hs->kept_count)
		weft_segment_release(&hs->kept[hs->kept_at++]);
	weft_free(hs->h->alloc, hs->kept, hs->kept_count * sizeof(*hs->kept));
	hs->kept = NULL;
	hs->kept_count = hs->kept_at = 0;
	weft_free(hs->h->alloc, hs->kept_trailer, hs->kept_trailer_len);
	hs->kept_trailer = NULL;
	hs->trailer = NULL;
}

void weft_h2_stream_free(struct weft_h2_stream *hs)
{
	struct weft_h2 *h = hs->h;

	if (hs->next)
		hs->next->prev = hs->prev;
	else
		h->last = hs->prev;
	if (hs->prev)
		hs->prev->next = hs->next;
	else
		h->first = hs->next;
	h->count--;
	if (!h->count)
		h->idle_us = weft_pipe_now(h->pipe);
	drop_kept(hs);
	weft_buffer_finish(&hs->early);
	weft_free(h->alloc, hs, sizeof(*hs));
}

struct weft_h2_stream *weft_h2_find(struct weft_h2 *h, int32_t id)
{
	return nghttp2_session_get_stream_user_data(h->session, id);
}

void weft_h2_give_back(
	struct weft_h2_stream *hs, enum weft_cause cause, const struct weft_error *why)
{
	struct weft_stream *s = hs->stream;

	hs->stream = NULL;
	weft_h2_credit(hs, hs->given);
	if (s)
		weft_role_closed(s, cause, why);
}

void weft_h2_reset(struct weft_h2_stream *hs, uint32_t code)
{
	if (hs->reset_sent)
		return;
	hs->reset_sent = true;
	(void)nghttp2_submit_rst_stream(hs->h->session, NGHTTP2_FLAG_NONE, hs->id, code);
	weft_pipe_want_output(hs->h->pipe);
}

void weft_h2_break(struct weft_h2_stream *hs, uint32_t code, const char *problem)
{
	if (!hs->problem)
		hs->problem = problem;
	weft_h2_reset(hs, code);
}

/* The connection's share is given back at once, unless its streams leave too much untaken. */
static void settle_window(struct weft_h2 *h)
{
	size_t n;

	if (!h->owed || h->unread > WEFT_H2_UNREAD_MAX / 2)
		return;
	n = (size_t)h->owed;
	h->owed = 0;
	(void)nghttp2_session_consume_connection(h->session, n);
}

void weft_h2_credit(struct weft_h2_stream *hs, size_t n)
{
	struct weft_h2 *h = hs->h;
	bool full = hs->given >= weft_h2_window(hs);

	if (n > hs->given)
		n = hs->given;
	if (!n)
		return;
	hs->given -= (uint32_t)n;
	h->unread -= n;
	if (full) { /* it was the application that was waited for */
		hs->in_us = hs->rate_us = weft_pipe_now(h->pipe);
		hs->rate_bytes = 0;
	}
	if (!hs->in_done && !hs->reset_sent)
		(void)nghttp2_session_consume_stream(h->session, hs->id, n);
	settle_window(h);
	weft_pipe_want_output(h->pipe);
}

void weft_h2_arrived(struct weft_h2_stream *hs, size_t n)
{
	struct weft_h2 *h = hs->h;

	hs->given += (uint32_t)n;
	h->unread += n;
	h->owed += n;
	settle_window(h);
}

uint32_t weft_h2_window(const struct weft_h2_stream *hs)
{
	return hs->stream ? weft_stream_limits(hs->stream)->window_bytes
			  : hs->h->limits->window_bytes;
}

void weft_h2_tunnel(struct weft_h2_stream *hs)
{
	hs->tunnel = true;
	hs->tunnel_due = hs->h->tunnels_due = true;
	hs->hold = false;
	weft_pipe_want_output(hs->h->pipe);
}

static void tell_tunnel(struct weft_h2_stream *hs)
{
	struct weft_buffer early = hs->early;

	hs->tunnel_due = false;
	weft_buffer_init(&hs->early, hs->h->alloc);
	if (hs->stream)
		weft_role_tunnel(hs->stream);
	if (hs->stream && weft_buffer_len(&early))
		weft_role_data(hs->stream, weft_buffer_bytes(&early), weft_buffer_len(&early));
	if (hs->stream && hs->in_done)
		weft_role_fin(hs->stream);
	weft_buffer_finish(&early);
}

void weft_h2_tell_tunnels(struct weft_h2 *h)
{
	struct weft_h2_stream *hs, *next;

	if (!h->tunnels_due)
		return;
	h->tunnels_due = false;
	for (hs = h->first; hs; hs = next) {
		next = hs->next;
		if (hs->tunnel_due)
			tell_tunnel(hs);
	}
}

void weft_h2_drained(struct weft_h2_stream *hs, size_t n)
{
	hs->drained = weft_h2_add_capped(hs->drained, n);
	if (!hs->h->client && hs->drained > WEFT_H2_DRAIN_MAX)
		weft_h2_reset(hs, NGHTTP2_NO_ERROR);
}

enum weft_cause weft_h2_cause(const struct weft_h2_stream *hs)
{
	if (!hs->h->client)
		return WEFT_CAUSE_FAILED;
	if (!hs->headers_out)
		return WEFT_CAUSE_UNSENT;
	return hs->heard ? WEFT_CAUSE_FAILED : WEFT_CAUSE_UNKNOWN;
}
