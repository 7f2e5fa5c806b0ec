/* SPDX-License-Identifier: MIT */
/* h1 as a client: the limits of a place, each crossed. DESIGN 5, law 7. */
#include <stdio.h>

#include "tests/contract/role_exchange.h"

#define GET "GET / HTTP/1.1\r\nhost: a\r\n\r\n"
#define OK_ANSWER "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

static struct weft_counters counts(const struct client *c)
{
	struct weft_counters n;

	weft_context_counters(c->world.ctx, &n);
	return n;
}

static void end(struct client *c, struct peer *p)
{
	peer_close(p);
	client_end(c);
}

/* The first keeps the only connection for itself; the others wait. */
static void who_waits_too_long_is_told_so_at_once(void **state)
{
	const struct weft_context_options short_wait = { .queue_ms = 20 };
	const struct weft_request own = { .stream = { .queue_ms = 20 } };
	struct exchange x[2];
	struct client c;
	struct peer p;

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		memset(x, 0, sizeof(x));
		client_begin(&c, i ? NULL : &short_wait);
		client_open(&c, &x[0], NULL, "/");
		client_accept(&c, &p);
		peer_expect(&p, GET);
		client_open(&c, &x[1], i ? &own : NULL, "/");
		exchange_wait(&x[1], WEFT_ERR_TIMEOUT);
		assert_string_equal(x[1].why.text,
			"no connection to a:80 within 20 ms (queue_ms): 1 streams wait, 1 of 1 "
			"connections are there, 0 of them being made");
		assert_int_equal(counts(&c).queue_timeouts, 1);
		assert_int_equal(counts(&c).timeouts, 1);
		peer_send(&p, OK_ANSWER);
		exchange_expect(&x[0], 200, "ok");
		end(&c, &p);
	}
}

/* Once it has its connection, it may take longer than it may wait for one. */
static void time_in_the_queue_ends_with_the_queue(void **state)
{
	const struct weft_context_options short_wait = { .queue_ms = 20 };
	const struct weft_request total = { .total_ms = 60 };
	struct exchange x = { .closed = false };
	struct client c;
	struct peer p;

	(void)state;
	client_begin(&c, &short_wait);
	client_open(&c, &x, &total, "/");
	client_accept(&c, &p);
	peer_expect(&p, GET);
	exchange_wait(&x, WEFT_ERR_TIMEOUT);
	assert_string_equal(x.why.text, "not complete within its total time");
	assert_int_equal(counts(&c).queue_timeouts, 0);
	end(&c, &p);
}

static void full_queue_refuses_at_once(void **state)
{
	const struct weft_context_options o = { .max_queue = 2 };
	struct exchange x[2] = { { .closed = false } };
	struct weft_request r = { .url = "http://a/", .share = WEFT_SHARE_POOL };
	struct weft_stream *s = NULL;
	struct weft_error err;
	struct client c;
	struct peer p;
	char to[32];

	(void)state;
	client_begin(&c, &o);
	client_open(&c, &x[0], NULL, "/");
	client_open(&c, &x[1], NULL, "/");
	snprintf(to, sizeof(to), "127.0.0.1:%u", c.port);
	r.connect_to = to;
	assert_int_equal(
		weft_http_open(c.world.ctx, &r, &exchange_ops, NULL, &s, &err), WEFT_ERR_LIMIT);
	assert_null(s);
	assert_string_equal(
		err.text, "2 streams wait for a:80 already, and more may not (max_queue)");
	assert_int_equal(counts(&c).limits_hit, 1);
	/* who waits is not hurt */
	client_accept(&c, &p);
	for (unsigned i = 0; i < 2; i++) {
		peer_expect(&p, GET);
		peer_send(&p, OK_ANSWER);
		exchange_expect(&x[i], 200, "ok");
	}
	end(&c, &p);
}

static void connection_ends_after_so_many_exchanges(void **state)
{
	const struct weft_context_options two = { .conn_requests = 2 };
	struct exchange x[5] = { { .closed = false } };
	struct client c;
	struct peer p, old;

	(void)state;
	client_begin(&c, &two);
	for (unsigned i = 0; i < 5; i++)
		client_open(&c, &x[i], NULL, "/");
	for (unsigned i = 0; i < 5; i++) {
		if (i % 2 == 0)
			client_accept(&c, &p);
		peer_expect(&p, GET);
		peer_send(&p, OK_ANSWER);
		exchange_expect(&x[i], 200, "ok");
		if (i % 2) {
			old = p;
			peer_expect_end(&old, "");
			peer_close(&old);
		}
	}
	assert_int_equal(counts(&c).conns_opened, 3);
	assert_int_equal(counts(&c).conns_retired, 2);
	assert_int_equal(counts(&c).conns_reused, 2);
	assert_int_equal(counts(&c).streams_retried, 0);
	assert_int_equal(counts(&c).streams_per_conn_max, 2);
	end(&c, &p);
}

static void idle_connection_that_is_too_old_is_closed(void **state)
{
	const struct weft_context_options o = { .conn_age_ms = 30, .keep_warm_ms = 60000 };
	struct exchange x = { .closed = false };
	struct client c;
	struct peer p;

	(void)state;
	client_begin(&c, &o);
	client_open(&c, &x, NULL, "/");
	client_accept(&c, &p);
	peer_expect(&p, GET);
	peer_send(&p, OK_ANSWER);
	exchange_expect(&x, 200, "ok");
	peer_expect_end(&p, "");
	assert_int_equal(counts(&c).conns_retired, 1);
	end(&c, &p);
}

