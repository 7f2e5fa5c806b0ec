/* SPDX-License-Identifier: MIT */
/* h1 as a client: connections that end without an answer, and who may go to another one. DESIGN 5, law 5. */
#include "tests/contract/role_exchange.h"

#define GET "GET / HTTP/1.1\r\nhost: a\r\n\r\n"
#define OK_ANSWER "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
#define PUT_THREE "PUT / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\nabc"

static const struct weft_request post = { .method = "POST" };
static const struct weft_request put = {
	.method = "PUT",
	.body = { (const unsigned char *)"abc", 3 },
};
static const struct weft_request put_later = {
	.method = "PUT",
	.body_later = true,
	.body_later_len = 3,
};

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

static void die(struct peer *p, bool reset)
{
	if (reset)
		peer_abort(p);
	else
		peer_close(p);
}

static unsigned retried(struct client *c)
{
	struct weft_counters n;

	weft_context_counters(c->world.ctx, &n);
	return (unsigned)n.streams_retried;
}

static void idempotent_request_is_sent_again(void **state)
{
	const struct weft_request *const requests[] = { NULL, &put };
	static const char *const sent[] = { GET, PUT_THREE };
	struct exchange x;
	struct client c;
	struct peer p;

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		begin(&c, &x, &p, requests[i % 2]);
		peer_expect(&p, sent[i % 2]);
		die(&p, i > 1);
		client_accept(&c, &p);
		peer_expect(&p, sent[i % 2]);
		peer_send(&p, OK_ANSWER);
		exchange_expect(&x, 200, "ok");
		assert_int_equal(retried(&c), 1);
		end(&c, &p);
	}
}

static void post_is_not_sent_again(void **state)
{
	struct exchange x;
	struct client c;
	struct peer p;

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		begin(&c, &x, &p, &post);
		peer_expect(&p, "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n");
		die(&p, i);
		exchange_wait(&x, i ? WEFT_ERR_RESET : WEFT_ERR_TRUNCATED);
		assert_int_equal(retried(&c), 0);
		client_end(&c);
	}
}

/* An answer was begun: a 1xx counts, and so does half a status line. */
static void nothing_is_sent_again_once_an_answer_began(void **state)
{
	static const char *const begun[] = { "H", "HTTP/1.1 100 Continue\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n" };
	struct exchange x;
	struct client c;
	struct peer p;

	(void)state;
	for (size_t i = 0; i < sizeof(begun) / sizeof(*begun); i++) {
		begin(&c, &x, &p, NULL);
		peer_expect(&p, GET);
		peer_send(&p, begun[i]);
		peer_expect_silence(&p);
		peer_close(&p);
		exchange_wait(&x, WEFT_ERR_TRUNCATED);
		assert_int_equal(retried(&c), 0);
		client_end(&c);
	}
}

static void body_that_was_not_kept_is_not_sent_again(void **state)
{
	struct exchange x;
	struct client c;
	struct peer p;

	(void)state;
	begin(&c, &x, &p, &put_later);
	assert_int_equal(weft_stream_write(x.stream, "abc", 3), 3);
	weft_stream_finish(x.stream);
	peer_expect(&p, PUT_THREE);
	peer_close(&p);
	exchange_wait(&x, WEFT_ERR_NOT_REPLAYABLE);
	client_end(&c);
}

static unsigned rewound;

static enum weft_status rewind_body(struct weft_stream *s, void *user)
{
	struct exchange *x = user;

	(void)s;
	rewound++;
	if (x->hold)
		return WEFT_ERR_STATE;
	assert_int_equal(weft_stream_write(x->stream, "abc", 3), 3);
	weft_stream_finish(x->stream);
	return WEFT_OK;
}

