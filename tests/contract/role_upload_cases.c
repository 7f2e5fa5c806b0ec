/* SPDX-License-Identifier: MIT */
/* h1 as a client: request bodies, written piece by piece, waiting for 100, and against a slow server. */
#include <stdlib.h>

#include "tests/contract/role_exchange.h"

#define OK_ANSWER "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
#define CHUNKED "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n"
#define EXPECTING "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\nexpect: 100-continue\r\n\r\n"

static const struct weft_request later = { .body_later = true };
static const struct weft_request later_six = { .body_later = true, .body_later_len = 6 };
static const struct weft_request expecting = {
	.body = { (const unsigned char *)"abc", 3 },
	.expect_continue = true,
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

static void next_goes_on(struct client *c, struct peer *p)
{
	struct exchange next = { .closed = false };

	client_open(c, &next, NULL, "/");
	peer_expect(p, "GET / HTTP/1.1\r\nhost: a\r\n\r\n");
	peer_send(p, OK_ANSWER);
	exchange_expect(&next, 200, "ok");
}

static void body_of_unknown_length_is_chunked_as_it_is_written(void **state)
{
	struct exchange x;
	struct client c;
	struct peer p;

	(void)state;
	begin(&c, &x, &p, &later);
	peer_expect(&p, CHUNKED);
	peer_expect_silence(&p);
	assert_int_equal(weft_stream_write(x.stream, "abc", 3), 3);
	peer_expect(&p, "3\r\nabc\r\n");
	assert_int_equal(weft_stream_write(x.stream, "defghijklmnopqrs", 16), 16);
	peer_expect(&p, "10\r\ndefghijklmnopqrs\r\n");
	peer_expect_silence(&p);
	weft_stream_finish(x.stream);
	peer_expect(&p, "0\r\n\r\n");
	assert_int_equal(weft_stream_write(x.stream, "late", 4), 0);
	peer_send(&p, OK_ANSWER);
	exchange_expect(&x, 200, "ok");
	next_goes_on(&c, &p);
	end(&c, &p);
}

static void body_of_nothing_is_still_chunked(void **state)
{
	struct exchange x;
	struct client c;
	struct peer p;

	(void)state;
	begin(&c, &x, &p, &later);
	peer_expect(&p, CHUNKED);
	weft_stream_finish(x.stream);
	peer_expect(&p, "0\r\n\r\n");
	peer_send(&p, OK_ANSWER);
	exchange_expect(&x, 200, "ok");
	end(&c, &p);
}

static void chunked_body_may_have_trailers(void **state)
{
	const struct weft_field check = weft_field("check", "sum"), bad = weft_field("host", "b");
	struct weft_head trailer = { .body_len = -1, .fields = &bad, .field_count = 1 };
	struct exchange x;
	struct client c;
	struct peer p;

	(void)state;
	begin(&c, &x, &p, &later);
	peer_expect(&p, CHUNKED);
	assert_int_equal(weft_stream_write(x.stream, "abc", 3), 3);
	assert_int_equal(weft_stream_send_head(x.stream, &trailer, WEFT_HEAD_TRAILER, true, NULL),
		WEFT_ERR_ARGUMENT);
	trailer.fields = &check;
	assert_int_equal(
		weft_stream_send_head(x.stream, &trailer, WEFT_HEAD_TRAILER, true, NULL), WEFT_OK);
	peer_expect(&p, "3\r\nabc\r\n0\r\ncheck: sum\r\n\r\n");
	assert_int_equal(weft_stream_send_head(x.stream, &trailer, WEFT_HEAD_TRAILER, true, NULL),
		WEFT_ERR_STATE);
	peer_send(&p, OK_ANSWER);
	exchange_expect(&x, 200, "ok");
	end(&c, &p);
}

/* All of it was written before there was a connection. */
static void trailers_wait_with_the_body_for_the_connection(void **state)
{
	const struct weft_field check = weft_field("check", "sum");
	const struct weft_head trailer = { .body_len = -1, .fields = &check, .field_count = 1 };
	struct exchange x = { .closed = false };
	struct client c;
	struct peer p;

	(void)state;
	client_begin(&c, NULL);
	client_open(&c, &x, &later, "/");
	assert_int_equal(weft_stream_write(x.stream, "abc", 3), 3);
	assert_int_equal(
		weft_stream_send_head(x.stream, &trailer, WEFT_HEAD_TRAILER, true, NULL), WEFT_OK);
	client_accept(&c, &p);
	peer_expect(&p, CHUNKED "3\r\nabc\r\n0\r\ncheck: sum\r\n\r\n");
	peer_send(&p, OK_ANSWER);
	exchange_expect(&x, 200, "ok");
	end(&c, &p);
}

static void body_of_another_length_than_announced_fails(void **state)
{
	static const struct {
		const char *written, *sent;
	} cases[] = { { "12345", "12345" }, { "1234567", "123456" }, { "", "" } };
	struct exchange x;
	struct client c;
	struct peer p;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		begin(&c, &x, &p, &later_six);
		peer_expect(&p, "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 6\r\n\r\n");
		weft_stream_write(x.stream, cases[i].written, strlen(cases[i].written));
		weft_stream_finish(x.stream);
		exchange_wait(&x, WEFT_ERR_ARGUMENT);
		peer_expect_end(&p, cases[i].sent);
		end(&c, &p);
	}
}

