/* SPDX-License-Identifier: MIT */
/* h1 as a client: exchanges that this side ends, by its wish or because time is up. */
#include "tests/contract/role_exchange.h"

#define GET "GET / HTTP/1.1\r\nhost: a\r\n\r\n"
#define OK_ANSWER "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

/* The stream that waits behind goes to a connection of its own and is served there. */
static void next_is_served_elsewhere(struct client *c, struct exchange *next)
{
	struct peer p;

	client_accept(c, &p);
	peer_expect(&p, GET);
	peer_send(&p, OK_ANSWER);
	exchange_expect(next, 200, "ok");
	peer_close(&p);
}

static void cancelled_inside_a_callback(
	void (*hook)(struct exchange *, enum exchange_event), enum weft_status status)
{
	struct exchange x = { .hook = hook }, next = { .closed = false };
	struct client c;
	struct peer p;

	client_begin(&c, NULL);
	client_open(&c, &x, NULL, "/");
	client_open(&c, &next, NULL, "/");
	client_accept(&c, &p);
	peer_expect(&p, GET);
	peer_send(&p, OK_ANSWER);
	exchange_wait(&x, status);
	if (status) {
		next_is_served_elsewhere(&c, &next);
	} else {
		peer_expect(&p, GET);
		peer_send(&p, OK_ANSWER);
		exchange_expect(&next, 200, "ok");
	}
	peer_close(&p);
	client_end(&c);
}

static void stream_closed_in_on_head_is_the_only_one_to_end(void **state)
{
	(void)state;
	cancelled_inside_a_callback(exchange_close_in_head, WEFT_ERR_CANCELLED);
}

static void stream_closed_in_on_data_is_the_only_one_to_end(void **state)
{
	(void)state;
	cancelled_inside_a_callback(exchange_close_in_data, WEFT_ERR_CANCELLED);
}

/* It is complete by then, and the connection as good as after any other. */
static void stream_closed_in_on_end_is_complete(void **state)
{
	(void)state;
	cancelled_inside_a_callback(exchange_close_in_end, WEFT_OK);
}

/* Trailers and data in one read: nothing is told behind the close. */
static void stream_closed_amid_chunks_hears_nothing_more(void **state)
{
	struct exchange x = { .hook = exchange_close_in_data };
	struct client c;
	struct peer p;

	(void)state;
	client_begin(&c, NULL);
	client_open(&c, &x, NULL, "/");
	client_accept(&c, &p);
	peer_expect(&p, GET);
	peer_send(&p, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
		      "1\r\na\r\n1\r\nb\r\n0\r\ncheck: sum\r\n\r\n");
	exchange_wait(&x, WEFT_ERR_CANCELLED);
	assert_string_equal(x.body, "a");
	assert_string_equal(x.trailer, "");
	peer_close(&p);
	client_end(&c);
}

static void stream_closed_before_any_answer_is_the_only_one_to_end(void **state)
{
	struct exchange x = { .closed = false }, next = { .closed = false };
	struct client c;
	struct peer p;

	(void)state;
	client_begin(&c, NULL);
	client_open(&c, &x, NULL, "/");
	client_open(&c, &next, NULL, "/");
	client_accept(&c, &p);
	peer_expect(&p, GET);
	weft_stream_close(x.stream);
	assert_false(x.closed); /* on_close comes from the turn */
	exchange_wait(&x, WEFT_ERR_CANCELLED);
	peer_send(&p, OK_ANSWER);
	next_is_served_elsewhere(&c, &next);
	assert_int_equal(x.status, 0);
	peer_close(&p);
	client_end(&c);
}

static void queued_stream_that_is_closed_was_never_sent(void **state)
{
	struct exchange x[3] = { { .closed = false } };
	struct client c;
	struct peer p;

	(void)state;
	client_begin(&c, NULL);
	client_open(&c, &x[0], NULL, "/0");
	client_open(&c, &x[1], NULL, "/1");
	client_open(&c, &x[2], NULL, "/2");
	client_accept(&c, &p);
	peer_expect(&p, "GET /0 HTTP/1.1\r\nhost: a\r\n\r\n");
	weft_stream_close(x[1].stream);
	exchange_wait(&x[1], WEFT_ERR_CANCELLED);
	peer_send(&p, OK_ANSWER);
	peer_expect(&p, "GET /2 HTTP/1.1\r\nhost: a\r\n\r\n");
	peer_send(&p, OK_ANSWER);
	exchange_expect(&x[0], 200, "ok");
	exchange_expect(&x[2], 200, "ok");
	peer_close(&p);
	client_end(&c);
}

