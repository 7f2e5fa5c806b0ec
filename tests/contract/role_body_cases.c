/* SPDX-License-Identifier: MIT */
/* h1 as a server: bodies both ways, 100-continue, backpressure, changes of protocol. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/contract/role_peer.h"

/* The present test's one handler and what it saw. */
static struct {
	struct weft_stream *stream;
	char body[256];
	size_t len, taken;
	char trailer[64];
	bool hold, ended, closed;
	struct weft_error why;
	size_t left; /* bytes that are still to be written */
} seen;

static void got_head(struct weft_stream *s, const struct weft_head *head, enum weft_head_kind kind,
	void *user)
{
	const struct weft_field *f = weft_head_find(head, "check");

	(void)s;
	(void)user;
	assert_int_equal(kind, WEFT_HEAD_TRAILER);
	assert_false(seen.ended);
	snprintf(seen.trailer, sizeof(seen.trailer), "%s", f ? f->value : "");
}

static size_t got_data(struct weft_stream *s, const void *bytes, size_t len, void *user)
{
	(void)s;
	(void)user;
	if (seen.hold)
		return 0;
	for (size_t i = 0; i < len; i++, seen.len++) {
		if (seen.len < sizeof(seen.body) - 1)
			seen.body[seen.len] = ((const char *)bytes)[i];
	}
	return len;
}

static void got_end(struct weft_stream *s, void *user)
{
	(void)s;
	(void)user;
	seen.ended = true;
}

static void got_close(struct weft_stream *s, const struct weft_error *why, void *user)
{
	(void)s;
	(void)user;
	assert_false(seen.closed);
	seen.closed = true;
	seen.why = *why;
	seen.stream = NULL;
}

static const struct weft_stream_ops keep_ops = {
	.on_head = got_head,
	.on_data = got_data,
	.on_end = got_end,
	.on_close = got_close,
};

static enum weft_status keep(struct weft_stream *s, void *user)
{
	(void)user;
	seen.stream = s;
	weft_stream_set_ops(s, &keep_ops, NULL);
	return WEFT_OK;
}

/* Echo with the application's own backpressure: takes what it can write. */
static size_t echo_data(struct weft_stream *s, const void *bytes, size_t len, void *user)
{
	(void)user;
	return weft_stream_write(s, bytes, len);
}

static void echo_writable(struct weft_stream *s, void *user)
{
	(void)user;
	weft_stream_resume(s);
}

static void echo_end(struct weft_stream *s, void *user)
{
	(void)user;
	weft_stream_finish(s);
}

static const struct weft_stream_ops echo_ops = {
	.on_data = echo_data,
	.on_end = echo_end,
	.on_writable = echo_writable,
	.on_close = got_close,
};

static enum weft_status echo(struct weft_stream *s, void *user)
{
	(void)user;
	weft_stream_set_ops(s, &echo_ops, NULL);
	return weft_http_reply_head(s, 200, NULL, 0, weft_stream_request(s)->body_len);
}

static enum weft_status early(struct weft_stream *s, void *user)
{
	(void)user;
	weft_stream_set_ops(s, &keep_ops, NULL);
	return weft_http_reply(s, 413, NULL, "no", 2);
}

static enum weft_status chunks(struct weft_stream *s, void *user)
{
	const struct weft_field check = weft_field("Check", "sum");
	const struct weft_head trailer = { .body_len = -1, .fields = &check, .field_count = 1 };

	(void)user;
	weft_stream_set_ops(s, &keep_ops, NULL);
	assert_int_equal(weft_http_reply_head(s, 200, NULL, 0, -1), WEFT_OK);
	assert_int_equal(weft_stream_write(s, "abc", 3), 3);
	return weft_stream_send_head(s, &trailer, WEFT_HEAD_TRAILER, true, NULL);
}

static enum weft_status too_short(struct weft_stream *s, void *user)
{
	(void)user;
	weft_stream_set_ops(s, &keep_ops, NULL);
	assert_int_equal(weft_http_reply_head(s, 200, NULL, 0, 10), WEFT_OK);
	weft_stream_write(s, "12345", 5);
	weft_stream_finish(s);
	return WEFT_OK;
}

