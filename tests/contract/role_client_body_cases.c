/* SPDX-License-Identifier: MIT */
/* h1 as a client: response bodies in every framing, cut short, broken, and not taken. */
#include "tests/contract/role_exchange.h"

#define GET "GET / HTTP/1.1\r\nhost: a\r\n\r\n"

/* A client whose GET has been sent. */
static void begin(
	struct client *c, struct exchange *x, struct peer *p, const struct weft_context_options *o)
{
	*x = (struct exchange){ .closed = false };
	client_begin(c, o);
	client_open(c, x, NULL, "/");
	client_accept(c, p);
	peer_expect(p, GET);
}

static void end(struct client *c, struct peer *p)
{
	peer_close(p);
	client_end(c);
}

static void body_by_length_keeps_the_connection(void **state)
{
	struct exchange x, next = { .closed = false };
	struct client c;
	struct peer p;

	(void)state;
	begin(&c, &x, &p, NULL);
	peer_send(&p, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n01234");
	client_open(&c, &next, NULL, "/");
	peer_expect_silence(&p);
	assert_int_equal(x.body_len, 10);
	assert_false(x.ended);
	peer_send(&p, "56789");
	exchange_expect(&x, 200, "0123456789");
	peer_expect(&p, GET);
	peer_send(&p, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
	exchange_expect(&next, 200, "ok");
	end(&c, &p);
}

static void chunked_body_arrives_with_its_trailers(void **state)
{
	struct exchange x, next = { .closed = false };
	struct client c;
	struct peer p;

	(void)state;
	begin(&c, &x, &p, NULL);
	client_open(&c, &next, NULL, "/");
	peer_send(&p, "HTTP/1.1 200 OK\r\nTransfer-Encoding: CHUNKED\r\n\r\n"
		      "3\r\nabc\r\n00A;ext=\"v\"\r\n0123456789\r\n0\r\nCheck: sum\r\n");
	peer_expect_silence(&p);
	assert_int_equal(x.body_len, -1);
	assert_false(x.ended);
	peer_send(&p, "\r\n");
	exchange_expect(&x, 200, "abc0123456789");
	assert_string_equal(x.trailer, "sum");
	peer_expect(&p, GET);
	peer_send(&p, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
	exchange_expect(&next, 200, "");
	end(&c, &p);
}

static void body_without_length_ends_with_the_connection(void **state)
{
	struct exchange x, next = { .closed = false };
	struct client c;
	struct peer p;

	(void)state;
	begin(&c, &x, &p, NULL);
	client_open(&c, &next, NULL, "/");
	peer_send(&p, "HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 404 Not Found\r\n\r\n");
	peer_expect_silence(&p);
	assert_int_equal(x.body_len, -1);
	assert_false(x.ended);
	peer_finish(&p);
	exchange_expect(&x, 200, "HTTP/1.1 404 Not Found\r\n\r\n");
	peer_expect_end(&p, "");
	peer_close(&p);
	/* nothing can follow on that connection */
	client_accept(&c, &p);
	peer_expect(&p, GET);
	peer_send(&p, "HTTP/1.1 204 No Content\r\n\r\n");
	exchange_expect(&next, 204, "");
	end(&c, &p);
}

static void bad_chunks_break_the_exchange(void **state)
{
	static const char *const bodies[] = { "x\r\n", "3\nabc", "3\r\nabcd\r\n", "3\r\nabc\n",
		"-1\r\n", "0x3\r\nabc\r\n", "3 \r\nabc\r\n", "\r\n", "fffffffffffffffff\r\n",
		"3;a\001b\r\nabc\r\n", "0\r\nbad trailer\r\n\r\n", "0\r\n fold\r\n\r\n", "3\r\rabc",
		"0\r\n\n" };
	struct exchange x;
	struct client c;
	struct peer p;

	(void)state;
	for (size_t i = 0; i < sizeof(bodies) / sizeof(*bodies); i++) {
		begin(&c, &x, &p, NULL);
		peer_send(&p, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
		peer_send(&p, bodies[i]);
		exchange_wait(&x, WEFT_ERR_PROTOCOL);
		assert_false(x.ended);
		end(&c, &p);
	}
}

static void truncated_responses_are_errors(void **state)
{
	static const char *const parts[] = {
		"HTTP/1.1 20",
		"HTTP/1.1 200 OK\r\nContent-Le",
		"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nA: b\r\n",
		"HTTP/1.1 100 Continue\r\n\r\n",
	};
	struct exchange x;
	struct client c;
	struct peer p;

	(void)state;
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		begin(&c, &x, &p, NULL);
		peer_send(&p, parts[i]);
		peer_finish(&p);
		exchange_wait(&x, WEFT_ERR_TRUNCATED);
		assert_false(x.ended);
		end(&c, &p);
	}
}

static void reset_cuts_even_a_body_without_length(void **state)
{
	struct exchange x;
	struct client c;
	struct peer p;

	(void)state;
	begin(&c, &x, &p, NULL);
	peer_send(&p, "HTTP/1.1 200 OK\r\n\r\nabc");
	while (x.len < 3)
		world_turn(&c.world);
	peer_abort(&p);
	exchange_wait(&x, WEFT_ERR_RESET);
	assert_false(x.ended);
	client_end(&c);
}

/* Sends a body of 5,000 bytes that the application does not take, and then does. */
static void held_back(const char *head, const char *tail, bool fin)
{
	const struct weft_context_options small = { .window_bytes = 1000 };
	struct weft_counters n;
	struct exchange x;
	struct client c;
	struct peer p;
	char block[5000];

	memset(block, 'b', sizeof(block));
	begin(&c, &x, &p, &small);
	x.hold = true;
	peer_send(&p, head);
	peer_send_bytes(&p, block, sizeof(block));
	peer_send(&p, tail);
	if (fin)
		peer_finish(&p);
	for (int i = 0; i < 40; i++)
		world_turn(&c.world);
	weft_context_counters(c.world.ctx, &n);
	assert_int_equal(n.bytes_in, 1000);
	assert_false(x.ended || x.closed);
	x.hold = false;
	weft_stream_resume(x.stream);
	exchange_wait(&x, WEFT_OK);
	assert_int_equal(x.len, 5000);
	assert_true(x.ended);
	end(&c, &p);
}

/* The connection's first stream has a small window; the second one on it has the context's. */
static void window_is_the_streams_own(void **state)
{
	const struct weft_request small = { .stream = { .window_bytes = 700 } };
	struct exchange x = { .hold = true }, next = { .hold = true };
	struct weft_counters n;
	struct client c;
	struct peer p;
	char block[3000];

	(void)state;
	memset(block, 'b', sizeof(block));
	client_begin(&c, NULL);
	client_open(&c, &x, &small, "/");
	client_accept(&c, &p);
	peer_expect(&p, GET);
	peer_send(&p, "HTTP/1.1 200 OK\r\nContent-Length: 3000\r\n\r\n");
	peer_send_bytes(&p, block, sizeof(block));
	for (int i = 0; i < 40; i++)
		world_turn(&c.world);
	weft_context_counters(c.world.ctx, &n);
	assert_int_equal(n.bytes_in, 700);
	x.hold = false;
	weft_stream_resume(x.stream);
	exchange_wait(&x, WEFT_OK);
	client_open(&c, &next, NULL, "/");
	peer_expect(&p, GET);
	peer_send(&p, "HTTP/1.1 200 OK\r\nContent-Length: 3000\r\n\r\n");
	peer_send_bytes(&p, block, sizeof(block));
	for (int i = 0; i < WORLD_TURNS_MAX && n.bytes_in < 6000; i++) {
		world_turn(&c.world);
		weft_context_counters(c.world.ctx, &n);
	}
	assert_int_equal(n.bytes_in, 6000);
	next.hold = false;
	weft_stream_resume(next.stream);
	exchange_wait(&next, WEFT_OK);
	end(&c, &p);
}

static void unread_response_stops_the_peer(void **state)
{
	(void)state;
	held_back("HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n", "", false);
	held_back("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1388\r\n", "\r\n0\r\n\r\n",
		false);
	held_back("HTTP/1.1 200 OK\r\n\r\n", "", true);
}

static void pause_at_each_piece(struct exchange *x, enum exchange_event event)
{
	if (event == EXCHANGE_DATA)
		weft_stream_pause(x->stream);
}

static void paused_stream_hears_nothing_until_it_is_resumed(void **state)
{
	struct exchange x;
	struct client c;
	struct peer p;
	size_t before = 0;

	(void)state;
	begin(&c, &x, &p, NULL);
	x.hook = pause_at_each_piece;
	peer_send(&p, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789");
	while (before < 10) {
		for (unsigned i = 0; i < WORLD_TURNS_MAX && x.len == before; i++)
			world_turn(&c.world);
		assert_true(x.len > before);
		before = x.len;
		for (unsigned i = 0; i < 5; i++)
			world_turn(&c.world);
		assert_int_equal(x.len, before);
		assert_false(x.ended || x.closed);
		weft_stream_resume(x.stream);
	}
	exchange_expect(&x, 200, "0123456789");
	end(&c, &p);
}

static void long_response_comes_whole(void **state)
{
	enum { LEN = 200000 };
	struct exchange x;
	struct client c;
	struct peer p;
	char block[5000];

	(void)state;
	memset(block, 'b', sizeof(block));
	begin(&c, &x, &p, NULL);
	peer_send(&p, "HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n");
	for (size_t n = 0; n < LEN; n += sizeof(block))
		peer_send_bytes(&p, block, sizeof(block));
	exchange_wait(&x, WEFT_OK);
	assert_int_equal(x.len, LEN);
	assert_int_equal(x.body_len, LEN);
	end(&c, &p);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(body_by_length_keeps_the_connection),
	cmocka_unit_test(chunked_body_arrives_with_its_trailers),
	cmocka_unit_test(body_without_length_ends_with_the_connection),
	cmocka_unit_test(bad_chunks_break_the_exchange),
	cmocka_unit_test(truncated_responses_are_errors),
	cmocka_unit_test(reset_cuts_even_a_body_without_length),
	cmocka_unit_test(unread_response_stops_the_peer),
	cmocka_unit_test(window_is_the_streams_own),
	cmocka_unit_test(paused_stream_hears_nothing_until_it_is_resumed),
	cmocka_unit_test(long_response_comes_whole),
};
const struct role_group role_client_body_group = {
	.name = "h1 client, response bodies",
	.tests = tests,
	.count = sizeof(tests) / sizeof(*tests),
};
