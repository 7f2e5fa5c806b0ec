/* SPDX-License-Identifier: MIT */
/* Heads of HTTP/1 that are accepted, in any pieces, and how large they may be. */
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

/* A head as one line: what the start line says, then each field as "|name=value". */
static void describe(const struct http_feed *f, char *out, size_t out_len)
{
	const struct weft_http_message *m = &f->m;
	int n = 0;

	if (m->method.len)
		n = snprintf(out, out_len, "%.*s %.*s %u", (int)m->method.len,
			(const char *)m->method.ptr, (int)m->target.len,
			(const char *)m->target.ptr, m->version);
	else if (m->version)
		n = snprintf(out, out_len, "%u %u %.*s", m->version, m->status, (int)m->reason.len,
			(const char *)m->reason.ptr);
	for (size_t i = 0; i < m->count; i++)
		n += snprintf(out + n, out_len - (size_t)n, "|%.*s=%.*s",
			(int)m->fields[i].name_len, m->fields[i].name, (int)m->fields[i].value_len,
			m->fields[i].value);
	out[n] = 0;
}

struct head_case {
	const char *text, *described;
};

static void check_heads(enum weft_http_kind kind, const struct head_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		size_t len = strlen(cases[i].text);
		char described[512];
		struct http_feed f;
		size_t starts;

		http_feed_all_ways(&f, kind, cases[i].text, len, &wide);
		if (f.status)
			fail_msg("\"%s\" is refused: %s", cases[i].text, f.no.why);
		describe(&f, described, sizeof(described));
		assert_string_equal(described, cases[i].described);
		assert_int_equal(f.scan.pos, len);
		starts = kind == WEFT_HTTP_REQUEST || kind == WEFT_HTTP_RESPONSE;
		if (f.scan.folded)
			assert_true(f.m.count + starts < f.scan.lines);
		else
			assert_int_equal(f.m.count + starts, f.scan.lines);
		http_feed_done(&f);
	}
}

