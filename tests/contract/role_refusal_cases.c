/* SPDX-License-Identifier: MIT */
/* h1 as a server: what is refused, what is limited, and when a connection ends. */
#include <stdio.h>

#include "tests/contract/role_peer.h"

static struct weft_stream *later;

static enum weft_status hello(struct weft_stream *s, void *user)
{
	(void)user;
	return weft_http_reply_static(s, 200, "text/plain", "Hello, World\n", 13);
}

static enum weft_status answer_later(struct weft_stream *s, void *user)
{
	(void)user;
	later = s;
	return WEFT_OK;
}

static const struct weft_route routes[] = {
	{ .path = "/later", .on_request = answer_later },
	{ .prefix = "", .on_request = hello },
	{ .on_request = NULL },
};

#define HELLO(extra)                                                                         \
	"HTTP/1.1 200 OK\r\ncontent-length: 13\r\n" extra "content-type: text/plain\r\n\r\n" \
	"Hello, World\n"

static void begin(struct world *w, struct peer *p, const struct weft_vhost_options *o)
{
	struct weft_vhost_options v = o ? *o : (struct weft_vhost_options){ .name = NULL };

	v.name = "example";
	v.routes = routes;
	later = NULL;
	world_open(w, NULL, &v);
	peer_dial(p, w, "http");
}

static void end(struct world *w, struct peer *p)
{
	peer_close(p);
	world_close(w);
}

