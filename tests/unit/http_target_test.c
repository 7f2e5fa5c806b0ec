/* SPDX-License-Identifier: MIT */
/* Request targets, authorities, and paths of files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "roles/http/target.h"
#include "tests/support/http_feed.h"

static enum weft_status target_of(struct http_feed *f, const char *line, const char *fields,
	struct weft_http_target *t, struct weft_http_refusal *no)
{
	static const struct weft_http_bounds wide = { 65536, 128 };
	struct weft_http_facts facts;
	char text[512];

	snprintf(text, sizeof(text), "%s\r\n%s\r\n", line, fields);
	http_feed(f, WEFT_HTTP_REQUEST, text, strlen(text), &wide, strlen(text), 1);
	if (f->status)
		fail_msg("\"%s\": %s", text, f->no.why);
	weft_http_facts(&f->m, &facts);
	return weft_http_request_target(&f->m, &facts, t, no);
}

static bool span_is(struct weft_span span, const char *text)
{
	return span.len == strlen(text) && !memcmp(span.ptr, text, span.len);
}

static void targets_have_four_forms(void **state)
{
	static const struct {
		const char *line, *fields, *authority, *target;
	} cases[] = {
		{ "GET / HTTP/1.1", "Host: a\r\n", "a", "/" },
		{ "GET /x?y=/z HTTP/1.1", "host:\ta.test:80 \r\n", "a.test:80", "/x?y=/z" },
		{ "GET //x HTTP/1.1", "host: [::1]:8080\r\n", "[::1]:8080", "//x" },
		{ "GET / HTTP/1.1", "host: a:\r\n", "a:", "/" },
		{ "GET / HTTP/1.0", "", "", "/" },
		{ "GET / HTTP/1.0", "host: a\r\n", "a", "/" },
		/* absolute form: its authority wins */
		{ "GET http://a/x?y HTTP/1.1", "host: b\r\n", "a", "/x?y" },
		{ "GET HTTPS://A.Test:443/ HTTP/1.1", "host: b\r\n", "A.Test:443", "/" },
		{ "GET http://[::1]:1/ HTTP/1.1", "host: b\r\n", "[::1]:1", "/" },
		{ "GET http://a HTTP/1.1", "host: a\r\n", "a", "/" },
		{ "OPTIONS http://a:1 HTTP/1.1", "host: a:1\r\n", "a:1", "*" },
		{ "options http://a:1 HTTP/1.1", "host: a:1\r\n", "a:1", "/" },
		{ "OPTIONS http://a/ HTTP/1.1", "host: a\r\n", "a", "/" },
		{ "GET http://a HTTP/1.0", "", "a", "/" },
		{ "OPTIONS * HTTP/1.1", "host: a\r\n", "a", "*" },
		{ "CONNECT a.test:443 HTTP/1.1", "host: b\r\n", "a.test:443", "a.test:443" },
		{ "CONNECT [::1]:443 HTTP/1.1", "host: b\r\n", "[::1]:443", "[::1]:443" },
		{ "connect / HTTP/1.1", "host: b\r\n", "b", "/" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct weft_http_refusal no = { .why = "" };
		struct weft_http_target t;
		struct http_feed f;

		if (target_of(&f, cases[i].line, cases[i].fields, &t, &no))
			fail_msg("%s, %s: %s", cases[i].line, cases[i].fields, no.why);
		if (!span_is(t.authority, cases[i].authority) ||
			!span_is(t.target, cases[i].target))
			fail_msg("%s, %s: \"%.*s\", \"%.*s\"", cases[i].line, cases[i].fields,
				(int)t.authority.len, (const char *)t.authority.ptr,
				(int)t.target.len, (const char *)t.target.ptr);
		http_feed_done(&f);
	}
}

