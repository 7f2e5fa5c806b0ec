/* SPDX-License-Identifier: MIT */
/* h1 as a client: when a connection serves another exchange, and when it must not. */
#include <stdio.h>

#include "tests/contract/role_exchange.h"

#define GET "GET / HTTP/1.1\r\nhost: a\r\n\r\n"
#define OK_ANSWER "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

static void end(struct client *c, struct peer *p)
{
	peer_close(p);
	client_end(c);
}

static void upload_is_finished(struct exchange *x)
{
	assert_int_equal(weft_stream_write(x->stream, "def", 3), 3);
	weft_stream_finish(x->stream);
}

/* No byte of a request goes out before the response before it has ended, nor while its own body goes. */
static void queued_streams_go_one_after_the_other(void **state)
{
	const struct weft_request post = { .body_later = true, .body_later_len = 6 };
	struct exchange x[4] = { { .closed = false } };
	struct weft_counters n;
	struct client c;
	struct peer p;

	(void)state;
	client_begin(&c, NULL);
	client_open(&c, &x[0], NULL, "/0");
	client_open(&c, &x[1], &post, "/1");
	client_open(&c, &x[2], NULL, "/2");
	client_accept(&c, &p);
	peer_expect(&p, "GET /0 HTTP/1.1\r\nhost: a\r\n\r\n");
	client_open(&c, &x[3], NULL, "/3");
	peer_send(&p, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n00");
	peer_expect_silence(&p);
	peer_send(&p, "0");
	exchange_expect(&x[0], 200, "000");

	peer_expect(&p, "POST /1 HTTP/1.1\r\nhost: a\r\ncontent-length: 6\r\n\r\n");
	peer_expect_silence(&p);
	assert_int_equal(weft_stream_write(x[1].stream, "abc", 3), 3);
	peer_expect(&p, "abc");
	peer_send(&p, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n1\r\n");
	peer_expect_silence(&p);
	upload_is_finished(&x[1]);
	peer_expect(&p, "def");
	peer_expect_silence(&p);
	peer_send(&p, "0\r\n\r\n");
	exchange_expect(&x[1], 200, "1");

	peer_expect(&p, "GET /2 HTTP/1.1\r\nhost: a\r\n\r\n");
	peer_send(&p, OK_ANSWER);
	peer_expect(&p, "GET /3 HTTP/1.1\r\nhost: a\r\n\r\n");
	peer_send(&p, OK_ANSWER);
	exchange_expect(&x[2], 200, "ok");
	exchange_expect(&x[3], 200, "ok");
	weft_context_counters(c.world.ctx, &n);
	assert_int_equal(n.conns_opened, 1);
	assert_int_equal(n.streams_per_conn_max, 4);
	end(&c, &p);
}

/* The response is complete while the body still goes: RFC 9112 section 9.3, it must be finished first. */
static void response_before_the_body_is_out_does_not_free_the_connection(void **state)
{
	const struct weft_request post = { .body_later = true, .body_later_len = 6 };
	struct exchange x = { .closed = false }, next = { .closed = false };
	struct client c;
	struct peer p;

	(void)state;
	client_begin(&c, NULL);
	client_open(&c, &x, &post, "/");
	client_open(&c, &next, NULL, "/");
	client_accept(&c, &p);
	assert_int_equal(weft_stream_write(x.stream, "abc", 3), 3);
	peer_expect(&p, "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 6\r\n\r\nabc");
	peer_send(&p, OK_ANSWER);
	exchange_expect(&x, 200, "ok");
	/* the rest would only hold up others: the connection ends instead */
	peer_expect_end(&p, "");
	peer_close(&p);
	client_accept(&c, &p);
	peer_expect(&p, GET);
	peer_send(&p, OK_ANSWER);
	exchange_expect(&next, 200, "ok");
	end(&c, &p);
}

/* One exchange, after which the next stream must come on another connection. */
static void ends_after(const struct weft_request *r, const char *sent, const char *answer)
{
	struct exchange x = { .closed = false }, next = { .closed = false };
	struct client c;
	struct peer p, fresh;

	client_begin(&c, NULL);
	client_open(&c, &x, r, "/");
	client_open(&c, &next, NULL, "/");
	client_accept(&c, &p);
	peer_expect(&p, sent);
	peer_send(&p, answer);
	exchange_expect(&x, 200, "ok");
	client_accept(&c, &fresh);
	peer_expect_end(&p, "");
	peer_close(&p);
	peer_expect(&fresh, GET);
	peer_send(&fresh, OK_ANSWER);
	exchange_expect(&next, 200, "ok");
	end(&c, &fresh);
}

static void close_is_respected_from_either_side(void **state)
{
	const struct weft_field field = { "connection", 10, "close", 5 };
	const struct weft_request closing = { .fields = &field, .field_count = 1 };

	(void)state;
	ends_after(NULL, GET,
		"HTTP/1.1 200 OK\r\nConnection: x, Close\r\nContent-Length: 2\r\n\r\nok");
	ends_after(NULL, GET,
		"HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
		"2\r\nok\r\n0\r\n\r\n");
	ends_after(&closing, "GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n", OK_ANSWER);
}

static void http10_ends_unless_it_says_otherwise(void **state)
{
	struct exchange x = { .closed = false }, next = { .closed = false };
	struct client c;
	struct peer p;

	(void)state;
	ends_after(NULL, GET, "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok");
	client_begin(&c, NULL);
	client_open(&c, &x, NULL, "/");
	client_open(&c, &next, NULL, "/");
	client_accept(&c, &p);
	peer_expect(&p, GET);
	peer_send(&p, "HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 2\r\n\r\nok");
	peer_expect(&p, GET);
	peer_send(&p, OK_ANSWER);
	exchange_expect(&next, 200, "ok");
	end(&c, &p);
}

/* RFC 9112 section 9.2: what nobody asked for is no response to the next request. */
static void bytes_behind_a_response_are_never_the_next_one(void **state)
{
	static const char *const answers[] = {
		OK_ANSWER "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"
		"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil",
		OK_ANSWER "x",
	};
	char answer[512];
	int pad = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(answers) / sizeof(*answers); i++)
		ends_after(NULL, GET, answers[i]);
	/* wherever reading stops for the turn */
	for (; pad < 20; pad++) {
		snprintf(answer, sizeof(answer),
			"HTTP/1.1 200 %.*s\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 404 \r\n\r\n",
			pad, "####################");
		ends_after(NULL, GET, answer);
	}
}

static void idle_connection(struct client *c, struct exchange *x, struct peer *p)
{
	*x = (struct exchange){ .closed = false };
	client_begin(c, NULL);
	client_open(c, x, NULL, "/");
	client_accept(c, p);
	peer_expect(p, GET);
	peer_send(p, OK_ANSWER);
	exchange_expect(x, 200, "ok");
	peer_expect_silence(p);
}

static void bytes_on_an_idle_connection_end_it(void **state)
{
	struct exchange x, next = { .closed = false };
	struct client c;
	struct peer p;

	(void)state;
	idle_connection(&c, &x, &p);
	peer_send(&p, "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n");
	peer_expect_end(&p, "");
	peer_close(&p);
	client_open(&c, &next, NULL, "/");
	client_accept(&c, &p);
	peer_expect(&p, GET);
	peer_send(&p, OK_ANSWER);
	exchange_expect(&next, 200, "ok");
	end(&c, &p);
}

/* The next stream comes before the client has heard of it, or long after. */
static void idle_connection_that_the_server_ended_is_replaced(void **state)
{
	struct exchange x, next;
	struct client c;
	struct peer p;

	(void)state;
	for (int turns = 0; turns < 10; turns += 5) {
		idle_connection(&c, &x, &p);
		peer_close(&p);
		for (int i = 0; i < turns; i++)
			world_turn(&c.world);
		next = (struct exchange){ .closed = false };
		client_open(&c, &next, NULL, "/");
		client_accept(&c, &p);
		peer_expect(&p, GET);
		peer_send(&p, OK_ANSWER);
		exchange_expect(&next, 200, "ok");
		end(&c, &p);
	}
}

static void idle_connection_is_closed_when_it_has_cooled(void **state)
{
	const struct weft_context_options cold = { .keep_warm_ms = 20 };
	const struct weft_context_options no_wait = { .no_keep_warm = true };
	const struct weft_context_options *const options[] = { &cold, &no_wait };
	struct client c;
	struct peer p;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct exchange x = { .closed = false };

		client_begin(&c, options[i]);
		client_open(&c, &x, NULL, "/");
		client_accept(&c, &p);
		peer_expect(&p, GET);
		peer_send(&p, OK_ANSWER);
		peer_expect_end(&p, "");
		exchange_expect(&x, 200, "ok");
		end(&c, &p);
	}
}