#define H "Host: a\r\n"
static const struct {
	const char *request;
	unsigned status;
} bad_heads[] = {
	{ "GET / HTTP/1.1\nHost: a\n\n", 400 },
	{ "GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n", 400 },
	{ "GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n", 400 },
	{ "GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400 },
	{ "GET / HTTP/1.1\r\nno colon\r\n\r\n", 400 },
	{ "GET / HTTP/1.1\r\n: empty\r\n\r\n", 400 },
	{ "GET / HTTP/1.1\r\nX: a\001b\r\n\r\n", 400 },
	{ "GET / HTTP/1.1\r\n\r\n", 400 },
	{ "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400 },
	{ "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400 },
	{ "GET / HTTP/1.1\r\nHost: a,b@c\r\n\r\n", 400 },
	{ "GET / HTTP/1.1\r\nHost:\r\n\r\n", 400 },
	{ "GET / HTTP/1.1\r\nHost: a:b\r\n\r\n", 400 },
	{ "GET  / HTTP/1.1\r\n" H "\r\n", 400 },
	{ "GET /  HTTP/1.1\r\n" H "\r\n", 400 },
	{ "GET / HTTP/1.1 \r\n" H "\r\n", 400 },
	{ " GET / HTTP/1.1\r\n" H "\r\n", 400 },
	{ "GET /\r\n", 400 },
	{ "GET /a\x80 HTTP/1.1\r\n" H "\r\n", 400 },
	{ "GET path HTTP/1.1\r\n" H "\r\n", 400 },
	{ "GET * HTTP/1.1\r\n" H "\r\n", 400 },
	{ "GET ftp://a/ HTTP/1.1\r\n" H "\r\n", 400 },
	{ "GET http://u@a/ HTTP/1.1\r\n" H "\r\n", 400 },
	{ "CONNECT /x HTTP/1.1\r\n" H "\r\n", 400 },
	{ "G@T / HTTP/1.1\r\n" H "\r\n", 400 },
	{ "GET / http/1.1\r\n" H "\r\n", 400 },
	{ "GET / HTTP/1.10\r\n" H "\r\n", 400 },
	{ "GET / HTTP/2.0\r\n" H "\r\n", 505 },
	{ "PRI * HTTP/2.0\r\n\r\nSM\r\r\n\n", 505 },
	{ "POST / HTTP/1.1\r\n" H "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", 400 },
	{ "POST / HTTP/1.1\r\n" H "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", 400 },
	{ "POST / HTTP/1.1\r\n" H "Content-Length: 3, 3\r\n\r\nabc", 400 },
	{ "POST / HTTP/1.1\r\n" H "Content-Length: +3\r\n\r\nabc", 400 },
	{ "POST / HTTP/1.1\r\n" H "Content-Length: -1\r\n\r\n", 400 },
	{ "POST / HTTP/1.1\r\n" H "Content-Length: 0x3\r\n\r\n", 400 },
	{ "POST / HTTP/1.1\r\n" H "Content-Length:\r\n\r\n", 400 },
	{ "POST / HTTP/1.1\r\n" H "Content-Length: 99999999999999999999\r\n\r\n", 400 },
	{ "POST / HTTP/1.1\r\n" H "Transfer-Encoding: gzip\r\n\r\n", 400 },
	{ "POST / HTTP/1.1\r\n" H "Transfer-Encoding: gzip, chunked\r\n\r\n", 501 },
	{ "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked, chunked\r\n\r\n", 400 },
	{ "POST / HTTP/1.1\r\n" H
	  "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
		400 },
	{ "POST / HTTP/1.1\r\n" H "Transfer-Encoding:\r\n\r\n", 400 },
	{ "POST / HTTP/1.1\r\n" H "Transfer-Encoding: xchunked\r\n\r\n", 400 },
	{ "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400 },
	{ "CONNECT a:1 HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\nabc", 400 },
	{ "GET / HTTP/1.1\r\n" H "Expect: miracles\r\n\r\n", 417 },
	{ "\r\n\r\n\r\n\r\n\r\nGET / HTTP/1.1\r\n" H "\r\n", 400 },
	{ "\x16\x03\x01\x02", 400 },
};
#undef H

static void bad_heads_are_refused_and_the_connection_ends(void **state)
{
	struct world w;
	struct peer p;
	char line[32];

	(void)state;
	for (size_t i = 0; i < sizeof(bad_heads) / sizeof(*bad_heads); i++) {
		begin(&w, &p, NULL);
		peer_send(&p, bad_heads[i].request);
		/* what is behind it is never taken for a request */
		peer_send(&p, "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
		snprintf(line, sizeof(line), "HTTP/1.1 %u ", bad_heads[i].status);
		peer_expect(&p, line);
		p.mark = p.len;
		peer_expect_end(&p, "");
		assert_non_null(strstr(p.got, "\r\nconnection: close\r\n"));
		assert_null(strstr(p.got, "Hello, World"));
		end(&w, &p);
	}
}

static void refusal_comes_behind_the_answers_before_it(void **state)
{
	struct world w;
	struct peer p;

	(void)state;
	begin(&w, &p, NULL);
	peer_send(&p, "GET /later HTTP/1.1\r\nHost: a\r\n\r\nnonsense\r\n\r\n");
	peer_expect_silence(&p);
	hello(later, NULL);
	peer_expect(&p, HELLO(""));
	peer_expect(&p, "HTTP/1.1 400 Bad Request\r\n");
	end(&w, &p);
}

static void limits_of_heads_are_kept(void **state)
{
	const struct weft_vhost_options small = { .header_bytes = 200, .header_count = 3 };
	struct world w;
	struct peer p;
	char big[512];

	(void)state;
	memset(big, 'a', sizeof(big) - 1);
	big[sizeof(big) - 1] = 0;

	begin(&w, &p, &small);
	peer_send(&p, "GET /");
	peer_send(&p, big);
	peer_expect(&p, "HTTP/1.1 414 URI Too Long\r\n");
	end(&w, &p);

	begin(&w, &p, &small);
	peer_send(&p, "GET / HTTP/1.1\r\nHost: a\r\nX: ");
	peer_send(&p, big);
	peer_expect(&p, "HTTP/1.1 431 Request Header Fields Too Large\r\n");
	end(&w, &p);

	begin(&w, &p, &small);
	peer_send(&p, "GET / HTTP/1.1\r\nHost: a\r\nA: 1\r\nB: 2\r\nC: 3\r\n\r\n");
	peer_expect(&p, "HTTP/1.1 431 Request Header Fields Too Large\r\n");
	end(&w, &p);

	begin(&w, &p, &small);
	peer_send(&p, "GET /hello HTTP/1.1\r\nHost: a\r\nA: 1\r\nB: 2\r\n\r\n");
	peer_expect(&p, HELLO(""));
	end(&w, &p);
}

static void number_of_requests_may_be_limited(void **state)
{
	const struct weft_vhost_options two = { .requests = 2 };
	struct world w;
	struct peer p;

	(void)state;
	begin(&w, &p, &two);
	peer_send(&p, "GET /hello HTTP/1.1\r\nHost: a\r\n\r\nGET /hello HTTP/1.1\r\nHost: a\r\n\r\n"
		      "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
	peer_expect(&p, HELLO(""));
	peer_expect_end(&p, HELLO("connection: close\r\n"));
	end(&w, &p);
}

static void slow_heads_and_bodies_time_out(void **state)
{
	const struct weft_vhost_options quick = { .header_ms = 100, .idle_ms = 100 };
	struct world w;
	struct peer p;

	(void)state;
	begin(&w, &p, &quick);
	peer_expect_end(&p, ""); /* nothing was begun: nothing to answer */
	end(&w, &p);

	begin(&w, &p, &quick);
	peer_send(&p, "GET / HTTP/1.1\r\nHo");
	peer_expect(&p, "HTTP/1.1 408 Request Timeout\r\n");
	end(&w, &p);

	begin(&w, &p, &quick);
	peer_send(&p, "POST /later HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabc");
	peer_expect(&p, "HTTP/1.1 408 Request Timeout\r\n");
	end(&w, &p);

	begin(&w, &p, &quick);
	peer_send(&p, "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
	peer_expect(&p, HELLO(""));
	peer_expect_end(&p, "");
	end(&w, &p);
}

static void application_may_think_longer_than_any_limit(void **state)
{
	const struct weft_vhost_options quick = { .header_ms = 60, .idle_ms = 60 };
	struct world w;
	struct peer p;

	(void)state;
	begin(&w, &p, &quick);
	peer_send_bytes(&p, "GET /later HTTP/1.1\r\nHost: a\r\n\r\n", 32);
	for (int i = 0; i < 4; i++)
		peer_expect_silence(&p);
	assert_non_null(later);
	hello(later, NULL);
	peer_expect(&p, HELLO(""));
	end(&w, &p);
}

static void draining_finishes_the_exchange_and_closes(void **state)
{
	struct world w;
	struct peer p, idle;

	(void)state;
	begin(&w, &p, NULL);
	peer_dial(&idle, &w, "http");
	peer_send(&idle, "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
	peer_expect(&idle, HELLO(""));
	peer_send(&p, "GET /later HTTP/1.1\r\nHost: a\r\n\r\n");
	peer_expect_silence(&p);
	weft_context_drain(w.ctx, 0, NULL, NULL);
	peer_expect_end(&idle, "");
	peer_expect_silence(&p);
	hello(later, NULL);
	peer_expect_end(&p, HELLO("connection: close\r\n"));
	peer_close(&idle);
	end(&w, &p);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(bad_heads_are_refused_and_the_connection_ends),
	cmocka_unit_test(refusal_comes_behind_the_answers_before_it),
	cmocka_unit_test(limits_of_heads_are_kept),
	cmocka_unit_test(number_of_requests_may_be_limited),
	cmocka_unit_test(slow_heads_and_bodies_time_out),
	cmocka_unit_test(application_may_think_longer_than_any_limit),
	cmocka_unit_test(draining_finishes_the_exchange_and_closes),
};
const struct role_group role_refusal_group = {
	.name = "h1 server refuses",
	.tests = tests,
	.count = sizeof(tests) / sizeof(*tests),
};