static void requests_are_read(void **state)
{
	static const struct head_case cases[] = {
		{ "GET / HTTP/1.1\r\n\r\n", "GET / 11" },
		{ "GET / HTTP/1.0\r\n\r\n", "GET / 10" },
		{ "GET / HTTP/1.9\r\n\r\n", "GET / 11" },
		{ "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "OPTIONS * 11|Host=a" },
		{ "CONNECT [::1]:443 HTTP/1.1\r\n\r\n", "CONNECT [::1]:443 11" },
		{ "GET http://a.test:80/x?y=z HTTP/1.1\r\nhost:b\r\n\r\n",
			"GET http://a.test:80/x?y=z 11|host=b" },
		{ "get /%zz?{}|\\^`' HTTP/1.1\r\n\r\n", "get /%zz?{}|\\^`' 11" },
		{ "!#$%&'*+-.^_`|~09azAZ / HTTP/1.1\r\n\r\n", "!#$%&'*+-.^_`|~09azAZ / 11" },
		/* names keep their case here, values lose the white space around them */
		{ "G / HTTP/1.1\r\nA-b_C: x \t\r\nd:\t\t y z\t \r\n\r\n", "G / 11|A-b_C=x|d=y z" },
		{ "G / HTTP/1.1\r\nempty:\r\nblank: \t \r\n\r\n", "G / 11|empty=|blank=" },
		{ "G / HTTP/1.1\r\na: b:c\r\na:\"q, \\\"\"\r\n\r\n", "G / 11|a=b:c|a=\"q, \\\"\"" },
		/* obs-text stays as it is */
		{ "G / HTTP/1.1\r\na: \x80\xc3\xa4\xff\r\n\r\n", "G / 11|a=\x80\xc3\xa4\xff" },
		/* empty lines before a request are passed over */
		{ "\r\nG / HTTP/1.1\r\na: b\r\n\r\n", "G / 11|a=b" },
		{ "\r\n\r\n\r\n\r\nG / HTTP/1.1\r\n\r\n", "G / 11" },
	};

	(void)state;
	check_heads(WEFT_HTTP_REQUEST, cases, sizeof(cases) / sizeof(*cases));
}

static void responses_are_read(void **state)
{
	static const struct head_case cases[] = {
		{ "HTTP/1.1 200 OK\r\n\r\n", "11 200 OK" },
		{ "HTTP/1.0 404 Not Found\r\nA: b\r\n\r\n", "10 404 Not Found|A=b" },
		{ "HTTP/1.7 100 \r\n\r\n", "11 100 " },
		{ "HTTP/1.1 204\r\n\r\n", "11 204 " },
		{ "HTTP/1.1 599  two spaces \r\n\r\n", "11 599  two spaces " },
		{ "HTTP/1.1 999 \xc3\xa4\tb\r\n\r\n", "11 999 \xc3\xa4\tb" },
	};

	(void)state;
	check_heads(WEFT_HTTP_RESPONSE, cases, sizeof(cases) / sizeof(*cases));
}

static void trailers_are_read(void **state)
{
	static const struct head_case cases[] = {
		{ "\r\n", "" },
		{ "a: b\r\n\r\n", "|a=b" },
		{ "digest: x=\r\nb:\r\n\r\n", "|digest=x=|b=" },
	};

	(void)state;
	check_heads(WEFT_HTTP_TRAILER, cases, sizeof(cases) / sizeof(*cases));
}

/* RFC 9112 section 5.2: user agents read spaces instead. */
static void folded_lines_of_responses_are_joined(void **state)
{
	static const struct head_case responses[] = {
		{ "HTTP/1.1 200 OK\r\na: b\r\n c\r\n\r\n", "11 200 OK|a=b   c" },
		{ "HTTP/1.1 200 OK\r\na: b\r\n\tc\r\n  d\r\ne: f\r\n\r\n",
			"11 200 OK|a=b  \tc    d|e=f" },
		{ "HTTP/1.1 200 OK\r\na:\r\n b\r\nc:d\r\n \t\r\n\r\n", "11 200 OK|a=b|c=d" },
	};
	static const struct head_case trailers[] = { { "a: b\r\n c\r\n\r\n", "|a=b   c" } };

	(void)state;
	check_heads(WEFT_HTTP_RESPONSE, responses, sizeof(responses) / sizeof(*responses));
	check_heads(WEFT_HTTP_RESPONSE_TRAILER, trailers, sizeof(trailers) / sizeof(*trailers));
}

/* Spans point into the bytes that were given, nowhere else. */
static void nothing_is_copied(void **state)
{
	static const char text[] = "\r\nPUT /a?b HTTP/1.1\r\nHost: c.test\r\nx:\r\n\r\n";
	struct http_feed f;

	(void)state;
	http_feed(&f, WEFT_HTTP_REQUEST, text, strlen(text), &wide, 1, 1);
	assert_int_equal(f.status, WEFT_OK);
	assert_int_equal(f.scan.start, 2);
	assert_ptr_equal(f.m.method.ptr, f.bytes + 2);
	assert_ptr_equal(f.m.target.ptr, f.bytes + 6);
	assert_ptr_equal(f.m.fields, f.fields);
	assert_ptr_equal(f.m.fields[0].name, f.bytes + (strstr(text, "Host") - text));
	assert_ptr_equal(f.m.fields[0].value, f.bytes + (strstr(text, "c.test") - text));
	assert_ptr_equal(f.m.fields[1].name, f.bytes + (strstr(text, "x:") - text));
	assert_ptr_equal(f.m.fields[1].value, f.bytes + (strstr(text, "x:") - text) + 2);
	http_feed_done(&f);
}

static void what_follows_is_left_alone(void **state)
{
	static const struct {
		enum weft_http_kind kind;
		const char *head;
	} cases[] = {
		{ WEFT_HTTP_REQUEST, "\r\nPOST / HTTP/1.1\r\na: b\r\n\r\n" },
		{ WEFT_HTTP_RESPONSE, "HTTP/1.1 200 OK\r\n\r\n" },
		{ WEFT_HTTP_TRAILER, "a: b\r\n\r\n" },
		{ WEFT_HTTP_TRAILER, "\r\n" },
	};
	static const char after[] = "\0\n\r \x01not a head\r\n\r\n";

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		size_t head = strlen(cases[i].head);
		struct http_feed f;
		char text[128];

		memcpy(text, cases[i].head, head);
		memcpy(text + head, after, sizeof(after));
		http_feed_all_ways(&f, cases[i].kind, text, head + sizeof(after), &wide);
		assert_int_equal(f.status, WEFT_OK);
		assert_int_equal(f.scan.pos, head);
		http_feed_done(&f);
	}
}

