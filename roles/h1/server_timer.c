/* SPDX-License-Identifier: MIT */
/* What a server waits for, and what becomes of a request that does not come. */
#include "roles/h1/h1.h"

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

uint64_t weft_h1_server_due(const struct weft_h1 *h)
{
	uint64_t idle, rate;

	if (!h->active)
		return h->in.scan.pos || !h->served ? weft_h1_after(h, h->limits->header_ms)
						    : weft_h1_after_sent(h, h->limits->idle_ms);
	/* while the application makes the response, nothing is expected of the peer */
	if (h->in.done || h->in.stalled || h->in.body == WEFT_HTTP_BODY_NONE)
		return WEFT_NEVER;
	idle = weft_h1_after(h, h->limits->idle_ms);
	rate = rate_due(h);
	return rate < idle ? rate : idle;
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

enum weft_status weft_h1_server_late(struct weft_h1 *h, uint64_t now_us, struct weft_error *err)
{
	bool answered = h->out.head_sent;

	if (!h->active)
		return head_late(h, err);
	if (now_us < weft_h1_after(h, h->limits->idle_ms) && !too_slow(h)) {
		weft_h1_rate_begin(h);
		return WEFT_OK;
	}
	weft_error_set(err, WEFT_ERR_TIMEOUT, 0, "the request's body %s",
		now_us < weft_h1_after(h, h->limits->idle_ms) ? "came too slowly" : "stopped");
	/* first, while it is known whose answer it is */
	if (!answered)
		weft_h1_refuse(h, 408, "the request's body did not come in time");
	weft_h1_end_exchange(h, WEFT_CAUSE_FAILED, err);
	h->closing = true;
	return WEFT_ERR_TIMEOUT;
}
