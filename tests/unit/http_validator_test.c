/* SPDX-License-Identifier: MIT */
/* Entity tags and conditional requests: RFC 9110 sections 8.8.3, 13. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "roles/http/validator.h"
#include "weft/http.h"

static void tags_are_quoted_numbers(void **state)
{
	char etag[WEFT_HTTP_ETAG_MAX];

	(void)state;
	weft_http_etag(etag, false, 1, 0xab, 0xc, "");
	assert_string_equal(etag, "\"1-ab-c\"");
	weft_http_etag(etag, true, UINT64_MAX, UINT64_MAX, UINT64_MAX, "-gz");
	assert_string_equal(etag, "W/\"ffffffffffffffff-ffffffffffffffff-ffffffffffffffff-gz\"");
}

static void lists_of_tags(void **state)
{
	static const struct {
		const char *list, *etag;
		bool strongly, weakly;
	} cases[] = {
		{ "*", "\"a\"", true, true },
		{ "*", "W/\"a\"", true, true },
		{ "\"a\"", "\"a\"", true, true },
		{ "W/\"a\"", "\"a\"", false, true },
		{ "\"a\"", "W/\"a\"", false, true },
		{ "W/\"a\"", "W/\"a\"", false, true },
		{ "\"b\"", "\"a\"", false, false },
		{ "\"a,\", \"b\"", "\"b\"", true, true },
		{ "\"x\", \"a,b\" ,\"c\"", "\"a,b\"", true, true },
		{ "\"x,\"a\"", "\"a\"", false, false }, /* the comma is the tag's */
		{ ",,\"a\",,", "\"a\"", true, true },
		{ "\"\"", "\"\"", true, true },
		{ "", "\"a\"", false, false },
		{ "a", "\"a\"", false, false },
		{ "\"a", "\"a\"", false, false },
		{ "\"a\" \"b\"", "\"a\"", false, false },
		{ "\"a\", b", "\"a\"", false, false },
		{ "w/\"a\"", "\"a\"", false, false },
		{ "W/ \"a\"", "\"a\"", false, false },
		{ "\"a b\"", "\"a b\"", false, false },
		{ "*, \"a\"", "\"a\"", false, false },
		{ "W/", "\"a\"", false, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		size_t len = strlen(cases[i].list);

		if (weft_http_etag_listed(cases[i].list, len, cases[i].etag, false) !=
				cases[i].strongly ||
			weft_http_etag_listed(cases[i].list, len, cases[i].etag, true) !=
				cases[i].weakly)
			fail_msg("%s in %s", cases[i].etag, cases[i].list);
	}
}

/* ---- conditions; the representation is "now", of 2021-11-10 10:00:00 ---- */

#define BEFORE "Wed, 10 Nov 2021 09:59:59 GMT"
#define SAME "Wed, 10 Nov 2021 10:00:00 GMT"
#define AFTER "Wed, 10 Nov 2021 10:00:01 GMT"

enum { GO = WEFT_HTTP_GO_ON, NM = WEFT_HTTP_NOT_MODIFIED, PF = WEFT_HTTP_PRECONDITION_FAILED };

