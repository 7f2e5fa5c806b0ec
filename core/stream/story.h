/* SPDX-License-Identifier: MIT */
/* What happened to a client's stream, kept in a few words of memory and told in sentences on demand. */
#ifndef WEFT_CORE_STREAM_STORY_H
#define WEFT_CORE_STREAM_STORY_H

#include "weft/status.h"

/* What number, a and b mean stands behind each; conn is a connection's id. */
enum weft_story_event {
	WEFT_STORY_QUEUED_CONNECTING, /* a connection is being made; a: streams ahead */
	WEFT_STORY_QUEUED_SHAKING,    /* the same, and conn is at its handshake; a: streams ahead */
	WEFT_STORY_QUEUED_BUSY, /* conn is busy, like b connections in all; a: streams ahead */
	WEFT_STORY_CONN_UP,     /* number: weft_story_steps; a: ms for the handshake; b: facts */
	WEFT_STORY_CONN_FAILED, /* an attempt to connect, conn, failed; status says how */
	WEFT_STORY_CONN_STALE, /* conn, warm and about to be used, had died; status, or OK: closed */
	WEFT_STORY_BOUND_NEW,  /* conn; a: ms in the queue */
	WEFT_STORY_BOUND_REUSED, /* conn; a: ms in the queue; b: ms that it had been idle */
	WEFT_STORY_BOUND_SHARED, /* conn; a: ms in the queue; b: streams that it carries already */
	WEFT_STORY_BOUND_COALESCED, /* conn, which was made for another host; a: ms in the queue */
	WEFT_STORY_JOINED, /* number: the protocol's for it; a, b: 8 bytes of the role's name */
	WEFT_STORY_RETRIED_UNSENT,      /* conn ended before anything was sent */
	WEFT_STORY_RETRIED_UNPROCESSED, /* a: 1: conn takes no streams any more */
	WEFT_STORY_RETRIED_IDEMPOTENT,  /* sent, but safe to repeat, and nothing was answered */
	WEFT_STORY_RETRIED_STALE,       /* the same, on a conn that had been warm */
	WEFT_STORY_RETRIED_MISDIRECTED, /* conn was another host's, and the answer 421 */
	WEFT_STORY_NOT_RETRIED,         /* status is what ended it; a: enum weft_story_why */
	WEFT_STORY_QUEUE_TIMEOUT,       /* a: ms that it waited */
	WEFT_STORY_DONE,
	WEFT_STORY_FAILED,
};

/* Why something is not tried again. */
enum weft_story_why {
	WEFT_STORY_WHY_OWN,      /* it failed for a reason of its own */
	WEFT_STORY_WHY_ANSWERED, /* the response had begun */
	WEFT_STORY_WHY_UNSAFE,   /* it was sent and is not idempotent */
	WEFT_STORY_WHY_BODY,
	WEFT_STORY_WHY_TRIES,
	WEFT_STORY_WHY_LATE, /* no answer in time, twice */
	WEFT_STORY_WHY_GIVEN,
	WEFT_STORY_WHY_BUDGET,
	WEFT_STORY_WHY_SHUTDOWN,
};

/* Facts of WEFT_STORY_CONN_UP: the TLS version (0: plain), and these. */
enum {
	WEFT_STORY_RESUMED = 1 << 16,
	WEFT_STORY_PROXY =
		1 << 17, /* name and connect are the proxy's; its answer is in the handshake */
};

enum {
	WEFT_STORY_MAX = 16, /* of more, the beginning and the end are kept */
	WEFT_STORY_END = 4,
};

struct weft_told {
	unsigned char event;
	signed char status;
	uint32_t ms; /* since the stream was opened */
	uint32_t a, b;
	uint64_t number;
};

struct weft_story {
	unsigned count; /* all that happened */
	struct weft_told told[WEFT_STORY_MAX];
};

/* told's ms is set from since_us. */
void weft_story_add(struct weft_story *story, uint64_t since_us, struct weft_told told);
size_t weft_story_tell(const struct weft_story *story, char *out, size_t out_len);
/* In ms: making the TLS context, finding the name's addresses, connecting; as number of CONN_UP. */
uint64_t weft_story_steps(uint32_t context_ms, uint32_t name_ms, uint32_t connect_ms);
/* Times as they are told: not above UINT32_MAX. */
uint32_t weft_story_ms(uint64_t us);

#endif
