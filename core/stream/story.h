/* SPDX-License-Identifier: MIT */
/* What happened to a client's stream, kept in a few words of memory and told in sentences on demand. */
#ifndef WEFT_CORE_STREAM_STORY_H
#define WEFT_CORE_STREAM_STORY_H

#include "weft/status.h"

enum weft_story_event {
	WEFT_STORY_QUEUED_CONNECTING, /* behind a connection that is being made; number: streams ahead */
	WEFT_STORY_QUEUED_BUSY,       /* connections exist, none is free; number: streams ahead */
	WEFT_STORY_BOUND_NEW,         /* number: the conn's id */
	WEFT_STORY_BOUND_REUSED,
	WEFT_STORY_CONN_FAILED,    /* an attempt to connect failed; status says how */
	WEFT_STORY_RETRIED_UNSENT, /* its connection ended before anything was sent */
	WEFT_STORY_RETRIED_UNPROCESSED,
	WEFT_STORY_RETRIED_IDEMPOTENT, /* sent, but safe to repeat, and nothing was answered */
	WEFT_STORY_NOT_RETRIED,        /* status says why not */
	WEFT_STORY_DONE,
	WEFT_STORY_FAILED,
};

enum { WEFT_STORY_MAX = 10 };

struct weft_story {
	struct {
		unsigned char event;
		signed char status;
		uint32_t ms;
		uint64_t number;
	} told[WEFT_STORY_MAX]; /* the last one is overwritten when there are more */
	unsigned count;         /* all that happened */
};

void weft_story_add(struct weft_story *story, enum weft_story_event event, uint64_t since_us,
	enum weft_status status, uint64_t number);
size_t weft_story_tell(const struct weft_story *story, char *out, size_t out_len);

#endif
