/* SPDX-License-Identifier: MIT */
/* What a head says about its body and its connection. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "roles/http/framing.h"
#include "tests/support/http_feed.h"

/* A head whose start line is given, and whose fields stand in one string. */
static void read_head(struct http_feed *f, struct weft_http_facts *facts, enum weft_http_kind kind,
	const char *start, const char *fields)
{
	static const struct weft_http_bounds wide = { 65536, 128 };
	char text[1024];

	snprintf(text, sizeof(text), "%s\r\n%s\r\n", start, fields);
	http_feed(f, kind, text, strlen(text), &wide, strlen(text), 1);
	if (f->status)
		fail_msg("\"%s\": %s", text, f->no.why);
	weft_http_facts(&f->m, facts);
}

struct body_case {
	const char *start, *fields;
	enum weft_http_body body;
	uint64_t length;
	unsigned refusal;   /* 0: none */
	const char *method; /* responses */
};

static void check_bodies(enum weft_http_kind kind, const struct body_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct body_case *c = &cases[i];
		struct weft_http_refusal no = { .status = 0 };
		enum weft_http_body body = WEFT_HTTP_BODY_NONE;
		struct weft_http_facts facts;
		uint64_t length = 99;
		enum weft_status st;
		struct http_feed f;

		read_head(&f, &facts, kind, c->start, c->fields);
		if (kind == WEFT_HTTP_REQUEST)
			st = weft_http_request_body(&f.m, &facts, &body, &length, &no);
		else
			st = weft_http_response_body(&f.m, &facts, c->method, &body, &length, &no);
		if (no.status != c->refusal || st != (c->refusal ? WEFT_ERR_PROTOCOL : WEFT_OK))
			fail_msg("%s, %s: %s, %u", c->start, c->fields, weft_status_name(st),
				no.status);
		if (!st && (body != c->body || length != c->length))
			fail_msg("%s, %s: body %d, length %llu", c->start, c->fields, (int)body,
				(unsigned long long)length);
		http_feed_done(&f);
	}
}

static void request_bodies(void **state)
{
	static const struct body_case cases[] = {
		{ "GET / HTTP/1.1", "", WEFT_HTTP_BODY_NONE, 0, 0, NULL },
		{ "POST / HTTP/1.1", "", WEFT_HTTP_BODY_NONE, 0, 0, NULL },
		{ "GET / HTTP/1.1", "content-length: 3\r\n", WEFT_HTTP_BODY_LENGTH, 3, 0, NULL },
		{ "POST / HTTP/1.0", "Content-Length: 3\r\n", WEFT_HTTP_BODY_LENGTH, 3, 0, NULL },
		{ "POST / HTTP/1.1", "content-length: 0\r\n", WEFT_HTTP_BODY_NONE, 0, 0, NULL },
		{ "POST / HTTP/1.1", "transfer-encoding: chunked\r\n", WEFT_HTTP_BODY_CHUNKED, 0, 0,
			NULL },
		{ "CONNECT a:1 HTTP/1.1", "", WEFT_HTTP_BODY_NONE, 0, 0, NULL },
		{ "CONNECT a:1 HTTP/1.1", "content-length: 0\r\n", WEFT_HTTP_BODY_NONE, 0, 0,
			NULL },
		{ "CONNECT a:1 HTTP/1.1", "content-length: 1\r\n", 0, 0, 400, NULL },
		{ "CONNECT a:1 HTTP/1.1", "transfer-encoding: chunked\r\n", 0, 0, 400, NULL },
		/* another method: they are case-sensitive, RFC 9110 section 9.1 */
		{ "connect / HTTP/1.1", "content-length: 1\r\n", WEFT_HTTP_BODY_LENGTH, 1, 0,
			NULL },
		{ "CONNECTS / HTTP/1.1", "content-length: 1\r\n", WEFT_HTTP_BODY_LENGTH, 1, 0,
			NULL },
	};

	(void)state;
	check_bodies(WEFT_HTTP_REQUEST, cases, sizeof(cases) / sizeof(*cases));
}

