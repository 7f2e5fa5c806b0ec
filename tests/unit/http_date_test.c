/* SPDX-License-Identifier: MIT */
/* Reading dates in HTTP's three forms, RFC 9110 section 5.6.7, checked against the system's calendar. */
/* the system's calendar goes beyond 2038 where its time_t has 32 bits, too */
#define _TIME_BITS 64

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "weft/http.h"

enum { NOW = 1795600000 }; /* 2026-11-25 */

/* From a copy without anything behind it, so that a read too far is seen by the sanitiser. */
static bool parse(const char *text, size_t len, int64_t now, int64_t *seconds)
{
	char *copy = malloc(len ? len : 1);
	bool fine;

	assert_non_null(copy);
	if (len)
		memcpy(copy, text, len);
	fine = weft_http_date_parse(copy, len, now, seconds);
	free(copy);
	return fine;
}

static void reads_as(const char *text, int64_t expected)
{
	int64_t seconds = -42;

	if (!parse(text, strlen(text), NOW, &seconds))
		fail_msg("refused: \"%s\"", text);
	if (seconds != expected)
		fail_msg("\"%s\": %lld, expected %lld", text, (long long)seconds,
			(long long)expected);
}

static void all_three_forms_are_read(void **state)
{
	(void)state;
	reads_as("Sun, 06 Nov 1994 08:49:37 GMT", 784111777);
	reads_as("Sunday, 06-Nov-94 08:49:37 GMT", 784111777);
	reads_as("Sun Nov  6 08:49:37 1994", 784111777);
	reads_as("Sun Nov 06 08:49:37 1994", 784111777);
	reads_as("Wed Nov 16 08:49:37 1994", 784975777);
	reads_as("Thu, 01 Jan 1970 00:00:00 GMT", 0);
	reads_as("Wed, 31 Dec 1969 23:59:59 GMT", -1);
	reads_as("Fri, 31 Dec 9999 23:59:59 GMT", 253402300799);
	reads_as("Mon, 01 Jan 0001 00:00:00 GMT", -62135596800);
	reads_as("Tue, 29 Feb 2000 12:00:00 GMT", 951825600);
	reads_as("Wednesday, 31-Dec-25 00:00:00 GMT", 1767139200);
}

static void a_leap_second_is_the_next_second(void **state)
{
	(void)state;
	reads_as("Sat, 31 Dec 2016 23:59:60 GMT", 1483228800);
}

static void the_weekday_need_not_be_right(void **state)
{
	(void)state;
	reads_as("Mon, 06 Nov 1994 08:49:37 GMT", 784111777);
	reads_as("Friday, 06-Nov-94 08:49:37 GMT", 784111777);
	reads_as("Sat Nov  6 08:49:37 1994", 784111777);
}

static void other_forms_are_refused(void **state)
{
	static const char *const bad[] = { "", "S", "Sun", "Sun,", "Sun, ", "0",
		"Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 94 08:49:37 GMT",
		"Sun, 06 nov 1994 08:49:37 GMT", "sun, 06 Nov 1994 08:49:37 GMT",
		"Sun, 06 Nov 1994 08:49:37 gmt", "Sun, 06 Nov 1994 08:49:37 UTC",
		"Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 GMT ",
		" Sun, 06 Nov 1994 08:49:37 GMT", "Sun,06 Nov 1994 08:49:37 GMT",
		"Sun,  06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 8:49:37 GMT",
		"Sun, 06 Nov 1994 24:00:00 GMT", "Sun, 06 Nov 1994 08:60:37 GMT",
		"Sun, 06 Nov 1994 08:49:61 GMT", "Sun, 00 Nov 1994 08:49:37 GMT",
		"Sun, 31 Nov 1994 08:49:37 GMT", "Sun, 29 Feb 1900 08:49:37 GMT",
		"Sun, 29 Feb 2023 08:49:37 GMT", "Sun, 06 Nov 0000 08:49:37 GMT",
		"Sun, 06 Nov +994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 +0000",
		"Sun, 06-Nov-1994 08:49:37 GMT", "Sun, 06-Nov-94 08:49:37 GMT",
		"Sunday, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-1994 08:49:37 GMT",
		"Sunday, 6-Nov-94 08:49:37 GMT", "Sunda, 06-Nov-94 08:49:37 GMT",
		"Sundax, 06-Nov-94 08:49:37 GMT", "Sunday", "Sunday,", "Sunday, ",
		"Sunday 06-Nov-94 08:49:37 GMT", "Sunday, 29-Feb-23 08:49:37 GMT",
		"Xxx, 06 Nov 1994 08:49:37 GMT", "Sun Nov 6 08:49:37 1994",
		"Sun Nov   6 08:49:37 1994", "Sun Nov  6 08:49:37 94",
		"Sun Nov  6 08:49:37 1994 GMT", "Sun Nov  6 08:49:37 1994\n",
		"Sun Nov  0 08:49:37 1994", "784111777", "1994-11-06T08:49:37Z" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		int64_t seconds = -42;

		if (parse(bad[i], strlen(bad[i]), NOW, &seconds))
			fail_msg("taken: \"%s\"", bad[i]);
		assert_int_equal(seconds, -42);
	}
}

