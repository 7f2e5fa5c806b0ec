/* SPDX-License-Identifier: MIT */
/* A client's: what the server allows, its pushes and padding, windows, and whether it lives. Time stands still. */
#include "tests/contract/h2_line.h"
#include "tests/contract/role_exchange.h"

enum { PING_MS = 5000, WINDOW = 65536, PIECE = 16384, REQUESTS = 6 };

static const char *const h2[] = { "h2", NULL };
static const struct weft_request get = { .stream.alpn = h2 };
static const struct weft_request post = { .method = "POST", .stream.alpn = h2 };
static const struct weft_context_options asks = { .ping_ms = PING_MS };

/* One exchange on a connection of its own. */
static void begin(
	struct client *c, struct exchange *x, struct peer *p, const struct weft_request *r)
{
	struct h2_frame f;

	memset(x, 0, sizeof(*x));
	client_begin(c, &asks);
	client_open_memory(c, x, p, 1 << 20, r, "/");
	h2_meet(p, 100);
	h2_expect(p, H2_HEADERS, 1, &f);
}

static void end(struct client *c, struct peer *p)
{
	peer_close(p);
	client_end(c);
}

/* ---- how many the server takes ---- */

static void open_some(struct client *c, struct exchange *x, unsigned from, unsigned to)
{
	for (unsigned i = from; i < to; i++)
		client_open(c, &x[i], &get, "/");
}

static void allow(struct peer *p, uint32_t streams)
{
	h2_set(p, H2_SET_STREAMS, streams);
	h2_settled(p);
}

/* Which stream it is on. */
static uint32_t expect_request(struct peer *p, uint32_t stream)
{
	struct h2_frame f;

	h2_expect(p, H2_HEADERS, stream, &f);
	return stream;
}

/* No request comes, though some wait. */
static void expect_none(struct peer *p, uint32_t stream)
{
	size_t mark;

	for (unsigned i = 0; i < 12; i++)
		peer_turn(p);
	mark = p->mark;
	assert_int_equal(h2_count(p, H2_HEADERS, stream), 0);
	p->mark = mark;
}

static void fewer_streams_are_kept_to_midway(void **state)
{
	struct exchange x[REQUESTS] = { { .closed = false } };
	struct client c;
	struct peer p;

	(void)state;
	client_begin(&c, NULL);
	open_some(&c, x, 0, 3);
	client_accept(&c, &p);
	h2_meet(&p, 100);
	for (uint32_t n = 1; n <= 5; n += 2)
		expect_request(&p, n);
	allow(&p, 2); /* fewer than there are: these go on */
	open_some(&c, x, 3, REQUESTS);
	expect_none(&p, 7);
	h2_answer(&p, 1);
	exchange_expect(&x[0], 200, "ok");
	expect_none(&p, 7);
	h2_answer(&p, 3);
	exchange_expect(&x[1], 200, "ok");
	expect_request(&p, 7);
	expect_none(&p, 9);
	allow(&p, 100);
	expect_request(&p, 9);
	expect_request(&p, 11);
	for (uint32_t n = 5; n <= 11; n += 2)
		h2_answer(&p, n);
	for (unsigned i = 2; i < REQUESTS; i++)
		exchange_expect(&x[i], 200, "ok");
	end(&c, &p);
}

static void no_streams_for_a_while(void **state)
{
	struct exchange x[3] = { { .closed = false } };
	struct client c;
	struct peer p;

	(void)state;
	client_begin(&c, NULL);
	open_some(&c, x, 0, 1);
	client_accept(&c, &p);
	h2_meet(&p, 100);
	expect_request(&p, 1);
	allow(&p, 0);
	open_some(&c, x, 1, 3);
	expect_none(&p, 3);
	h2_answer(&p, 1);
	exchange_expect(&x[0], 200, "ok");
	expect_none(&p, 3);
	allow(&p, 1);
	expect_request(&p, 3);
	expect_none(&p, 5);
	h2_answer(&p, 3);
	expect_request(&p, 5);
	h2_answer(&p, 5);
	exchange_expect(&x[1], 200, "ok");
	exchange_expect(&x[2], 200, "ok");
	end(&c, &p);
}

/* ---- pushes, padding, windows ---- */