static void bad_targets_are_refused(void **state)
{
	static const struct {
		const char *line, *fields, *words;
	} cases[] = {
		{ "GET / HTTP/1.1", "", "no host field" },
		{ "GET http://a/ HTTP/1.1", "", "no host field" },
		{ "GET / HTTP/1.1", "host: a\r\nHost: a\r\n", "more than one host" },
		{ "GET / HTTP/1.0", "host: a\r\nHost: b\r\n", "more than one host" },
		{ "GET / HTTP/1.1", "host:\r\n", "not host[:port]" },
		{ "GET / HTTP/1.1", "host: a, b\r\n", "not host[:port]" },
		{ "GET / HTTP/1.1", "host: a/b\r\n", "not host[:port]" },
		{ "GET / HTTP/1.1", "host: u@a\r\n", "not host[:port]" },
		{ "GET / HTTP/1.0", "host: a b\r\n", "not host[:port]" },
		{ "GET http://a/ HTTP/1.1", "host: :80\r\n", "not host[:port]" },
		{ "GET x HTTP/1.1", "host: a\r\n", "in no form" },
		{ "GET ?x HTTP/1.1", "host: a\r\n", "in no form" },
		{ "GET http:/a HTTP/1.1", "host: a\r\n", "in no form" },
		{ "GET http:// HTTP/1.1", "host: a\r\n", "in no form" },
		{ "GET https:// HTTP/1.1", "host: a\r\n", "in no form" },
		{ "GET ftp://a/ HTTP/1.1", "host: a\r\n", "in no form" },
		{ "GET ** HTTP/1.1", "host: a\r\n", "in no form" },
		{ "GET a:443 HTTP/1.1", "host: a\r\n", "in no form" },
		{ "GET http:///x HTTP/1.1", "host: a\r\n", "without a proper authority" },
		{ "GET http://?x HTTP/1.1", "host: a\r\n", "without a proper authority" },
		{ "GET http://u@a/ HTTP/1.1", "host: a\r\n", "without a proper authority" },
		{ "GET http://a:99999/ HTTP/1.1", "host: a\r\n", "without a proper authority" },
		{ "GET http://a?x HTTP/1.1", "host: a\r\n", "a query but no path" },
		{ "GET * HTTP/1.1", "host: a\r\n", "another method than OPTIONS" },
		{ "options * HTTP/1.1", "host: a\r\n", "another method than OPTIONS" },
		{ "CONNECT a HTTP/1.1", "host: a\r\n", "not host:port" },
		{ "CONNECT a: HTTP/1.1", "host: a\r\n", "not host:port" },
		{ "CONNECT a:0 HTTP/1.1", "host: a\r\n", "not host:port" },
		{ "CONNECT a:65536 HTTP/1.1", "host: a\r\n", "not host:port" },
		{ "CONNECT u@a:1 HTTP/1.1", "host: a\r\n", "not host:port" },
		{ "CONNECT :1 HTTP/1.1", "host: a\r\n", "not host:port" },
		{ "CONNECT / HTTP/1.1", "host: a\r\n", "not host:port" },
		{ "CONNECT * HTTP/1.1", "host: a\r\n", "not host:port" },
		{ "CONNECT http://a:1/ HTTP/1.1", "host: a\r\n", "not host:port" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct weft_http_refusal no = { .why = "taken" };
		struct weft_http_target t;
		struct http_feed f;

		if (target_of(&f, cases[i].line, cases[i].fields, &t, &no) != WEFT_ERR_PROTOCOL ||
			no.status != 400 || !strstr(no.why, cases[i].words))
			fail_msg("%s, %s: %s", cases[i].line, cases[i].fields, no.why);
		http_feed_done(&f);
	}
}

/* What an authority is must not depend on what lies behind it in memory. */
static bool authority(const char *text, bool port)
{
	size_t len = strlen(text);
	char *copy = malloc(len ? len : 1);
	bool is;

	assert_non_null(copy);
	memcpy(copy, text, len);
	is = weft_http_authority(copy, len, port);
	free(copy);
	return is;
}

static void authorities(void **state)
{
	static const char *const with_port[] = { "a:1", "a:80", "a:65535", "a:00080", "[::1]:443",
		"[::ffff:1.2.3.4]:1", "1.2.3.4:5", "a-b_c~d.E!$&'()*+,;=%20:9" };
	static const char *const without[] = { "a", "a:", "%41%7e", "[1:2:3:4:5:6:7:8]", "a:0",
		"a:000", "[::]", "[::1]", "[::1]:", "*", "a.b.", "127.0.0.1" };
	static const char *const neither[] = { "", ":", ":80", "[", "[]", "[:]", "[]:80", "[::1",
		"[::1]x", "[::1]80", "[g::]", "[::1%1]", "::1", "a:b", "a:65536",
		"a:99999999999999999999999", "a:-1", "a:+1", "a: 1", "a:8 ", "a:1:2", "a b", "a/b",
		"a?b", "a@b", "a#b", "a\\b", "a%", "a%4", "a%4g", "%", "[1]", "[:::]",
		"[1:2:3:4:5:6:7]", "[1:2:3:4:5:6:7:8:9]", "[1::2::3]", "[::1.2.3]", "[::01.2.3.4]",
		"[12345::]", "a\"b", "a<b", "a\x80", "\x7f", "a[::1]" };

	(void)state;
	for (size_t i = 0; i < sizeof(with_port) / sizeof(*with_port); i++) {
		if (!authority(with_port[i], true) || !authority(with_port[i], false))
			fail_msg("\"%s\" is refused", with_port[i]);
	}
	for (size_t i = 0; i < sizeof(without) / sizeof(*without); i++) {
		if (authority(without[i], true) || !authority(without[i], false))
			fail_msg("\"%s\" is judged wrongly", without[i]);
	}
	for (size_t i = 0; i < sizeof(neither) / sizeof(*neither); i++) {
		if (authority(neither[i], true) || authority(neither[i], false))
			fail_msg("\"%s\" is taken", neither[i]);
	}
	assert_false(weft_http_authority("a\0b", 3, false));
}

static void clients_send_origin_form(void **state)
{
	static const struct {
		const char *method, *target;
		bool good;
	} cases[] = {
		{ "GET", "/", true },
		{ "GET", "/a?b={|}", true },
		{ "OPTIONS", "*", true },
		{ "OPTIONS", "/", true },
		{ "GET", "*", false },
		{ "options", "*", false },
		{ "OPTIONS", "**", false },
		{ "GET", "", false },
		{ "GET", "a", false },
		{ "GET", "http://a/", false },
		{ "GET", "/a b", false },
		{ "GET", "/a#b", false },
		{ "GET", "?a", false },
		{ "GET", "/\r\nX: y", false },
		{ "GET", "/\xc3\xa4", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		if (weft_http_origin(cases[i].method, cases[i].target, strlen(cases[i].target)) !=
			cases[i].good)
			fail_msg("%s %s", cases[i].method, cases[i].target);
	}
}

static void paths_are_decoded(void **state)
{
	static const struct {
		const char *target, *path;
	} cases[] = {
		{ "/", "/" },
		{ "/a/b.c", "/a/b.c" },
		{ "/a/", "/a/" },
		{ "/a?b/../c", "/a" },
		{ "/?//", "/" },
		{ "/%61%2E%3f%25", "/a.?%" },
		{ "/%2525", "/%25" },
		{ "/a%20b%0d%0A", "/a b\r\n" },
		{ "/%C3%a4", "/\xc3\xa4" },
		{ "/a..", "/a.." },
		{ "/a./b", "/a./b" },
		{ "/a%5c..%5cb", "/a\\..\\b" },
		{ "/~/+", "/~/+" },
	};
	char out[64];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		if (!weft_http_decode_path(cases[i].target, out, sizeof(out)))
			fail_msg("\"%s\" is refused", cases[i].target);
		assert_string_equal(out, cases[i].path);
	}
}

static void paths_that_lead_elsewhere_are_refused(void **state)
{
	static const char *const cases[] = {
		"",
		"*",
		"a",
		"?/",
		"%2f",
		/* dots */
		"/.",
		"/..",
		"/../a",
		"/a/..",
		"/a/../b",
		"/.git",
		"/a/.b/c",
		"/%2e",
		"/%2e%2e/a",
		"/%2E./a",
		"/.%2e/a",
		"/...",
		/* empty segments */
		"//",
		"//a",
		"/a//b",
		"/a//",
		/* escapes that are none, or that must not be */
		"/a%",
		"/a%2",
		"/a%?b",
		"/a%2?b",
		"/%zz",
		"/%2g",
		"/%g2",
		"/%-1",
		"/% 1",
		"/%00",
		"/a%00.html",
		"/a%2fb",
		"/a%2F",
		"/%2f",
		"/..%2f",
	};
	char out[64];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		if (weft_http_decode_path(cases[i], out, sizeof(out)))
			fail_msg("\"%s\" is taken as \"%s\"", cases[i], out);
	}
}

static void paths_must_fit(void **state)
{
	static const char target[] = "/ab%63?query";

	(void)state;
	for (size_t room = 0; room < 8; room++) {
		char *out = malloc(room ? room : 1);

		assert_non_null(out);
		assert_int_equal(weft_http_decode_path(target, out, room), room > 4);
		if (room > 4)
			assert_string_equal(out, "/abc");
		free(out);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(targets_have_four_forms),
		cmocka_unit_test(bad_targets_are_refused),
		cmocka_unit_test(authorities),
		cmocka_unit_test(clients_send_origin_form),
		cmocka_unit_test(paths_are_decoded),
		cmocka_unit_test(paths_that_lead_elsewhere_are_refused),
		cmocka_unit_test(paths_must_fit),
	};

	return cmocka_run_group_tests_name("http target", tests, NULL, NULL);
}
