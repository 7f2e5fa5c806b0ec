/* SPDX-License-Identifier: MIT */
/* HTTP's small tables: characters, lists, dates, types, reasons, methods, and what may be sent. */
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

#include "roles/http/chars.h"
#include "roles/http/outgoing.h"
#include "weft/http.h"

#define ALNUM "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

static bool one_of(const char *set, int c)
{
	return c && strchr(set, c);
}

static void classes_are_the_rfcs(void **state)
{
	(void)state;
	for (int c = 0; c < 256; c++) {
		const unsigned char u = (unsigned char)c;
		const bool visible = c > ' ' && c < 0x7f;

		assert_int_equal(
			weft_http_is(u, WEFT_HTTP_TOKEN), one_of("!#$%&'*+-.^_`|~" ALNUM, c));
		assert_int_equal(weft_http_is(u, WEFT_HTTP_VALUE),
			c == '\t' || c == ' ' || visible || c >= 0x80);
		assert_int_equal(weft_http_is(u, WEFT_HTTP_TARGET), visible && !one_of("\"#<>", c));
		assert_int_equal(
			weft_http_is(u, WEFT_HTTP_HEX), one_of("0123456789abcdefABCDEF", c));
		assert_int_equal(
			weft_http_is(u, WEFT_HTTP_HOST), one_of("-._~!$&'()*+,;=" ALNUM, c));
	}
}

static void tokens_values_and_words(void **state)
{
	(void)state;
	assert_true(weft_http_token("a-b", 3));
	assert_false(weft_http_token("", 0));
	assert_false(weft_http_token("a b", 3));
	assert_false(weft_http_token("a\0b", 3));
	assert_true(weft_http_value("", 0));
	assert_true(weft_http_value("a, \"b\"\t\xff", 8));
	assert_false(weft_http_value("a\rb", 3));
	assert_false(weft_http_value("a\nb", 3));
	assert_false(weft_http_value("a\0b", 3));
	assert_false(weft_http_value("\x7f", 1));
	assert_true(weft_http_same("Chunked", 7, "cHUNKED"));
	assert_true(weft_http_same("", 0, ""));
	assert_false(weft_http_same("chunke", 6, "chunked"));
	assert_false(weft_http_same("chunkedx", 8, "chunked"));
	assert_false(weft_http_same("chunked\0", 8, "chunked"));
	/* only letters have a case */
	assert_false(weft_http_same("@[", 2, "`{"));
	assert_false(weft_http_same("\xc3\x84", 2, "\xc3\xa4"));
}

static void lists_are_taken_apart(void **state)
{
	static const struct {
		const char *list, *items; /* each item in brackets */
	} cases[] = {
		{ "", "" },
		{ ",", "" },
		{ " \t, ,,\t", "" },
		{ "a", "[a]" },
		{ "a,b", "[a][b]" },
		{ " a ,\tb\t", "[a][b]" },
		{ ",,a,, b c ,", "[a][b c]" },
		{ "a;q=1, b", "[a;q=1][b]" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		size_t len = strlen(cases[i].list);
		unsigned char *copy = malloc(len ? len : 1);
		struct weft_span rest = { copy, len }, item;
		char items[64] = "";

		assert_non_null(copy);
		memcpy(copy, cases[i].list, len);
		while (weft_http_list_next(&rest, &item)) {
			strcat(items, "[");
			strncat(items, (const char *)item.ptr, item.len);
			strcat(items, "]");
		}
		assert_string_equal(items, cases[i].items);
		free(copy);
	}
	assert_false(weft_http_list_next(&(struct weft_span){ NULL, 0 }, &(struct weft_span){ 0 }));
}

static void known_dates(void **state)
{
	static const struct {
		int64_t seconds;
		const char *text;
	} cases[] = {
		{ 0, "Thu, 01 Jan 1970 00:00:00 GMT" },
		{ 784111777, "Sun, 06 Nov 1994 08:49:37 GMT" }, /* RFC 9110's own */
		{ 951782399, "Mon, 28 Feb 2000 23:59:59 GMT" },
		{ 951782400, "Tue, 29 Feb 2000 00:00:00 GMT" },
		{ 951868800, "Wed, 01 Mar 2000 00:00:00 GMT" },
		{ 1077926400, "Sat, 28 Feb 2004 00:00:00 GMT" },
		{ 1078012800, "Sun, 29 Feb 2004 00:00:00 GMT" },
		{ 1109548799, "Sun, 27 Feb 2005 23:59:59 GMT" },
		{ 1109635200, "Tue, 01 Mar 2005 00:00:00 GMT" },
		{ 2147483648, "Tue, 19 Jan 2038 03:14:08 GMT" },
		{ 4107456000, "Sun, 28 Feb 2100 00:00:00 GMT" },
		{ 4107542400, "Mon, 01 Mar 2100 00:00:00 GMT" }, /* no leap year */
		{ 253402300799, "Fri, 31 Dec 9999 23:59:59 GMT" },
		/* beyond what the format can say */
		{ 253402300800, "Fri, 31 Dec 9999 23:59:59 GMT" },
		{ INT64_MAX, "Fri, 31 Dec 9999 23:59:59 GMT" },
		{ -1, "Thu, 01 Jan 1970 00:00:00 GMT" },
		{ INT64_MIN, "Thu, 01 Jan 1970 00:00:00 GMT" },
	};
	char text[30];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		weft_http_date(cases[i].seconds, text);
		assert_string_equal(text, cases[i].text);
	}
}