static void upload_that_is_given_up_is_cut(void **state)
{
	const struct weft_request later = { .body_later = true };
	struct exchange x = { .closed = false };
	struct client c;
	struct peer p;

	(void)state;
	client_begin(&c, NULL);
	client_open(&c, &x, &later, "/");
	client_accept(&c, &p);
	assert_int_equal(weft_stream_write(x.stream, "abc", 3), 3);
	peer_expect(
		&p, "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n");
	weft_stream_close(x.stream);
	peer_expect_end(&p, ""); /* without the last chunk */
	exchange_wait(&x, WEFT_ERR_CANCELLED);
	peer_close(&p);
	client_end(&c);
}

/* ---- time ---- */

static void timed_out(const struct weft_request *r, const char *answer)
{
	struct exchange x = { .closed = false }, next = { .closed = false };
	struct weft_counters n;
	struct client c;
	struct peer p;

	client_begin(&c, NULL);
	client_open(&c, &x, r, "/");
	client_open(&c, &next, NULL, "/");
	client_accept(&c, &p);
	peer_expect(&p, GET);
	peer_send(&p, answer);
	exchange_wait(&x, WEFT_ERR_TIMEOUT);
	assert_false(x.ended);
	weft_context_counters(c.world.ctx, &n);
	assert_int_equal(n.timeouts, 1);
	next_is_served_elsewhere(&c, &next);
	peer_close(&p);
	client_end(&c);
}

static void answer_must_begin_in_time(void **state)
{
	const struct weft_request r = { .header_ms = 20 };

	(void)state;
	timed_out(&r, "");
	timed_out(&r, "HTTP/1.1 200 OK\r\nContent-Le");
}

static void body_must_not_stop_for_long(void **state)
{
	const struct weft_request r = { .idle_ms = 20 };

	(void)state;
	timed_out(&r, "");
	timed_out(&r, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab");
	timed_out(&r, "HTTP/1.1 200 OK\r\n\r\nab");
}

static void exchange_must_be_complete_in_its_total_time(void **state)
{
	const struct weft_request r = { .total_ms = 20 };

	(void)state;
	timed_out(&r, "");
	timed_out(&r, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab");
}

static void total_time_runs_while_a_stream_is_queued(void **state)
{
	const struct weft_request r = { .total_ms = 20 };
	struct exchange x = { .closed = false }, queued = { .closed = false };
	struct client c;
	struct peer p;

	(void)state;
	client_begin(&c, NULL);
	client_open(&c, &x, NULL, "/");
	client_open(&c, &queued, &r, "/");
	client_accept(&c, &p);
	peer_expect(&p, GET);
	exchange_wait(&queued, WEFT_ERR_TIMEOUT);
	peer_send(&p, OK_ANSWER);
	exchange_expect(&x, 200, "ok");
	peer_expect_silence(&p);
	peer_close(&p);
	client_end(&c);
}

/* Only the peer is timed: not the application that writes, and not the one that does not read. */
static void application_may_take_its_time(void **state)
{
	const struct weft_request r = { .body_later = true, .idle_ms = 100, .header_ms = 100 };
	const struct weft_context_options small = { .window_bytes = 4 };
	struct exchange x = { .hold = true };
	struct client c;
	struct peer p;

	(void)state;
	client_begin(&c, &small);
	client_open(&c, &x, &r, "/");
	client_accept(&c, &p);
	peer_expect(&p, "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n");
	for (int i = 0; i < 6; i++)
		peer_expect_silence(&p);
	weft_stream_finish(x.stream);
	peer_expect(&p, "0\r\n\r\n");
	peer_send(&p, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabcdef");
	for (int i = 0; i < 6; i++)
		peer_expect_silence(&p);
	x.hold = false;
	weft_stream_resume(x.stream);
	exchange_expect(&x, 200, "abcdef");
	peer_close(&p);
	client_end(&c);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(stream_closed_in_on_head_is_the_only_one_to_end),
	cmocka_unit_test(stream_closed_in_on_data_is_the_only_one_to_end),
	cmocka_unit_test(stream_closed_in_on_end_is_complete),
	cmocka_unit_test(stream_closed_amid_chunks_hears_nothing_more),
	cmocka_unit_test(stream_closed_before_any_answer_is_the_only_one_to_end),
	cmocka_unit_test(queued_stream_that_is_closed_was_never_sent),
	cmocka_unit_test(upload_that_is_given_up_is_cut),
	cmocka_unit_test(answer_must_begin_in_time),
	cmocka_unit_test(body_must_not_stop_for_long),
	cmocka_unit_test(exchange_must_be_complete_in_its_total_time),
	cmocka_unit_test(total_time_runs_while_a_stream_is_queued),
	cmocka_unit_test(application_may_take_its_time),
};
const struct role_group role_client_end_group = {
	.name = "h1 client, ended from here",
	.tests = tests,
	.count = sizeof(tests) / sizeof(*tests),
};
