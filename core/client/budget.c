/* SPDX-License-Identifier: MIT */
/* The budget of retries. */
#include "core/client/budget.h"

#include "core/system/context.h"

enum {
	RETRY = 100,
	FULL = 10 * RETRY, /* also what a place begins with */
	FORGET_US = 60000000,
};

static uint64_t mix(uint64_t h, const char *text)
{
	/* FNV-1a; the end counts, so that two texts are not one */
	do {
		h = (h ^ (unsigned char)*text) * 1099511628211u;
	} while (*text++);
	return h;
}

uint64_t weft_budget_place(const char *scheme, const char *host, unsigned port)
{
	uint64_t h = mix(mix(14695981039346656037u, scheme), host);

	h = (h ^ port) * 1099511628211u;
	return h ? h : 1;
}

/* The place's own, or a full one. */
static struct weft_budget *find(struct weft_context *ctx, uint64_t place)
{
	uint64_t now = weft_loop_now(&ctx->loop);
	struct weft_budget *oldest = &ctx->budgets[0], *b;

	for (size_t i = 0; i < WEFT_BUDGETS; i++) {
		b = &ctx->budgets[i];
		if (b->place == place && now - b->used_us < FORGET_US)
			return b;
		if (b->place == place || b->used_us < oldest->used_us)
			oldest = b;
		if (b->place == place)
			break;
	}
	*oldest = (struct weft_budget){ .place = place, .used_us = now, .tokens = FULL };
	return oldest;
}

void weft_budget_earn(struct weft_context *ctx, uint64_t place)
{
	struct weft_budget *b = find(ctx, place);

	b->used_us = weft_loop_now(&ctx->loop);
	b->tokens = ctx->retry_percent < FULL - b->tokens ? b->tokens + ctx->retry_percent
							  : (unsigned)FULL;
}

bool weft_budget_spend(struct weft_context *ctx, uint64_t place)
{
	struct weft_budget *b = find(ctx, place);

	if (b->tokens < RETRY)
		return false;
	b->tokens -= RETRY;
	return true;
}

void weft_budget_refund(struct weft_context *ctx, uint64_t place)
{
	struct weft_budget *b = find(ctx, place);

	b->tokens = b->tokens < FULL - RETRY ? b->tokens + RETRY : (unsigned)FULL;
}