static void set_true(struct weft_timer *timer, void *user)
{
	(void)timer;
	*(bool *)user = true;
}

/* It grows old within an exchange, which ends well; who waits goes elsewhere. */
static void nothing_begins_on_a_connection_that_is_too_old(void **state)
{
	const struct weft_context_options o = { .conn_age_ms = 30 };
	struct exchange x[2] = { { .closed = false } };
	struct weft_timer timer = { .queued = false };
	bool past = false;
	struct client c;
	struct peer p, fresh;

	(void)state;
	client_begin(&c, &o);
	client_open(&c, &x[0], NULL, "/");
	client_accept(&c, &p);
	peer_expect(&p, GET);
	client_open(&c, &x[1], NULL, "/");
	weft_timer_set(c.world.ctx, &timer, 40000, set_true, &past);
	world_wait(&c.world, &past);
	peer_send(&p, OK_ANSWER);
	exchange_expect(&x[0], 200, "ok");
	client_accept(&c, &fresh);
	peer_expect_end(&p, "");
	peer_close(&p);
	peer_expect(&fresh, GET);
	peer_send(&fresh, OK_ANSWER);
	exchange_expect(&x[1], 200, "ok");
	assert_int_equal(counts(&c).streams_retried, 0);
	end(&c, &fresh);
}

/* ---- retries ---- */

static char story[2048];

static void closed(struct weft_stream *s, const struct weft_error *why, void *user)
{
	weft_stream_explain(s, story, sizeof(story));
	exchange_ops.on_close(s, why, user);
}

/* A server that hangs up on each request: returns how often it was asked. */
static unsigned hang_up(struct client *c)
{
	static struct weft_stream_ops ops;
	struct exchange x = { .closed = false };
	struct peer p;
	unsigned tries = 0;

	ops = exchange_ops;
	ops.on_close = closed;
	client_open(c, &x, NULL, "/");
	weft_stream_set_ops(x.stream, &ops, &x);
	while (!x.closed) {
		client_accept(c, &p);
		peer_expect(&p, GET);
		peer_close(&p);
		tries++;
		while (!x.closed && !peer_waiting(c->listener))
			world_turn(&c->world);
	}
	assert_int_equal(x.why.status, WEFT_ERR_TRUNCATED);
	return tries;
}

/* Ten are free, and each stream earns a fifth of one; also when nothing is left of the place in between. */
static void retries_are_paid_from_a_budget(void **state)
{
	struct client c;

	(void)state;
	client_begin(&c, NULL);
	assert_int_equal(hang_up(&c), 5);
	assert_int_equal(hang_up(&c), 5);
	assert_int_equal(counts(&c).retries_refused, 0);
	assert_int_equal(hang_up(&c), 3);
	assert_int_equal(counts(&c).retries_refused, 1);
	assert_int_equal(counts(&c).limits_hit, 1);
	assert_non_null(strstr(story,
		"not tried again (truncated): the budget of retries to this place is used up\n"));
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(hang_up(&c), 1);
	/* 40, and three times 20, are one */
	assert_int_equal(hang_up(&c), 2);
	assert_int_equal(counts(&c).streams_retried, 11);
	client_end(&c);
}

static void the_percentage_is_the_applications(void **state)
{
	const struct weft_context_options o = { .retry_percent = 400 };
	struct client c;

	(void)state;
	client_begin(&c, &o);
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(hang_up(&c), 5);
	assert_int_equal(counts(&c).retries_refused, 0);
	client_end(&c);
}

/* A server that ends each connection behind its answer, without a word: nobody notices, however often. */
static void replacing_warm_connections_is_free(void **state)
{
	struct exchange x = { .closed = false };
	struct client c;
	struct peer p;

	(void)state;
	client_begin(&c, NULL);
	client_open(&c, &x, NULL, "/");
	client_accept(&c, &p);
	for (unsigned i = 0; i < 15; i++) {
		peer_expect(&p, GET);
		peer_send(&p, OK_ANSWER);
		exchange_expect(&x, 200, "ok");
		x = (struct exchange){ .closed = false };
		client_open(&c, &x, NULL, "/");
		peer_expect(&p, GET);
		peer_close(&p);
		client_accept(&c, &p);
	}
	peer_expect(&p, GET);
	peer_send(&p, OK_ANSWER);
	exchange_expect(&x, 200, "ok");
	assert_int_equal(counts(&c).streams_retried, 15);
	assert_int_equal(counts(&c).retries_refused, 0);
	end(&c, &p);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(who_waits_too_long_is_told_so_at_once),
	cmocka_unit_test(time_in_the_queue_ends_with_the_queue),
	cmocka_unit_test(full_queue_refuses_at_once),
	cmocka_unit_test(connection_ends_after_so_many_exchanges),
	cmocka_unit_test(idle_connection_that_is_too_old_is_closed),
	cmocka_unit_test(nothing_begins_on_a_connection_that_is_too_old),
	cmocka_unit_test(retries_are_paid_from_a_budget),
	cmocka_unit_test(the_percentage_is_the_applications),
	cmocka_unit_test(replacing_warm_connections_is_free),
};
const struct role_group role_client_limit_group = {
	.name = "h1 client, limits of a place",
	.tests = tests,
	.count = sizeof(tests) / sizeof(*tests),
};
