/* SPDX-License-Identifier: MIT */
/* h1 as a server: request bodies, and what becomes of those that nobody reads. */
#include "tests/contract/role_peer.h"
#include "tests/contract/role_served.h"

static enum weft_status early(struct weft_stream *s, void *user)
{
	(void)user;
	weft_stream_set_ops(s, &served_ops, NULL);
	return weft_http_reply(s, 413, NULL, "no", 2);
}

static const struct weft_route routes[] = {
	{ .path = "/keep", .on_request = served_keep },
	{ .path = "/early", .on_request = early },
	{ .on_request = NULL },
};

static void begin_with(struct world *w, struct peer *p, const struct weft_context_options *o)
{
	const struct weft_vhost_options v = { .name = "example", .routes = routes };

	memset(&served, 0, sizeof(served));
	world_open(w, o, &v);
	peer_dial(p, w, "http");
}

static void begin(struct world *w, struct peer *p)
{
	begin_with(w, p, NULL);
}

static void end(struct world *w, struct peer *p)
{
	peer_close(p);
	world_close(w);
}

static void chunked_request_arrives_with_its_trailers(void **state)
{
	struct world w;
	struct peer p;

	(void)state;
	begin(&w, &p);
	peer_send(&p, "POST /keep HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n"
		      "3\r\nabc\r\n00A;ext=\"v\"\r\n0123456789\r\n0\r\nCheck: sum\r\n\r\n");
	world_wait(&w, &served.ended);
	assert_string_equal(served.body, "abc0123456789");
	assert_string_equal(served.trailer, "sum");
	assert_int_equal(weft_http_reply(served.stream, 200, NULL, "ok", 2), WEFT_OK);
	peer_expect(&p, "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
	served_wait(&w, 1);
	assert_int_equal(served.why.status, WEFT_OK);
	end(&w, &p);
}

static void bad_chunks_are_refused(void **state)
{
	static const char *const bodies[] = { "x\r\n", "3\nabc", "3\r\nabcd\r\n", "3\r\nabc\n",
		"-1\r\n", "0x3\r\nabc\r\n", "3 \r\nabc\r\n", "\r\n", "fffffffffffffffff\r\n",
		"3;a\001b\r\nabc\r\n", "0\r\nbad trailer\r\n\r\n", "0\r\nA: b\r\n fold\r\n\r\n",
		"3\r\rabc" };
	struct world w;
	struct peer p;

	(void)state;
	for (size_t i = 0; i < sizeof(bodies) / sizeof(*bodies); i++) {
		begin(&w, &p);
		peer_send(
			&p, "POST /keep HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
		peer_send(&p, bodies[i]);
		peer_send(&p, "\r\nGET /keep HTTP/1.1\r\nHost: a\r\n\r\n");
		peer_expect(&p, "HTTP/1.1 400 Bad Request\r\n");
		served_wait(&w, 1);
		assert_int_equal(served.why.status, WEFT_ERR_PROTOCOL);
		assert_false(served.ended);
		end(&w, &p);
	}
}

static void truncated_request_body_is_an_error(void **state)
{
	struct world w;
	struct peer p;

	(void)state;
	begin(&w, &p);
	peer_send(&p, "POST /keep HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc");
	peer_finish(&p);
	served_wait(&w, 1);
	assert_int_equal(served.why.status, WEFT_ERR_TRUNCATED);
	assert_false(served.ended);
	peer_expect(&p, "HTTP/1.1 400 Bad Request\r\n");
	end(&w, &p);
}

static void continue_is_sent_when_the_handler_goes_on_to_read(void **state)
{
	struct world w;
	struct peer p;

	(void)state;
	begin(&w, &p);
	peer_send(&p, "POST /keep HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: "
		      "100-continue\r\n\r\n");
	peer_expect(&p, "HTTP/1.1 100 Continue\r\n\r\n");
	peer_expect_silence(&p);
	peer_send(&p, "abc");
	world_wait(&w, &served.ended);
	weft_http_reply(served.stream, 200, NULL, NULL, 0);
	peer_expect(&p, "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
	end(&w, &p);
}

static void refusal_instead_of_continue_ends_the_connection(void **state)
{
	struct world w;
	struct peer p;

	(void)state;
	begin(&w, &p);
	peer_send(&p, "POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 300000\r\nExpect: "
		      "100-continue\r\n\r\n");
	peer_expect_end(&p, "HTTP/1.1 413 Content Too Large\r\ncontent-length: 2\r\nconnection: "
			    "close\r\n\r\nno");
	end(&w, &p);
}

static void early_answer_drains_a_short_body_and_keeps_the_connection(void **state)
{
	struct world w;
	struct peer p;

	(void)state;
	begin(&w, &p);
	peer_send(&p, "POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabc");
	peer_expect(&p, "HTTP/1.1 413 Content Too Large\r\ncontent-length: 2\r\n\r\nno");
	assert_int_equal(served.closes, 0);
	peer_send(&p, "defPOST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
	peer_expect(&p, "HTTP/1.1 413 Content Too Large\r\ncontent-length: 2\r\n\r\nno");
	served_wait(&w, 2);
	assert_int_equal(served.why.status, WEFT_OK);
	end(&w, &p);
}

static void early_answer_to_a_long_body_ends_the_connection(void **state)
{
	struct world w;
	struct peer p;

	(void)state;
	begin(&w, &p);
	peer_send(&p, "POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\nabc");
	peer_expect_end(&p, "HTTP/1.1 413 Content Too Large\r\ncontent-length: 2\r\n\r\nno");
	assert_int_equal(served.closes, 1);
	assert_int_equal(served.why.status, WEFT_ERR_CANCELLED);
	end(&w, &p);
}

/* No more is read from the peer than the window and what lies in the transports. */
static void unread_body_stops_the_peer(void **state)
{
	const struct weft_context_options small = { .window_bytes = 1000 };
	struct weft_counters c;
	struct world w;
	struct peer p;
	char block[5000];

	(void)state;
	memset(block, 'b', sizeof(block));
	begin_with(&w, &p, &small);
	served.hold = true;
	peer_send(&p, "POST /keep HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\n\r\n");
	peer_send_bytes(&p, block, sizeof(block));
	for (int i = 0; i < 40; i++)
		world_turn(&w);
	weft_context_counters(w.ctx, &c);
	assert_int_equal(c.bytes_in, 1000);
	assert_false(served.ended);
	served.hold = false;
	weft_stream_resume(served.stream);
	world_wait(&w, &served.ended);
	assert_int_equal(served.len, 5000);
	weft_http_reply(served.stream, 204, NULL, NULL, 0);
	peer_expect(&p, "HTTP/1.1 204 No Content\r\n\r\n");
	end(&w, &p);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(chunked_request_arrives_with_its_trailers),
	cmocka_unit_test(bad_chunks_are_refused),
	cmocka_unit_test(truncated_request_body_is_an_error),
	cmocka_unit_test(continue_is_sent_when_the_handler_goes_on_to_read),
	cmocka_unit_test(refusal_instead_of_continue_ends_the_connection),
	cmocka_unit_test(early_answer_drains_a_short_body_and_keeps_the_connection),
	cmocka_unit_test(early_answer_to_a_long_body_ends_the_connection),
	cmocka_unit_test(unread_body_stops_the_peer),
};
const struct role_group role_request_group = {
	.name = "h1 request bodies",
	.tests = tests,
	.count = sizeof(tests) / sizeof(*tests),
};