static void a_push_ends_the_connection(void **state)
{
	static const char promise[] = "\0\0\0\x02\x82\x86\x84\x01\x01"
				      "a";
	struct exchange x;
	struct client c;
	struct peer p;

	(void)state;
	begin(&c, &x, &p, &post);
	h2_say(&p, H2_PUSH_PROMISE, H2_END_HEADERS, 1, promise, sizeof(promise) - 1);
	h2_expect_error(&p, H2_GOAWAY, 0, H2_PROTOCOL_ERROR);
	exchange_wait(&x, WEFT_ERR_PROTOCOL);
	end(&c, &p);
}

static void padding_is_no_part_of_the_body(void **state)
{
	char padded[3 + 5] = { 5, 'o', 'k' };
	struct exchange x;
	struct client c;
	struct peer p;

	(void)state;
	begin(&c, &x, &p, &get);
	h2_say(&p, H2_HEADERS, H2_END_HEADERS | H2_PADDED, 1, "\x03\x88\0\0\0", 5);
	h2_say(&p, H2_DATA, H2_END_STREAM | H2_PADDED, 1, padded, sizeof(padded));
	exchange_expect(&x, 200, "ok");
	end(&c, &p);
}

/* It brings the stream's end along, of which nothing is told. */
static void a_head_that_is_refused_ends_nothing(void **state)
{
	static const char *const heads[] = { "\x08\x03"
					     "050",
		"\x88" };
	char block[512] = { 0 };
	size_t len, fields;
	struct exchange x;
	struct client c;
	struct peer p;

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		begin(&c, &x, &p, &post);
		len = strlen(heads[i]);
		memcpy(block, heads[i], len);
		/* the second has more fields than are taken */
		for (fields = i ? 150 : 0; fields; fields--) {
			memcpy(block + len, "\x0f\x24\x00", 3); /* server: nothing */
			len += 3;
		}
		h2_say(&p, H2_HEADERS, H2_END_HEADERS | H2_END_STREAM, 1, block, len);
		world_wait(&c.world, &x.closed);
		assert_int_equal(x.status, 0);
		assert_false(x.ended);
		assert_int_equal(x.why.status, WEFT_ERR_PROTOCOL);
		end(&c, &p);
	}
}

/* A response that the application does not take has filled its window. */
static void begin_full(struct client *c, struct exchange *x, struct peer *p)
{
	static const char piece[PIECE];

	begin(c, x, p, &get);
	x->hold = true;
	h2_say(p, H2_HEADERS, H2_END_HEADERS, 1, "\x88", 1);
	for (unsigned i = 0; i < WINDOW / PIECE; i++)
		h2_say(p, H2_DATA, 0, 1, piece, PIECE);
}

static void who_does_not_read_opens_no_window(void **state)
{
	struct exchange x;
	struct client c;
	struct peer p;

	(void)state;
	begin_full(&c, &x, &p);
	assert_int_equal(h2_windows(&p, 1), 0);
	x.hold = false;
	weft_stream_resume(x.stream);
	assert_int_equal(h2_windows(&p, 1), WINDOW);
	h2_say(&p, H2_DATA, H2_END_STREAM, 1, NULL, 0);
	exchange_wait(&x, WEFT_OK);
	assert_int_equal(x.len, WINDOW);
	end(&c, &p);
}

static void more_than_the_window_is_an_error(void **state)
{
	struct exchange x;
	struct client c;
	struct peer p;

	(void)state;
	begin_full(&c, &x, &p);
	h2_say(&p, H2_DATA, 0, 1, "x", 1);
	h2_expect_error(&p, H2_RST_STREAM, 1, H2_FLOW_CONTROL_ERROR);
	world_wait(&c.world, &x.closed);
	assert_int_not_equal(x.why.status, WEFT_OK);
	end(&c, &p);
}

/* ---- whether it lives ---- */

static void expect_ping(struct peer *p, unsigned char payload[8])
{
	struct h2_frame f;

	h2_expect(p, H2_PING, 0, &f);
	assert_false(f.flags & H2_ACK);
	assert_int_equal(f.len, 8);
	memcpy(payload, f.bytes, 8);
}