static void response_bodies(void **state)
{
	static const char both[] = "content-length: 3\r\ntransfer-encoding: chunked\r\n";
	static const char three[] = "content-length: 3\r\n";
	static const struct body_case cases[] = {
		{ "HTTP/1.1 200 OK", "", WEFT_HTTP_BODY_CLOSE, 0, 0, "GET" },
		{ "HTTP/1.1 200 OK", "", WEFT_HTTP_BODY_CLOSE, 0, 0, NULL },
		{ "HTTP/1.0 200 OK", "", WEFT_HTTP_BODY_CLOSE, 0, 0, "GET" },
		{ "HTTP/1.1 200 OK", three, WEFT_HTTP_BODY_LENGTH, 3, 0, "GET" },
		{ "HTTP/1.1 404 No", "content-length: 0\r\n", WEFT_HTTP_BODY_NONE, 0, 0, "GET" },
		{ "HTTP/1.1 200 OK", "transfer-encoding: chunked\r\n", WEFT_HTTP_BODY_CHUNKED, 0, 0,
			"GET" },
		{ "HTTP/1.1 200 OK", both, 0, 0, 400, "GET" },
		{ "HTTP/1.1 200 OK", "content-length: x\r\n", 0, 0, 400, "POST" },
		/* no body, whatever the fields say */
		{ "HTTP/1.1 200 OK", three, WEFT_HTTP_BODY_NONE, 0, 0, "HEAD" },
		{ "HTTP/1.1 200 OK", both, WEFT_HTTP_BODY_NONE, 0, 0, "HEAD" },
		{ "HTTP/1.1 200 OK", "", WEFT_HTTP_BODY_NONE, 0, 0, "HEAD" },
		{ "HTTP/1.1 200 OK", three, WEFT_HTTP_BODY_LENGTH, 3, 0, "head" },
		{ "HTTP/1.1 204 No", three, WEFT_HTTP_BODY_NONE, 0, 0, "GET" },
		{ "HTTP/1.1 304 Same", both, WEFT_HTTP_BODY_NONE, 0, 0, "GET" },
		{ "HTTP/1.1 100 Continue", three, WEFT_HTTP_BODY_NONE, 0, 0, "POST" },
		{ "HTTP/1.1 103 Early", "", WEFT_HTTP_BODY_NONE, 0, 0, "GET" },
		{ "HTTP/1.1 205 Reset", three, WEFT_HTTP_BODY_LENGTH, 3, 0, "GET" },
		{ "HTTP/1.1 199 x", "transfer-encoding: gzip\r\n", WEFT_HTTP_BODY_NONE, 0, 0,
			"GET" },
		/* tunnels */
		{ "HTTP/1.1 101 Go", three, WEFT_HTTP_BODY_TUNNEL, 0, 0, "GET" },
		{ "HTTP/1.1 200 OK", both, WEFT_HTTP_BODY_TUNNEL, 0, 0, "CONNECT" },
		{ "HTTP/1.1 299 OK", "", WEFT_HTTP_BODY_TUNNEL, 0, 0, "CONNECT" },
		{ "HTTP/1.1 204 OK", "", WEFT_HTTP_BODY_TUNNEL, 0, 0, "CONNECT" },
		{ "HTTP/1.1 407 No", three, WEFT_HTTP_BODY_LENGTH, 3, 0, "CONNECT" },
		{ "HTTP/1.1 300 No", three, WEFT_HTTP_BODY_LENGTH, 3, 0, "CONNECT" },
		{ "HTTP/1.1 200 OK", three, WEFT_HTTP_BODY_LENGTH, 3, 0, "connect" },
	};

	(void)state;
	check_bodies(WEFT_HTTP_RESPONSE, cases, sizeof(cases) / sizeof(*cases));
}

