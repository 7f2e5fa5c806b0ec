/* SPDX-License-Identifier: MIT */
/* raw as a server: bytes both ways, each direction with an end of its own. */
#include "tests/contract/role_peer.h"
#include "tests/contract/role_served.h"

static enum weft_status echo(struct weft_stream *s, void *user)
{
	const struct weft_head *r = weft_stream_request(s);

	(void)user;
	assert_null(r->method);
	assert_int_equal(r->field_count, 0);
	served.stream = s;
	weft_stream_set_ops(s, &served_echo_ops, NULL);
	return WEFT_OK;
}

static enum weft_status greet(struct weft_stream *s, void *user)
{
	served_keep(s, user);
	assert_int_equal(weft_stream_write(s, "hello", 5), 5);
	return WEFT_OK;
}

static enum weft_status fails(struct weft_stream *s, void *user)
{
	weft_stream_set_ops(s, &served_ops, user);
	return WEFT_ERR_IO;
}

static enum weft_status close_at_once(struct weft_stream *s, void *user)
{
	served_keep(s, user);
	weft_stream_close(s);
	return WEFT_OK;
}

static void begin_with(struct world *w, struct peer *p,
	enum weft_status (*handler)(struct weft_stream *, void *), uint32_t idle_ms,
	const struct weft_context_options *o, size_t capacity)
{
	static struct weft_route routes[2];
	const struct weft_vhost_options v = { .name = "raw", .routes = routes, .idle_ms = idle_ms };

	memset(&served, 0, sizeof(served));
	routes[0] = (struct weft_route){ .prefix = "", .on_request = handler };
	world_open(w, o, &v);
	peer_dial_narrow(p, w, "tcp", capacity);
}

static void begin(
	struct world *w, struct peer *p, enum weft_status (*handler)(struct weft_stream *, void *))
{
	begin_with(w, p, handler, 0, NULL, 0);
}

static void end(struct world *w, struct peer *p, enum weft_status why)
{
	served_wait(w, 1);
	assert_int_equal(served.why.status, why);
	peer_close(p);
	world_close(w);
}

static void bytes_are_echoed_until_the_peer_ends(void **state)
{
	struct world w;
	struct peer p;

	(void)state;
	begin(&w, &p, echo);
	peer_send(&p, "GET / HTTP/1.1\r\n\r\n");
	peer_expect(&p, "GET / HTTP/1.1\r\n\r\n");
	peer_send(&p, "more");
	peer_expect(&p, "more");
	peer_expect_silence(&p);
	peer_send(&p, "last");
	peer_finish(&p);
	peer_expect_end(&p, "last");
	end(&w, &p, WEFT_OK);
}

static void server_may_speak_first(void **state)
{
	struct world w;
	struct peer p;

	(void)state;
	begin(&w, &p, greet);
	peer_expect(&p, "hello");
	peer_send(&p, "you");
	peer_finish(&p);
	world_wait(&w, &served.ended);
	assert_string_equal(served.body, "you");
	weft_stream_finish(served.stream);
	peer_expect_end(&p, "");
	end(&w, &p, WEFT_OK);
}

static void peer_that_ended_first_is_still_written_to(void **state)
{
	struct world w;
	struct peer p;

	(void)state;
	begin(&w, &p, served_keep);
	peer_finish(&p);
	world_wait(&w, &served.ended);
	peer_expect_silence(&p);
	assert_int_equal(weft_stream_write(served.stream, "late", 4), 4);
	peer_expect(&p, "late");
	assert_int_equal(served.closes, 0);
	weft_stream_finish(served.stream);
	assert_int_equal(weft_stream_write(served.stream, "later", 5), 0);
	peer_expect_end(&p, "");
	end(&w, &p, WEFT_OK);
}

static void peer_is_still_read_after_our_end(void **state)
{
	struct world w;
	struct peer p;

	(void)state;
	begin(&w, &p, greet);
	world_turn(&w);
	weft_stream_finish(served.stream);
	peer_expect_end(&p, "hello");
	for (int i = 0; i < 10; i++)
		world_turn(&w);
	assert_int_equal(served.closes, 0);
	peer_send(&p, "still here");
	for (unsigned i = 0; i < WORLD_TURNS_MAX && served.len < 10; i++)
		world_turn(&w);
	assert_string_equal(served.body, "still here");
	assert_false(served.ended);
	peer_finish(&p);
	world_wait(&w, &served.ended);
	end(&w, &p, WEFT_OK);
}