static enum weft_status too_long(struct weft_stream *s, void *user)
{
	(void)user;
	weft_stream_set_ops(s, &keep_ops, NULL);
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
	while (seen.left) {
		n = weft_stream_write(s, block, seen.left < sizeof(block) ? seen.left : sizeof(block));
		seen.left -= n;
		if (!n)
			return;
	}
	weft_stream_finish(s);
}

static const struct weft_stream_ops big_ops = { .on_writable = write_more, .on_close = got_close };

static enum weft_status big(struct weft_stream *s, void *user)
{
	seen.left = 300000;
	weft_stream_set_ops(s, &big_ops, NULL);
	assert_int_equal(weft_http_reply_head(s, 200, NULL, 0, (int64_t)seen.left), WEFT_OK);
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

static enum weft_status upgrade(struct weft_stream *s, void *user)
{
	(void)user;
	weft_stream_set_ops(s, &echo_ops, NULL);
	return weft_http_accept_upgrade(s, "echo");
}

static enum weft_status tunnel(struct weft_stream *s, void *user)
{
	(void)user;
	weft_stream_set_ops(s, &echo_ops, NULL);
	if (strcmp(weft_stream_request(s)->method, "CONNECT"))
		return weft_http_error(s, 404);
	if (!strcmp(weft_stream_request(s)->target, "no:1"))
		return weft_http_error(s, 403);
	return weft_http_reply_head(s, 200, NULL, 0, -1);
}

static const struct weft_route routes[] = {
	{ .path = "/keep", .on_request = keep },
	{ .path = "/echo", .on_request = echo },
	{ .path = "/early", .on_request = early },
	{ .path = "/chunks", .on_request = chunks },
	{ .path = "/short", .on_request = too_short },
	{ .path = "/long", .on_request = too_long },
	{ .path = "/big", .on_request = big },
	{ .path = "/big-copy", .on_request = big_copy },
	{ .path = "/upgrade", .on_request = upgrade },
	{ .prefix = "", .on_request = tunnel },
	{ .on_request = NULL },
};

static void begin_with(struct world *w, struct peer *p, const struct weft_context_options *o)
{
	const struct weft_vhost_options v = { .name = "example", .routes = routes };

	memset(&seen, 0, sizeof(seen));
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

static void wait_for(struct world *w, const bool *what)
{
	for (int i = 0; i < 20000 && !*what; i++)
		world_turn(w);
	assert_true(*what);
}

static void chunked_request_arrives_with_its_trailers(void **state)
{
	struct world w;
	struct peer p;

	(void)state;
	begin(&w, &p);
	peer_send(&p, "POST /keep HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n"
		      "3\r\nabc\r\n00A;ext=\"v\"\r\n0123456789\r\n0\r\nCheck: sum\r\n\r\n");
	wait_for(&w, &seen.ended);
	assert_string_equal(seen.body, "abc0123456789");
	assert_string_equal(seen.trailer, "sum");
	assert_int_equal(weft_http_reply(seen.stream, 200, NULL, "ok", 2), WEFT_OK);
	peer_expect(&p, "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
	wait_for(&w, &seen.closed);
	assert_int_equal(seen.why.status, WEFT_OK);
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
		peer_send(&p, "POST /keep HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
		peer_send(&p, bodies[i]);
		peer_send(&p, "\r\nGET /keep HTTP/1.1\r\nHost: a\r\n\r\n");
		peer_expect(&p, "HTTP/1.1 400 Bad Request\r\n");
		wait_for(&w, &seen.closed);
		assert_int_equal(seen.why.status, WEFT_ERR_PROTOCOL);
		assert_false(seen.ended);
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
	wait_for(&w, &seen.closed);
	assert_int_equal(seen.why.status, WEFT_ERR_TRUNCATED);
	assert_false(seen.ended);
	peer_expect(&p, "HTTP/1.1 400 Bad Request\r\n");
	end(&w, &p);
}

static void response_of_unknown_length_is_chunked_with_trailers(void **state)
{
	struct world w;
	struct peer p;

	(void)state;
	begin(&w, &p);
	peer_send(&p, "GET /chunks HTTP/1.1\r\nHost: a\r\n\r\n");
	peer_expect(&p, "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
			"3\r\nabc\r\n0\r\nCheck: sum\r\n\r\n");
	/* to HEAD nothing of it, and to HTTP/1.0 it ends with the connection */
	peer_send(&p, "HEAD /chunks HTTP/1.1\r\nHost: a\r\n\r\n");
	peer_expect(&p, "HTTP/1.1 200 OK\r\n\r\n");
	memset(&seen, 0, sizeof(seen));
	peer_send(&p, "GET /chunks HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
	peer_expect_end(&p, "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nabc");
	end(&w, &p);
}

static void continue_is_sent_when_the_handler_goes_on_to_read(void **state)
{
	struct world w;
	struct peer p;

	(void)state;
	begin(&w, &p);
	peer_send(&p, "POST /keep HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
	peer_expect(&p, "HTTP/1.1 100 Continue\r\n\r\n");
	peer_expect_silence(&p);
	peer_send(&p, "abc");
	wait_for(&w, &seen.ended);
	weft_http_reply(seen.stream, 200, NULL, NULL, 0);
	peer_expect(&p, "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
	end(&w, &p);
}

static void refusal_instead_of_continue_ends_the_connection(void **state)
{
	struct world w;
	struct peer p;

	(void)state;
	begin(&w, &p);
	peer_send(&p, "POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 300000\r\nExpect: 100-continue\r\n\r\n");
	peer_expect_end(&p, "HTTP/1.1 413 Content Too Large\r\ncontent-length: 2\r\nconnection: close\r\n\r\nno");
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
	peer_send(&p, "defGET /chunks HTTP/1.1\r\nHost: a\r\n\r\n");
	wait_for(&w, &seen.closed);
	assert_int_equal(seen.why.status, WEFT_OK);
	seen.closed = false;
	peer_expect(&p, "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
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
	assert_true(seen.closed);
	assert_int_equal(seen.why.status, WEFT_ERR_CANCELLED);
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
	assert_int_equal(seen.why.status, WEFT_ERR_ARGUMENT);
	end(&w, &p);
	begin(&w, &p);
	peer_send(&p, "GET /long HTTP/1.1\r\nHost: a\r\n\r\n");
	peer_expect_end(&p, "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n123");
	assert_int_equal(seen.why.status, WEFT_ERR_ARGUMENT);
	end(&w, &p);
}

static void expect_body(struct peer *p, char c, size_t len)
{
	for (int i = 0; i < 400000 && p->len < p->mark + len; i++)
		peer_turn(p);
	assert_int_equal(p->len - p->mark, len);
	for (size_t i = 0; i < len; i++)
		assert_int_equal(p->got[p->mark + i], c);
	p->mark += len;
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
	expect_body(&p, 'x', 300000);
	peer_send(&p, "GET /big-copy HTTP/1.1\r\nHost: a\r\n\r\n");
	peer_expect(&p, "HTTP/1.1 200 OK\r\ncontent-length: 200000\r\n\r\n");
	expect_body(&p, 'y', 200000);
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
	wait_for(&w, &seen.closed);
	assert_int_equal(seen.why.status, WEFT_OK);
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
	seen.hold = true;
	peer_send(&p, "POST /keep HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\n\r\n");
	peer_send_bytes(&p, block, sizeof(block));
	for (int i = 0; i < 40; i++)
		world_turn(&w);
	weft_context_counters(w.ctx, &c);
	assert_int_equal(c.bytes_in, 1000);
	assert_false(seen.ended);
	seen.hold = false;
	weft_stream_resume(seen.stream);
	wait_for(&w, &seen.ended);
	assert_int_equal(seen.len, 5000);
	weft_http_reply(seen.stream, 204, NULL, NULL, 0);
	peer_expect(&p, "HTTP/1.1 204 No Content\r\n\r\n");
	end(&w, &p);
}

static void upgrade_becomes_a_tunnel(void **state)
{
	struct world w;
	struct peer p;

	(void)state;
	begin(&w, &p);
	peer_send(&p, "GET /upgrade HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\n"
		      "Upgrade: other, Echo\r\n\r\nGET / HTTP/1.1\r\n");
	peer_expect(&p, "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n");
	peer_expect(&p, "GET / HTTP/1.1\r\n");
	peer_send(&p, "more");
	peer_expect(&p, "more");
	peer_finish(&p);
	peer_expect_end(&p, "");
	assert_int_equal(seen.why.status, WEFT_OK);
	end(&w, &p);
}

static void late_upgrade_becomes_a_tunnel(void **state)
{
	struct world w;
	struct peer p;

	(void)state;
	begin(&w, &p);
	peer_send(&p, "GET /keep HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nbytes");
	peer_expect_silence(&p);
	weft_stream_set_ops(seen.stream, &echo_ops, NULL);
	assert_int_equal(weft_http_accept_upgrade(seen.stream, "echo"), WEFT_OK);
	peer_expect(&p, "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\nbytes");
	end(&w, &p);
}

static void upgrade_needs_the_connection_option(void **state)
{
	struct world w;
	struct peer p;

	(void)state;
	begin(&w, &p);
	peer_send(&p, "GET /upgrade HTTP/1.1\r\nHost: a\r\nUpgrade: echo\r\n\r\n");
	peer_expect(&p, "HTTP/1.1 500 Internal Server Error\r\n");
	end(&w, &p);
}

static void connect_becomes_a_tunnel_or_is_refused(void **state)
{
	struct world w;
	struct peer p;

	(void)state;
	begin(&w, &p);
	peer_send(&p, "CONNECT no:1 HTTP/1.1\r\nHost: no:1\r\n\r\nCONNECT far:443 HTTP/1.1\r\nHost: far:443\r\n\r\nabc");
	peer_expect(&p, "HTTP/1.1 403 Forbidden\r\ncontent-length: 14\r\ncontent-type: text/plain; charset=utf-8\r\n\r\n403 Forbidden\n");
	peer_expect(&p, "HTTP/1.1 200 OK\r\n\r\nabc");
	peer_finish(&p);
	peer_expect_end(&p, "");
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
	assert_int_equal(weft_http_reply_head(seen.stream, 200, NULL, 0, -1), WEFT_OK);
	weft_stream_write(seen.stream, "abc", 3);
	peer_expect(&p, "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n");
	weft_stream_close(seen.stream);
	peer_expect_end(&p, ""); /* without the last chunk */
	assert_int_equal(seen.why.status, WEFT_ERR_CANCELLED);
	end(&w, &p);
	/* a body that ends with the connection: only a reset tells */
	begin(&w, &p);
	peer_send(&p, "GET /keep HTTP/1.0\r\n\r\n");
	peer_expect_silence(&p);
	assert_int_equal(weft_http_reply_head(seen.stream, 200, NULL, 0, -1), WEFT_OK);
	weft_stream_write(seen.stream, "abc", 3);
	peer_expect(&p, "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nabc");
	weft_stream_close(seen.stream);
	peer_expect_reset(&p);
	wait_for(&w, &seen.closed);
	end(&w, &p);
}

const struct CMUnitTest role_body_tests[] = {
	cmocka_unit_test(chunked_request_arrives_with_its_trailers),
	cmocka_unit_test(bad_chunks_are_refused),
	cmocka_unit_test(truncated_request_body_is_an_error),
	cmocka_unit_test(response_of_unknown_length_is_chunked_with_trailers),
	cmocka_unit_test(continue_is_sent_when_the_handler_goes_on_to_read),
	cmocka_unit_test(refusal_instead_of_continue_ends_the_connection),
	cmocka_unit_test(early_answer_drains_a_short_body_and_keeps_the_connection),
	cmocka_unit_test(early_answer_to_a_long_body_ends_the_connection),
	cmocka_unit_test(body_of_another_length_than_announced_fails),
	cmocka_unit_test(long_bodies_come_whole),
	cmocka_unit_test(echo_answers_while_it_reads),
	cmocka_unit_test(unread_body_stops_the_peer),
	cmocka_unit_test(upgrade_becomes_a_tunnel),
	cmocka_unit_test(late_upgrade_becomes_a_tunnel),
	cmocka_unit_test(upgrade_needs_the_connection_option),
	cmocka_unit_test(connect_becomes_a_tunnel_or_is_refused),
	cmocka_unit_test(closing_within_a_response_cuts_it_visibly),
};
const size_t role_body_count = sizeof(role_body_tests) / sizeof(*role_body_tests);
