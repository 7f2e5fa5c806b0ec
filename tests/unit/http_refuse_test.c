/* SPDX-License-Identifier: MIT */
/* Heads of HTTP/1 that are refused: with which status, and no later than at the byte that shows it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/http_feed.h"

static const struct weft_http_bounds wide = { 65536, 128 };

struct refusal_case {
	const char *text;
	unsigned status;
	const char *words;
};

static void check_refusals(enum weft_http_kind kind, const struct refusal_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct http_feed f;

		http_feed_all_ways(&f, kind, cases[i].text, strlen(cases[i].text), &wide);
		if (f.status != WEFT_ERR_PROTOCOL)
			fail_msg("\"%s\" ends with %s", cases[i].text, weft_status_name(f.status));
		if (f.no.status != cases[i].status || !strstr(f.no.why, cases[i].words))
			fail_msg("\"%s\": %u %s", cases[i].text, f.no.status, f.no.why);
		http_feed_done(&f);
	}
}

static void bad_request_lines(void **state)
{
	static const struct refusal_case cases[] = {
		{ " GET / HTTP/1.1\r\n", 400, "white space before the start line" },
		{ "\tGET / HTTP/1.1\r\n", 400, "white space before the start line" },
		{ "\r\n GET / HTTP/1.1\r\n", 400, "white space before the start line" },
		{ "GET\r\n", 400, "does not begin with a method" },
		{ "/ HTTP/1.1\r\n", 400, "does not begin with a method" },
		{ "G(T / HTTP/1.1\r\n", 400, "does not begin with a method" },
		{ "GET\t/ HTTP/1.1\r\n", 400, "does not begin with a method" },
		{ "G\xc3T / HTTP/1.1\r\n", 400, "does not begin with a method" },
		{ "Host: a\r\n", 400, "does not begin with a method" },
		{ "GET \r\n", 400, "characters that no URI has" },
		{ "GET /\r\n", 400, "characters that no URI has" },
		{ "GET  / HTTP/1.1\r\n", 400, "characters that no URI has" },
		{ "GET /\t HTTP/1.1\r\n", 400, "characters that no URI has" },
		{ "GET /\"<> HTTP/1.1\r\n", 400, "characters that no URI has" },
		{ "GET /a#b HTTP/1.1\r\n", 400, "characters that no URI has" },
		{ "GET /\xc3\xa4 HTTP/1.1\r\n", 400, "characters that no URI has" },
		{ "GET / \r\n", 400, "no HTTP version" },
		{ "GET /  HTTP/1.1\r\n", 400, "no HTTP version" },
		{ "GET / HTTP/1.1 \r\n", 400, "no HTTP version" },
		{ "GET /a b HTTP/1.1\r\n", 400, "no HTTP version" },
		{ "GET / http/1.1\r\n", 400, "no HTTP version" },
		{ "GET / HTTP/1,1\r\n", 400, "no HTTP version" },
		{ "GET / HTTP/1.x\r\n", 400, "no HTTP version" },
		{ "GET / HTTP/x.1\r\n", 400, "no HTTP version" },
		{ "GET / HTTP/1.10\r\n", 400, "no HTTP version" },
		{ "GET / HTTP/2\r\n", 400, "no HTTP version" },
		{ "GET / HTTP/2.0\r\n", 505, "not 1.x" },
		{ "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "not 1.x" },
		{ "GET / HTTP/0.9\r\n", 505, "not 1.x" },
		{ "\r\n\r\n\r\n\r\n\r\nGET / HTTP/1.1\r\n", 400, "only empty lines" },
	};

	(void)state;
	check_refusals(WEFT_HTTP_REQUEST, cases, sizeof(cases) / sizeof(*cases));
}

static void methods_have_a_greatest_length(void **state)
{
	char text[128];
	struct http_feed f;

	(void)state;
	for (int len = 63; len <= 66; len++) {
		memset(text, 'M', (size_t)len);
		snprintf(text + len, sizeof(text) - (size_t)len, " / HTTP/1.1\r\n\r\n");
		http_feed_all_ways(&f, WEFT_HTTP_REQUEST, text, strlen(text), &wide);
		assert_int_equal(f.status, len <= 64 ? WEFT_OK : WEFT_ERR_PROTOCOL);
		if (len > 64)
			assert_int_equal(f.no.status, 501);
		http_feed_done(&f);
	}
}

static void bad_status_lines(void **state)
{
	static const struct refusal_case cases[] = {
		{ "\r\nHTTP/1.1 200 OK\r\n", 400, "an empty line" },
		{ " HTTP/1.1 200 OK\r\n", 400, "white space before the start line" },
		{ "HTTP/1.1\r\n", 400, "no status line" },
		{ "HTTP/1.1 20\r\n", 400, "no status line" },
		{ "ICY 200 OK, go on\r\n", 400, "no HTTP version" },
		{ "http/1.1 200 OK\r\n", 400, "no HTTP version" },
		{ "GET / HTTP/1.1\r\n", 400, "no HTTP version" },
		{ "HTTP/2.0 200 OK\r\n", 505, "not 1.x" },
		{ "HTTP/1.1  200 OK\r\n", 400, "no status code" },
		{ "HTTP/1.1\t200 OK\r\n", 400, "no status code" },
		{ "HTTP/1.1 2x0 OK\r\n", 400, "no status code" },
		{ "HTTP/1.1 -10 OK\r\n", 400, "no status code" },
		{ "HTTP/1.1 020 OK\r\n", 400, "no status code" },
		{ "HTTP/1.1 2000\r\n", 400, "more than three digits" },
		{ "HTTP/1.1 200OK\r\n", 400, "more than three digits" },
	};

	(void)state;
	check_refusals(WEFT_HTTP_RESPONSE, cases, sizeof(cases) / sizeof(*cases));
}

/* Each behind a start line of either kind, and as trailers. */
static void bad_field_lines(void **state)
{
	static const struct refusal_case cases[] = {
		{ " a: b\r\n\r\n", 400, "obsolete folding" },
		{ "\ta: b\r\n\r\n", 400, "obsolete folding" },
		{ "a : b\r\n\r\n", 400, "white space in or behind a field name" },
		{ "a\t: b\r\n\r\n", 400, "white space in or behind a field name" },
		{ "a b: c\r\n\r\n", 400, "white space in or behind a field name" },
		{ ": b\r\n\r\n", 400, "without a name and a colon" },
		{ "a\r\n\r\n", 400, "without a name and a colon" },
		{ "a;b\r\n\r\n", 400, "without a name and a colon" },
		{ "a\x80: b\r\n\r\n", 400, "without a name and a colon" },
		{ "(a): b\r\n\r\n", 400, "without a name and a colon" },
		{ "a: b\n\r\n", 400, "LF alone" },
		{ "a\n", 400, "LF alone" },
		{ "\n", 400, "LF alone" },
		{ "a: b\r\n\n", 400, "LF alone" },
		{ "a: b\rc\r\n\r\n", 400, "CR without LF" },
		{ "a: b\r\r\n\r\n", 400, "CR without LF" },
		{ "a: b\r\n\rc", 400, "CR without LF" },
		{ "\r\r\n", 400, "CR without LF" },
		{ "a: b\x01\r\n\r\n", 400, "a control character" },
		{ "a: \x7f\r\n\r\n", 400, "a control character" },
		{ "a\x1b: b\r\n\r\n", 400, "a control character" },
		{ "\x0b: b\r\n\r\n", 400, "a control character" },
	};
	static const struct {
		enum weft_http_kind kind;
		const char *start;
	} heads[] = {
		{ WEFT_HTTP_REQUEST, "\r\nGET / HTTP/1.1\r\nHost: a\r\n" },
		{ WEFT_HTTP_REQUEST, "GET / HTTP/1.1\r\n" },
		{ WEFT_HTTP_RESPONSE, "HTTP/1.1 200 OK\r\n" },
		{ WEFT_HTTP_TRAILER, "" },
	};
	char text[128];

	(void)state;
	for (size_t h = 0; h < sizeof(heads) / sizeof(*heads); h++) {
		for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
			struct refusal_case c = cases[i];

			snprintf(text, sizeof(text), "%s%s", heads[h].start, cases[i].text);
			c.text = text;
			check_refusals(heads[h].kind, &c, 1);
		}
	}
}

