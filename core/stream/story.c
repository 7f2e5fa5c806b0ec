/* SPDX-License-Identifier: MIT */
/* From events to sentences. */
#include "core/stream/story.h"

#include <stdio.h>
#include <string.h>

uint32_t weft_story_ms(uint64_t us)
{
	return us / 1000 > UINT32_MAX ? UINT32_MAX : (uint32_t)(us / 1000);
}

enum { STEP_BITS = 21 }; /* half an hour */

static uint64_t step(uint32_t ms)
{
	return ms >> STEP_BITS ? (1u << STEP_BITS) - 1 : ms;
}

static unsigned nth_step(uint64_t steps, unsigned n)
{
	return (unsigned)(steps >> n * STEP_BITS) & ((1u << STEP_BITS) - 1);
}

uint64_t weft_story_steps(uint32_t context_ms, uint32_t name_ms, uint32_t connect_ms)
{
	return step(context_ms) | step(name_ms) << STEP_BITS | step(connect_ms) << 2 * STEP_BITS;
}

void weft_story_add(struct weft_story *story, uint64_t since_us, struct weft_told told)
{
	unsigned at = story->count;

	if (at >= WEFT_STORY_MAX) {
		at = WEFT_STORY_MAX - 1;
		memmove(&story->told[WEFT_STORY_MAX - WEFT_STORY_END],
			&story->told[WEFT_STORY_MAX - WEFT_STORY_END + 1],
			(WEFT_STORY_END - 1) * sizeof(told));
	}
	story->count++;
	story->told[at] = told;
	story->told[at].ms = weft_story_ms(since_us);
}

static const char *why_text(uint32_t why)
{
	switch ((enum weft_story_why)why) {
	case WEFT_STORY_WHY_OWN:
		return "another connection would not help";
	case WEFT_STORY_WHY_ANSWERED:
		return "the response had begun";
	case WEFT_STORY_WHY_UNSAFE:
		return "the server may have acted on it, and it is not safe to repeat";
	case WEFT_STORY_WHY_BODY:
		return "its body cannot be sent again";
	case WEFT_STORY_WHY_TRIES:
		return "too many connections ended under it";
	case WEFT_STORY_WHY_LATE:
		return "the server did not answer in time, for the second time";
	case WEFT_STORY_WHY_GIVEN:
		return "the application brought the connection";
	case WEFT_STORY_WHY_BUDGET:
		return "the budget of retries to this place is used up";
	case WEFT_STORY_WHY_SHUTDOWN:
		return "the context is going away";
	}
	return "";
}

static int queued(char *out, size_t room, const struct weft_told *t)
{
	const char *streams = t->a == 1 ? "stream is" : "streams are";
	unsigned long long n = t->number;

	if (t->event == WEFT_STORY_QUEUED_CONNECTING)
		return snprintf(out, room, "queued: a connection is being made, %u %s ahead", t->a,
			streams);
	if (t->event == WEFT_STORY_QUEUED_SHAKING)
		return snprintf(out, room,
			"queued: connection %llu is at its handshake, %u %s ahead", n, t->a,
			streams);
	if (t->b > 1)
		return snprintf(out, room,
			"queued: all %u connections are busy and no more may be made, %u %s ahead",
			t->b, t->a, streams);
	return snprintf(out, room,
		"queued behind connection %llu: it is busy and no more may be made, %u %s ahead", n,
		t->a, streams);
}

static int connected(char *out, size_t room, const struct weft_told *t)
{
	unsigned context = nth_step(t->number, 0), name = nth_step(t->number, 1);
	unsigned connect = nth_step(t->number, 2);
	unsigned version = t->b & 0xffff;
	const char *proxy = t->b & WEFT_STORY_PROXY ? " through the proxy" : "";

	if (!version)
		return snprintf(
			out, room, "connected%s: name %u ms, connect %u ms", proxy, name, connect);
	return snprintf(out, room,
		"connected%s: TLS context %u ms, name %u ms, connect %u ms, handshake %u ms (TLS "
		"1.%u, "
		"%s)",
		proxy, context, name, connect, t->a, version - 0x0301,

		t->b & WEFT_STORY_RESUMED ? "resumed" : "full");
}