static void preconditions_in_their_order(void **state)
{
	static const struct {
		const char *match, *unmodified, *none, *modified;
		int expected;
	} cases[] = {
		{ NULL, NULL, NULL, NULL, GO },
		{ "\"now\"", NULL, NULL, NULL, GO },
		{ "\"old\", \"now\"", NULL, NULL, NULL, GO },
		{ "*", NULL, NULL, NULL, GO },
		{ "\"old\"", NULL, NULL, NULL, PF },
		{ "W/\"now\"", NULL, NULL, NULL, PF }, /* strong comparison */
		{ "nonsense", NULL, NULL, NULL, PF },
		{ NULL, BEFORE, NULL, NULL, PF },
		{ NULL, SAME, NULL, NULL, GO },
		{ NULL, AFTER, NULL, NULL, GO },
		{ NULL, "nonsense", NULL, NULL, GO },
		/* If-Match stands before If-Unmodified-Since */
		{ "\"now\"", BEFORE, NULL, NULL, GO },
		{ "\"old\"", AFTER, NULL, NULL, PF },
		{ NULL, NULL, "\"now\"", NULL, NM },
		{ NULL, NULL, "W/\"now\"", NULL, NM }, /* weak comparison */
		{ NULL, NULL, "\"x\", \"now\"", NULL, NM },
		{ NULL, NULL, "*", NULL, NM },
		{ NULL, NULL, "\"old\"", NULL, GO },
		{ NULL, NULL, "nonsense", NULL, GO },
		{ NULL, NULL, NULL, BEFORE, GO },
		{ NULL, NULL, NULL, SAME, NM },
		{ NULL, NULL, NULL, AFTER, NM },
		{ NULL, NULL, NULL, "nonsense", GO },
		/* If-None-Match stands before If-Modified-Since */
		{ NULL, NULL, "\"old\"", AFTER, GO },
		{ NULL, NULL, "\"now\"", BEFORE, NM },
		/* and what fails stands before what was not modified */
		{ "\"old\"", NULL, "\"now\"", AFTER, PF },
		{ "\"now\"", NULL, "\"now\"", NULL, NM },
		{ NULL, BEFORE, "\"now\"", AFTER, PF },
		{ NULL, AFTER, NULL, AFTER, NM },
		/* the other two forms of a date */
		{ NULL, NULL, NULL, "Wednesday, 10-Nov-21 10:00:00 GMT", NM },
		{ NULL, NULL, NULL, "Wed Nov 10 10:00:00 2021", NM },
		{ NULL, NULL, NULL, "Wed Nov 10 09:59:59 2021", GO },
	};
	static const char *const names[] = { "if-match", "if-unmodified-since", "if-none-match",
		"if-modified-since" };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const char *const values[] = { cases[i].match, cases[i].unmodified, cases[i].none,
			cases[i].modified };
		const struct weft_http_validator v = { "\"now\"", 1636538400, 1764000000 };
		struct weft_field fields[4];
		struct weft_head head = { .fields = fields };
		int got;

		for (unsigned f = 0; f < 4; f++) {
			if (values[f])
				fields[head.field_count++] = weft_field(names[f], values[f]);
		}
		got = (int)weft_http_preconditions(&head, &v);
		if (got != cases[i].expected)
			fail_msg("case %zu: %d, expected %d", i, got, cases[i].expected);
	}
}

static void a_list_may_come_in_several_fields(void **state)
{
	const struct weft_http_validator v = { "\"now\"", 1636538400, 1764000000 };
	struct weft_field fields[2] = { weft_field("if-none-match", "\"a\""),
		weft_field("if-none-match", "\"now\"") };
	struct weft_head head = { .fields = fields, .field_count = 2 };

	(void)state;
	assert_int_equal(weft_http_preconditions(&head, &v), NM);
	fields[0].name = fields[1].name = "if-match";
	fields[0].name_len = fields[1].name_len = strlen("if-match");
	assert_int_equal(weft_http_preconditions(&head, &v), GO);
}

static void if_range_by_tag_and_by_date(void **state)
{
	static const struct {
		const char *value, *etag;
		int64_t now;
		bool met;
	} cases[] = {
		{ "\"now\"", "\"now\"", 1764000000, true },
		{ "\"old\"", "\"now\"", 1764000000, false },
		{ "W/\"now\"", "\"now\"", 1764000000, false },
		{ "W/\"now\"", "W/\"now\"", 1764000000, false },
		{ "\"now\"", "W/\"now\"", 1764000000, false },
		{ "\"old\", \"now\"", "\"now\"", 1764000000, false }, /* it is no list */
		{ "*", "\"now\"", 1764000000, false },
		{ SAME, "\"now\"", 1764000000, true },
		{ BEFORE, "\"now\"", 1764000000, false },
		{ AFTER, "\"now\"", 1764000000, false },
		{ SAME, "\"now\"", 1636538400, false }, /* it may change again in this second */
		{ "nonsense", "\"now\"", 1764000000, false },
	};
	struct weft_head head = { .field_count = 0 };
	struct weft_http_validator v = { "\"now\"", 1636538400, 1764000000 };

	(void)state;
	assert_true(weft_http_if_range(&head, &v));
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct weft_field field = weft_field("if-range", cases[i].value);

		head.fields = &field;
		head.field_count = 1;
		strcpy(v.etag, cases[i].etag);
		v.now = cases[i].now;
		if (weft_http_if_range(&head, &v) != cases[i].met)
			fail_msg("If-Range: %s", cases[i].value);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(tags_are_quoted_numbers),
		cmocka_unit_test(lists_of_tags),
		cmocka_unit_test(preconditions_in_their_order),
		cmocka_unit_test(a_list_may_come_in_several_fields),
		cmocka_unit_test(if_range_by_tag_and_by_date),
	};

	return cmocka_run_group_tests_name("http validator", tests, NULL, NULL);
}