/* A peer that sends and does not read is read no further than what the buffers on the way hold. */
static void backpressure_goes_through_the_echo(void **state)
{
	enum { LEN = 400000, CAPACITY = 10000, HIGH = 65536 };
	const struct weft_context_options small = { .window_bytes = 5000 };
	struct weft_counters c;
	struct weft_segment seg;
	struct weft_error err;
	struct world w;
	struct peer p;
	char block[1000];
	size_t sent = 0, taken;

	(void)state;
	memset(block, 'e', sizeof(block));
	seg = weft_segment_static(block, sizeof(block));
	begin_with(&w, &p, echo, 0, &small, CAPACITY);
	for (int quiet = 0; quiet < 100 && sent < LEN; quiet++) {
		assert_true(p.end->ops->write(p.end, &seg, 1, &taken, &err) >= 0);
		sent += taken;
		quiet = taken ? 0 : quiet;
		world_turn(&w);
	}
	weft_context_counters(w.ctx, &c);
	assert_in_range(c.bytes_in, 2 * HIGH, CAPACITY + 2 * HIGH + 5000);
	assert_in_range(sent, 2 * HIGH, 3 * CAPACITY + 2 * HIGH + 5000);
	for (unsigned i = 0; i < WORLD_TURNS_MAX && sent < LEN; i++) {
		peer_turn(&p);
		taken = 0;
		assert_true(p.end->ops->write(p.end, &seg, 1, &taken, &err) >= 0);
		sent += taken;
		i = taken ? 0 : i;
	}
	peer_finish(&p);
	peer_expect_body(&p, 'e', sent);
	peer_expect_end(&p, "");
	end(&w, &p, WEFT_OK);
}

static void untaken_bytes_stop_the_peer(void **state)
{
	const struct weft_context_options small = { .window_bytes = 100 };
	struct weft_counters c;
	struct world w;
	struct peer p;
	char block[1000];

	(void)state;
	memset(block, 'b', sizeof(block));
	begin_with(&w, &p, served_keep, 0, &small, 0);
	served.hold = true;
	peer_send_bytes(&p, block, sizeof(block));
	peer_finish(&p);
	for (int i = 0; i < 40; i++)
		world_turn(&w);
	weft_context_counters(w.ctx, &c);
	assert_int_equal(c.bytes_in, 100);
	assert_false(served.ended);
	served.hold = false;
	weft_stream_resume(served.stream);
	world_wait(&w, &served.ended);
	assert_int_equal(served.len, 1000);
	weft_stream_finish(served.stream);
	end(&w, &p, WEFT_OK);
}

static void write_for_ever(struct weft_stream *s, void *user)
{
	static const char block[4096];

	(void)user;
	while (weft_stream_write(s, block, sizeof(block)) == sizeof(block))
		;
}

static const struct weft_stream_ops endless_ops = {
	.on_writable = write_for_ever,
	.on_close = served_close,
};

static enum weft_status endless(struct weft_stream *s, void *user)
{
	served.stream = s;
	weft_stream_set_ops(s, &endless_ops, user);
	write_for_ever(s, user);
	return WEFT_OK;
}

/* A reader could not tell it from the end. */
static void stream_given_up_with_bytes_unsent_is_reset(void **state)
{
	struct world w;
	struct peer p;

	(void)state;
	begin_with(&w, &p, endless, 0, NULL, 1000);
	for (int i = 0; i < 20; i++)
		world_turn(&w);
	weft_stream_close(served.stream);
	peer_expect_reset(&p);
	end(&w, &p, WEFT_ERR_CANCELLED);
}

static void stream_given_up_with_all_sent_ends_in_order(void **state)
{
	struct world w;
	struct peer p;

	(void)state;
	begin(&w, &p, greet);
	peer_expect(&p, "hello");
	weft_stream_close(served.stream);
	peer_expect_end(&p, "");
	end(&w, &p, WEFT_ERR_CANCELLED);
}

static void reset_by_the_peer_is_reported(void **state)
{
	struct world w;
	struct peer p;

	(void)state;
	begin(&w, &p, greet);
	peer_expect(&p, "hello");
	peer_abort(&p);
	served_wait(&w, 1);
	assert_int_equal(served.why.status, WEFT_ERR_RESET);
	assert_false(served.ended);
	world_close(&w);
}

static void silence_for_too_long_ends_the_stream(void **state)
{
	struct weft_counters c;
	struct world w;
	struct peer p;

	(void)state;
	begin_with(&w, &p, served_keep, 20, NULL, 0);
	peer_expect_end(&p, "");
	weft_context_counters(w.ctx, &c);
	assert_int_equal(c.timeouts, 1);
	assert_false(served.ended);
	end(&w, &p, WEFT_ERR_TIMEOUT);
}

/* Its own application's slowness is not the peer's. */
static void application_that_does_not_read_is_not_timed(void **state)
{
	const struct weft_context_options small = { .window_bytes = 4 };
	struct world w;
	struct peer p;

	(void)state;
	begin_with(&w, &p, served_keep, 100, &small, 0);
	served.hold = true;
	peer_send(&p, "12345678");
	for (int i = 0; i < 6; i++)
		peer_expect_silence(&p);
	assert_int_equal(served.closes, 0);
	served.hold = false;
	weft_stream_resume(served.stream);
	peer_finish(&p);
	world_wait(&w, &served.ended);
	assert_string_equal(served.body, "12345678");
	weft_stream_finish(served.stream);
	end(&w, &p, WEFT_OK);
}

static size_t close_in_data(struct weft_stream *s, const void *bytes, size_t len, void *user)
{
	(void)bytes;
	(void)user;
	assert_int_equal(served.len, 0);
	served.len += len;
	weft_stream_close(s);
	return len;
}