static int bound(char *out, size_t room, const struct weft_told *t)
{
	unsigned long long n = t->number;

	if (t->event == WEFT_STORY_BOUND_NEW)
		return snprintf(out, room,
			"sent on connection %llu, made for this, after %u ms in the queue", n,
			t->a);
	if (t->event == WEFT_STORY_BOUND_REUSED)
		return snprintf(out, room,
			"sent on connection %llu, reused: it was idle for %u ms; after %u ms in "
			"the "
			"queue",
			n, t->b, t->a);
	if (t->event == WEFT_STORY_BOUND_COALESCED)
		return snprintf(out, room,
			"sent on connection %llu, another host's with the same address and a "
			"certificate for both, after %u ms in the queue",
			n, t->a);
	return snprintf(out, room,
		"sent on connection %llu, shared with %u %s, after %u ms in the queue", n, t->b,
		t->b == 1 ? "other" : "others", t->a);
}

static int joined(char *out, size_t room, const struct weft_told *t)
{
	char name[sizeof(t->a) + sizeof(t->b) + 1] = "";

	memcpy(name, &t->a, sizeof(t->a));
	memcpy(name + sizeof(t->a), &t->b, sizeof(t->b));
	return snprintf(out, room, "joined as %s stream %llu", name, (unsigned long long)t->number);
}

static int retried(char *out, size_t room, const struct weft_told *t)
{
	const char *word = weft_status_name(t->status);
	unsigned long long n = t->number;

	if (t->event == WEFT_STORY_RETRIED_UNSENT)
		return snprintf(out, room,
			"queued again: connection %llu ended (%s) before anything was sent", n,
			word);
	if (t->event == WEFT_STORY_RETRIED_UNPROCESSED)
		return snprintf(out, room,
			"queued again: on connection %llu the peer said that it did not process "
			"it%s",
			n, t->a ? ", and goes away" : "");
	if (t->event == WEFT_STORY_RETRIED_MISDIRECTED)
		return snprintf(out, room,
			"queued again: connection %llu does not serve this host (421); it gets one "
			"of its own",
			n);
	if (t->event == WEFT_STORY_RETRIED_STALE)
		return snprintf(out, room,
			"queued again: connection %llu was stale (%s), and it is safe to repeat", n,
			word);
	return snprintf(out, room,
		"queued again: connection %llu ended (%s) without an answer, and it is safe to "
		"repeat",
		n, word);
}

static int sentence(char *out, size_t room, const struct weft_told *t)
{
	const char *word = weft_status_name(t->status);
	unsigned long long n = t->number;

	switch ((enum weft_story_event)t->event) {
	case WEFT_STORY_QUEUED_CONNECTING:
	case WEFT_STORY_QUEUED_SHAKING:
	case WEFT_STORY_QUEUED_BUSY:
		return queued(out, room, t);
	case WEFT_STORY_CONN_UP:
		return connected(out, room, t);
	case WEFT_STORY_CONN_FAILED:
		return snprintf(out, room, "connection %llu failed (%s)", n, word);
	case WEFT_STORY_CONN_STALE:
		return snprintf(out, room, "connection %llu was stale (%s): it is replaced", n,
			t->status ? word : "closed by the server");
	case WEFT_STORY_BOUND_NEW:
	case WEFT_STORY_BOUND_REUSED:
	case WEFT_STORY_BOUND_SHARED:
	case WEFT_STORY_BOUND_COALESCED:
		return bound(out, room, t);
	case WEFT_STORY_JOINED:
		return joined(out, room, t);
	case WEFT_STORY_RETRIED_UNSENT:
	case WEFT_STORY_RETRIED_UNPROCESSED:
	case WEFT_STORY_RETRIED_IDEMPOTENT:
	case WEFT_STORY_RETRIED_STALE:
	case WEFT_STORY_RETRIED_MISDIRECTED:
		return retried(out, room, t);
	case WEFT_STORY_NOT_RETRIED:
		return snprintf(out, room, "not tried again (%s): %s", word, why_text(t->a));
	case WEFT_STORY_QUEUE_TIMEOUT:
		return snprintf(out, room, "given up after %u ms in the queue", t->a);
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
		char line[200];

		sentence(line, sizeof(line), &story->told[i]);
		n = snprintf(out + used, out_len - used, "%s+%u ms: %s\n",
			i == WEFT_STORY_MAX - WEFT_STORY_END && story->count > WEFT_STORY_MAX
				? "...\n"
				: "",
			story->told[i].ms, line);
		if (n < 0 || (size_t)n >= out_len - used)
			return out_len - 1;
		used += (size_t)n;
	}
	return used;
}