static void unfinished_heads_wait(void **state)
{
	static const struct {
		enum weft_http_kind kind;
		const char *text;
	} cases[] = {
		{ WEFT_HTTP_REQUEST, "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n" },
		{ WEFT_HTTP_RESPONSE, "HTTP/1.1 200 OK\r\nA: b\r\n\r\n" },
		{ WEFT_HTTP_TRAILER, "a: b\r\n\r\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		size_t len = strlen(cases[i].text);

		for (size_t cut = 0; cut < len; cut++) {
			struct http_feed f;

			http_feed(&f, cases[i].kind, cases[i].text, cut, &wide, cut, 1);
			assert_int_equal(f.status, WEFT_AGAIN);
			http_feed_done(&f);
		}
	}
}

/* A head may be exactly as long as allowed: its end counts, and the empty lines before it too. */
static void limit_of_bytes_is_exact(void **state)
{
	static const struct {
		enum weft_http_kind kind;
		const char *text;
		unsigned refusal; /* of the head whose end is one byte too far */
	} cases[] = {
		{ WEFT_HTTP_REQUEST, "GET /abc HTTP/1.1\r\nHost: a\r\n\r\n", 431 },
		{ WEFT_HTTP_REQUEST, "\r\n\r\nGET / HTTP/1.1\r\n\r\n", 431 },
		{ WEFT_HTTP_RESPONSE, "HTTP/1.1 200 OK\r\n\r\n", 431 },
		{ WEFT_HTTP_TRAILER, "abc: def\r\n\r\n", 431 },
		{ WEFT_HTTP_TRAILER, "\r\n", 431 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		size_t len = strlen(cases[i].text);
		struct weft_http_bounds bounds = { (uint32_t)len, 128 };
		struct http_feed f;

		http_feed_all_ways(&f, cases[i].kind, cases[i].text, len, &bounds);
		assert_int_equal(f.status, WEFT_OK);
		http_feed_done(&f);
		bounds.bytes--;
		http_feed_all_ways(&f, cases[i].kind, cases[i].text, len, &bounds);
		assert_int_equal(f.status, WEFT_ERR_LIMIT);
		assert_int_equal(f.no.status, cases[i].refusal);
		http_feed_done(&f);
	}
}

static void too_long_request_lines_are_told_apart(void **state)
{
	static const char text[] = "\r\nGET /abc HTTP/1.1\r\nHost: a\r\n\r\n";
	const size_t line = (size_t)(strstr(text, "Host") - text);

	(void)state;
	for (uint32_t max = 1; max < sizeof(text) - 1; max++) {
		const struct weft_http_bounds bounds = { max, 128 };
		struct http_feed f;

		http_feed_all_ways(&f, WEFT_HTTP_REQUEST, text, strlen(text), &bounds);
		assert_int_equal(f.status, WEFT_ERR_LIMIT);
		assert_int_equal(f.no.status, max < line ? 414 : 431);
		assert_int_equal(f.scan.pos, max);
		http_feed_done(&f);
	}
}

/* Even where the end of the head would be the next byte. */
static void limit_of_fields_is_exact(void **state)
{
	static const struct {
		enum weft_http_kind kind;
		const char *start;
	} cases[] = {
		{ WEFT_HTTP_REQUEST, "\r\nGET / HTTP/1.1\r\n" },
		{ WEFT_HTTP_RESPONSE, "HTTP/1.1 200 OK\r\n" },
		{ WEFT_HTTP_TRAILER, "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char text[256];
		struct http_feed f;

		snprintf(text, sizeof(text), "%sa: 1\r\nb: 2\r\nc: 3\r\n\r\n", cases[i].start);
		for (uint32_t fields = 0; fields < 5; fields++) {
			const struct weft_http_bounds bounds = { 65536, fields };

			http_feed_all_ways(&f, cases[i].kind, text, strlen(text), &bounds);
			assert_int_equal(f.status, fields < 3 ? WEFT_ERR_LIMIT : WEFT_OK);
			if (fields < 3)
				assert_int_equal(f.no.status, 431);
			else
				assert_int_equal(f.m.count, 3);
			http_feed_done(&f);
		}
		snprintf(text, sizeof(text), "%s\r\n", cases[i].start);
		http_feed_all_ways(&f, cases[i].kind, text, strlen(text),
			&(struct weft_http_bounds){ 65536, 0 });
		assert_int_equal(f.status, WEFT_OK);
		http_feed_done(&f);
	}
}

static void many_fields_keep_their_order(void **state)
{
	char text[4096], name[16];
	size_t len = (size_t)snprintf(text, sizeof(text), "GET / HTTP/1.1\r\n");
	struct http_feed f;

	(void)state;
	for (int i = 0; i < 128; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "n%d: v%d\r\n", i, i);
	len += (size_t)snprintf(text + len, sizeof(text) - len, "\r\n");
	http_feed(&f, WEFT_HTTP_REQUEST, text, len, &wide, 5, 7);
	assert_int_equal(f.status, WEFT_OK);
	assert_int_equal(f.m.count, 128);
	for (int i = 0; i < 128; i++) {
		int n = snprintf(name, sizeof(name), "n%d", i);

		assert_int_equal(f.m.fields[i].name_len, n);
		assert_memory_equal(f.m.fields[i].name, name, (size_t)n);
		name[0] = 'v';
		assert_int_equal(f.m.fields[i].value_len, n);
		assert_memory_equal(f.m.fields[i].value, name, (size_t)n);
	}
	http_feed_done(&f);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_are_read),
		cmocka_unit_test(responses_are_read),
		cmocka_unit_test(trailers_are_read),
		cmocka_unit_test(folded_lines_of_responses_are_joined),
		cmocka_unit_test(nothing_is_copied),
		cmocka_unit_test(what_follows_is_left_alone),
		cmocka_unit_test(unfinished_heads_wait),
		cmocka_unit_test(limit_of_bytes_is_exact),
		cmocka_unit_test(too_long_request_lines_are_told_apart),
		cmocka_unit_test(limit_of_fields_is_exact),
		cmocka_unit_test(many_fields_keep_their_order),
	};

	return cmocka_run_group_tests_name("http head", tests, NULL, NULL);
}
