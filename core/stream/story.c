/* SPDX-License-Identifier: MIT */
/* From events to sentences. */
#include "core/stream/story.h"

void weft_story_add(struct weft_story *story, enum weft_story_event event, uint64_t since_us,
	enum weft_status status, uint64_t number)
{
	unsigned at = story->count < WEFT_STORY_MAX ? story->count : WEFT_STORY_MAX - 1;
	uint64_t ms = since_us / 1000;

	story->count++;
	story->told[at].event = (unsigned char)event;
	story->told[at].status = (signed char)status;
	story->told[at].ms = ms > UINT32_MAX ? UINT32_MAX : (uint32_t)ms;
	story->told[at].number = number;
}

static int sentence(
	char *out, size_t room, unsigned event, enum weft_status status, uint64_t number)
{
	unsigned long long n = number;
	const char *word = weft_status_name(status);

	switch ((enum weft_story_event)event) {
	case WEFT_STORY_QUEUED_CONNECTING:
		return snprintf(
			out, room, "queued: a connection is being made, %llu streams are ahead", n);
	case WEFT_STORY_QUEUED_BUSY:
		return snprintf(out, room,
			"queued: every connection is busy and no more may be made, %llu streams "
			"are ahead",
			n);
	case WEFT_STORY_BOUND_NEW:
		return snprintf(out, room, "sent on connection %llu, made for this", n);
	case WEFT_STORY_BOUND_REUSED:
		return snprintf(out, room, "sent on connection %llu, reused", n);
	case WEFT_STORY_CONN_FAILED:
		return snprintf(out, room, "connection %llu failed (%s)", n, word);
	case WEFT_STORY_RETRIED_UNSENT:
		return snprintf(out, room,
			"queued again: connection %llu ended (%s) before anything was sent", n,
			word);
	case WEFT_STORY_RETRIED_UNPROCESSED:
		return snprintf(out, room,
			"queued again: on connection %llu the peer said that it did not process it",
			n);
	case WEFT_STORY_RETRIED_IDEMPOTENT:
		return snprintf(out, room,
			"queued again: connection %llu ended (%s) without an answer, and the "
			"method is idempotent",
			n, word);
	case WEFT_STORY_NOT_RETRIED:
		return snprintf(out, room, "not tried again: %s", word);
	case WEFT_STORY_DONE:
		return snprintf(out, room, "complete");
	case WEFT_STORY_FAILED:
		return snprintf(out, room, "failed (%s)", word);
	}
	return 0;
}

size_t weft_story_tell(const struct weft_story *story, char *out, size_t out_len)
{
	unsigned kept = story->count < WEFT_STORY_MAX ? story->count : WEFT_STORY_MAX;
	size_t used = 0;
	int n;

	if (!out_len)
		return 0;
	out[0] = '\0';
	for (unsigned i = 0; i < kept; i++) {
		char line[160];

		sentence(line, sizeof(line), story->told[i].event, story->told[i].status,
			story->told[i].number);
		n = snprintf(out + used, out_len - used, "%s+%u ms: %s\n",
			i == WEFT_STORY_MAX - 1 && story->count > WEFT_STORY_MAX ? "...\n" : "",
			story->told[i].ms, line);
		if (n < 0 || (size_t)n >= out_len - used)
			return out_len - 1;
		used += (size_t)n;
	}
	return used;
}
