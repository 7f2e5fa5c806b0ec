/* SPDX-License-Identifier: MIT */
/*
 * Times. One deadline for the pipe: the earliest of what is waited for. It is only looked at when it comes, and all
 * streams with it, so that an exchange that runs smoothly never touches the timer.
 */
#include "roles/h2/h2.h"

enum { GOAWAY_MS = 1000 }; /* between a server's two GOAWAYs, where the client answers no PING */

static uint64_t after(uint64_t since_us, uint32_t ms)
{
	return ms ? since_us + (uint64_t)ms * 1000 : WEFT_NEVER;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t later(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* ---- one stream ---- */

static const struct weft_limits *limits_of(const struct weft_h2_stream *hs)
{
	return hs->stream ? weft_stream_limits(hs->stream) : hs->h->limits;
}

/* Its window is full: it is the application that is waited for. */
static bool stalled(const struct weft_h2_stream *hs)
{
	return hs->given >= weft_h2_window(hs);
}

bool weft_h2_has_output(const struct weft_h2_stream *hs)
{
	bool fin;

	if (hs->out_done || hs->deferred || !hs->head_sent)
		return false;
	return !hs->stream || weft_stream_pending(hs->stream, &fin) || fin;
}

static uint64_t out_due(const struct weft_h2_stream *hs)
{
	return weft_h2_has_output(hs) ? after(hs->out_us, limits_of(hs)->flush_ms) : WEFT_NEVER;
}

/* A server waits for a request's body, at some rate. */
static uint64_t server_in_due(const struct weft_h2_stream *hs)
{
	const struct weft_limits *l = limits_of(hs);
	uint64_t due;

	if (hs->in_done || hs->hold_in || stalled(hs))
		return WEFT_NEVER;
	due = after(hs->in_us, l->idle_ms);
	if (!hs->tunnel && l->body_rate_min && l->rate_grace_ms)
		due = earlier(due, after(hs->rate_us, l->rate_grace_ms));
	return due;
}

static uint64_t client_in_due(const struct weft_h2_stream *hs)
{
	const struct weft_limits *l = limits_of(hs);
	uint64_t sent = later(hs->in_us, hs->out_us), due;
	bool fin;

	if (hs->in_done || !hs->headers_out || stalled(hs))
		return WEFT_NEVER;
	sent = later(sent, hs->out_done ? weft_pipe_sent_at(hs->h->pipe) : 0);
	due = after(sent, l->idle_ms);
	if (hs->expect)
		return earlier(due, after(hs->in_us, WEFT_H2_CONTINUE_MS));
	if (hs->answered)
		return due;
	/* it is the application that has not written yet */
	if (hs->deferred && !hs->hold && hs->stream && !weft_stream_pending(hs->stream, &fin))
		return WEFT_NEVER;
	return earlier(due, after(sent, l->header_ms));
}

static uint64_t stream_due(const struct weft_h2_stream *hs)
{
	if (hs->reset_sent)
		return WEFT_NEVER;
	return earlier(out_due(hs), hs->h->client ? client_in_due(hs) : server_in_due(hs));
}

/* ---- the connection ---- */

static uint64_t conn_due(const struct weft_h2 *h)
{
	const struct weft_limits *l = h->limits;
	uint64_t due = WEFT_NEVER;

	if (h->goaway_us && !h->going)
		due = after(h->goaway_us, GOAWAY_MS);
	if (h->block.active)
		due = earlier(due, after(h->block_us, l->header_ms));
	if (h->client) {
		if (!h->settled)
			due = earlier(due, after(h->idle_us, l->handshake_ms));
		if (h->first && l->ping_ms)
			due = earlier(due, after(later(h->in_us, h->ping_us), l->ping_ms));
		return due;
	}
	if (!h->served)
		return earlier(due, after(h->idle_us, l->header_ms));
	if (!h->first)
		due = earlier(
			due, after(later(h->idle_us, weft_pipe_sent_at(h->pipe)), l->idle_ms));
	return due;
}

static uint64_t due_of(const struct weft_h2 *h)
{
	uint64_t due = conn_due(h);

	for (const struct weft_h2_stream *hs = h->first; hs; hs = hs->next)
		due = earlier(due, stream_due(hs));
	return due;
}

/* What may be due earlier than is known; with many streams that is asked of the latest alone. */
void weft_h2_arm(struct weft_h2 *h)
{
	uint64_t due = conn_due(h);

	if (h->closing)
		return;
	if (h->last)
		due = earlier(due, stream_due(h->last));
	if (due >= h->armed_us)
		return;
	h->armed_us = due;
	weft_pipe_deadline(h->pipe, due);
}

static void reset_late(struct weft_h2_stream *hs, uint32_t code, const char *problem)
{
	hs->late = true;
	weft_role_timed_out(hs->h->pipe);
	weft_h2_break(hs, code, problem);
}

static void server_late(struct weft_h2_stream *hs, uint64_t now)
{
	const struct weft_limits *l = limits_of(hs);

	if (now >= after(hs->in_us, l->idle_ms)) {
		reset_late(hs, NGHTTP2_CANCEL, "the request's body stopped");
	} else if (hs->rate_bytes < (uint64_t)l->body_rate_min * l->rate_grace_ms / 1000) {
		reset_late(hs, NGHTTP2_CANCEL, "the request's body came too slowly");
	} else {
		hs->rate_us = now;
		hs->rate_bytes = 0;
	}
}

static void client_late(struct weft_h2_stream *hs, uint64_t now)
{
	if (hs->expect && now < after(later(hs->in_us, hs->out_us), limits_of(hs)->idle_ms)) {
		/* a server that does not know about 100 waits for the body: send it */
		hs->expect = hs->hold = false;
		hs->in_us = now;
		weft_h2_ready(hs);
		return;
	}
	reset_late(hs, NGHTTP2_CANCEL,
		hs->answered ? "the response stopped within its body"
			     : "the server did not answer in time");
}

static void stream_late(struct weft_h2_stream *hs, uint64_t now)
{
	const struct weft_limits *l = limits_of(hs);

	if (out_due(hs) <= now) {
		if (hs->out_bytes >= (uint64_t)l->body_rate_min * l->flush_ms / 1000 &&
			hs->out_bytes) {
			hs->out_bytes = 0;
			hs->out_us = now;
			return;
		}
		reset_late(hs, NGHTTP2_CANCEL, "the peer opened no window in time");
	} else if (hs->h->client) {
		client_late(hs, now);
	} else {
		server_late(hs, now);
	}
}

static enum weft_status timeout(struct weft_h2 *h, struct weft_error *err, const char *what)
{
	h->dead = true;
	return weft_error_set(err, WEFT_ERR_TIMEOUT, 0, "HTTP/2: %s", what);
}

static void final_goaway(struct weft_h2 *h)
{
	h->going = true;
	(void)nghttp2_submit_goaway(h->session, NGHTTP2_FLAG_NONE,
		nghttp2_session_get_last_proc_stream_id(h->session), NGHTTP2_NO_ERROR, NULL, 0);
	weft_pipe_want_output(h->pipe);
}

void weft_h2_pong(struct weft_h2 *h)
{
	h->ping_us = 0;
	if (h->goaway_us && !h->going)
		final_goaway(h);
}

static void ping(struct weft_h2 *h)
{
	h->ping_us = weft_pipe_now(h->pipe);
	(void)nghttp2_submit_ping(h->session, NGHTTP2_FLAG_NONE, NULL);
	weft_pipe_want_output(h->pipe);
}

void weft_h2_drain(struct weft_h2 *h)
{
	if (h->draining)
		return;
	h->draining = true;
	if (h->client) {
		final_goaway(h);
		return;
	}
	h->goaway_us = weft_pipe_now(h->pipe);
	(void)nghttp2_submit_shutdown_notice(h->session);
	weft_pipe_want_output(h->pipe);
	weft_h2_arm(h);
}

void weft_h2_goaway_sent(struct weft_h2 *h)
{
	if (h->goaway_us && !h->going && !h->ping_us)
		ping(h);
}

static enum weft_status conn_late(struct weft_h2 *h, uint64_t now, struct weft_error *err)
{
	const struct weft_limits *l = h->limits;

	if (h->goaway_us && !h->going && after(h->goaway_us, GOAWAY_MS) <= now)
		final_goaway(h);
	if (h->block.active && after(h->block_us, l->header_ms) <= now)
		return timeout(h, err, "a head did not come in time");
	if (h->client && !h->settled && after(h->idle_us, l->handshake_ms) <= now)
		return timeout(h, err, "the server sent no SETTINGS in time");
	if (h->client && h->first && l->ping_ms &&
		after(later(h->in_us, h->ping_us), l->ping_ms) <= now) {
		if (h->ping_us > h->in_us)
			return timeout(h, err, "the server did not answer a PING");
		ping(h);
	}
	if (!h->client && !h->first && conn_due(h) <= now) {
		if (!h->served)
			return timeout(h, err, "no request came in time");
		h->closing = true;
		weft_pipe_close(h->pipe);
	}
	return WEFT_OK;
}

enum weft_status weft_h2_tick(struct weft_h2 *h, uint64_t now_us, struct weft_error *err)
{
	struct weft_h2_stream *hs, *next;
	enum weft_status st;

	h->armed_us = WEFT_NEVER;
	if (h->closing)
		return WEFT_OK;
	st = conn_late(h, now_us, err);
	if (st || h->closing)
		return st;
	for (hs = h->first; hs; hs = next) {
		next = hs->next;
		if (stream_due(hs) <= now_us)
			stream_late(hs, now_us);
	}
	h->armed_us = due_of(h);
	weft_pipe_deadline(h->pipe, h->armed_us);
	return WEFT_OK;
}
