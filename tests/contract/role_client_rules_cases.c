/* SPDX-License-Identifier: MIT */
/* Rules of RFC 9110 and RFC 9112 for user agents that no other file of the suite pins. */
#include <limits.h>
#include <stdio.h>

#include "tests/contract/role_exchange.h"

#define GET "GET / HTTP/1.1\r\nhost: a\r\n\r\n"
#define OK_ANSWER "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

static void begin(
	struct client *c, struct exchange *x, struct peer *p, const struct weft_request *r)
{
	*x = (struct exchange){ .closed = false };
	client_begin(c, NULL);
	client_open(c, x, r, "/");
	client_accept(c, p);
}

static void end(struct client *c, struct peer *p)
{
	peer_close(p);
	client_end(c);
}

static char folded[64];

static void note_folded(struct exchange *x, enum exchange_event event)
{
	const struct weft_field *f;

	if (event != EXCHANGE_HEAD)
		return;
	f = weft_head_find(weft_stream_response(x->stream), "x");
	assert_non_null(f);
	assert_true(f->value_len < sizeof(folded));
	memcpy(folded, f->value, f->value_len);
	folded[f->value_len] = 0;
}

/* RFC 9112 section 5.2 demands it of user agents. */
static void folded_fields_of_responses_are_read_with_spaces(void **state)
{
	struct exchange x, next = { .closed = false };
	struct client c;
	struct peer p;

	(void)state;
	begin(&c, &x, &p, NULL);
	x.hook = note_folded;
	peer_expect(&p, GET);
	peer_send(&p, "HTTP/1.1 200 OK\r\nX: one\r\n two\r\nTransfer-Encoding:\r\n\tchunked\r\n\r\n"
		      "2\r\nok\r\n0\r\nCheck: a\r\n b\r\n\r\n");
	exchange_expect(&x, 200, "ok");
	assert_string_equal(folded, "one   two");
	assert_string_equal(x.trailer, "a   b");
	client_open(&c, &next, NULL, "/");
	peer_expect(&p, GET);
	peer_send(&p, OK_ANSWER);
	exchange_expect(&next, 200, "ok");
	end(&c, &p);
}

static void *(*real_resize)(void *user, void *ptr, size_t old_len, size_t new_len);
static unsigned fail_in; /* 0: never */

static void *sometimes(void *user, void *ptr, size_t old_len, size_t new_len)
{
	if (new_len && fail_in && !--fail_in)
		return NULL;
	return real_resize(user, ptr, old_len, new_len);
}

/* Joining folded lines takes memory: without it the exchange fails, and nothing is left of it. */
static void folded_fields_may_find_no_memory(void **state)
{
	unsigned failures = 0;

	(void)state;
	for (unsigned n = 1; n; n++) {
		struct exchange x;
		struct client c;
		struct peer p;

		begin(&c, &x, &p, NULL);
		peer_expect(&p, GET);
		real_resize = c.world.alloc.resize;
		c.world.alloc.resize = sometimes;
		fail_in = n;
		peer_send(&p,
			"HTTP/1.1 200 OK\r\nX: one\r\n two\r\nTransfer-Encoding: chunked\r\n\r\n"
			"2\r\nok\r\n0\r\nCheck: a\r\n b\r\n\r\n");
		world_wait(&c.world, &x.closed);
		if (fail_in)
			n = UINT_MAX; /* all went well: the last round */
		else
			failures += x.why.status == WEFT_ERR_MEMORY;
		if (fail_in || x.why.status == WEFT_OK)
			assert_string_equal(x.body, "ok");
		fail_in = 0;
		peer_close(&p);
		c.world.alloc.resize = real_resize;
		client_end(&c);
	}
	assert_true(failures >= 2);
}

/* RFC 9110 section 15: by its class, and no number of three digits is unheard of. */
static void unknown_statuses_are_passed_on(void **state)
{
	static const unsigned statuses[] = { 200, 299, 399, 418, 499, 599, 600, 999 };
	char answer[80];

	(void)state;
	for (size_t i = 0; i < sizeof(statuses) / sizeof(*statuses); i++) {
		struct exchange x;
		struct client c;
		struct peer p;

		begin(&c, &x, &p, NULL);
		peer_expect(&p, GET);
		snprintf(answer, sizeof(answer), "HTTP/1.1 %u \r\nContent-Length: 2\r\n\r\nok",
			statuses[i]);
		peer_send(&p, answer);
		exchange_expect(&x, statuses[i], "ok");
		end(&c, &p);
	}
}

