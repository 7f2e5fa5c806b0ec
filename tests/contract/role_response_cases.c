/* SPDX-License-Identifier: MIT */
/* h1 as a server: response bodies in every framing, of any length, and cut short. */
#include <stdlib.h>

#include "tests/contract/role_peer.h"
#include "tests/contract/role_served.h"

static size_t left; /* bytes that are still to be written */

static enum weft_status echo(struct weft_stream *s, void *user)
{
	(void)user;
	weft_stream_set_ops(s, &served_echo_ops, NULL);
	return weft_http_reply_head(s, 200, NULL, 0, weft_stream_request(s)->body_len);
}

static enum weft_status chunks(struct weft_stream *s, void *user)
{
	const struct weft_field check = weft_field("Check", "sum");
	const struct weft_head trailer = { .body_len = -1, .fields = &check, .field_count = 1 };

	(void)user;
	weft_stream_set_ops(s, &served_ops, NULL);
	assert_int_equal(weft_http_reply_head(s, 200, NULL, 0, -1), WEFT_OK);
	assert_int_equal(weft_stream_write(s, "abc", 3), 3);
	return weft_stream_send_head(s, &trailer, WEFT_HEAD_TRAILER, true, NULL);
}

static enum weft_status too_short(struct weft_stream *s, void *user)
{
	(void)user;
	weft_stream_set_ops(s, &served_ops, NULL);
	assert_int_equal(weft_http_reply_head(s, 200, NULL, 0, 10), WEFT_OK);
	weft_stream_write(s, "12345", 5);
	weft_stream_finish(s);
	return WEFT_OK;
}

static enum weft_status too_long(struct weft_stream *s, void *user)
{
	(void)user;
	weft_stream_set_ops(s, &served_ops, NULL);
	assert_int_equal(weft_http_reply_head(s, 200, NULL, 0, 3), WEFT_OK);
	weft_stream_write(s, "12345", 5);
	weft_stream_finish(s);
	return WEFT_OK;
}

static void write_more(struct weft_stream *s, void *user)
{
	char block[4096];
	size_t n;

	(void)user;
	memset(block, 'x', sizeof(block));
	while (left) {
		n = weft_stream_write(s, block, left < sizeof(block) ? left : sizeof(block));
		left -= n;
		if (!n)
			return;
	}
	weft_stream_finish(s);
}

static const struct weft_stream_ops big_ops = { .on_writable = write_more,
	.on_close = served_close };

static enum weft_status big(struct weft_stream *s, void *user)
{
	left = 300000;
	weft_stream_set_ops(s, &big_ops, NULL);
	assert_int_equal(weft_http_reply_head(s, 200, NULL, 0, (int64_t)left), WEFT_OK);
	write_more(s, user);
	return WEFT_OK;
}

static enum weft_status big_copy(struct weft_stream *s, void *user)
{
	char *block = malloc(200000);
	enum weft_status st;

	(void)user;
	memset(block, 'y', 200000);
	st = weft_http_reply(s, 200, NULL, block, 200000);
	memset(block, 'z', 200000);
	free(block);
	return st;
}

static const struct weft_route routes[] = {
	{ .path = "/keep", .on_request = served_keep },
	{ .path = "/echo", .on_request = echo },
	{ .path = "/chunks", .on_request = chunks },
	{ .path = "/short", .on_request = too_short },
	{ .path = "/long", .on_request = too_long },
	{ .path = "/big", .on_request = big },
	{ .path = "/big-copy", .on_request = big_copy },
	{ .on_request = NULL },
};

static void begin(struct world *w, struct peer *p)
{
	const struct weft_vhost_options v = { .name = "example", .routes = routes };

	memset(&served, 0, sizeof(served));
	world_open(w, NULL, &v);
	peer_dial(p, w, "http");
}

static void end(struct world *w, struct peer *p)
{
	peer_close(p);
	world_close(w);
}

