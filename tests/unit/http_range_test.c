/* SPDX-License-Identifier: MIT */
/* Range fields: RFC 9110 section 14. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "roles/http/range.h"

/* The ranges as "first+len first+len", "whole", or "none". */
static const char *told(const char *text, uint64_t size)
{
	static char out[1024];
	struct weft_http_range r[WEFT_HTTP_RANGES_MAX];
	size_t count, used = 0;

	switch (weft_http_ranges(text, strlen(text), size, r, &count)) {
	case WEFT_HTTP_RANGES_IGNORED:
		assert_int_equal(count, 0);
		return "whole";
	case WEFT_HTTP_RANGES_UNSATISFIABLE:
		assert_int_equal(count, 0);
		return "none";
	default:
		break;
	}
	assert_in_range(count, 1, WEFT_HTTP_RANGES_MAX);
	for (size_t i = 0; i < count; i++)
		used += (size_t)snprintf(out + used, sizeof(out) - used, "%s%llu+%llu",
			i ? " " : "", (unsigned long long)r[i].first, (unsigned long long)r[i].len);
	return out;
}

struct range_case {
	const char *text, *expected;
};

static void check(const struct range_case *cases, size_t count, uint64_t size)
{
	for (size_t i = 0; i < count; i++) {
		const char *got = told(cases[i].text, size);

		if (strcmp(got, cases[i].expected))
			fail_msg("\"%s\" of %llu: %s, expected %s", cases[i].text,
				(unsigned long long)size, got, cases[i].expected);
	}
}

#define CHECK(cases, size) check(cases, sizeof(cases) / sizeof(*(cases)), size)

static void single_ranges(void **state)
{
	static const struct range_case cases[] = {
		{ "bytes=0-0", "0+1" },
		{ "bytes=0-499", "0+500" },
		{ "bytes=500-999", "500+500" },
		{ "bytes=500-", "500+500" },
		{ "bytes=-500", "500+500" },
		{ "bytes=-1", "999+1" },
		{ "bytes=999-", "999+1" },
		{ "bytes=900-5000", "900+100" },
		{ "bytes=-5000", "0+1000" },
		{ "bytes=0-", "0+1000" },
		{ "BYTES=1-2", "1+2" },
		{ "bytes= 1-2", "1+2" },
		{ "bytes=,1-2,", "1+2" },
		{ "bytes=007-8", "7+2" },
		{ "bytes=0-99999999999999999999999999", "0+1000" },
		{ "bytes=-99999999999999999999999999", "0+1000" },
	};

	(void)state;
	CHECK(cases, 1000);
}

static void what_cannot_be_satisfied(void **state)
{
	static const struct range_case cases[] = {
		{ "bytes=1000-", "none" },
		{ "bytes=1000-1001", "none" },
		{ "bytes=-0", "none" },
		{ "bytes=1000-,-0,5000-6000", "none" },
		{ "bytes=99999999999999999999999999-", "none" },
		{ "bytes=1000-,5-6", "5+2" },
	};
	static const struct range_case empty[] = {
		{ "bytes=0-", "none" },
		{ "bytes=0-0", "none" },
		{ "bytes=-1", "none" },
	};

	(void)state;
	CHECK(cases, 1000);
	CHECK(empty, 0);
}

static void what_is_no_range_is_ignored(void **state)
{
	static const struct range_case cases[] = {
		{ "", "whole" },
		{ "bytes", "whole" },
		{ "bytes=", "whole" },
		{ "bytes=,", "whole" },
		{ "bytes=-", "whole" },
		{ "bytes=a-b", "whole" },
		{ "bytes=5", "whole" },
		{ "bytes=5-4", "whole" },
		{ "bytes=1-2-3", "whole" },
		{ "bytes=1 - 2", "whole" },
		{ "bytes=--2", "whole" },
		{ "bytes=+1-2", "whole" },
		{ "bytes=1-2;3-4", "whole" },
		{ "bytes=1-2,x", "whole" },
		{ "bytes=1-2,5-4", "whole" },
		{ "bytes 1-2", "whole" },
		{ "lines=1-2", "whole" },
		{ "bytes =1-2", "whole" },
	};

	(void)state;
	CHECK(cases, 1000);
}

static void several_come_in_their_order(void **state)
{
	static const struct range_case cases[] = {
		{ "bytes=0-9,500-509", "0+10 500+10" },
		{ "bytes=500-509, 0-9", "500+10 0+10" },
		{ "bytes=0-9 ,\t-10", "0+10 990+10" },
		/* overlaps, neighbours and little gaps */
		{ "bytes=0-9,5-14", "0+15" },
		{ "bytes=5-14,0-9", "0+15" },
		{ "bytes=0-9,10-19", "0+20" },
		{ "bytes=0-9,50-59", "0+60" },
		{ "bytes=0-9,89-99", "0+100" },
		{ "bytes=0-9,91-99", "0+10 91+9" },
		{ "bytes=0-,-1", "0+1000" },
		{ "bytes=0-0,0-0,0-0", "0+1" },
		/* one that brings others together keeps the first's place */
		{ "bytes=800-809,0-9,200-209,5-205", "800+10 0+210" },
		{ "bytes=0-9,200-209,800-809,100-150", "0+10 100+110 800+10" },
		{ "bytes=0-9,400-409,800-809,0-", "0+1000" },
	};

	(void)state;
	CHECK(cases, 1000);
}

static void there_are_sixteen_at_most(void **state)
{
	char text[1024] = "bytes=";
	struct weft_http_range r[WEFT_HTTP_RANGES_MAX];
	size_t count;

	(void)state;
	for (unsigned i = 0; i < 16; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%u-%u,", i * 1000,
			i * 1000 + 1);
	assert_int_equal(
		weft_http_ranges(text, strlen(text), 100000, r, &count), WEFT_HTTP_RANGES_SOME);
	assert_int_equal(count, 16);
	strcat(text, "20000-20001");
	assert_string_equal(told(text, 100000), "whole");
	/* those that are united, or cannot be satisfied, count as well: it is the asking that costs */
	strcpy(text, "bytes=0-0");
	for (unsigned i = 0; i < 16; i++)
		strcat(text, ",0-0");
	assert_string_equal(told(text, 100000), "whole");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(single_ranges),
		cmocka_unit_test(what_cannot_be_satisfied),
		cmocka_unit_test(what_is_no_range_is_ignored),
		cmocka_unit_test(several_come_in_their_order),
		cmocka_unit_test(there_are_sixteen_at_most),
	};

	return cmocka_run_group_tests_name("http range", tests, NULL, NULL);
}