/* The same in requests and responses. */
static void ambiguous_lengths_are_refused(void **state)
{
	static const struct {
		const char *fields;
		unsigned refusal;
	} cases[] = {
		{ "content-length: 3\r\ntransfer-encoding: chunked\r\n", 400 },
		{ "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n", 400 },
		{ "content-length: 3\r\ncontent-length: 3\r\n", 400 },
		{ "content-length: 3\r\ncontent-length: 4\r\n", 400 },
		{ "content-length: 3, 3\r\n", 400 },
		{ "content-length:\r\n", 400 },
		{ "content-length: \t\r\n", 400 },
		{ "content-length: +3\r\n", 400 },
		{ "content-length: -3\r\n", 400 },
		{ "content-length: 3 3\r\n", 400 },
		{ "content-length: 0x3\r\n", 400 },
		{ "content-length: 3.0\r\n", 400 },
		{ "content-length: 3;\r\n", 400 },
		{ "content-length: \"3\"\r\n", 400 },
		{ "content-length: \xb2\r\n", 400 },
		{ "content-length: 9223372036854775808\r\n", 400 },
		{ "content-length: 18446744073709551617\r\n", 400 },
		{ "content-length: 99999999999999999999999999\r\n", 400 },
		{ "transfer-encoding: gzip\r\n", 400 },
		{ "transfer-encoding: identity\r\n", 400 },
		{ "transfer-encoding: chunkedx\r\n", 400 },
		{ "transfer-encoding: xchunked\r\n", 400 },
		{ "transfer-encoding: chunked;q=1\r\n", 400 },
		{ "transfer-encoding: \"chunked\"\r\n", 400 },
		{ "transfer-encoding: chun ked\r\n", 400 },
		{ "transfer-encoding: gzip, chunked\r\n", 501 },
		{ "transfer-encoding: chunked, gzip\r\n", 400 },
		{ "transfer-encoding: gzip\r\ntransfer-encoding: chunked\r\n", 501 },
		{ "transfer-encoding: x;p=\", chunked\r\n", 501 },
		{ "transfer-encoding: x;p=\", chunked, y\"\r\n", 400 },
		{ "transfer-encoding: chunked, gzip, chunked\r\n", 400 },
		{ "transfer-encoding: chunked, chunked\r\n", 400 },
		{ "transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n", 400 },
		{ "transfer-encoding:\r\n", 400 },
		{ "transfer-encoding: ,\r\n", 400 },
		{ "transfer-encoding: chunked\r\ntransfer-encoding:\r\n", 400 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct body_case c = { "POST / HTTP/1.1", cases[i].fields, 0, 0, cases[i].refusal,
			"GET" };

		check_bodies(WEFT_HTTP_REQUEST, &c, 1);
		c.start = "HTTP/1.1 200 OK";
		check_bodies(WEFT_HTTP_RESPONSE, &c, 1);
	}
}

static void lengths_and_codings_have_these_forms(void **state)
{
	static const struct body_case cases[] = {
		{ "P / HTTP/1.1", "CONTENT-LENGTH:5\r\n", WEFT_HTTP_BODY_LENGTH, 5, 0, NULL },
		{ "P / HTTP/1.1", "content-length: \t 007 \t\r\n", WEFT_HTTP_BODY_LENGTH, 7, 0,
			NULL },
		{ "P / HTTP/1.1", "content-length: 9223372036854775807\r\n", WEFT_HTTP_BODY_LENGTH,
			INT64_MAX, 0, NULL },
		{ "P / HTTP/1.1", "content-length: 00000000000000000000000000000\r\n",
			WEFT_HTTP_BODY_NONE, 0, 0, NULL },
		{ "P / HTTP/1.1", "content-lengths: x\r\ncontent_length: y\r\n",
			WEFT_HTTP_BODY_NONE, 0, 0, NULL },
		{ "P / HTTP/1.1", "TRANSFER-ENCODING: Chunked\r\n", WEFT_HTTP_BODY_CHUNKED, 0, 0,
			NULL },
		{ "P / HTTP/1.1", "transfer-encoding:\t, ,chunked ,,\r\n", WEFT_HTTP_BODY_CHUNKED,
			0, 0, NULL },
		/* HTTP/1.0 knew no transfer codings */
		{ "P / HTTP/1.0", "transfer-encoding: chunked\r\n", 0, 0, 400, NULL },
	};

	(void)state;
	check_bodies(WEFT_HTTP_REQUEST, cases, sizeof(cases) / sizeof(*cases));
}

static void persistence(void **state)
{
	static const struct {
		const char *version, *fields;
		bool kept;
	} cases[] = {
		{ "1.1", "", true },
		{ "1.1", "connection: keep-alive\r\n", true },
		{ "1.1", "connection: close\r\n", false },
		{ "1.1", "Connection: CLOSE\r\n", false },
		{ "1.1", "connection: upgrade,\tclose\r\n", false },
		{ "1.1", "connection: keep-alive, close\r\n", false },
		{ "1.1", "connection: keep-alive\r\nconnection: close\r\n", false },
		{ "1.1", "connection: closed, not-close, close;x, \"close\"\r\n", true },
		{ "1.1", "connection:\r\n", true },
		{ "1.1", "proxy-connection: close\r\n", true },
		{ "1.5", "", true },
		{ "1.0", "", false },
		{ "1.0", "connection: keep-alive\r\n", true },
		{ "1.0", "connection: x, Keep-Alive ,y\r\n", true },
		{ "1.0", "keep-alive: 5\r\n", false },
		{ "1.0", "connection: close, keep-alive\r\n", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct weft_http_facts facts;
		struct http_feed f;
		char start[32];

		snprintf(start, sizeof(start), "GET / HTTP/%s", cases[i].version);
		read_head(&f, &facts, WEFT_HTTP_REQUEST, start, cases[i].fields);
		if (weft_http_persistent(&f.m, &facts) != cases[i].kept)
			fail_msg("%s, %s", start, cases[i].fields);
		http_feed_done(&f);
	}
}

static void facts_are_gathered(void **state)
{
	struct weft_http_facts facts;
	struct http_feed f;

	(void)state;
	read_head(&f, &facts, WEFT_HTTP_REQUEST, "GET / HTTP/1.1",
		"HOST: a\r\nhost: b\r\nConnection: x, Upgrade\r\nUpgrade: websocket\r\n"
		"Expect: 100-Continue\r\ncontent-length: 1\r\nContent-Length: 2\r\n");
	assert_int_equal(facts.hosts, 2);
	assert_ptr_equal(facts.host, &f.m.fields[0]);
	assert_ptr_equal(facts.upgrade, &f.m.fields[3]);
	assert_true(facts.upgrade_option);
	assert_true(facts.expect_continue);
	assert_false(facts.expect_other);
	assert_int_equal(facts.lengths, 2);
	assert_ptr_equal(facts.length, &f.m.fields[5]);
	assert_int_equal(facts.codings, 0);
	assert_false(facts.close || facts.keep_alive || facts.chunked || facts.coding_unknown);
	http_feed_done(&f);
	read_head(&f, &facts, WEFT_HTTP_REQUEST, "GET / HTTP/1.1",
		"hostess: a\r\nupgrade:\r\nexpect: 100-continue, x\r\nexpect:\r\n");
	assert_int_equal(facts.hosts, 0);
	assert_null(facts.host);
	assert_null(facts.upgrade);
	assert_false(facts.upgrade_option);
	assert_false(facts.expect_continue);
	assert_true(facts.expect_other);
	http_feed_done(&f);
}

static void some_responses_never_have_bodies(void **state)
{
	(void)state;
	for (unsigned status = 100; status < 600; status++) {
		const bool none = status < 200 || status == 204 || status == 304;

		assert_int_equal(weft_http_bodyless("GET", status), none);
		assert_int_equal(weft_http_bodyless(NULL, status), none);
		assert_true(weft_http_bodyless("HEAD", status));
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(request_bodies),
		cmocka_unit_test(response_bodies),
		cmocka_unit_test(ambiguous_lengths_are_refused),
		cmocka_unit_test(lengths_and_codings_have_these_forms),
		cmocka_unit_test(persistence),
		cmocka_unit_test(facts_are_gathered),
		cmocka_unit_test(some_responses_never_have_bodies),
	};

	return cmocka_run_group_tests_name("http framing", tests, NULL, NULL);
}
