/* SPDX-License-Identifier: MIT */
/* What happened to a stream, in sentences. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/stream/story.h"

static const struct weft_told some = { .status = WEFT_ERR_REFUSED, .a = 3, .b = 9, .number = 7 };

/* What one event with these numbers is told as. */
static void expect(struct weft_told told, const char *sentence)
{
	struct weft_story story = { .count = 0 };
	char out[256], line[256];

	weft_story_add(&story, 1999, told);
	snprintf(line, sizeof(line), "+1 ms: %s\n", sentence);
	assert_int_equal(weft_story_tell(&story, out, sizeof(out)), strlen(line));
	assert_string_equal(out, line);
}

static void each_event_has_its_sentence(void **state)
{
	static const struct {
		enum weft_story_event event;
		const char *sentence;
	} cases[] = {
		{ WEFT_STORY_QUEUED_CONNECTING,
			"queued: a connection is being made, 3 streams are ahead" },
		{ WEFT_STORY_QUEUED_SHAKING,
			"queued: connection 7 is at its handshake, 3 streams are ahead" },
		{ WEFT_STORY_QUEUED_BUSY,
			"queued: all 9 connections are busy and no more may be made, 3 streams are "
			"ahead" },
		{ WEFT_STORY_CONN_FAILED, "connection 7 failed (refused)" },
		{ WEFT_STORY_CONN_STALE, "connection 7 was stale (refused): it is replaced" },
		{ WEFT_STORY_BOUND_NEW,
			"sent on connection 7, made for this, after 3 ms in the queue" },
		{ WEFT_STORY_BOUND_REUSED,
			"sent on connection 7, reused: it was idle for 9 ms; after 3 ms in the "
			"queue" },
		{ WEFT_STORY_BOUND_SHARED,
			"sent on connection 7, shared with 9 others, after 3 ms in the queue" },
		{ WEFT_STORY_RETRIED_UNSENT,
			"queued again: connection 7 ended (refused) before anything was sent" },
		{ WEFT_STORY_RETRIED_UNPROCESSED,
			"queued again: on connection 7 the peer said that it did not process it, "
			"and goes away" },
		{ WEFT_STORY_RETRIED_IDEMPOTENT,
			"queued again: connection 7 ended (refused) without an answer, and it is "
			"safe to repeat" },
		{ WEFT_STORY_RETRIED_STALE,
			"queued again: connection 7 was stale (refused), and it is safe to "
			"repeat" },
		{ WEFT_STORY_QUEUE_TIMEOUT, "given up after 3 ms in the queue" },
		{ WEFT_STORY_DONE, "complete" },
		{ WEFT_STORY_FAILED, "failed (refused)" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct weft_told told = some;

		told.event = (unsigned char)cases[i].event;
		expect(told, cases[i].sentence);
	}
}

static void what_the_protocol_calls_it_is_told(void **state)
{
	struct weft_told told = { .event = WEFT_STORY_JOINED, .number = 7 };

	(void)state;
	memcpy(&told.a, "h2\0", sizeof(told.a));
	expect(told, "joined as h2 stream 7");
	memcpy(&told.a, "long", sizeof(told.a));
	memcpy(&told.b, "name", sizeof(told.b));
	expect(told, "joined as longname stream 7");
}

static void each_reason_not_to_try_again_is_told(void **state)
{
	static const char *const reasons[] = {
		"another connection would not help",
		"the response had begun",
		"the server may have acted on it, and it is not safe to repeat",
		"its body cannot be sent again",
		"too many connections ended under it",
		"the server did not answer in time, for the second time",
		"the application brought the connection",
		"the budget of retries to this place is used up",
		"the context is going away",
	};
	char line[160];

	(void)state;
	for (unsigned i = 0; i < sizeof(reasons) / sizeof(*reasons); i++) {
		snprintf(line, sizeof(line), "not tried again (refused): %s", reasons[i]);
		expect((struct weft_told){ .event = WEFT_STORY_NOT_RETRIED,
			       .status = WEFT_ERR_REFUSED,
			       .a = i },
			line);
	}
}

static void numbers_and_facts_are_told_as_they_are(void **state)
{
	(void)state;
	expect((struct weft_told){ .event = WEFT_STORY_QUEUED_BUSY, .a = 1, .b = 1, .number = 4 },
		"queued behind connection 4: it is busy and no more may be made, 1 stream is "
		"ahead");
	expect((struct weft_told){ .event = WEFT_STORY_BOUND_SHARED, .a = 2, .b = 1, .number = 4 },
		"sent on connection 4, shared with 1 other, after 2 ms in the queue");
	expect((struct weft_told){ .event = WEFT_STORY_RETRIED_UNPROCESSED, .number = 4 },
		"queued again: on connection 4 the peer said that it did not process it");
	expect((struct weft_told){ .event = WEFT_STORY_CONN_STALE, .number = 4 },
		"connection 4 was stale (closed by the server): it is replaced");
	expect((struct weft_told){ .event = WEFT_STORY_CONN_UP,
		       .number = weft_story_steps(3, 1, 2) },
		"connected: name 1 ms, connect 2 ms");
	expect((struct weft_told){ .event = WEFT_STORY_CONN_UP,
		       .a = 3,
		       .b = 0x0304,
		       .number = weft_story_steps(UINT32_MAX, 4, 5) },
		"connected: TLS context 2097151 ms, name 4 ms, connect 5 ms, handshake 3 ms (TLS "
		"1.3, full)");
	expect(
		(struct weft_told){
			.event = WEFT_STORY_CONN_UP, .a = 3, .b = 0x0303 | WEFT_STORY_RESUMED },
		"connected: TLS context 0 ms, name 0 ms, connect 0 ms, handshake 3 ms (TLS 1.2, "
		"resumed)");
	expect((struct weft_told){ .event = WEFT_STORY_CONN_UP, .b = WEFT_STORY_PROXY },
		"connected through the proxy: name 0 ms, connect 0 ms");
	expect((struct weft_told){ .event = WEFT_STORY_CONN_UP,
		       .b = 0x0304 | WEFT_STORY_PROXY | WEFT_STORY_RESUMED },
		"connected through the proxy: TLS context 0 ms, name 0 ms, connect 0 ms, handshake "
		"0 ms (TLS 1.3, resumed)");
}

static struct weft_told event(enum weft_story_event event, uint64_t number)
{
	return (struct weft_told){ .event = (unsigned char)event, .number = number };
}

static void events_are_told_in_order(void **state)
{
	struct weft_story story = { .count = 0 };
	char out[256];

	(void)state;
	assert_int_equal(weft_story_tell(&story, out, sizeof(out)), 0);
	assert_string_equal(out, "");
	weft_story_add(&story, 0, event(WEFT_STORY_QUEUED_CONNECTING, 0));
	weft_story_add(&story, 5000, event(WEFT_STORY_CONN_STALE, 3));
	weft_story_add(&story, 12345678, event(WEFT_STORY_DONE, 0));
	weft_story_tell(&story, out, sizeof(out));
	assert_string_equal(out, "+0 ms: queued: a connection is being made, 0 streams are ahead\n"
				 "+5 ms: connection 3 was stale (closed by the server): it is "
				 "replaced\n"
				 "+12345 ms: complete\n");
}

static void largest_numbers_are_told(void **state)
{
	struct weft_told told = {
		.event = WEFT_STORY_BOUND_REUSED,
		.a = UINT32_MAX,
		.b = UINT32_MAX,
		.number = UINT64_MAX,
	};
	struct weft_story story = { .count = 0 };
	char out[512];

	(void)state;
	weft_story_add(&story, UINT64_MAX, told);
	weft_story_tell(&story, out, sizeof(out));
	assert_string_equal(out,
		"+4294967295 ms: sent on connection 18446744073709551615, reused: it was idle for "
		"4294967295 ms; after 4294967295 ms in the queue\n");
	story.count = 0;
	told.event = WEFT_STORY_RETRIED_IDEMPOTENT;
	told.status = WEFT_ERR_NOT_REPLAYABLE;
	weft_story_add(&story, UINT64_MAX, told);
	weft_story_tell(&story, out, sizeof(out));
	assert_string_equal(out,
		"+4294967295 ms: queued again: connection 18446744073709551615 ended "
		"(not_replayable) without an answer, and it is safe to repeat\n");
}

/* Of a long story the beginning and the end are kept. */
static void long_story_leaves_out_the_middle(void **state)
{
	struct weft_story story = { .count = 0 };
	char out[2048], expected[2048] = "";
	size_t len = 0, cut = 0;

	(void)state;
	for (unsigned i = 0; i < WEFT_STORY_MAX; i++) {
		weft_story_add(&story, i * 1000, event(WEFT_STORY_CONN_FAILED, i));
		if (i == WEFT_STORY_MAX - WEFT_STORY_END)
			cut = len;
		len += (size_t)snprintf(expected + len, sizeof(expected) - len,
			"+%u ms: connection %u failed (ok)\n", i, i);
	}
	weft_story_tell(&story, out, sizeof(out));
	assert_string_equal(out, expected);
	for (unsigned i = 0; i < 1000; i++)
		weft_story_add(&story, 60000, event(WEFT_STORY_CONN_FAILED, i));
	weft_story_add(&story, 70000,
		(struct weft_told){ .event = WEFT_STORY_FAILED, .status = WEFT_ERR_TIMEOUT });
	snprintf(expected + cut, sizeof(expected) - cut,
		"...\n+60 ms: connection 997 failed (ok)\n+60 ms: connection 998 failed (ok)\n"
		"+60 ms: connection 999 failed (ok)\n+70 ms: failed (timeout)\n");
	assert_int_equal(weft_story_tell(&story, out, sizeof(out)), strlen(expected));
	assert_string_equal(out, expected);
}

static void text_is_cut_to_the_room(void **state)
{
	struct weft_story story = { .count = 0 };
	char all[2048];
	size_t len;

	(void)state;
	for (unsigned i = 0; i < WEFT_STORY_MAX + 2; i++)
		weft_story_add(&story, 1000, event(WEFT_STORY_CONN_FAILED, i));
	len = weft_story_tell(&story, all, sizeof(all));
	assert_int_equal(len, strlen(all));
	for (size_t room = 1; room <= len + 1; room++) {
		char *out = malloc(room);

		assert_non_null(out);
		assert_int_equal(weft_story_tell(&story, out, room), room - 1);
		assert_int_equal(strlen(out), room - 1);
		assert_memory_equal(out, all, room - 1);
		free(out);
	}
	assert_int_equal(weft_story_tell(&story, NULL, 0), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_event_has_its_sentence),
		cmocka_unit_test(what_the_protocol_calls_it_is_told),
		cmocka_unit_test(each_reason_not_to_try_again_is_told),
		cmocka_unit_test(numbers_and_facts_are_told_as_they_are),
		cmocka_unit_test(events_are_told_in_order),
		cmocka_unit_test(largest_numbers_are_told),
		cmocka_unit_test(long_story_leaves_out_the_middle),
		cmocka_unit_test(text_is_cut_to_the_room),
	};

	return cmocka_run_group_tests_name("story", tests, NULL, NULL);
}
