/* SPDX-License-Identifier: MIT */
/*
 * All ways to measure a run against the table: every byte at every place of every length, against the end
 * of a page behind which nothing may be read, and before the beginning of which nothing either.
 */
#define _GNU_SOURCE 1
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "roles/http/chars.h"
#include "roles/http/run.h"

enum { LEN_MAX = 130 };

static unsigned char *page; /* between two that may not be touched */
static size_t page_len;

static int make_page(void **state)
{
	unsigned char *all;

	(void)state;
	page_len = (size_t)sysconf(_SC_PAGESIZE);
	all = mmap(NULL, page_len * 3, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (all == MAP_FAILED)
		return -1;
	page = all + page_len;
	return mprotect(all, page_len, PROT_NONE) || mprotect(page + page_len, page_len, PROT_NONE);
}

static int drop_page(void **state)
{
	(void)state;
	return munmap(page - page_len, page_len * 3);
}

static size_t expected(const unsigned char *p, size_t len, unsigned class)
{
	size_t i = 0;

	while (i < len && weft_http_is(p[i], class))
		i++;
	return i;
}

static void one(const char *name, const char *what, size_t got, size_t want, size_t len)
{
	if (got != want)
		fail_msg("%s, %s: a run of %zu in %zu bytes, expected %zu", name, what, got, len,
			want);
}

static void agree(const unsigned char *p, size_t len)
{
	const size_t value = expected(p, len, WEFT_HTTP_VALUE);
	const size_t token = expected(p, len, WEFT_HTTP_TOKEN);
	const size_t target = expected(p, len, WEFT_HTTP_TARGET);

	for (size_t i = 0; i < weft_http_runner_count; i++) {
		const struct weft_http_runner *r = weft_http_runners[i];

		one(r->name, "value", r->value(p, len), value, len);
		one(r->name, "token", r->token(p, len), token, len);
		one(r->name, "target", r->target(p, len), target, len);
	}
	one("in use", "value", weft_http_run(p, len), value, len);
	one("in use", "token", weft_http_run_token(p, len), token, len);
	one("in use", "target", weft_http_run_target(p, len), target, len);
}

static void at_the_pages_end(const unsigned char *text, size_t len)
{
	unsigned char *p = page + page_len - len;

	memcpy(p, text, len);
	agree(p, len);
}

static void there_is_more_than_one_way(void **state)
{
	(void)state;
	assert_true(weft_http_runner_count >= 2);
	assert_string_equal(weft_http_runners[weft_http_runner_count - 1]->name, "the table");
}

static void every_byte_is_judged_at_every_place(void **state)
{
	unsigned char text[LEN_MAX];

	(void)state;
	memset(text, 'a', sizeof(text));
	for (size_t len = 0; len <= LEN_MAX; len++) {
		for (size_t at = 0; at < len; at++) {
			for (unsigned c = 0; c < 256; c++) {
				text[at] = (unsigned char)c;
				at_the_pages_end(text, len);
			}
			text[at] = 'a';
		}
	}
}

static void the_first_of_several_stops_the_run(void **state)
{
	unsigned char text[48];

	(void)state;
	for (size_t at = 0; at < sizeof(text); at++) {
		memset(text, '-', sizeof(text));
		for (unsigned c = 0; c < 256; c++) {
			/* what follows, whatever it is, must not hide it */
			memset(text + at, (int)c, sizeof(text) - at);
			at_the_pages_end(text, sizeof(text));
			if (at + 1 < sizeof(text))
				text[at + 1] = (unsigned char)(c ^ 0x80);
			at_the_pages_end(text, sizeof(text));
		}
	}
}

static void every_alignment_gives_the_same(void **state)
{
	(void)state;
	for (size_t from = 0; from < 64; from++) {
		for (size_t len = 0; len <= LEN_MAX; len++) {
			/* valid bytes all around: the length alone ends the run */
			memset(page, 'x', 4 * LEN_MAX);
			agree(page + from, len);
			page[from + len] = '\r';
			agree(page + from, len + 1);
			if (len) {
				page[from + len - 1] = 0x7f;
				agree(page + from, len);
			}
		}
	}
}

static void random_bytes_give_the_same(void **state)
{
	unsigned char text[LEN_MAX];
	uint32_t seed = 20261125;

	(void)state;
	for (unsigned round = 0; round < 200000; round++) {
		size_t len = (seed >> 8) % (LEN_MAX + 1);

		for (size_t i = 0; i < len; i++) {
			seed = seed * 1664525 + 1013904223;
			/* mostly good ones, or the runs would be short */
			text[i] = (unsigned char)((seed >> 28) ? 0x21 + (seed >> 16) % 0x5e
							       : seed >> 16);
		}
		seed = seed * 1664525 + 1013904223;
		at_the_pages_end(text, len);
	}
}

static void tabs_and_high_bytes_are_part_of_values(void **state)
{
	unsigned char text[LEN_MAX];

	(void)state;
	memset(text, '\t', sizeof(text));
	at_the_pages_end(text, sizeof(text));
	assert_int_equal(weft_http_run(text, sizeof(text)), sizeof(text));
	memset(text, 0xff, sizeof(text));
	assert_int_equal(weft_http_run(text, sizeof(text)), sizeof(text));
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = i % 3 ? (unsigned char)(0x80 + i % 0x80) : '\t';
	at_the_pages_end(text, sizeof(text));
	assert_int_equal(weft_http_run(text, sizeof(text)), sizeof(text));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_is_more_than_one_way),
		cmocka_unit_test(every_byte_is_judged_at_every_place),
		cmocka_unit_test(the_first_of_several_stops_the_run),
		cmocka_unit_test(every_alignment_gives_the_same),
		cmocka_unit_test(random_bytes_give_the_same),
		cmocka_unit_test(tabs_and_high_bytes_are_part_of_values),
	};

	return cmocka_run_group_tests(tests, make_page, drop_page);
}
