/* SPDX-License-Identifier: MIT */
/*
 * What earlier TLS sessions left to be resumed with: a bounded cache of the context's, found by everything
 * that decides whom we talk to and how we check. A ticket is used once: RFC 8446 appendix C.4.
 */
#ifndef WEFT_CORE_CLIENT_TICKETS_H
#define WEFT_CORE_CLIENT_TICKETS_H

#include "core/client/pool.h"

struct weft_ticket {
	struct weft_list node; /* of ctx->tickets, the latest last */
	struct weft_context *ctx;
	struct weft_pool_key key;
	uint64_t due_us; /* not offered any more from then on */
	unsigned char *bytes;
	size_t len;
};

/* The latest for key, which is the caller's now; or NULL. */
struct weft_ticket *weft_tickets_take(struct weft_context *ctx, const struct weft_pool_key *key);
/* Copies bytes, if they are not too many. Without memory there is no ticket. */
void weft_tickets_put(
	struct weft_context *ctx, const struct weft_pool_key *key, struct weft_span bytes);
/* One that is still good after all. */
void weft_tickets_return(struct weft_ticket *ticket);
/* Wipes it. NULL is safe. */
void weft_ticket_free(struct weft_ticket *ticket);
/* Of all that believe this, the latest count stay. */
void weft_tickets_limit(
	struct weft_context *ctx, const struct weft_trust_spec *trust, unsigned count);
/* All that a policy's streams left. */
void weft_tickets_forget_policy(struct weft_context *ctx);
/* All for key: they are suspected. */
void weft_tickets_drop(struct weft_context *ctx, const struct weft_pool_key *key);
/* All. */
void weft_tickets_finish(struct weft_context *ctx);

#endif