static void response_of_unknown_length_is_chunked_with_trailers(void **state)
{
	struct world w;
	struct peer p;

	(void)state;
	begin(&w, &p);
	peer_send(&p, "GET /chunks HTTP/1.1\r\nHost: a\r\n\r\n");
	peer_expect(&p, "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
			"3\r\nabc\r\n0\r\ncheck: sum\r\n\r\n");
	/* to HEAD nothing of it, and to HTTP/1.0 it ends with the connection */
	peer_send(&p, "HEAD /chunks HTTP/1.1\r\nHost: a\r\n\r\n");
	peer_expect(&p, "HTTP/1.1 200 OK\r\n\r\n");
	memset(&served, 0, sizeof(served));
	peer_send(&p, "GET /chunks HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
	peer_expect_end(&p, "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nabc");
	end(&w, &p);
}

static void body_of_another_length_than_announced_fails(void **state)
{
	struct world w;
	struct peer p;

	(void)state;
	begin(&w, &p);
	peer_send(&p, "GET /short HTTP/1.1\r\nHost: a\r\n\r\n");
	peer_expect_end(&p, "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n12345");
	assert_int_equal(served.why.status, WEFT_ERR_ARGUMENT);
	end(&w, &p);
	begin(&w, &p);
	peer_send(&p, "GET /long HTTP/1.1\r\nHost: a\r\n\r\n");
	peer_expect_end(&p, "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n123");
	assert_int_equal(served.why.status, WEFT_ERR_ARGUMENT);
	end(&w, &p);
}

static void long_bodies_come_whole(void **state)
{
	struct world w;
	struct peer p;

	(void)state;
	if (role_fragment == 1)
		return; /* the next larger pieces meet the same boundaries */
	begin(&w, &p);
	peer_send(&p, "GET /big HTTP/1.1\r\nHost: a\r\n\r\n");
	peer_expect(&p, "HTTP/1.1 200 OK\r\ncontent-length: 300000\r\n\r\n");
	peer_expect_body(&p, 'x', 300000);
	peer_send(&p, "GET /big-copy HTTP/1.1\r\nHost: a\r\n\r\n");
	peer_expect(&p, "HTTP/1.1 200 OK\r\ncontent-length: 200000\r\n\r\n");
	peer_expect_body(&p, 'y', 200000);
	end(&w, &p);
}

static void echo_answers_while_it_reads(void **state)
{
	struct world w;
	struct peer p;

	(void)state;
	begin(&w, &p);
	peer_send(&p, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\n");
	peer_expect(&p, "HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n");
	peer_send(&p, "abc");
	peer_expect(&p, "abc");
	peer_send(&p, "def");
	peer_expect(&p, "def");
	served_wait(&w, 1);
	assert_int_equal(served.why.status, WEFT_OK);
	end(&w, &p);
}

static void closing_within_a_response_cuts_it_visibly(void **state)
{
	struct world w;
	struct peer p;

	(void)state;
	begin(&w, &p);
	peer_send(&p, "GET /keep HTTP/1.1\r\nHost: a\r\n\r\n");
	peer_expect_silence(&p);
	assert_int_equal(weft_http_reply_head(served.stream, 200, NULL, 0, -1), WEFT_OK);
	weft_stream_write(served.stream, "abc", 3);
	peer_expect(&p, "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n");
	weft_stream_close(served.stream);
	peer_expect_end(&p, ""); /* without the last chunk */
	assert_int_equal(served.why.status, WEFT_ERR_CANCELLED);
	end(&w, &p);
	/* a body that ends with the connection: only a reset tells */
	begin(&w, &p);
	peer_send(&p, "GET /keep HTTP/1.0\r\n\r\n");
	peer_expect_silence(&p);
	assert_int_equal(weft_http_reply_head(served.stream, 200, NULL, 0, -1), WEFT_OK);
	weft_stream_write(served.stream, "abc", 3);
	peer_expect(&p, "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nabc");
	weft_stream_close(served.stream);
	peer_expect_reset(&p);
	served_wait(&w, 1);
	end(&w, &p);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(response_of_unknown_length_is_chunked_with_trailers),
	cmocka_unit_test(body_of_another_length_than_announced_fails),
	cmocka_unit_test(long_bodies_come_whole),
	cmocka_unit_test(echo_answers_while_it_reads),
	cmocka_unit_test(closing_within_a_response_cuts_it_visibly),
};
const struct role_group role_response_group = {
	.name = "h1 response bodies",
	.tests = tests,
	.count = sizeof(tests) / sizeof(*tests),
};