static void folded_lines_of_requests_are_refused(void **state)
{
	static const struct refusal_case cases[] = {
		{ "GET / HTTP/1.1\r\na: b\r\n c\r\n\r\n", 400, "obsolete folding" },
		{ "GET / HTTP/1.1\r\na: b\r\n\tc\r\n\r\n", 400, "obsolete folding" },
		{ "GET / HTTP/1.1\r\na: b\r\n \r\n\r\n", 400, "obsolete folding" },
		{ "GET / HTTP/1.1\r\n a: b\r\n\r\n", 400, "obsolete folding" },
	};
	static const struct refusal_case trailer = { "a: b\r\n c\r\n\r\n", 400,
		"obsolete folding" };

	(void)state;
	check_refusals(WEFT_HTTP_REQUEST, cases, sizeof(cases) / sizeof(*cases));
	check_refusals(WEFT_HTTP_TRAILER, &trailer, 1);
}

/* Behind a field only, and what comes out of it is judged as any other field. */
static void folded_lines_of_responses_have_their_limits(void **state)
{
	static const struct refusal_case cases[] = {
		{ "HTTP/1.1 200 OK\r\n a: b\r\n\r\n", 400, "obsolete folding" },
		{ "HTTP/1.1 200 OK\r\na\r\n : b\r\n\r\n", 400, "white space in or behind" },
		{ "HTTP/1.1 200 OK\r\na: b\r\n c\rd\r\n\r\n", 400, "CR without LF" },
		{ "HTTP/1.1 200 OK\r\na: b\r\n c\n\r\n", 400, "LF alone" },
		{ "HTTP/1.1 200 OK\r\na: b\r\n c\x01\r\n\r\n", 400, "a control character" },
	};
	static const struct refusal_case trailer = { " c\r\n\r\n", 400, "obsolete folding" };

	(void)state;
	check_refusals(WEFT_HTTP_RESPONSE, cases, sizeof(cases) / sizeof(*cases));
	check_refusals(WEFT_HTTP_RESPONSE_TRAILER, &trailer, 1);
}

