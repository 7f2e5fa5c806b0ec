/* SPDX-License-Identifier: MIT */
/* raw as a client: a stream is a connection. */
#include <stdio.h>

#include "tests/contract/role_exchange.h"

static const struct weft_stream_options talking = { .body = true };

static void open_raw(
	struct client *c, struct exchange *x, const struct weft_stream_options *options)
{
	struct weft_stream_options o = *options;
	struct weft_error err;
	char url[64];

	snprintf(url, sizeof(url), "tcp://127.0.0.1:%u", c->port);
	o.url = url;
	x->world = &c->world;
	if (weft_stream_open(c->world.ctx, &o, &exchange_ops, x, &x->stream, &err))
		fail_msg("open %s: %s", url, err.text);
}

static void begin(struct client *c, struct exchange *x, struct peer *p)
{
	*x = (struct exchange){ .closed = false };
	client_begin(c, NULL);
	open_raw(c, x, &talking);
	client_accept(c, p);
}

static void end(struct client *c, struct peer *p)
{
	peer_close(p);
	client_end(c);
}

static void wait_for_body(struct exchange *x, const char *body)
{
	for (unsigned i = 0; i < WORLD_TURNS_MAX && x->len < strlen(body); i++)
		world_turn(x->world);
	assert_string_equal(x->body, body);
}

static void client_may_speak_first(void **state)
{
	struct exchange x = { .closed = false };
	struct client c;
	struct peer p;

	(void)state;
	client_begin(&c, NULL);
	open_raw(&c, &x, &talking);
	/* before there is a connection */
	assert_int_equal(weft_stream_write(x.stream, "HTTP/1.1 200 OK\r\n\r\n", 19), 19);
	client_accept(&c, &p);
	peer_expect(&p, "HTTP/1.1 200 OK\r\n\r\n");
	peer_send(&p, "echo");
	wait_for_body(&x, "echo");
	assert_int_equal(weft_stream_write(x.stream, "more", 4), 4);
	peer_expect(&p, "more");
	weft_stream_finish(x.stream);
	peer_expect_end(&p, "");
	peer_finish(&p);
	exchange_wait(&x, WEFT_OK);
	assert_true(x.ended);
	assert_int_equal(x.status, 0);
	end(&c, &p);
}

static void server_may_speak_first(void **state)
{
	struct exchange x;
	struct client c;
	struct peer p;

	(void)state;
	begin(&c, &x, &p);
	peer_send(&p, "220 ready");
	wait_for_body(&x, "220 ready");
	peer_expect_silence(&p);
	assert_int_equal(weft_stream_write(x.stream, "QUIT", 4), 4);
	peer_expect(&p, "QUIT");
	peer_finish(&p);
	world_wait(&c.world, &x.ended);
	peer_expect_silence(&p);
	assert_false(x.closed);
	assert_int_equal(weft_stream_write(x.stream, "late", 4), 4);
	weft_stream_finish(x.stream);
	peer_expect_end(&p, "late");
	exchange_wait(&x, WEFT_OK);
	end(&c, &p);
}

static void stream_without_body_only_listens(void **state)
{
	const struct weft_stream_options silent = { .body = false };
	struct exchange x = { .closed = false };
	struct client c;
	struct peer p;

	(void)state;
	client_begin(&c, NULL);
	open_raw(&c, &x, &silent);
	assert_int_equal(weft_stream_write(x.stream, "no", 2), 0);
	client_accept(&c, &p);
	peer_expect_end(&p, "");
	peer_send(&p, "all that is said");
	wait_for_body(&x, "all that is said");
	assert_false(x.ended);
	peer_finish(&p);
	exchange_wait(&x, WEFT_OK);
	end(&c, &p);
}