static void body_waits_for_100(void **state)
{
	struct exchange x;
	struct client c;
	struct peer p;

	(void)state;
	begin(&c, &x, &p, &expecting);
	peer_expect(&p, EXPECTING);
	peer_expect_silence(&p);
	peer_send(&p, "HTTP/1.1 103 Early Hints\r\n\r\n");
	peer_expect_silence(&p);
	peer_send(&p, "HTTP/1.1 100 Continue\r\n\r\n");
	peer_expect(&p, "abc");
	assert_int_equal(x.informational, 2);
	peer_send(&p, OK_ANSWER);
	exchange_expect(&x, 200, "ok");
	next_goes_on(&c, &p);
	end(&c, &p);
}

static void answer_instead_of_100_keeps_the_body_here(void **state)
{
	struct exchange x;
	struct client c;
	struct peer p;

	(void)state;
	begin(&c, &x, &p, &expecting);
	peer_expect(&p, EXPECTING);
	peer_send(&p, "HTTP/1.1 417 Expectation Failed\r\nContent-Length: 2\r\n\r\n");
	peer_expect_silence(&p);
	peer_send(&p, "no");
	exchange_expect(&x, 417, "no");
	/* whether the server waits for a body is its own secret now: RFC 9110 section 10.1.1 */
	peer_expect_end(&p, "");
	end(&c, &p);
}

/* A server that knows nothing of 100 waits for the body. */
static void patience_with_a_missing_100_ends(void **state)
{
	struct exchange x;
	struct client c;
	struct peer p;

	(void)state;
	begin(&c, &x, &p, &expecting);
	peer_expect(&p, EXPECTING "abc");
	peer_send(&p, OK_ANSWER);
	exchange_expect(&x, 200, "ok");
	next_goes_on(&c, &p);
	end(&c, &p);
}

static void body_that_is_written_later_waits_for_100_too(void **state)
{
	const struct weft_request r = { .body_later = true, .expect_continue = true };
	struct exchange x;
	struct client c;
	struct peer p;

	(void)state;
	begin(&c, &x, &p, &r);
	peer_expect(&p, "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n"
			"expect: 100-continue\r\n\r\n");
	assert_int_equal(weft_stream_write(x.stream, "abc", 3), 3);
	weft_stream_finish(x.stream);
	peer_expect_silence(&p);
	peer_send(&p, "HTTP/1.1 100 Continue\r\n\r\n");
	peer_expect(&p, "3\r\nabc\r\n0\r\n\r\n");
	peer_send(&p, OK_ANSWER);
	exchange_expect(&x, 200, "ok");
	end(&c, &p);
}

/* What a transport of 10,000 bytes, the pipe and the outbox hold between them, and not a byte more. */
static void slow_server_stops_the_upload(void **state)
{
	enum { LEN = 400000 };
	const struct weft_request r = { .body_later = true, .body_later_len = LEN };
	struct exchange x = { .hook = exchange_upload, .left = LEN };
	struct client c;
	struct peer p;

	(void)state;
	client_begin(&c, NULL);
	client_open_memory(&c, &x, &p, 10000, &r, "/");
	exchange_upload(&x, EXCHANGE_WRITABLE);
	for (int i = 0; i < 40; i++)
		world_turn(&c.world);
	assert_in_range(LEN - x.left, 65536, 10000 + 65536 + 65536);
	peer_expect(&p, "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 400000\r\n\r\n");
	peer_expect_body(&p, 'u', LEN);
	assert_int_equal(x.left, 0);
	peer_send(&p, OK_ANSWER);
	exchange_expect(&x, 200, "ok");
	end(&c, &p);
}

static void long_body_that_was_given_whole_is_sent_whole(void **state)
{
	enum { LEN = 300000 };
	unsigned char *block = malloc(LEN);
	const struct weft_request r = { .body = { block, LEN } };
	struct exchange x;
	struct client c;
	struct peer p;

	(void)state;
	memset(block, 'w', LEN);
	begin(&c, &x, &p, &r);
	peer_expect(&p, "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 300000\r\n\r\n");
	peer_expect_body(&p, 'w', LEN);
	peer_send(&p, OK_ANSWER);
	exchange_expect(&x, 200, "ok");
	free(block);
	end(&c, &p);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(body_of_unknown_length_is_chunked_as_it_is_written),
	cmocka_unit_test(body_of_nothing_is_still_chunked),
	cmocka_unit_test(chunked_body_may_have_trailers),
	cmocka_unit_test(trailers_wait_with_the_body_for_the_connection),
	cmocka_unit_test(body_of_another_length_than_announced_fails),
	cmocka_unit_test(body_waits_for_100),
	cmocka_unit_test(answer_instead_of_100_keeps_the_body_here),
	cmocka_unit_test(patience_with_a_missing_100_ends),
	cmocka_unit_test(body_that_is_written_later_waits_for_100_too),
	cmocka_unit_test(slow_server_stops_the_upload),
	cmocka_unit_test(long_body_that_was_given_whole_is_sent_whole),
};
const struct role_group role_upload_group = {
	.name = "h1 client, request bodies",
	.tests = tests,
	.count = sizeof(tests) / sizeof(*tests),
};