static void bad_line_ends_of_start_lines(void **state)
{
	static const struct refusal_case requests[] = {
		{ "GET / HTTP/1.1\nHost: a\n\n", 400, "LF alone" },
		{ "\nGET / HTTP/1.1\r\n", 400, "LF alone" },
		{ "\r\n\nGET / HTTP/1.1\r\n", 400, "LF alone" },
		{ "\r\rGET / HTTP/1.1\r\n", 400, "CR without LF" },
		{ "GET / HTTP/1.1\rHost: a\r\n", 400, "CR without LF" },
		{ "GET / HTTP/1.1\r\r\n", 400, "CR without LF" },
		{ "\x16\x03\x01", 400, "a control character" },
		{ "GET /\x7f HTTP/1.1\r\n", 400, "a control character" },
	};
	static const struct refusal_case responses[] = {
		{ "HTTP/1.1 200 OK\nA: b\n\n", 400, "LF alone" },
		{ "HTTP/1.1 200 O\rK\r\n", 400, "CR without LF" },
		{ "HTTP/1.1 200 \x01\r\n", 400, "a control character" },
	};

	(void)state;
	check_refusals(WEFT_HTTP_REQUEST, requests, sizeof(requests) / sizeof(*requests));
	check_refusals(WEFT_HTTP_RESPONSE, responses, sizeof(responses) / sizeof(*responses));
}