/* Against a server that does not read, then one whose bytes are not taken: both at once in the end. */
static void backpressure_works_both_ways(void **state)
{
	enum { LEN = 400000, CAPACITY = 10000, HIGH = 65536 };
	const struct weft_context_options small = { .window_bytes = 5000 };
	struct exchange x = { .hook = exchange_upload, .left = LEN, .hold = true };
	struct weft_stream_options o = talking;
	struct weft_transport *ends[2];
	struct weft_counters n;
	struct weft_error err;
	struct client c;
	struct peer p;
	char block[20000];

	(void)state;
	memset(block, 'd', sizeof(block));
	client_begin(&c, &small);
	assert_int_equal(weft_transport_memory_pair(c.world.ctx, CAPACITY, ends, &err), WEFT_OK);
	peer_hold(&p, &c.world, ends[1]);
	o.transport = ends[0];
	open_raw(&c, &x, &o);
	exchange_upload(&x, EXCHANGE_WRITABLE);
	for (int i = 0; i < 40; i++)
		world_turn(&c.world);
	assert_in_range(LEN - x.left, 2 * HIGH, 2 * HIGH + CAPACITY);
	/* the half that fits: window and transport */
	peer_send_bytes(&p, block, 10000);
	for (int i = 0; i < 40; i++)
		world_turn(&c.world);
	weft_context_counters(c.world.ctx, &n);
	assert_int_equal(n.bytes_in, 5000);
	x.hold = false;
	weft_stream_resume(x.stream);
	peer_send_bytes(&p, block, sizeof(block));
	peer_expect_body(&p, 'u', LEN);
	peer_expect_end(&p, "");
	peer_finish(&p);
	exchange_wait(&x, WEFT_OK);
	assert_int_equal(x.len, 10000 + sizeof(block));
	end(&c, &p);
}

static void limits_may_be_the_streams_own(void **state)
{
	const struct weft_stream_options small = {
		.body = true, .window_bytes = 300, .write_high = 50
	};
	struct exchange x = { .hold = true };
	struct weft_counters n;
	struct client c;
	struct peer p;
	char block[1000];

	(void)state;
	memset(block, 'd', sizeof(block));
	client_begin(&c, NULL);
	open_raw(&c, &x, &small);
	/* nothing leaves before the connection is there */
	assert_int_equal(weft_stream_room(x.stream), 50);
	assert_int_equal(weft_stream_write(x.stream, block, sizeof(block)), 50);
	assert_int_equal(weft_stream_room(x.stream), 0);
	client_accept(&c, &p);
	peer_expect_body(&p, 'd', 50);
	assert_int_equal(weft_stream_room(x.stream), 50);
	peer_send_bytes(&p, block, sizeof(block));
	for (int i = 0; i < 40; i++)
		world_turn(&c.world);
	weft_context_counters(c.world.ctx, &n);
	assert_int_equal(n.bytes_in, 300);
	x.hold = false;
	weft_stream_finish(x.stream);
	weft_stream_resume(x.stream);
	peer_expect_end(&p, "");
	peer_finish(&p);
	exchange_wait(&x, WEFT_OK);
	assert_int_equal(x.len, sizeof(block));
	end(&c, &p);
}

static void stream_given_up_with_bytes_unsent_is_reset(void **state)
{
	struct exchange x = { .hook = exchange_upload, .left = 100000000 };
	struct client c;
	struct peer p;
	size_t before = 0;

	(void)state;
	client_begin(&c, NULL);
	open_raw(&c, &x, &talking);
	client_accept(&c, &p);
	exchange_upload(&x, EXCHANGE_WRITABLE);
	/* until the sockets hold all they can */
	while (before != x.left) {
		before = x.left;
		for (int i = 0; i < 10; i++)
			world_turn(&c.world);
	}
	assert_int_not_equal(x.left, 0);
	weft_stream_close(x.stream);
	peer_expect_reset(&p);
	exchange_wait(&x, WEFT_ERR_CANCELLED);
	end(&c, &p);
}

static void stream_given_up_with_all_sent_ends_in_order(void **state)
{
	struct exchange x;
	struct client c;
	struct peer p;

	(void)state;
	begin(&c, &x, &p);
	assert_int_equal(weft_stream_write(x.stream, "all", 3), 3);
	peer_expect(&p, "all");
	weft_stream_close(x.stream);
	peer_expect_end(&p, "");
	exchange_wait(&x, WEFT_ERR_CANCELLED);
	end(&c, &p);
}

static void reset_by_the_peer_is_reported(void **state)
{
	struct exchange x;
	struct client c;
	struct peer p;

	(void)state;
	begin(&c, &x, &p);
	assert_int_equal(weft_stream_write(x.stream, "all", 3), 3);
	peer_expect(&p, "all");
	peer_send(&p, "abc");
	wait_for_body(&x, "abc");
	peer_abort(&p);
	exchange_wait(&x, WEFT_ERR_RESET);
	assert_false(x.ended);
	client_end(&c);
}

/* Nothing went either way yet: another connection is as good. DESIGN 5, law 5. */
static void connection_lost_before_a_byte_is_replaced(void **state)
{
	struct exchange x;
	struct client c;
	struct peer p;

	(void)state;
	begin(&c, &x, &p);
	peer_expect_silence(&p);
	peer_abort(&p);
	client_accept(&c, &p);
	assert_int_equal(weft_stream_write(x.stream, "hello", 5), 5);
	peer_expect(&p, "hello");
	weft_stream_finish(x.stream);
	peer_finish(&p);
	exchange_wait(&x, WEFT_OK);
	end(&c, &p);
}

