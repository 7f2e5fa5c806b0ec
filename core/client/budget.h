/* SPDX-License-Identifier: MIT */
/*
 * How many retries a place is worth: a bucket of tokens for each of the places that were talked to last,
 * so that a server in trouble is not asked several times for each request. DESIGN 5, law 7.
 */
#ifndef WEFT_CORE_CLIENT_BUDGET_H
#define WEFT_CORE_CLIENT_BUDGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct weft_context;

enum { WEFT_BUDGETS = 16 }; /* beyond that the one that was used longest ago is forgotten */

/* Apart from the pool's entries, which go as soon as nothing runs. */
struct weft_budget {
	uint64_t place;   /* a hash; 0: unused */
	uint64_t used_us; /* by the last stream */
	unsigned tokens;  /* hundredths of a retry */
};

uint64_t weft_budget_place(const char *scheme, const char *host, unsigned port);
/* A stream to that place begins. */
void weft_budget_earn(struct weft_context *ctx, uint64_t place);
/* Whether a retry may be paid for; if so, it is. */
bool weft_budget_spend(struct weft_context *ctx, uint64_t place);
/* What was paid for, and did not come to be. */
void weft_budget_refund(struct weft_context *ctx, uint64_t place);

#endif
