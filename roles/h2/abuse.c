/* SPDX-License-Identifier: MIT */
/*
 * What a peer may make us do for nothing: two buckets of tokens, one for frames that bring nothing by themselves, one
 * for streams that were begun and reset. What is useful earns tokens for the control frames that belong to it.
 */
#include "roles/h2/h2.h"

enum {
	WORK_FULL = 2000, /* frames at once, beyond what useful ones earn */
	WORK_RATE = 100,  /* a second */
	RESET_FULL = 1000,
	RESET_RATE = 50,
};

void weft_h2_abuse_begin(struct weft_h2 *h)
{
	uint64_t now = weft_pipe_now(h->pipe);

	h->work = (struct weft_h2_bucket){ .filled_us = now, .tokens = WORK_FULL };
	h->resets = (struct weft_h2_bucket){ .filled_us = now, .tokens = RESET_FULL };
}

static void fill(struct weft_h2_bucket *b, uint64_t now, uint32_t full, uint32_t rate)
{
	uint64_t more = (now - b->filled_us) * rate / 1000000;

	if (!more)
		return;
	b->filled_us = now;
	b->tokens = b->tokens + more < full ? b->tokens + (uint32_t)more : full;
}

static bool spend(
	struct weft_h2 *h, struct weft_h2_bucket *b, uint32_t full, uint32_t rate, uint32_t tokens)
{
	/* also while there are enough: what a full bucket did not take is not had later */
	fill(b, weft_pipe_now(h->pipe), full, rate);
	if (b->tokens < tokens) {
		h->calm = true;
		return false;
	}
	b->tokens -= tokens;
	return true;
}

bool weft_h2_spend(struct weft_h2 *h, uint32_t tokens)
{
	return spend(h, &h->work, WORK_FULL, WORK_RATE, tokens);
}

bool weft_h2_spend_reset(struct weft_h2 *h)
{
	return spend(h, &h->resets, RESET_FULL, RESET_RATE, 1);
}

void weft_h2_earn(struct weft_h2 *h, uint32_t tokens)
{
	h->work.tokens =
		h->work.tokens + tokens < WORK_FULL ? h->work.tokens + tokens : (uint32_t)WORK_FULL;
}