static void refused_connection_is_reported(void **state)
{
	struct exchange x = { .closed = false };
	struct client c, gone;

	(void)state;
	client_begin(&gone, NULL);
	client_begin(&c, NULL);
	c.port = gone.port;
	client_end(&gone);
	open_raw(&c, &x, &talking);
	exchange_wait(&x, WEFT_ERR_REFUSED);
	client_end(&c);
}

static void silence_for_too_long_ends_the_stream(void **state)
{
	const struct weft_stream_options quick = { .body = true, .idle_ms = 20 };
	struct exchange x = { .closed = false };
	struct client c;
	struct peer p;

	(void)state;
	client_begin(&c, NULL);
	open_raw(&c, &x, &quick);
	client_accept(&c, &p);
	exchange_wait(&x, WEFT_ERR_TIMEOUT);
	peer_expect_end(&p, "");
	end(&c, &p);
}

static void streams_of_the_pool_never_share_a_connection(void **state)
{
	const struct weft_stream_options pooled = { .body = true, .share = WEFT_SHARE_POOL };
	struct exchange x = { .closed = false }, next = { .closed = false };
	struct client c;
	struct peer p;

	(void)state;
	client_begin(&c, NULL);
	open_raw(&c, &x, &pooled);
	open_raw(&c, &next, &pooled);
	client_accept(&c, &p);
	assert_int_equal(weft_stream_write(next.stream, "next", 4), 4);
	assert_int_equal(weft_stream_write(x.stream, "first", 5), 5);
	peer_expect(&p, "first");
	peer_expect_silence(&p);
	assert_false(peer_waiting(c.listener));
	weft_stream_finish(x.stream);
	peer_expect_end(&p, "");
	peer_finish(&p);
	exchange_wait(&x, WEFT_OK);
	peer_close(&p);
	client_accept(&c, &p);
	peer_expect(&p, "next");
	weft_stream_close(next.stream);
	exchange_wait(&next, WEFT_ERR_CANCELLED);
	end(&c, &p);
}

static void stream_may_be_closed_in_any_callback(void **state)
{
	void (*const hooks[])(struct exchange *, enum exchange_event) = { exchange_close_in_data,
		exchange_close_in_end };
	struct exchange x;
	struct client c;
	struct peer p;

	(void)state;
	for (size_t i = 0; i < sizeof(hooks) / sizeof(*hooks); i++) {
		begin(&c, &x, &p);
		x.hook = hooks[i];
		peer_send(&p, "some");
		peer_finish(&p);
		exchange_wait(&x, WEFT_ERR_CANCELLED);
		peer_expect_end(&p, "");
		end(&c, &p);
	}
}

static void url_needs_a_port(void **state)
{
	struct weft_stream_options o = { .url = "tcp://127.0.0.1", .body = true };
	struct exchange x = { .closed = false };
	struct weft_error err;
	struct client c;

	(void)state;
	client_begin(&c, NULL);
	assert_int_equal(weft_stream_open(c.world.ctx, &o, &exchange_ops, &x, &x.stream, &err),
		WEFT_ERR_ARGUMENT);
	assert_null(x.stream);
	client_end(&c);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(client_may_speak_first),
	cmocka_unit_test(server_may_speak_first),
	cmocka_unit_test(stream_without_body_only_listens),
	cmocka_unit_test(backpressure_works_both_ways),
	cmocka_unit_test(limits_may_be_the_streams_own),
	cmocka_unit_test(stream_given_up_with_bytes_unsent_is_reset),
	cmocka_unit_test(stream_given_up_with_all_sent_ends_in_order),
	cmocka_unit_test(reset_by_the_peer_is_reported),
	cmocka_unit_test(connection_lost_before_a_byte_is_replaced),
	cmocka_unit_test(refused_connection_is_reported),
	cmocka_unit_test(silence_for_too_long_ends_the_stream),
	cmocka_unit_test(streams_of_the_pool_never_share_a_connection),
	cmocka_unit_test(stream_may_be_closed_in_any_callback),
	cmocka_unit_test(url_needs_a_port),
};
const struct role_group role_raw_client_group = {
	.name = "raw client",
	.tests = tests,
	.count = sizeof(tests) / sizeof(*tests),
};
