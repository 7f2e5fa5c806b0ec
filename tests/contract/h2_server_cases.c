/* SPDX-License-Identifier: MIT */
/* A server's windows, padding, and its goodbye. Time stands still. */
#include "tests/contract/h2_line.h"
#include "tests/contract/role_served.h"

enum { WINDOW = 65536, PIECE = 16384, GOAWAY_MS = 1000 };

static const struct weft_route routes[] = { { .prefix = "", .on_request = served_keep },
	{ .on_request = NULL } };
static const struct weft_vhost_options vhost = { .name = "a", .routes = routes };

static void begin(struct world *w, struct peer *p)
{
	memset(&served, 0, sizeof(served));
	world_open(w, NULL, &vhost);
	h2_dial(p, w, 65535);
}

static void end(struct world *w, struct peer *p)
{
	if (served.stream)
		weft_stream_close(served.stream);
	peer_close(p);
	world_close(w);
}

static void upload(struct peer *p, uint32_t stream, size_t len)
{
	static const char piece[PIECE];

	for (size_t n; len; len -= n) {
		n = len < PIECE ? len : PIECE;
		h2_say(p, H2_DATA, 0, stream, piece, n);
	}
}

/* ---- windows ---- */

static void who_does_not_read_opens_no_window(void **state)
{
	struct world w;
	struct peer p;

	(void)state;
	begin(&w, &p);
	served.hold = true;
	h2_post(&p, 1);
	upload(&p, 1, WINDOW);
	assert_int_equal(h2_windows(&p, 1), 0);
	served.hold = false;
	weft_stream_resume(served.stream);
	assert_int_equal(h2_windows(&p, 1), WINDOW);
	assert_int_equal(served.len, WINDOW);
	end(&w, &p);
}

static void more_than_the_window_is_an_error_of_the_stream(void **state)
{
	struct world w;
	struct peer p;

	(void)state;
	begin(&w, &p);
	served.hold = true;
	h2_post(&p, 1);
	upload(&p, 1, WINDOW);
	assert_int_equal(h2_count(&p, H2_RST_STREAM, 1), 0);
	upload(&p, 1, 1);
	h2_expect_error(&p, H2_RST_STREAM, 1, H2_FLOW_CONTROL_ERROR);
	served_wait(&w, 1);
	assert_int_not_equal(served.why.status, WEFT_OK);
	end(&w, &p);
}

/* One stream that is not read takes nothing from the others. */
static void the_connection_goes_on_without_who_does_not_read(void **state)
{
	struct weft_stream *first;
	struct world w;
	struct peer p;

	(void)state;
	begin(&w, &p);
	served.hold = true;
	h2_post(&p, 1);
	upload(&p, 1, WINDOW);
	first = served.stream;
	served.hold = false;
	weft_stream_pause(first);
	h2_post(&p, 3);
	for (unsigned i = 0; i < 20; i++) {
		upload(&p, 3, WINDOW);
		assert_int_equal(h2_windows(&p, 3), WINDOW);
	}
	assert_int_equal(served.len, 20 * WINDOW);
	end(&w, &p);
}

/* What pads is given back, too, or the window would shrink to nothing. */
static void padding_is_taken_out_of_no_window(void **state)
{
	char padded[257] = { (char)255, 'x' };
	uint32_t sent = 0, allowed = WINDOW;
	struct world w;
	struct peer p;

	(void)state;
	begin(&w, &p);
	h2_post(&p, 1);
	while (sent < 4 * WINDOW) {
		unsigned n = (allowed - sent) / sizeof(padded);

		assert_true(n);
		h2_say_often(&p, n, H2_DATA, H2_PADDED, 1, padded, sizeof(padded));
		sent += n * (uint32_t)sizeof(padded);
		allowed += h2_windows(&p, 1);
	}
	h2_say(&p, H2_DATA, H2_END_STREAM, 1, "y", 1);
	world_wait(&w, &served.ended);
	assert_int_equal(served.len, sent / sizeof(padded) + 1);
	for (unsigned i = 0; i < sizeof(served.body) - 1; i++)
		assert_int_equal(served.body[i], 'x');
	end(&w, &p);
}

/* ---- goodbye ---- */

static void set(void *user)
{
	*(bool *)user = true;
}

