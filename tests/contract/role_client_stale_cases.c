/* SPDX-License-Identifier: MIT */
/*
 * h1 as a client: warm connections that died before they were used again. DESIGN 5, law 6. In each test the
 * server plays dead at another moment.
 */
#include <stdio.h>

#include "tests/contract/role_exchange.h"

#define GET "GET / HTTP/1.1\r\nhost: a\r\n\r\n"
#define POST "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\nabc"
#define OK_ANSWER "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

static const struct weft_request post = {
	.method = "POST",
	.body = { (const unsigned char *)"abc", 3 },
};

static struct weft_counters counts(const struct client *c)
{
	struct weft_counters n;

	weft_context_counters(c->world.ctx, &n);
	return n;
}

/* Remembers the story that its stream ends with. */
static char story[2048];

static void closed(struct weft_stream *s, const struct weft_error *why, void *user)
{
	weft_stream_explain(s, story, sizeof(story));
	exchange_ops.on_close(s, why, user);
}

static void listen_to(struct exchange *x)
{
	static struct weft_stream_ops ops;

	ops = exchange_ops;
	ops.on_close = closed;
	story[0] = '\0';
	weft_stream_set_ops(x->stream, &ops, x);
}

static void expect_story(const char *part)
{
	if (!strstr(story, part))
		fail_msg("\"%s\" is not in the story:\n%s", part, story);
}

static void answer(struct client *c, struct peer *p, const char *request)
{
	client_accept(c, p);
	peer_expect(p, request);
	peer_send(p, OK_ANSWER);
}

/* A client with a connection that has served once, and has been idle for some turns. */
static void warm(struct client *c, struct peer *p, const struct weft_context_options *o)
{
	struct exchange x = { .closed = false };

	client_begin(c, o);
	client_open(c, &x, NULL, "/");
	answer(c, p, GET);
	exchange_expect(&x, 200, "ok");
	peer_expect_silence(p);
}

static void die(struct peer *p, bool reset)
{
	if (reset)
		peer_abort(p);
	else
		peer_close(p);
}

static void end(struct client *c, struct peer *p)
{
	peer_close(p);
	client_end(c);
}

static void death_that_was_seen_costs_nothing(void **state)
{
	struct exchange x;
	struct client c;
	struct peer p;

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		warm(&c, &p, NULL);
		die(&p, i & 1);
		for (int turns = 0; turns < 5; turns++)
			world_turn(&c.world);
		x = (struct exchange){ .closed = false };
		client_open(&c, &x, i & 2 ? &post : NULL, "/");
		answer(&c, &p, i & 2 ? POST : GET);
		exchange_expect(&x, 200, "ok");
		assert_int_equal(counts(&c).streams_retried, 0);
		assert_int_equal(counts(&c).conns_stale, 0);
		assert_int_equal(counts(&c).conns_opened, 2);
		end(&c, &p);
	}
}

/* ---- within one turn: the loop has told what it knew, then the server dies, then a stream is opened ---- */

struct moment {
	struct client *c;
	struct peer *p;
	struct exchange *x;
	const struct weft_request *request;
	struct weft_timer timer;
	bool reset;
};

static void die_and_open(struct weft_timer *timer, void *user)
{
	struct moment *m = user;

	(void)timer;
	die(m->p, m->reset);
	client_open(m->c, m->x, m->request, "/");
	listen_to(m->x);
}

static void death_in_the_same_turn_is_met_before_anything_is_sent(void **state)
{
	struct exchange x;
	struct client c;
	struct peer p;

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		struct moment m = { .c = &c, .p = &p, .x = &x, .reset = i & 1 };

		m.request = i & 2 ? &post : NULL;
		warm(&c, &p, NULL);
		x = (struct exchange){ .closed = false };
		weft_timer_set(c.world.ctx, &m.timer, 1, die_and_open, &m);
		while (!x.stream)
			world_turn(&c.world);
		answer(&c, &p, i & 2 ? POST : GET);
		exchange_expect(&x, 200, "ok");
		assert_int_equal(counts(&c).streams_retried, 0);
		assert_int_equal(counts(&c).conns_stale, 1);
		expect_story(i & 1 ? "connection 1 was stale (reset): it is replaced\n"
				   : "connection 1 was stale (closed by the server): it is "
				     "replaced\n");
		expect_story("sent on connection 2, made for this");
		end(&c, &p);
	}
}

/* ---- the request is out ---- */

