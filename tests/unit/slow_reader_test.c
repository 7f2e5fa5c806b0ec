/* SPDX-License-Identifier: MIT */
/*
 * A reader whose every byte is seen: in memory, where no kernel's buffers hide how slow it is. It must keep
 * the least rate as long as output waits for it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "weft/plugin/transport.h"
#include "weft/weft.h"

enum { TURNS_MAX = 200000, BODY = 1 << 20, CAPACITY = 1000 };

struct world {
	struct weft_context *ctx;
	struct weft_vhost *vh;
	struct weft_transport *end;
	struct weft_error why;
	size_t got;
	bool closed, ended;
};

static void closed(struct weft_stream *s, const struct weft_error *why, void *user)
{
	struct world *w = user;

	(void)s;
	w->why = *why;
	w->closed = true;
}

static enum weft_status handler(struct weft_stream *s, void *user)
{
	static const struct weft_stream_ops ops = { .on_close = closed };
	static char body[BODY];

	weft_stream_set_ops(s, &ops, user);
	return weft_http_reply_static(s, 200, NULL, body, sizeof(body));
}

static void no_log(void *user, enum weft_log_level level, const char *line)
{
	(void)user;
	(void)level;
	(void)line;
}

static void ignore(void *user, unsigned events)
{
	(void)user;
	(void)events;
}

static void open_world(struct world *w, uint32_t flush_ms, uint32_t rate_min)
{
	static const char request[] = "GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
	static const struct weft_transport_owner owner = { .ready = ignore };
	static struct weft_route routes[2];
	const struct weft_context_options o = {
		.event = "poll",
		.tls = "none",
		.log = no_log,
		.flush_ms = flush_ms,
		.body_rate_min = rate_min,
		.linger_ms = 1,
	};
	const struct weft_vhost_options v = { .name = "a", .routes = routes };
	const struct weft_segment seg = weft_segment_static(request, sizeof(request) - 1);
	struct weft_transport *ends[2];
	size_t taken = 0;

	memset(w, 0, sizeof(*w));
	routes[0] = (struct weft_route){ .prefix = "", .on_request = handler, .user = w };
	assert_int_equal(weft_context_create(&o, &w->ctx, NULL), WEFT_OK);
	assert_int_equal(weft_vhost_create(w->ctx, &v, &w->vh, NULL), WEFT_OK);
	assert_int_equal(weft_transport_memory_pair(w->ctx, CAPACITY, ends, NULL), WEFT_OK);
	assert_int_equal(weft_transport_serve(w->vh, "http", ends[0], NULL), WEFT_OK);
	w->end = ends[1];
	assert_int_equal(w->end->ops->start(w->end, &owner, NULL), WEFT_OK);
	assert_int_equal(w->end->ops->write(w->end, &seg, 1, &taken, NULL), WEFT_OK);
}

static void close_world(struct world *w)
{
	weft_transport_destroy(w->end);
	weft_context_destroy(w->ctx, 0, NULL, NULL);
}

static uint64_t timeouts(const struct world *w)
{
	struct weft_counters c;

	weft_context_counters(w->ctx, &c);
	return c.timeouts;
}

/* All that is there, which the pair then has room for again. */
static void read_some(struct world *w)
{
	struct weft_span got = { NULL, 0 };
	enum weft_status st = w->end->ops->read(w->end, &got, NULL);

	if (st == WEFT_OK)
		w->got += got.len;
	w->ended |= st != WEFT_OK && st != WEFT_AGAIN;
}

/* A helping of at most a thousand bytes in every fiftieth turn of at least a millisecond: 20,000 a second at most. */
static void a_reader_below_the_least_rate_is_cut_although_it_reads_on(void **state)
{
	struct world w;

	(void)state;
	open_world(&w, 200, 1000000);
	for (unsigned i = 0; i < TURNS_MAX && !w.closed; i++) {
		assert_true(weft_context_turn(w.ctx, 1) >= 0);
		if (i % 50 == 0)
			read_some(&w);
	}
	assert_true(w.closed);
	assert_true(w.got > 0 && w.got < BODY);
	assert_int_equal(w.why.status, WEFT_ERR_TIMEOUT);
	assert_non_null(strstr(w.why.text, "in 200 ms, expected 200000"));
	assert_int_equal(timeouts(&w), 1);
	close_world(&w);
}

static void a_reader_that_stops_is_cut(void **state)
{
	struct world w;

	(void)state;
	open_world(&w, 20, 1);
	for (unsigned i = 0; i < TURNS_MAX && !w.closed; i++)
		assert_true(weft_context_turn(w.ctx, 1) >= 0);
	assert_int_equal(w.why.status, WEFT_ERR_TIMEOUT);
	assert_int_equal(timeouts(&w), 1);
	close_world(&w);
}

/* Over several of its times; each has thousands of turns. */
static void a_reader_that_keeps_the_rate_gets_all(void **state)
{
	struct world w;
	uint64_t begun;

	(void)state;
	open_world(&w, 2000, 1);
	begun = weft_context_now(w.ctx);
	for (unsigned i = 0; i < TURNS_MAX && !w.ended; i++) {
		/* a byte a second, and more than that: no faster than it must be for a while */
		bool slowly = weft_context_now(w.ctx) - begun < 4500000;

		assert_true(weft_context_turn(w.ctx, slowly) >= 0);
		if (!slowly || i % 100 == 0)
			read_some(&w);
	}
	assert_true(w.got > BODY);
	assert_true(weft_context_now(w.ctx) - begun > 4000000);
	assert_int_equal(timeouts(&w), 0);
	close_world(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_reader_below_the_least_rate_is_cut_although_it_reads_on),
		cmocka_unit_test(a_reader_that_stops_is_cut),
		cmocka_unit_test(a_reader_that_keeps_the_rate_gets_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