static void a_server_that_answers_is_asked_again(void **state)
{
	unsigned char payload[8];
	struct exchange x;
	struct client c;
	struct peer p;

	(void)state;
	begin(&c, &x, &p, &post);
	for (unsigned i = 0; i < 5; i++) {
		h2_pass(PING_MS - 1);
		assert_int_equal(h2_count(&p, H2_PING, 0), 0);
		h2_pass(2);
		expect_ping(&p, payload);
		h2_say(&p, H2_PING, H2_ACK, 0, payload, 8);
	}
	h2_answer(&p, 1);
	exchange_expect(&x, 200, "ok");
	end(&c, &p);
}

static void anything_that_comes_is_life(void **state)
{
	struct exchange x;
	struct client c;
	struct peer p;

	(void)state;
	begin(&c, &x, &p, &post);
	h2_say(&p, H2_HEADERS, H2_END_HEADERS, 1, "\x88", 1);
	for (unsigned i = 0; i < 10; i++) {
		h2_pass(PING_MS - 1);
		h2_say(&p, H2_DATA, 0, 1, "x", 1);
		assert_int_equal(h2_count(&p, H2_PING, 0), 0);
	}
	h2_say(&p, H2_DATA, H2_END_STREAM, 1, NULL, 0);
	exchange_expect(&x, 200, "xxxxxxxxxx");
	end(&c, &p);
}

static void a_dead_server_is_found_by_its_silence(void **state)
{
	unsigned char payload[8];
	struct exchange x;
	struct client c;
	struct peer p;

	(void)state;
	begin(&c, &x, &p, &post);
	h2_pass(PING_MS + 1);
	expect_ping(&p, payload);
	h2_pass(PING_MS - 2);
	for (unsigned i = 0; i < 12; i++)
		peer_turn(&p);
	assert_false(x.closed);
	h2_pass(3);
	exchange_wait(&x, WEFT_ERR_TIMEOUT);
	assert_non_null(strstr(x.why.text, "PING"));
	end(&c, &p);
}

static void nobody_is_asked_on_behalf_of_no_stream(void **state)
{
	const struct weft_context_options warm = { .ping_ms = PING_MS,
		.keep_warm_ms = 10 * PING_MS };
	struct exchange x = { .closed = false };
	struct client c;
	struct peer p;

	(void)state;
	client_begin(&c, &warm);
	open_some(&c, &x, 0, 1);
	client_accept(&c, &p);
	h2_meet(&p, 100);
	expect_request(&p, 1);
	h2_answer(&p, 1);
	exchange_expect(&x, 200, "ok");
	for (unsigned i = 0; i < 5; i++) {
		h2_pass(PING_MS + 1);
		assert_int_equal(h2_count(&p, H2_PING, 0), 0);
	}
	assert_false(p.fin || p.reset);
	end(&c, &p);
}

static void nobody_asks_who_is_told_not_to(void **state)
{
	const struct weft_context_options never = { .ping_ms = UINT32_MAX,
		.idle_ms = 20 * PING_MS };
	struct exchange x = { .closed = false };
	struct client c;
	struct peer p;

	(void)state;
	client_begin(&c, &never);
	open_some(&c, &x, 0, 1);
	client_accept(&c, &p);
	h2_meet(&p, 100);
	expect_request(&p, 1);
	for (unsigned i = 0; i < 5; i++) {
		h2_pass(PING_MS + 1);
		assert_int_equal(h2_count(&p, H2_PING, 0), 0);
	}
	assert_false(x.closed);
	h2_answer(&p, 1);
	exchange_expect(&x, 200, "ok");
	end(&c, &p);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(fewer_streams_are_kept_to_midway),
	cmocka_unit_test(no_streams_for_a_while),
	cmocka_unit_test(a_push_ends_the_connection),
	cmocka_unit_test(padding_is_no_part_of_the_body),
	cmocka_unit_test(a_head_that_is_refused_ends_nothing),
	cmocka_unit_test(who_does_not_read_opens_no_window),
	cmocka_unit_test(more_than_the_window_is_an_error),
	cmocka_unit_test(a_server_that_answers_is_asked_again),
	cmocka_unit_test(anything_that_comes_is_life),
	cmocka_unit_test(a_dead_server_is_found_by_its_silence),
	cmocka_unit_test(nobody_is_asked_on_behalf_of_no_stream),
	cmocka_unit_test(nobody_asks_who_is_told_not_to),
};

const struct role_group h2_client_group = { "client", tests, sizeof(tests) / sizeof(*tests) };
