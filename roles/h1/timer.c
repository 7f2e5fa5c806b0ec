/* SPDX-License-Identifier: MIT */
/*
 * Times. One deadline for the pipe, computed from what is waited for. It is only ever moved forward in
 * time when it comes, so that an exchange that runs smoothly never touches the timer.
 */
#include "roles/h1/h1.h"

void weft_h1_moved(struct weft_h1 *h)
{
	h->since_us = weft_pipe_now(h->pipe);
}

static uint64_t after(const struct weft_h1 *h, uint32_t ms)
{
	return ms ? h->since_us + (uint64_t)ms * 1000 : WEFT_NEVER;
}

void weft_h1_rate_begin(struct weft_h1 *h)
{
	h->in.rate_us = weft_pipe_now(h->pipe);
	h->in.rate_bytes = 0;
}

/* When it is looked at whether enough of the body came. WEFT_NEVER: any rate will do. */
static uint64_t rate_due(const struct weft_h1 *h)
{
	const struct weft_limits *l = h->limits;

	if (!l->body_rate_min || !l->rate_grace_ms || h->in.body == WEFT_HTTP_BODY_TUNNEL)
		return WEFT_NEVER;
	return h->in.rate_us + (uint64_t)l->rate_grace_ms * 1000;
}

static bool too_slow(const struct weft_h1 *h)
{
	return h->in.rate_bytes <
	       (uint64_t)h->limits->body_rate_min * h->limits->rate_grace_ms / 1000;
}

/* What the pipe still held went out later than it was given to it. */
static uint64_t after_sent(const struct weft_h1 *h, uint32_t ms)
{
	uint64_t sent = weft_pipe_sent_at(h->pipe);

	if (!ms)
		return WEFT_NEVER;
	return (sent > h->since_us ? sent : h->since_us) + (uint64_t)ms * 1000;
}

static uint64_t server_due(const struct weft_h1 *h)
{
	uint64_t idle, rate;

	if (!h->active)
		return h->in.scan.pos || !h->served ? after(h, h->limits->header_ms)
						    : after_sent(h, h->limits->idle_ms);
	/* while the application makes the response, nothing is expected of the peer */
	if (h->in.done || h->in.stalled || h->in.body == WEFT_HTTP_BODY_NONE)
		return WEFT_NEVER;
	idle = after(h, h->limits->idle_ms);
	rate = rate_due(h);
	return rate < idle ? rate : idle;
}

static uint64_t client_due(const struct weft_h1 *h)
{
	const struct weft_limits *limits = h->stream ? weft_stream_limits(h->stream) : h->limits;
	uint64_t due, head;
	bool finished;

	if (!h->active || !h->out.head_sent)
		return WEFT_NEVER;
	due = after_sent(h, limits->idle_ms);
	if (h->expect) {
		head = after(h, WEFT_H1_CONTINUE_MS);
		return head < due ? head : due;
	}
	if (h->in.stalled)
		return WEFT_NEVER;
	if (h->answered)
		return due;
	if (!h->out.done && !h->out.hold && h->stream && !weft_stream_pending(h->stream, &finished))
		return WEFT_NEVER; /* it is the application that has not written yet */
	head = after_sent(h, limits->header_ms);
	return head < due ? head : due;
}

void weft_h1_arm(struct weft_h1 *h)
{
	uint64_t due;

	if (h->closing)
		return;
	due = h->client ? client_due(h) : server_due(h);
	if (due >= h->armed_us)
		return;
	h->armed_us = due;
	weft_pipe_deadline(h->pipe, due);
}

static enum weft_status client_late(struct weft_h1 *h, struct weft_error *err)
{
	if (h->expect) {
		/* a server that does not know about 100 waits for the body: send it */
		h->expect = false;
		weft_h1_moved(h);
		weft_pipe_want_output(h->pipe);
		return WEFT_OK;
	}
	weft_error_set(err, WEFT_ERR_TIMEOUT, 0,
		h->answered ? "the response stopped within its body"
			    : "the server did not answer in time");
	h->closing = true;
	/* where others were served before, silence may mean that the connection is dead */
	weft_h1_end_exchange(
		h, h->served > 1 && !h->heard ? WEFT_CAUSE_UNKNOWN : WEFT_CAUSE_FAILED, err);
	return WEFT_ERR_TIMEOUT;
}

/* Between requests. An end that comes after the last answer is no failure. */
static enum weft_status head_late(struct weft_h1 *h, struct weft_error *err)
{
	if (!h->in.scan.pos && h->served) {
		weft_h1_close(h);
		return WEFT_OK;
	}
	if (h->in.scan.pos)
		weft_h1_refuse(h, 408, "the request's head did not come in time");
	h->closing = true;
	return weft_error_set(err, WEFT_ERR_TIMEOUT, 0, "the request's head did not come in time");
}

static enum weft_status server_late(struct weft_h1 *h, uint64_t now_us, struct weft_error *err)
{
	bool answered = h->out.head_sent;

	if (!h->active)
		return head_late(h, err);
	if (now_us < after(h, h->limits->idle_ms) && !too_slow(h)) {
		weft_h1_rate_begin(h);
		return WEFT_OK;
	}
	weft_error_set(err, WEFT_ERR_TIMEOUT, 0, "the request's body %s",
		now_us < after(h, h->limits->idle_ms) ? "came too slowly" : "stopped");
	/* first, while it is known whose answer it is */
	if (!answered)
		weft_h1_refuse(h, 408, "the request's body did not come in time");
	weft_h1_end_exchange(h, WEFT_CAUSE_FAILED, err);
	h->closing = true;
	return WEFT_ERR_TIMEOUT;
}

enum weft_status weft_h1_tick(struct weft_h1 *h, uint64_t now_us, struct weft_error *err)
{
	enum weft_status st = WEFT_OK;

	h->armed_us = WEFT_NEVER;
	if (h->closing)
		return WEFT_OK;
	if ((h->client ? client_due(h) : server_due(h)) <= now_us)
		st = h->client ? client_late(h, err) : server_late(h, now_us, err);
	weft_h1_arm(h);
	return st;
}