static void nul_is_refused_everywhere(void **state)
{
	static const char text[] = "GET /a HTTP/1.1\r\nHost: b\r\n\r\n";

	(void)state;
	for (size_t at = 0; at < sizeof(text) - 1; at++) {
		struct http_feed f;
		char copy[sizeof(text)];

		memcpy(copy, text, sizeof(text));
		copy[at] = 0;
		http_feed_all_ways(&f, WEFT_HTTP_REQUEST, copy, sizeof(text) - 1, &wide);
		assert_int_equal(f.status, WEFT_ERR_PROTOCOL);
		assert_int_equal(f.no.status, 400);
		http_feed_done(&f);
	}
}

/* What a byte between two letters does: kept within a name, a value, a method, a target; or refused. */
static void each_byte_has_its_places(void **state)
{
	static const char tchar[] =
		"!#$%&'*+-.^_`|~"
		"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	static const char no_target[] = "\"#<>";
	char text[64];
	struct http_feed f;

	(void)state;
	for (int c = 1; c < 256; c++) {
		const bool token = strchr(tchar, c) != NULL;
		const bool value = c == '\t' || (c >= ' ' && c != 0x7f);
		const bool target = c > ' ' && c < 0x7f && !strchr(no_target, c);
		const struct {
			const char *fmt;
			bool taken;
		} places[] = {
			{ "x%cx / HTTP/1.1\r\n\r\n", token },
			{ "x /x%cx HTTP/1.1\r\n\r\n", target },
			{ "x / HTTP/1.1\r\nx%cx: y\r\n\r\n", token || c == ':' },
			{ "x / HTTP/1.1\r\nx: y%cy\r\n\r\n", value },
		};

		for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
			int n = snprintf(text, sizeof(text), places[i].fmt, c);

			http_feed(&f, WEFT_HTTP_REQUEST, text, (size_t)n, &wide, (size_t)n, 1);
			if ((f.status == WEFT_OK) != places[i].taken)
				fail_msg("byte 0x%02x at place %zu: %s", (unsigned)c, i,
					weft_status_name(f.status));
			http_feed_done(&f);
		}
	}
}

/* Whoever speaks something else is told at once, not when a limit or a time is reached. */
static void refusal_comes_with_the_byte_that_shows_it(void **state)
{
	static const struct {
		const char *text;
		size_t at; /* how many bytes are seen */
	} cases[] = {
		{ "GET / HTTP/1.1\nmore", 15 },
		{ "GET / HTTP/2.0\r\nmore", 16 },
		{ "hello\r\nmore", 7 },
		{ "\x16\x03\x01\x02", 1 },
		{ " more", 1 },
		{ "GET / HTTP/1.1\r\n more", 17 },
		{ "GET / HTTP/1.1\r\na: b\x01more", 21 },
		{ "GET / HTTP/1.1\rmore", 16 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct http_feed f;

		http_feed_all_ways(
			&f, WEFT_HTTP_REQUEST, cases[i].text, strlen(cases[i].text), &wide);
		assert_int_equal(f.status, WEFT_ERR_PROTOCOL);
		assert_int_equal(f.scan.pos, cases[i].at);
		http_feed_done(&f);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_request_lines),
		cmocka_unit_test(methods_have_a_greatest_length),
		cmocka_unit_test(bad_status_lines),
		cmocka_unit_test(bad_field_lines),
		cmocka_unit_test(folded_lines_of_requests_are_refused),
		cmocka_unit_test(folded_lines_of_responses_have_their_limits),
		cmocka_unit_test(bad_line_ends_of_start_lines),
		cmocka_unit_test(nul_is_refused_everywhere),
		cmocka_unit_test(each_byte_has_its_places),
		cmocka_unit_test(refusal_comes_with_the_byte_that_shows_it),
	};

	return cmocka_run_group_tests_name("http refusals", tests, NULL, NULL);
}