static void lengths_of_a_tunnel_are_ignored(void **state)
{
	const struct weft_request connect = { .method = "CONNECT" };
	struct exchange x = { .closed = false };
	struct client c;
	struct peer p;

	(void)state;
	client_begin(&c, NULL);
	client_open(&c, &x, &connect, ":443");
	client_accept(&c, &p);
	peer_expect(&p, "CONNECT a:443 HTTP/1.1\r\nhost: a:443\r\n\r\n");
	peer_send(&p, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 3\r\n"
		      "Transfer-Encoding: chunked\r\n\r\nhello");
	while (x.len < 5)
		world_turn(&c.world);
	assert_int_equal(x.status, 200);
	assert_string_equal(x.body, "hello");
	weft_stream_close(x.stream);
	end(&c, &p);
}

static void refused(const struct weft_request *r, const char *url, const char *words)
{
	struct weft_request with_url = *r;
	struct exchange x = { .closed = false };
	struct weft_error err;
	struct client c;
	char to[32];

	client_begin(&c, NULL);
	snprintf(to, sizeof(to), "127.0.0.1:%u", c.port);
	with_url.url = url;
	with_url.connect_to = to;
	if (weft_http_open(c.world.ctx, &with_url, &exchange_ops, &x, &x.stream, &err)) {
		assert_int_equal(err.status, WEFT_ERR_ARGUMENT);
	} else {
		/* what only the role can judge comes when the stream is bound */
		x.world = &c.world;
		struct peer p;

		client_accept(&c, &p);
		exchange_wait(&x, WEFT_ERR_ARGUMENT);
		err = x.why;
		peer_expect_end(&p, "");
		peer_close(&p);
	}
	if (!strstr(err.text, words))
		fail_msg("\"%s\", expected \"%s\"", err.text, words);
	client_end(&c);
}

static void requests_that_must_not_be_sent_are_refused(void **state)
{
	static const struct weft_field fields[] = {
		{ "te", 2, "trailers, Chunked", 17 },
		{ "host", 4, "b", 1 },
		{ "content-length", 14, "3", 1 },
		{ "transfer-encoding", 17, "gzip", 4 },
		{ "expect", 6, "100-continue", 12 },
		{ "x y", 3, "z", 1 },
		{ "x", 1, "y\r\nz: 1", 7 },
		{ "x", 1, "y\rz", 3 },
		{ "connection", 10, "keep-alive", 10 },
	};
	static const char *const words[] = { "te: \"chunked\"", "host", "content-length",
		"transfer-encoding", "100-continue without a body", "x y", "control character",
		"control character", "connection" };
	const struct weft_span body = { (const unsigned char *)"abc", 3 };

	(void)state;
	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
		refused(&(struct weft_request){ .fields = &fields[i], .field_count = 1 },
			"http://a/", words[i]);
	refused(&(struct weft_request){ .method = "TRACE", .body = body }, "http://a/",
		"TRACE with a body");
	refused(&(struct weft_request){ .method = "OPTIONS", .body = body }, "http://a/",
		"content-type");
	refused(&(struct weft_request){ .expect_continue = true }, "http://a/", "without a body");
	refused(&(struct weft_request){ .method = "G T" }, "http://a/", "expected a token");
	refused(&(struct weft_request){ .method = "CONNECT" }, "http://a", "port");
	refused(&(struct weft_request){ .url = NULL }, "http://user:word@a/", "expected");
	refused(&(struct weft_request){ .url = NULL }, "http:///", "expected");
}

