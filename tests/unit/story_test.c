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

static void each_event_has_its_sentence(void **state)
{
	static const struct {
		enum weft_story_event event;
		const char *sentence;
	} cases[] = {
		{ WEFT_STORY_QUEUED_CONNECTING,
			"queued: a connection is being made, 7 streams are ahead" },
		{ WEFT_STORY_QUEUED_BUSY,
			"queued: every connection is busy and no more may be made, 7 streams are "
			"ahead" },
		{ WEFT_STORY_BOUND_NEW, "sent on connection 7, made for this" },
		{ WEFT_STORY_BOUND_REUSED, "sent on connection 7, reused" },
		{ WEFT_STORY_CONN_FAILED, "connection 7 failed (refused)" },
		{ WEFT_STORY_RETRIED_UNSENT,
			"queued again: connection 7 ended (refused) before anything was sent" },
		{ WEFT_STORY_RETRIED_UNPROCESSED,
			"queued again: on connection 7 the peer said that it did not process it" },
		{ WEFT_STORY_RETRIED_IDEMPOTENT,
			"queued again: connection 7 ended (refused) without an answer, and the "
			"method is idempotent" },
		{ WEFT_STORY_NOT_RETRIED, "not tried again: refused" },
		{ WEFT_STORY_DONE, "complete" },
		{ WEFT_STORY_FAILED, "failed (refused)" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct weft_story story = { .count = 0 };
		char out[256], line[256];

		weft_story_add(&story, cases[i].event, 1999, WEFT_ERR_REFUSED, 7);
		snprintf(line, sizeof(line), "+1 ms: %s\n", cases[i].sentence);
		assert_int_equal(weft_story_tell(&story, out, sizeof(out)), strlen(line));
		assert_string_equal(out, line);
	}
}

static void events_are_told_in_order(void **state)
{
	struct weft_story story = { .count = 0 };
	char out[256];

	(void)state;
	assert_int_equal(weft_story_tell(&story, out, sizeof(out)), 0);
	assert_string_equal(out, "");
	weft_story_add(&story, WEFT_STORY_QUEUED_CONNECTING, 0, WEFT_OK, 0);
	weft_story_add(&story, WEFT_STORY_BOUND_REUSED, 5000, WEFT_OK, 3);
	weft_story_add(&story, WEFT_STORY_DONE, 12345678, WEFT_OK, 0);
	weft_story_tell(&story, out, sizeof(out));
	assert_string_equal(out, "+0 ms: queued: a connection is being made, 0 streams are ahead\n"
				 "+5 ms: sent on connection 3, reused\n"
				 "+12345 ms: complete\n");
}

static void largest_numbers_are_told(void **state)
{
	struct weft_story story = { .count = 0 };
	char out[512];

	(void)state;
	weft_story_add(&story, WEFT_STORY_RETRIED_IDEMPOTENT, UINT64_MAX, WEFT_ERR_NOT_REPLAYABLE,
		UINT64_MAX);
	weft_story_tell(&story, out, sizeof(out));
	assert_string_equal(out,
		"+4294967295 ms: queued again: connection 18446744073709551615 ended "
		"(not_replayable) without an answer, and the method is idempotent\n");
}

/* Of a long story the beginning and the end are kept. */
static void long_story_leaves_out_the_middle(void **state)
{
	struct weft_story story = { .count = 0 };
	char out[2048], expected[2048] = "";
	size_t len = 0;

	(void)state;
	for (unsigned i = 0; i < WEFT_STORY_MAX - 1; i++) {
		weft_story_add(&story, WEFT_STORY_BOUND_NEW, i * 1000, WEFT_OK, i);
		len += (size_t)snprintf(expected + len, sizeof(expected) - len,
			"+%u ms: sent on connection %u, made for this\n", i, i);
	}
	weft_story_add(&story, WEFT_STORY_BOUND_REUSED, 50000, WEFT_OK, 50);
	snprintf(expected + len, sizeof(expected) - len, "+50 ms: sent on connection 50, reused\n");
	weft_story_tell(&story, out, sizeof(out));
	assert_string_equal(out, expected);
	for (unsigned i = 0; i < 1000; i++)
		weft_story_add(&story, WEFT_STORY_BOUND_REUSED, 60000, WEFT_OK, i);
	weft_story_add(&story, WEFT_STORY_FAILED, 70000, WEFT_ERR_TIMEOUT, 0);
	snprintf(expected + len, sizeof(expected) - len, "...\n+70 ms: failed (timeout)\n");
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
		weft_story_add(&story, WEFT_STORY_CONN_FAILED, 1000, WEFT_ERR_RESET, i);
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
		cmocka_unit_test(events_are_told_in_order),
		cmocka_unit_test(largest_numbers_are_told),
		cmocka_unit_test(long_story_leaves_out_the_middle),
		cmocka_unit_test(text_is_cut_to_the_room),
	};

	return cmocka_run_group_tests_name("story", tests, NULL, NULL);
}
