/* SPDX-License-Identifier: MIT */
/* What becomes of a stream that its connection did not bring to an end. DESIGN 5, laws 5 to 7. */
#include "core/client/budget.h"
#include "core/client/entry.h"

enum { TRIES_MAX = 5 }; /* connections that one stream may see end */

static void tell(struct weft_stream *s, unsigned event, const struct weft_error *why, uint32_t a,
	const struct weft_conn *conn)
{
	weft_story_add(&s->story, weft_pool_age_us(s),
		(struct weft_told){
			.event = (unsigned char)event,
			.status = (signed char)why->status,
			.a = a,
			.number = conn->id,
		});
}

/* Law 5, and what it costs. OK: it may go to another connection; else *reason says why not. */
static bool may_retry(const struct weft_stream *s, enum weft_cause cause,
	const struct weft_error *why, enum weft_story_why *reason)
{
	if (s->ctx->life == WEFT_LIFE_DESTROYING)
		*reason = WEFT_STORY_WHY_SHUTDOWN;
	else if (cause == WEFT_CAUSE_FAILED)
		*reason = s->answered ? WEFT_STORY_WHY_ANSWERED : WEFT_STORY_WHY_OWN;
	else if (s->answered || s->tunnel)
		*reason = WEFT_STORY_WHY_ANSWERED;
	else if (cause == WEFT_CAUSE_UNKNOWN && !s->idempotent)
		*reason = WEFT_STORY_WHY_UNSAFE;
	else if (s->entry->given)
		*reason = WEFT_STORY_WHY_GIVEN;
	else if (s->tries >= TRIES_MAX)
		*reason = WEFT_STORY_WHY_TRIES;
	else if (why->status == WEFT_ERR_TIMEOUT && s->late)
		*reason = WEFT_STORY_WHY_LATE;
	else
		return true;
	return false;
}

/* Law 7: what puts no load on a server in trouble is free. */
static bool is_free(
	const struct weft_stream *s, enum weft_cause cause, const struct weft_conn *conn)
{
	/* a server that goes away has not been asked for anything by what it left */
	if (cause == WEFT_CAUSE_UNPROCESSED && weft_client_conn(conn)->retired)
		return true;
	return cause == WEFT_CAUSE_UNSENT || (cause == WEFT_CAUSE_UNKNOWN && s->warm);
}

static bool affordable(struct weft_stream *s, enum weft_cause cause, const struct weft_conn *conn)
{
	if (is_free(s, cause, conn))
		return true;
	if (weft_budget_spend(s->ctx, s->entry->place))
		return true;
	s->ctx->counters.retries_refused++;
	s->ctx->counters.limits_hit++;
	return false;
}

static unsigned event_of(const struct weft_stream *s, enum weft_cause cause)
{
	if (cause == WEFT_CAUSE_UNSENT)
		return WEFT_STORY_RETRIED_UNSENT;
	if (cause == WEFT_CAUSE_UNPROCESSED)
		return WEFT_STORY_RETRIED_UNPROCESSED;
	return s->warm ? WEFT_STORY_RETRIED_STALE : WEFT_STORY_RETRIED_IDEMPOTENT;
}

/* Law 6: it was dead when it was used, and may not be the only one. */
static void met_stale(struct weft_stream *s, struct weft_conn *conn)
{
	s->ctx->counters.conns_stale++;
	if (weft_client_conn(conn)->entry)
		weft_pool_distrust(weft_client_conn(conn)->entry, conn);
}

void weft_pool_returned(struct weft_stream *s, struct weft_conn *conn, enum weft_cause cause,
	const struct weft_error *why)
{
	enum weft_story_why reason = WEFT_STORY_WHY_OWN;
	struct weft_error err = *why;
	bool again;

	/* the role gave it away, but the network took nothing of it: nobody can have acted on it */
	if (cause == WEFT_CAUSE_UNKNOWN && !conn->wrote)
		cause = WEFT_CAUSE_UNSENT;
	if (s->warm && (cause == WEFT_CAUSE_UNSENT || cause == WEFT_CAUSE_UNKNOWN))
		met_stale(s, conn);
	again = may_retry(s, cause, why, &reason);
	if (again && !affordable(s, cause, conn)) {
		reason = WEFT_STORY_WHY_BUDGET;
		again = false;
	}
	if (again && weft_stream_rewind(s, &err)) {
		reason = WEFT_STORY_WHY_BODY;
		again = false;
		if (!is_free(s, cause, conn) && s->entry)
			weft_budget_refund(s->ctx, s->entry->place);
	}
	if (s->state == WEFT_STREAM_DONE) /* the application gave it up while it was asked */
		return;
	if (!again) {
		tell(s, WEFT_STORY_NOT_RETRIED, &err, reason, conn);
		weft_stream_over(s, &err);
		return;
	}
	tell(s, event_of(s, cause), why, weft_client_conn(conn)->retired, conn);
	s->late |= why->status == WEFT_ERR_TIMEOUT;
	s->ctx->counters.streams_retried++;
	weft_pool_enqueue(s->entry, s);
}