static void every_cut_and_every_changed_byte_is_judged_without_reading_on(void **state)
{
	static const char *const good[] = { "Sun, 06 Nov 1994 08:49:37 GMT",
		"Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994" };
	char text[40];
	int64_t seconds;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		size_t len = strlen(good[i]);

		for (size_t cut = 0; cut < len; cut++)
			assert_false(parse(good[i], cut, NOW, &seconds));
		for (size_t at = 0; at < len; at++) {
			memcpy(text, good[i], len);
			for (int c = 0; c < 256; c++) {
				bool digit = c >= '0' && c <= '9';

				text[at] = (char)c;
				/* digits for digits, and an "06" for asctime's " 6", are all that may do */
				if (parse(text, len, NOW, &seconds) && c != good[i][at])
					assert_true(digit);
			}
		}
	}
}

static int64_t year_of(const char *text, int64_t now)
{
	int64_t seconds = 0;
	time_t t;
	struct tm tm;

	assert_true(parse(text, strlen(text), now, &seconds));
	t = (time_t)seconds;
	assert_non_null(gmtime_r(&t, &tm));
	return tm.tm_year + 1900;
}

static void two_digits_of_a_year_lie_within_the_next_fifty(void **state)
{
	const int64_t y1999 = 915148800 + 180 * 86400; /* 1999-06-30 00:00:00 */
	const int64_t y2026 = 1767225600;              /* 2026-01-01 00:00:00 */

	(void)state;
	assert_int_equal(year_of("Sunday, 06-Nov-94 08:49:37 GMT", y2026), 1994);
	assert_int_equal(year_of("Sunday, 06-Nov-00 08:49:37 GMT", y2026), 2000);
	assert_int_equal(year_of("Sunday, 06-Nov-75 08:49:37 GMT", y2026), 2075);
	/* fifty years to the second are not more than fifty */
	assert_int_equal(year_of("Sunday, 01-Jan-76 00:00:00 GMT", y2026), 2076);
	assert_int_equal(year_of("Sunday, 01-Jan-76 00:00:01 GMT", y2026), 1976);
	assert_int_equal(year_of("Sunday, 01-Jan-77 00:00:00 GMT", y2026), 1977);
	/* across the turn of a century */
	assert_int_equal(year_of("Sunday, 06-Nov-20 08:49:37 GMT", y1999), 2020);
	assert_int_equal(year_of("Sunday, 29-Jun-49 00:00:00 GMT", y1999), 2049);
	assert_int_equal(year_of("Sunday, 01-Jul-49 00:00:00 GMT", y1999), 1949);
	assert_int_equal(year_of("Sunday, 06-Nov-99 08:49:37 GMT", y1999), 1999);
	/* a clock that was never set, or is beyond all reason */
	assert_int_equal(year_of("Sunday, 06-Nov-94 08:49:37 GMT", -5), 1994);
	assert_int_equal(year_of("Sunday, 06-Nov-26 08:49:37 GMT", INT64_MIN), 1926);
	assert_int_equal(year_of("Sunday, 06-Nov-26 08:49:37 GMT", INT64_MAX), 9926);
	/* the leap day is judged in the year that was chosen */
	assert_int_equal(year_of("Tuesday, 29-Feb-00 08:49:37 GMT", y2026), 2000);
}

static void dates_written_are_read_back(void **state)
{
	static const char *const days[] = { "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday",
		"Friday", "Saturday" };
	char text[64];
	struct tm tm;

	(void)state;
	for (int64_t t = 0; t < 4102444800; t += 86400 * 3 + 12347) {
		time_t now = (time_t)t;

		weft_http_date(t, text);
		reads_as(text, t);
		assert_non_null(gmtime_r(&now, &tm));
		assert_int_not_equal(strftime(text, sizeof(text), "%a %b %e %H:%M:%S %Y", &tm), 0);
		reads_as(text, t);
		if (t < NOW - 49LL * 31557600 || t > NOW + 49LL * 31557600)
			continue;
		snprintf(text, sizeof(text), "%s, ", days[tm.tm_wday]);
		assert_int_not_equal(
			strftime(text + strlen(text), 32, "%d-%b-%y %H:%M:%S GMT", &tm), 0);
		reads_as(text, t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_three_forms_are_read),
		cmocka_unit_test(a_leap_second_is_the_next_second),
		cmocka_unit_test(the_weekday_need_not_be_right),
		cmocka_unit_test(other_forms_are_refused),
		cmocka_unit_test(every_cut_and_every_changed_byte_is_judged_without_reading_on),
		cmocka_unit_test(two_digits_of_a_year_lie_within_the_next_fifty),
		cmocka_unit_test(dates_written_are_read_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