static void draining_finishes_what_was_begun(void **state)
{
	struct exchange x = { .closed = false };
	struct client c;
	struct peer p;

	(void)state;
	client_begin(&c, NULL);
	client_open(&c, &x, NULL, "/");
	client_accept(&c, &p);
	peer_expect(&p, GET);
	weft_context_drain(c.world.ctx, 0, NULL, NULL);
	peer_expect_silence(&p);
	peer_send(&p, OK_ANSWER);
	exchange_expect(&x, 200, "ok");
	peer_expect_end(&p, "");
	end(&c, &p);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(queued_streams_go_one_after_the_other),
	cmocka_unit_test(response_before_the_body_is_out_does_not_free_the_connection),
	cmocka_unit_test(close_is_respected_from_either_side),
	cmocka_unit_test(http10_ends_unless_it_says_otherwise),
	cmocka_unit_test(bytes_behind_a_response_are_never_the_next_one),
	cmocka_unit_test(bytes_on_an_idle_connection_end_it),
	cmocka_unit_test(idle_connection_that_the_server_ended_is_replaced),
	cmocka_unit_test(idle_connection_is_closed_when_it_has_cooled),
	cmocka_unit_test(draining_finishes_what_was_begun),
};
const struct role_group role_client_reuse_group = {
	.name = "h1 client, connections used again",
	.tests = tests,
	.count = sizeof(tests) / sizeof(*tests),
};
