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

uint64_t weft_h1_after(const struct weft_h1 *h, uint32_t ms)
{
	return ms ? h->since_us + (uint64_t)ms * 1000 : WEFT_NEVER;
}

void weft_h1_rate_begin(struct weft_h1 *h)
{
	h->in.rate_us = weft_pipe_now(h->pipe);
	h->in.rate_bytes = 0;
}

/* What the pipe still held went out later than it was given to it. */
uint64_t weft_h1_after_sent(const struct weft_h1 *h, uint32_t ms)
{
	uint64_t sent = weft_pipe_sent_at(h->pipe);

	if (!ms)
		return WEFT_NEVER;
	return (sent > h->since_us ? sent : h->since_us) + (uint64_t)ms * 1000;
}

static uint64_t client_due(const struct weft_h1 *h)
{
	const struct weft_limits *limits = h->stream ? weft_stream_limits(h->stream) : h->limits;
	uint64_t due, head;
	bool finished;

	if (!h->active || !h->out.head_sent)
		return WEFT_NEVER;
	due = weft_h1_after_sent(h, limits->idle_ms);
	if (h->expect) {
		head = weft_h1_after(h, WEFT_H1_CONTINUE_MS);
		return head < due ? head : due;
	}
	if (h->in.stalled)
		return WEFT_NEVER;
	if (h->answered)
		return due;
	if (!h->out.done && !h->out.hold && h->stream && !weft_stream_pending(h->stream, &finished))
		return WEFT_NEVER; /* it is the application that has not written yet */
	head = weft_h1_after_sent(h, limits->header_ms);
	return head < due ? head : due;
}

void weft_h1_arm(struct weft_h1 *h)
{
	uint64_t due;

	if (h->closing)
		return;
	due = h->client ? client_due(h) : weft_h1_server_due(h);
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

enum weft_status weft_h1_tick(struct weft_h1 *h, uint64_t now_us, struct weft_error *err)
{
	enum weft_status st = WEFT_OK;

	h->armed_us = WEFT_NEVER;
	if (h->closing)
		return WEFT_OK;
	if ((h->client ? client_due(h) : weft_h1_server_due(h)) <= now_us)
		st = h->client ? client_late(h, err) : weft_h1_server_late(h, now_us, err);
	weft_h1_arm(h);
	return st;
}