static void body_is_asked_for_again(void **state)
{
	struct weft_stream_ops ops = exchange_ops;
	struct exchange x;
	struct client c;
	struct peer p;

	(void)state;
	ops.body_rewind = rewind_body;
	for (int willing = 1; willing >= 0; willing--) {
		rewound = 0;
		begin(&c, &x, &p, &put_later);
		weft_stream_set_ops(x.stream, &ops, &x);
		x.hold = !willing;
		assert_int_equal(weft_stream_write(x.stream, "abc", 3), 3);
		weft_stream_finish(x.stream);
		peer_expect(&p, PUT_THREE);
		peer_close(&p);
		if (willing) {
			client_accept(&c, &p);
			peer_expect(&p, PUT_THREE);
			peer_send(&p, OK_ANSWER);
			exchange_expect(&x, 200, "ok");
			peer_close(&p);
		} else {
			exchange_wait(&x, WEFT_ERR_NOT_REPLAYABLE);
		}
		assert_int_equal(rewound, 1);
		client_end(&c);
	}
}

static void server_that_always_hangs_up_is_given_up(void **state)
{
	struct exchange x;
	struct client c;
	struct peer p;
	unsigned tries = 1;

	(void)state;
	begin(&c, &x, &p, NULL);
	for (;;) {
		peer_expect(&p, GET);
		peer_close(&p);
		while (!x.closed && !peer_waiting(c.listener))
			world_turn(&c.world);
		if (x.closed)
			break;
		client_accept(&c, &p);
		assert_in_range(++tries, 2, 10);
	}
	exchange_wait(&x, WEFT_ERR_TRUNCATED);
	assert_in_range(tries, 2, 10);
	client_end(&c);
}

/* The application brought the connection: there is no other to go to, least of all one to the URL's host. */
static void transport_that_was_given_is_not_replaced(void **state)
{
	struct exchange x = { .closed = false };
	struct client c;
	struct peer p;

	(void)state;
	client_begin(&c, NULL);
	client_open_memory(&c, &x, &p, 0, NULL, "/");
	peer_expect(&p, GET);
	peer_close(&p);
	exchange_wait(&x, WEFT_ERR_TRUNCATED);
	/* and one that is dead from the beginning */
	x = (struct exchange){ .closed = false };
	client_open_memory(&c, &x, &p, 0, NULL, "/");
	peer_abort(&p);
	exchange_wait(&x, WEFT_ERR_RESET);
	client_end(&c);
}

static void waiting_streams_move_on_with_their_order(void **state)
{
	struct exchange x[3] = { { .closed = false } };
	struct client c;
	struct peer p;

	(void)state;
	client_begin(&c, NULL);
	client_open(&c, &x[0], NULL, "/0");
	client_open(&c, &x[1], &post, "/1");
	client_open(&c, &x[2], NULL, "/2");
	client_accept(&c, &p);
	peer_expect(&p, "GET /0 HTTP/1.1\r\nhost: a\r\n\r\n");
	peer_close(&p);
	client_accept(&c, &p);
	peer_expect(&p, "GET /0 HTTP/1.1\r\nhost: a\r\n\r\n");
	peer_send(&p, OK_ANSWER);
	peer_expect(&p, "POST /1 HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n");
	peer_close(&p);
	exchange_wait(&x[1], WEFT_ERR_TRUNCATED);
	client_accept(&c, &p);
	peer_expect(&p, "GET /2 HTTP/1.1\r\nhost: a\r\n\r\n");
	peer_send(&p, OK_ANSWER);
	exchange_expect(&x[0], 200, "ok");
	exchange_expect(&x[2], 200, "ok");
	end(&c, &p);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(idempotent_request_is_sent_again),
	cmocka_unit_test(post_is_not_sent_again),
	cmocka_unit_test(nothing_is_sent_again_once_an_answer_began),
	cmocka_unit_test(body_that_was_not_kept_is_not_sent_again),
	cmocka_unit_test(body_is_asked_for_again),
	cmocka_unit_test(server_that_always_hangs_up_is_given_up),
	cmocka_unit_test(transport_that_was_given_is_not_replaced),
	cmocka_unit_test(waiting_streams_move_on_with_their_order),
};
const struct role_group role_client_retry_group = {
	.name = "h1 client, lost connections",
	.tests = tests,
	.count = sizeof(tests) / sizeof(*tests),
};