static void death_before_an_answer_is_unnoticed_where_a_repetition_is_safe(void **state)
{
	struct exchange x;
	struct client c;
	struct peer p;

	(void)state;
	for (unsigned reset = 0; reset < 2; reset++) {
		warm(&c, &p, NULL);
		x = (struct exchange){ .closed = false };
		client_open(&c, &x, NULL, "/");
		listen_to(&x);
		peer_expect(&p, GET);
		die(&p, reset);
		answer(&c, &p, GET);
		exchange_expect(&x, 200, "ok");
		assert_int_equal(counts(&c).streams_retried, 1);
		assert_int_equal(counts(&c).conns_stale, 1);
		expect_story("sent on connection 1, reused: it was idle for ");
		expect_story(reset ? "queued again: connection 1 was stale (reset)"
				   : "queued again: connection 1 was stale (truncated)");
		expect_story("sent on connection 2, made for this");
		end(&c, &p);
	}
}

/* It was written, so nobody can know: neither whether its body is out nor whether anybody has read it. */
static void death_before_an_answer_fails_what_is_not_safe_to_repeat(void **state)
{
	const struct weft_request later = {
		.method = "POST", .body_later = true, .body_later_len = 3
	};
	struct exchange x;
	struct client c;
	struct peer p;

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		warm(&c, &p, NULL);
		x = (struct exchange){ .closed = false };
		client_open(&c, &x, i & 2 ? &later : &post, "/");
		listen_to(&x);
		peer_expect(&p, "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\n");
		die(&p, i & 1);
		world_wait(&c.world, &x.closed);
		/* what was not read yet turns a close into a reset */
		assert_true(x.why.status == WEFT_ERR_RESET ||
			    (!(i & 1) && x.why.status == WEFT_ERR_TRUNCATED));
		assert_int_equal(counts(&c).streams_retried, 0);
		expect_story("the server may have acted on it, and it is not safe to repeat\n");
		client_end(&c);
	}
}

/* No end ever comes: only the time that a response may take tells. */
static void silent_warm_connection_is_replaced_once(void **state)
{
	const struct weft_request quick = { .header_ms = 30 };
	struct exchange x = { .closed = false };
	struct client c;
	struct peer dead, p;

	(void)state;
	warm(&c, &dead, NULL);
	client_open(&c, &x, &quick, "/");
	listen_to(&x);
	peer_expect(&dead, GET);
	answer(&c, &p, GET);
	exchange_expect(&x, 200, "ok");
	expect_story("queued again: connection 1 was stale (timeout)");
	peer_close(&dead);
	end(&c, &p);

	/* the fresh one is silent, too: that is an answer */
	warm(&c, &dead, NULL);
	x = (struct exchange){ .closed = false };
	client_open(&c, &x, &quick, "/");
	listen_to(&x);
	peer_expect(&dead, GET);
	client_accept(&c, &p);
	peer_expect(&p, GET);
	exchange_wait(&x, WEFT_ERR_TIMEOUT);
	assert_int_equal(counts(&c).streams_retried, 1);
	peer_close(&dead);
	end(&c, &p);
}

static void silent_warm_connection_fails_what_is_not_safe_to_repeat(void **state)
{
	struct weft_request quick = post;
	struct exchange x = { .closed = false };
	struct client c;
	struct peer dead;

	(void)state;
	quick.header_ms = 30;
	warm(&c, &dead, NULL);
	client_open(&c, &x, &quick, "/");
	peer_expect(&dead, POST);
	exchange_wait(&x, WEFT_ERR_TIMEOUT);
	assert_int_equal(counts(&c).streams_retried, 0);
	end(&c, &dead);
}

/* One stale connection in a crowd: the others have been idle for longer, and are not tried one by one. */
static void others_that_were_idle_for_longer_are_not_trusted_either(void **state)
{
	const struct weft_context_options three = { .max_conns = 3 };
	struct exchange x[4] = { { .closed = false } };
	struct peer p[4];
	struct client c;
	unsigned last = 0;

	(void)state;
	client_begin(&c, &three);
	for (unsigned i = 0; i < 3; i++) {
		client_open(&c, &x[i], NULL, "/");
		client_accept(&c, &p[i]);
	}
	for (unsigned i = 0; i < 3; i++) {
		peer_expect(&p[i], GET);
		peer_send(&p[i], OK_ANSWER);
		peer_expect_silence(&p[i]);
	}
	client_open(&c, &x[3], NULL, "/");
	for (unsigned i = 0; i < 3; i++) {
		peer_turn(&p[i]);
		peer_turn(&p[i]);
		if (p[i].len > p[i].mark)
			last = i;
	}
	peer_expect(&p[last], GET);
	peer_abort(&p[last]);
	answer(&c, &p[3], GET);
	for (unsigned i = 0; i < 4; i++)
		exchange_expect(&x[i], 200, "ok");
	for (unsigned i = 0; i < 3; i++) {
		if (i != last)
			peer_expect_end(&p[i], "");
		peer_close(&p[i]);
	}
	assert_int_equal(counts(&c).conns_tried, 4);
	end(&c, &p[3]);
}