/* Each day of 500 years, at another time of the day. */
static void dates_agree_with_the_systems_calendar(void **state)
{
	(void)state;
	for (int64_t day = 0; day < 500 * 366; day++) {
		char ours[30], theirs[30];
		time_t t = (time_t)(day * 86400 + day * 7919 % 86400);
		struct tm tm;

		assert_non_null(gmtime_r(&t, &tm));
		assert_int_equal(
			strftime(theirs, sizeof(theirs), "%a, %d %b %Y %H:%M:%S GMT", &tm), 29);
		weft_http_date(t, ours);
		if (strcmp(ours, theirs))
			fail_msg("%s, expected %s", ours, theirs);
	}
}

static void types_follow_the_extension(void **state)
{
	static const char *const unknown[] = { "", "a", "a.", "a.b/c", "/x.html/c", "html",
		"a.htmlx", "a.xhtml ", "a.exe", "/.", "/", "a.html.unknown" };
	static const struct {
		const char *name, *type;
	} cases[] = {
		{ "index.html", "text/html; charset=utf-8" },
		{ "/a.b/INDEX.HTM", "text/html; charset=utf-8" },
		{ "a.tar.gz", "application/gzip" },
		{ "/.css", "text/css; charset=utf-8" },
		{ "..js", "text/javascript; charset=utf-8" },
		{ "x.mjs", "text/javascript; charset=utf-8" },
		{ "x.json", "application/json" },
		{ "x.svg", "image/svg+xml" },
		{ "x.png", "image/png" },
		{ "x.c", "text/plain; charset=utf-8" },
		{ "x.wasm", "application/wasm" },
		{ "x.woff2", "font/woff2" },
		{ "x.zip", "application/zip" },
		{ "x.avif", "image/avif" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_string_equal(weft_http_type(cases[i].name), cases[i].type);
	for (size_t i = 0; i < sizeof(unknown) / sizeof(*unknown); i++)
		assert_string_equal(weft_http_type(unknown[i]), "application/octet-stream");
}

static void reasons_and_methods(void **state)
{
	static const char *const repeatable[] = { "GET", "HEAD", "PUT", "DELETE", "OPTIONS",
		"TRACE" };
	static const char *const others[] = { "POST", "PATCH", "CONNECT", "get", "GETS", "" };
	unsigned known = 0;

	(void)state;
	assert_string_equal(weft_http_reason(100), "Continue");
	assert_string_equal(weft_http_reason(101), "Switching Protocols");
	assert_string_equal(weft_http_reason(200), "OK");
	assert_string_equal(weft_http_reason(304), "Not Modified");
	assert_string_equal(weft_http_reason(404), "Not Found");
	assert_string_equal(weft_http_reason(431), "Request Header Fields Too Large");
	assert_string_equal(weft_http_reason(451), "Unavailable For Legal Reasons");
	assert_string_equal(weft_http_reason(505), "HTTP Version Not Supported");
	assert_string_equal(weft_http_reason(511), "Network Authentication Required");
	assert_string_equal(weft_http_reason(0), "");
	assert_string_equal(weft_http_reason(306), "");
	assert_string_equal(weft_http_reason(418), "");
	assert_string_equal(weft_http_reason(999), "");
	assert_string_equal(weft_http_reason(65536 + 200), "");
	/* a search by halves finds all only if the table is in order */
	for (unsigned status = 0; status < 1000; status++)
		known += *weft_http_reason(status) != 0;
	assert_int_equal(known, 51);
	for (size_t i = 0; i < sizeof(repeatable) / sizeof(*repeatable); i++)
		assert_true(weft_http_idempotent(repeatable[i]));
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		assert_false(weft_http_idempotent(others[i]));
	assert_false(weft_http_idempotent(NULL));
}

static void fields_that_may_be_sent(void **state)
{
	enum { Q = 1, R = 2, T = 4 }; /* requests, responses, trailers */
	static const struct {
		const char *name, *value;
		unsigned good;
	} cases[] = {
		{ "x", "", Q | R | T },
		{ "X-y", "z \t\xff", Q | R | T },
		{ "connection", "Close", Q | R },
		{ "connection", "keep-alive", 0 },
		{ "connection", "upgrade", 0 },
		{ "connection", "close, x", 0 },
		{ "Host", "a", R },
		{ "content-type", "a", Q | R },
		{ "Authorization", "a", Q | R },
		{ "set-cookie", "a", Q | R },
		{ "upgrade", "a", Q | R },
		{ "te", "trailers", Q | R },
		{ "Content-Length", "0", 0 },
		{ "transfer-Encoding", "chunked", 0 },
		{ "keep-alive", "a", 0 },
		{ "proxy-connection", "close", 0 },
		{ "", "a", 0 },
		{ "a b", "c", 0 },
		{ "a:", "b", 0 },
		{ "a\r\nb", "c", 0 },
		{ "\xc3\xa4", "b", 0 },
		{ "a", "b\r\nc: d", 0 },
		{ "a", "b\n", 0 },
		{ "a", "\x7f", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct weft_field fields[] = {
			weft_field("ok", "ok"),
			weft_field(cases[i].name, cases[i].value),
		};

		for (unsigned kind = WEFT_HTTP_OUT_REQUEST; kind <= WEFT_HTTP_OUT_TRAILER; kind++) {
			struct weft_error err = { .text = "" };
			enum weft_status st = weft_http_check_fields(
				(enum weft_http_outgoing)kind, fields, 2, &err);

			if (st != (cases[i].good >> kind & 1 ? WEFT_OK : WEFT_ERR_ARGUMENT))
				fail_msg("%s: %s to %u: %s", cases[i].name, cases[i].value, kind,
					err.text);
		}
	}
	assert_int_equal(weft_http_check_fields(WEFT_HTTP_OUT_REQUEST, NULL, 0, NULL), WEFT_OK);
}

static void requests_that_may_be_sent(void **state)
{
	static const struct {
		const char *method, *target;
		bool good;
	} cases[] = {
		{ "GET", "/", true },
		{ "GET", "?a=b", true }, /* sent as "/?a=b" */
		{ "GET", "?a\"b", false },
		{ "M-SEARCH", "/a", true },
		{ "OPTIONS", "*", true },
		{ "CONNECT", "whatever", true },
		/* another method, with a target like all */
		{ "connect", "whatever", false },
		{ "connect", "/", true },
		{ "GET", "*", false },
		{ "GET", "/a b", false },
		{ "GET", "", false },
		{ "G T", "/", false },
		{ "", "/", false },
		{ NULL, "/", false },
		{ "GET\r\n", "/", false },
	};
	char method[66];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct weft_error err = { .text = "" };

		if (weft_http_check_request(cases[i].method, cases[i].target,
			    strlen(cases[i].target),
			    &err) != (cases[i].good ? WEFT_OK : WEFT_ERR_ARGUMENT))
			fail_msg("%s %s: %s", cases[i].method ? cases[i].method : "NULL",
				cases[i].target, err.text);
	}
	memset(method, 'M', sizeof(method));
	method[64] = 0;
	assert_int_equal(weft_http_check_request(method, "/", 1, NULL), WEFT_OK);
	method[64] = 'M';
	method[65] = 0;
	assert_int_equal(weft_http_check_request(method, "/", 1, NULL), WEFT_ERR_ARGUMENT);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(classes_are_the_rfcs),
		cmocka_unit_test(tokens_values_and_words),
		cmocka_unit_test(lists_are_taken_apart),
		cmocka_unit_test(known_dates),
		cmocka_unit_test(dates_agree_with_the_systems_calendar),
		cmocka_unit_test(types_follow_the_extension),
		cmocka_unit_test(reasons_and_methods),
		cmocka_unit_test(fields_that_may_be_sent),
		cmocka_unit_test(requests_that_may_be_sent),
	};

	return cmocka_run_group_tests_name("http text", tests, NULL, NULL);
}