/* RFC 9112 section 3.2: host is the URL's authority, the target its path and query. */
static void target_and_host_are_made_of_the_url(void **state)
{
	static const struct {
		const char *method, *path, *sent;
	} cases[] = {
		{ "GET", "", "GET / HTTP/1.1\r\nhost: a\r\n\r\n" },
		{ "GET", "?q", "GET /?q HTTP/1.1\r\nhost: a\r\n\r\n" },
		{ "GET", "/x?y=/", "GET /x?y=/ HTTP/1.1\r\nhost: a\r\n\r\n" },
		{ "GET", "/x#fragment", "GET /x HTTP/1.1\r\nhost: a\r\n\r\n" },
		{ "GET", ":81/x", "GET /x HTTP/1.1\r\nhost: a:81\r\n\r\n" },
		{ "OPTIONS", "/*", "OPTIONS /* HTTP/1.1\r\nhost: a\r\n\r\n" },
		{ "CONNECT", ":80", "CONNECT a:80 HTTP/1.1\r\nhost: a:80\r\n\r\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct weft_request r = { .method = cases[i].method };
		struct exchange x = { .closed = false };
		struct client c;
		struct peer p;

		client_begin(&c, NULL);
		client_open(&c, &x, &r, cases[i].path);
		client_accept(&c, &p);
		peer_expect(&p, cases[i].sent);
		peer_send(&p, "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nok");
		exchange_expect(&x, 404, "ok");
		end(&c, &p);
	}
}

static void te_and_upgrade_are_listed_in_connection(void **state)
{
	const struct weft_field te = { "TE", 2, "trailers", 8 };
	const struct weft_request r = { .fields = &te, .field_count = 1, .upgrade = "echo" };
	const struct weft_request te_alone = { .fields = &te, .field_count = 1 };
	struct exchange x;
	struct client c;
	struct peer p;

	(void)state;
	begin(&c, &x, &p, &r);
	peer_expect(&p, "GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade, te\r\nte: "
			"trailers\r\nupgrade: echo\r\n\r\n");
	peer_send(&p, OK_ANSWER);
	exchange_expect(&x, 200, "ok");
	end(&c, &p);
	begin(&c, &x, &p, &te_alone);
	peer_expect(&p, "GET / HTTP/1.1\r\nhost: a\r\nconnection: te\r\nte: trailers\r\n\r\n");
	peer_send(&p, OK_ANSWER);
	exchange_expect(&x, 200, "ok");
	end(&c, &p);
}

/* The classic of response splitting: three streams wait, the server says more than it was asked. */
static void smuggled_responses_reach_no_queued_stream(void **state)
{
	static const char *const behind[] = {
		"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil",
		"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil",
		"\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil",
		"HTTP/1.1 200 OK\r\nContent-Le",
		"\r\n",
		"\n",
	};
	static const char *const answers[] = {
		OK_ANSWER,
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
		"HTTP/1.1 204 No Content\r\n\r\n",
		"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
	};
	char bytes[256];

	(void)state;
	for (size_t i = 0; i < 4 * sizeof(behind) / sizeof(*behind); i++) {
		struct exchange x[3] = { { .closed = false } };
		struct client c;
		struct peer p;

		client_begin(&c, NULL);
		for (size_t k = 0; k < 3; k++)
			client_open(&c, &x[k], NULL, "/");
		client_accept(&c, &p);
		peer_expect(&p, GET);
		snprintf(bytes, sizeof(bytes), "%s%s", answers[i % 4], behind[i / 4]);
		peer_send(&p, bytes);
		world_wait(&c.world, &x[0].closed);
		assert_int_equal(x[0].why.status, WEFT_OK);
		peer_close(&p);
		/* another connection for those behind it, who have heard nothing yet */
		client_accept(&c, &p);
		assert_int_equal(x[1].status, 0);
		assert_int_equal(x[1].informational, 0);
		peer_expect(&p, GET);
		peer_send(&p, OK_ANSWER);
		exchange_expect(&x[1], 200, "ok");
		peer_expect(&p, GET);
		peer_send(&p, OK_ANSWER);
		exchange_expect(&x[2], 200, "ok");
		end(&c, &p);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(folded_fields_of_responses_are_read_with_spaces),
	cmocka_unit_test(folded_fields_may_find_no_memory),
	cmocka_unit_test(unknown_statuses_are_passed_on),
	cmocka_unit_test(lengths_of_a_tunnel_are_ignored),
	cmocka_unit_test(requests_that_must_not_be_sent_are_refused),
	cmocka_unit_test(target_and_host_are_made_of_the_url),
	cmocka_unit_test(te_and_upgrade_are_listed_in_connection),
	cmocka_unit_test(smuggled_responses_reach_no_queued_stream),
};
const struct role_group role_client_rules_group = {
	.name = "h1 client, rules",
	.tests = tests,
	.count = sizeof(tests) / sizeof(*tests),
};