/* ---- whose limits ---- */

static void a_streams_own_times_hold_on_anybodys_connection(void **state)
{
	struct weft_request quick = post;
	struct exchange x;
	struct client c;
	struct peer p;

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		warm(&c, &p, NULL);
		quick.header_ms = i ? 0 : 20;
		quick.idle_ms = i ? 20 : 0;
		x = (struct exchange){ .closed = false };
		client_open(&c, &x, &quick, "/");
		exchange_wait(&x, WEFT_ERR_TIMEOUT);
		end(&c, &p);
	}
}

static void set_true(struct weft_timer *timer, void *user)
{
	(void)timer;
	*(bool *)user = true;
}

static void times_of_the_stream_that_a_connection_was_made_for_end_with_it(void **state)
{
	const struct weft_request quick = { .header_ms = 20, .idle_ms = 20 };
	struct exchange x = { .closed = false }, next = { .closed = false };
	struct weft_timer timer = { .queued = false };
	bool past = false;
	struct client c;
	struct peer p;

	(void)state;
	client_begin(&c, NULL);
	client_open(&c, &x, &quick, "/");
	answer(&c, &p, GET);
	exchange_expect(&x, 200, "ok");
	client_open(&c, &next, &post, "/");
	peer_expect(&p, POST);
	weft_timer_set(c.world.ctx, &timer, 60000, set_true, &past);
	world_wait(&c.world, &past);
	assert_false(next.closed);
	peer_send(&p, OK_ANSWER);
	exchange_expect(&next, 200, "ok");
	assert_int_equal(counts(&c).conns_opened, 1);
	end(&c, &p);
}

/* The server takes nothing of a body that is larger than what the system holds. */
static void a_streams_own_flush_time_holds_on_anybodys_connection(void **state)
{
	const struct weft_request upload = {
		.method = "POST", .body_later = true, .stream = { .flush_ms = 20 }
	};
	struct exchange x = { .closed = false, .hook = exchange_upload, .left = 64 << 20 };
	struct client c;
	struct peer p;

	(void)state;
	warm(&c, &p, NULL);
	client_open(&c, &x, &upload, "/");
	exchange_upload(&x, EXCHANGE_WRITABLE);
	exchange_wait(&x, WEFT_ERR_TIMEOUT);
	end(&c, &p);
}

/* All of the body was given to the pipe at once; the server takes a part each time, within the idle time. */
static void slow_upload_is_not_idleness(void **state)
{
	static char block[40000];
	const struct weft_request upload = {
		.method = "POST",
		.body_later = true,
		.body_later_len = sizeof(block),
		.idle_ms = 500,
	};
	struct exchange x = { .closed = false };
	struct weft_timer timer = { .queued = false };
	struct client c;
	struct peer p;
	bool past;

	(void)state;
	memset(block, 'u', sizeof(block));
	client_begin(&c, NULL);
	client_open_memory(&c, &x, &p, 4096, &upload, "/");
	assert_int_equal(weft_stream_write(x.stream, block, sizeof(block)), sizeof(block));
	weft_stream_finish(x.stream);
	for (unsigned i = 0; i < 5; i++) {
		past = false;
		weft_timer_set(c.world.ctx, &timer, 120000, set_true, &past);
		world_wait(&c.world, &past);
		assert_false(x.closed);
		peer_turn(&p);
	}
	peer_expect(&p, "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 40000\r\n\r\n");
	peer_expect_body(&p, 'u', sizeof(block));
	peer_send(&p, OK_ANSWER);
	exchange_expect(&x, 200, "ok");
	end(&c, &p);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(death_that_was_seen_costs_nothing),
	cmocka_unit_test(death_in_the_same_turn_is_met_before_anything_is_sent),
	cmocka_unit_test(death_before_an_answer_is_unnoticed_where_a_repetition_is_safe),
	cmocka_unit_test(death_before_an_answer_fails_what_is_not_safe_to_repeat),
	cmocka_unit_test(silent_warm_connection_is_replaced_once),
	cmocka_unit_test(silent_warm_connection_fails_what_is_not_safe_to_repeat),
	cmocka_unit_test(others_that_were_idle_for_longer_are_not_trusted_either),
	cmocka_unit_test(a_streams_own_times_hold_on_anybodys_connection),
	cmocka_unit_test(times_of_the_stream_that_a_connection_was_made_for_end_with_it),
	cmocka_unit_test(a_streams_own_flush_time_holds_on_anybodys_connection),
	cmocka_unit_test(slow_upload_is_not_idleness),
};
const struct role_group role_client_stale_group = {
	.name = "h1 client, warm connections that died",
	.tests = tests,
	.count = sizeof(tests) / sizeof(*tests),
};