static void close_in_end(struct weft_stream *s, void *user)
{
	(void)user;
	weft_stream_close(s);
}

static const struct weft_stream_ops close_in_data_ops = {
	.on_data = close_in_data,
	.on_close = served_close,
};
static const struct weft_stream_ops close_in_end_ops = {
	.on_end = close_in_end,
	.on_close = served_close,
};
static const struct weft_stream_ops close_in_writable_ops = {
	.on_writable = close_in_end,
	.on_close = served_close,
};

static void stream_may_be_closed_in_any_callback(void **state)
{
	static const struct weft_stream_ops *const ops[] = { &close_in_data_ops, &close_in_end_ops,
		&close_in_writable_ops };
	struct world w;
	struct peer p;

	(void)state;
	begin(&w, &p, close_at_once);
	peer_expect_end(&p, "");
	end(&w, &p, WEFT_ERR_CANCELLED);
	for (size_t i = 0; i < sizeof(ops) / sizeof(*ops); i++) {
		begin(&w, &p, endless);
		world_turn(&w);
		weft_stream_set_ops(served.stream, ops[i], NULL);
		peer_send(&p, "first");
		peer_send(&p, "second");
		peer_finish(&p);
		served_wait(&w, 1);
		end(&w, &p, WEFT_ERR_CANCELLED);
	}
}

static void handler_that_fails_ends_the_connection(void **state)
{
	struct world w;
	struct peer p;

	(void)state;
	begin(&w, &p, fails);
	peer_expect_end(&p, "");
	end(&w, &p, WEFT_ERR_CANCELLED);
}

static void heads_are_not_supported(void **state)
{
	const struct weft_head head = { .status = 200, .body_len = -1 };
	struct world w;
	struct peer p;

	(void)state;
	begin(&w, &p, greet);
	peer_expect(&p, "hello");
	for (int kind = WEFT_HEAD_INFORMATIONAL; kind <= WEFT_HEAD_TRAILER; kind++)
		assert_int_equal(weft_stream_send_head(served.stream, &head,
					 (enum weft_head_kind)kind, false, NULL),
			WEFT_ERR_UNSUPPORTED);
	weft_stream_close(served.stream);
	end(&w, &p, WEFT_ERR_CANCELLED);
}

static void draining_lets_streams_finish(void **state)
{
	struct world w;
	struct peer p;

	(void)state;
	begin(&w, &p, echo);
	peer_send(&p, "one");
	peer_expect(&p, "one");
	weft_context_drain(w.ctx, 0, NULL, NULL);
	peer_send(&p, "two");
	peer_expect(&p, "two");
	peer_finish(&p);
	peer_expect_end(&p, "");
	end(&w, &p, WEFT_OK);
}

static enum weft_status pour(struct weft_stream *s, void *user)
{
	static char block[40000];

	served_keep(s, user);
	memset(block, 'p', sizeof(block));
	assert_int_equal(weft_stream_write(s, block, sizeof(block)), sizeof(block));
	weft_stream_finish(s);
	return WEFT_OK;
}

static void set_true(struct weft_timer *timer, void *user)
{
	(void)timer;
	*(bool *)user = true;
}

/* All was given to the pipe at once; the peer takes a part of it each time, well within the idle time. */
static void slow_draining_is_not_idleness(void **state)
{
	struct weft_timer timer = { .queued = false };
	struct world w;
	struct peer p;
	bool past;

	(void)state;
	begin_with(&w, &p, pour, 500, NULL, 4096);
	for (unsigned i = 0; i < 5; i++) {
		past = false;
		weft_timer_set(w.ctx, &timer, 120000, set_true, &past);
		world_wait(&w, &past);
		assert_int_equal(served.closes, 0);
		peer_turn(&p);
	}
	peer_expect_body(&p, 'p', 40000);
	peer_finish(&p);
	end(&w, &p, WEFT_OK);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(bytes_are_echoed_until_the_peer_ends),
	cmocka_unit_test(server_may_speak_first),
	cmocka_unit_test(peer_that_ended_first_is_still_written_to),
	cmocka_unit_test(peer_is_still_read_after_our_end),
	cmocka_unit_test(backpressure_goes_through_the_echo),
	cmocka_unit_test(untaken_bytes_stop_the_peer),
	cmocka_unit_test(stream_given_up_with_bytes_unsent_is_reset),
	cmocka_unit_test(stream_given_up_with_all_sent_ends_in_order),
	cmocka_unit_test(reset_by_the_peer_is_reported),
	cmocka_unit_test(silence_for_too_long_ends_the_stream),
	cmocka_unit_test(application_that_does_not_read_is_not_timed),
	cmocka_unit_test(stream_may_be_closed_in_any_callback),
	cmocka_unit_test(handler_that_fails_ends_the_connection),
	cmocka_unit_test(heads_are_not_supported),
	cmocka_unit_test(draining_lets_streams_finish),
	cmocka_unit_test(slow_draining_is_not_idleness),
};
const struct role_group role_raw_group = {
	.name = "raw server",
	.tests = tests,
	.count = sizeof(tests) / sizeof(*tests),
};