/* The first of two: anything may still come. */
static void expect_notice(struct peer *p, struct h2_frame *ping)
{
	struct h2_frame f;

	h2_expect(p, H2_GOAWAY, 0, &f);
	assert_int_equal(h2_number(&f, 0), INT32_MAX);
	assert_int_equal(h2_number(&f, 4), H2_NO_ERROR);
	h2_expect(p, H2_PING, 0, ping);
	assert_false(ping->flags & H2_ACK);
}

static void expect_goodbye(struct peer *p, uint32_t last)
{
	struct h2_frame f;

	h2_expect(p, H2_GOAWAY, 0, &f);
	assert_int_equal(h2_number(&f, 0), last);
	assert_int_equal(h2_number(&f, 4), H2_NO_ERROR);
}

static void reply(struct peer *p, uint32_t stream)
{
	struct h2_frame f;

	assert_int_equal(weft_http_reply(served.stream, 200, NULL, "bye", 3), WEFT_OK);
	h2_expect(p, H2_DATA, stream, &f);
	assert_memory_equal(f.bytes, "bye", 3);
	assert_true(f.flags & H2_END_STREAM);
}

static void turn_until_over(struct peer *p)
{
	for (unsigned i = 0; i < WORLD_TURNS_MAX && !p->fin && !p->reset; i++)
		peer_turn(p);
	assert_true(p->fin || p->reset);
}

/* Request 1 is under way when the context drains. */
static void begin_drain(struct world *w, struct peer *p, struct h2_frame *ping)
{
	static bool drained;

	begin(w, p);
	h2_get(p, 1, "/", NULL);
	weft_context_drain(w->ctx, 0, set, &drained);
	expect_notice(p, ping);
}

static void a_drain_says_goodbye_twice(void **state)
{
	unsigned char payload[8];
	struct h2_frame ping;
	struct world w;
	struct peer p;

	(void)state;
	begin_drain(&w, &p, &ping);
	memcpy(payload, ping.bytes, 8);
	reply(&p, 1);
	/* it was on its way when the first came: it is served */
	h2_get(&p, 3, "/", NULL);
	assert_int_equal(h2_count(&p, H2_GOAWAY, 0) + h2_count(&p, H2_RST_STREAM, 3), 0);
	assert_non_null(served.stream);
	h2_say(&p, H2_PING, H2_ACK, 0, payload, 8);
	expect_goodbye(&p, 3);
	reply(&p, 3);
	turn_until_over(&p);
	assert_true(p.fin);
	end(&w, &p);
}

/* Who does not answer is not waited for. */
static void the_second_goodbye_comes_by_time(void **state)
{
	struct h2_frame ping;
	struct world w;
	struct peer p;

	(void)state;
	begin_drain(&w, &p, &ping);
	h2_pass(GOAWAY_MS - 1);
	assert_int_equal(h2_count(&p, H2_GOAWAY, 0), 0);
	h2_pass(2);
	expect_goodbye(&p, 1);
	reply(&p, 1);
	turn_until_over(&p);
	end(&w, &p);
}

/* What comes behind the last one is nobody's. */
static void what_comes_after_goodbye_is_not_served(void **state)
{
	struct h2_frame ping;
	struct world w;
	struct peer p;

	(void)state;
	begin_drain(&w, &p, &ping);
	h2_pass(GOAWAY_MS + 1);
	expect_goodbye(&p, 1);
	h2_get(&p, 3, "/", NULL);
	assert_int_equal(h2_count(&p, H2_HEADERS, 3), 0);
	reply(&p, 1);
	turn_until_over(&p);
	assert_int_equal(served.closes, 1);
	end(&w, &p);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(who_does_not_read_opens_no_window),
	cmocka_unit_test(more_than_the_window_is_an_error_of_the_stream),
	cmocka_unit_test(the_connection_goes_on_without_who_does_not_read),
	cmocka_unit_test(padding_is_taken_out_of_no_window),
	cmocka_unit_test(a_drain_says_goodbye_twice),
	cmocka_unit_test(the_second_goodbye_comes_by_time),
	cmocka_unit_test(what_comes_after_goodbye_is_not_served),
};

const struct role_group h2_server_group = { "server", tests, sizeof(tests) / sizeof(*tests) };
