/* SPDX-License-Identifier: MIT */
/*
 * The limit that the streams of one policy name share: what they may write together, who is told first once
 * there is room, and that nothing of it is lost or left behind.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/stream/flight.h"
#include "weft/plugin/transport.h"
#include "weft/policy.h"
#include "weft/weft.h"

enum { MANY = 8, MAX = 1000, CAPACITY = 64 };

static const struct weft_policy_stream limited = { .name = "a", .max_in_flight_bytes = MAX };
static const struct weft_policy_stream other = { .name = "b", .max_in_flight_bytes = MAX };
static const struct weft_policy_stream unlimited = { .name = "c" };

struct one {
	struct weft_stream *stream; /* NULL: closed */
	struct weft_transport *peer;
	uint64_t since; /* of its waiting, as the test saw it; 0: it does not wait */
	size_t wants;   /* to be written when it is told */
	unsigned told;
	bool finished;
};

static struct {
	struct weft_context *ctx;
	struct weft_allocator alloc;
	long heap;
	unsigned allocs, fails_at; /* 0: none fails */
	uint64_t clock;
	const struct weft_stream *telling;
	struct one all[MANY];
	char order[64]; /* who was told, as letters */
} w;

static char block[4 * MAX];

static void *resize(void *user, void *ptr, size_t old_len, size_t new_len)
{
	void *p;

	(void)user;
	if (new_len && ++w.allocs == w.fails_at)
		return NULL;
	p = weft_allocator_system.resize(NULL, ptr, old_len, new_len);
	if (p || !new_len)
		w.heap += (long)new_len - (long)old_len;
	return p;
}

static void no_log(void *user, enum weft_log_level level, const char *line)
{
	(void)user;
	(void)level;
	(void)line;
}

static void open_world(void)
{
	struct weft_context_options o = { .event = "poll", .tls = "none", .log = no_log };

	memset(&w, 0, sizeof(w));
	w.alloc = (struct weft_allocator){ .resize = resize };
	o.allocator = &w.alloc;
	o.linger_ms = 1;
	assert_int_equal(weft_context_create(&o, &w.ctx, NULL), WEFT_OK);
}

static void close_world(void)
{
	weft_context_destroy(w.ctx, 0, NULL, NULL);
	for (size_t i = 0; i < MANY; i++)
		assert_null(w.all[i].stream);
	assert_int_equal(w.heap, 0);
}

static void turn(void)
{
	assert_true(weft_context_turn(w.ctx, 0) >= 0);
}

static bool waits(const struct one *x)
{
	return x->stream && weft_list_linked(&x->stream->flight_node);
}

/* Notes who has begun to wait. Of those who began within a turn, the list knows the order. */
static void note_waiting(void)
{
	for (size_t i = 0; i < MANY; i++) {
		if (!waits(&w.all[i]) && w.all[i].stream != w.telling)
			w.all[i].since = 0;
	}
	for (struct weft_flight *f = w.ctx->flights; f; f = f->next) {
		weft_list_each(node, &f->waiting)
		{
			struct weft_stream *s =
				weft_container_of(node, struct weft_stream, flight_node);
			struct one *x = weft_stream_user(s);

			if (!x->since)
				x->since = ++w.clock;
		}
	}
}

/* Returns what was taken. */
static size_t write_some(struct one *x, size_t len)
{
	size_t room = weft_stream_room(x->stream);
	size_t n = weft_stream_write(x->stream, block, len);

	assert_int_equal(n, len < room ? len : room);
	note_waiting();
	return n;
}

static void on_writable(struct weft_stream *s, void *user)
{
	struct one *x = user;
	size_t n = strlen(w.order);

	assert_ptr_equal(s, x->stream);
	assert_true(weft_stream_room(s) > 0);
	w.telling = s;
	note_waiting();
	w.telling = NULL;
	for (size_t i = 0; i < MANY; i++) {
		/* whoever has waited for longer was told before */
		if (&w.all[i] != x && waits(&w.all[i]) && w.all[i].stream->flight == s->flight)
			assert_true(!x->since || x->since < w.all[i].since);
	}
	x->since = 0;
	x->told++;
	if (n < sizeof(w.order) - 1)
		w.order[n] = (char)('a' + (x - w.all));
	if (x->wants)
		x->wants -= write_some(x, x->wants);
}

static void on_close(struct weft_stream *s, const struct weft_error *why, void *user)
{
	struct one *x = user;

	(void)s;
	(void)why;
	x->stream = NULL;
}

static const struct weft_stream_ops ops = { .on_writable = on_writable, .on_close = on_close };

static enum weft_status open_stream(
	size_t i, const struct weft_policy_stream *policy, uint32_t write_high)
{
	struct weft_stream_options o = {
		.url = "tcp://a:1", .body = true, .policy = policy, .write_high = write_high
	};
	struct weft_transport *ends[2];
	enum weft_status st;

	st = weft_transport_memory_pair(w.ctx, CAPACITY, ends, NULL);
	if (st)
		return st;
	o.transport = ends[0];
	w.all[i] = (struct one){ .peer = ends[1] };
	st = weft_stream_open(w.ctx, &o, &ops, &w.all[i], &w.all[i].stream, NULL);
	if (st) {
		weft_transport_destroy(ends[0]);
		weft_transport_destroy(ends[1]);
		w.all[i].peer = NULL;
	}
	return st;
}

static void hang_up(struct one *x)
{
	weft_transport_destroy(x->peer);
	x->peer = NULL;
}

/* The peer takes what has come. */
static void drain(struct one *x)
{
	struct weft_span got;

	while (x->peer && x->peer->ops->read(x->peer, &got, NULL) == WEFT_OK)
		continue;
}

static void close_all(void)
{
	for (size_t i = 0; i < MANY; i++) {
		weft_stream_close(w.all[i].stream);
		if (w.all[i].peer)
			hang_up(&w.all[i]);
	}
	for (int i = 0; i < 20; i++)
		turn();
	assert_null(w.ctx->flights);
}

static void streams_of_one_name_share_the_limit(void **state)
{
	struct weft_segment seg = weft_segment_static(block, 10);

	(void)state;
	open_world();
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(open_stream(i, &limited, 0), WEFT_OK);
	assert_int_equal(open_stream(2, &other, 0), WEFT_OK);
	assert_int_equal(open_stream(3, &unlimited, 0), WEFT_OK);
	assert_null(w.all[3].stream->flight);
	assert_int_equal(write_some(&w.all[0], 600), 600);
	assert_int_equal(weft_stream_room(w.all[1].stream), 400);
	assert_int_equal(write_some(&w.all[1], 600), 400);
	assert_int_equal(weft_stream_room(w.all[0].stream), 0);
	assert_int_equal(weft_stream_write(w.all[0].stream, "x", 1), 0);
	assert_int_equal(weft_stream_write_segment(w.all[0].stream, &seg), WEFT_AGAIN);
	/* those of other names have their own */
	assert_int_equal(weft_stream_room(w.all[2].stream), MAX);
	assert_int_equal(write_some(&w.all[3], 4 * MAX), 4 * MAX);
	/* the end of one gives its bytes back, and the other is told */
	weft_stream_close(w.all[0].stream);
	assert_int_equal(weft_stream_room(w.all[1].stream), 600);
	turn();
	assert_string_equal(w.order, "b");
	close_all();
	close_world();
}

static void whoever_has_waited_longest_is_told_first(void **state)
{
	(void)state;
	open_world();
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(open_stream(i, &limited, 0), WEFT_OK);
	assert_int_equal(write_some(&w.all[0], MAX), MAX);
	w.all[2].wants = MAX - write_some(&w.all[2], MAX);
	w.all[3].wants = 100 - write_some(&w.all[3], 100);
	w.all[1].wants = 100 - write_some(&w.all[1], 100);
	weft_stream_close(w.all[0].stream);
	/* it does not come before those who wait, though there is room */
	assert_int_equal(weft_stream_room(w.all[1].stream), 0);
	assert_int_equal(weft_stream_room(w.all[2].stream), MAX);
	/* what each writes goes to its connection, which makes room for the next */
	for (int i = 0; i < 4; i++)
		turn();
	assert_string_equal(w.order, "cdb");
	for (size_t i = 1; i < 4; i++)
		assert_int_equal(w.all[i].wants, 0);
	close_all();
	close_world();
}

static void who_is_told_and_writes_nothing_lets_the_next_one_go(void **state)
{
	(void)state;
	open_world();
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(open_stream(i, &limited, 0), WEFT_OK);
	assert_int_equal(write_some(&w.all[0], MAX), MAX);
	for (size_t i = 3; i > 0; i--)
		assert_int_equal(write_some(&w.all[i], 1), 0);
	weft_stream_finish(w.all[2].stream); /* and wants no more */
	weft_stream_close(w.all[0].stream);
	for (int i = 0; i < 4; i++)
		turn();
	assert_string_equal(w.order, "db");
	close_all();
	close_world();
}

static void own_limit_holds_besides(void **state)
{
	(void)state;
	open_world();
	assert_int_equal(open_stream(0, &limited, 100), WEFT_OK);
	assert_int_equal(open_stream(1, &limited, 0), WEFT_OK);
	assert_int_equal(write_some(&w.all[0], 200), 100);
	assert_false(waits(&w.all[0])); /* for the others: its own outbox is full */
	assert_int_equal(write_some(&w.all[1], MAX), 900);
	assert_true(waits(&w.all[1]));
	for (int i = 0; i < 50 && !w.all[0].told; i++) {
		turn();
		drain(&w.all[0]);
	}
	assert_true(w.all[0].told > 0);
	close_all();
	close_world();
}

/* ---- random orders ---- */

static unsigned long long seed;

static unsigned random_below(unsigned n)
{
	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (unsigned)(seed >> 33) % n;
}

static void check(void)
{
	size_t sum = 0, streams = 0;

	for (size_t i = 0; i < MANY; i++) {
		const struct weft_stream *s = w.all[i].stream;

		if (!s || !s->flight)
			continue;
		sum += s->out.len;
		streams++;
		/* who ended, or wants no more, holds nobody up */
		if (s->finished || s->state == WEFT_STREAM_DONE)
			assert_false(waits(&w.all[i]));
	}
	assert_int_equal(streams != 0, w.ctx->flights != NULL);
	if (!streams)
		return;
	assert_int_equal(w.ctx->flights->bytes, sum);
	assert_int_equal(w.ctx->flights->streams, streams);
	assert_null(w.ctx->flights->next);
}

static void random_step(void)
{
	struct one *x = &w.all[random_below(MANY)];

	switch (random_below(12)) {
	case 0:
		if (!x->stream && !x->peer)
			assert_int_equal(open_stream((size_t)(x - w.all), &limited,
						 random_below(2) ? 300 : 0),
				WEFT_OK);
		break;
	case 1:
		if (random_below(4) == 0)
			weft_stream_close(x->stream);
		break;
	case 2:
		if (x->stream && random_below(4) == 0)
			weft_stream_finish(x->stream);
		break;
	case 3:
		if (x->peer && (!x->stream || random_below(8) == 0))
			hang_up(x);
		break;
	case 4:
	case 5:
	case 6:
	case 7:
		if (x->stream)
			x->wants = random_below(2) ? random_below(500) : 0;
		if (x->stream)
			(void)write_some(x, random_below(700));
		break;
	case 8:
	case 9:
		drain(x);
		break;
	default:
		turn();
	}
	note_waiting();
	check();
}

/* Once all is taken, nobody waits for ever. */
static void settle(void)
{
	for (int i = 0; i < 2000; i++) {
		for (size_t k = 0; k < MANY; k++) {
			w.all[k].wants = 0;
			drain(&w.all[k]);
		}
		turn();
		note_waiting();
	}
	for (size_t i = 0; i < MANY; i++)
		assert_false(waits(&w.all[i]));
	if (w.ctx->flights)
		assert_int_equal(w.ctx->flights->bytes, 0);
}

static void random_orders_lose_no_byte_and_nobody(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 60; round++) {
		seed = round + 1;
		print_message("seed %llu\n", seed);
		open_world();
		for (int i = 0; i < 1500; i++)
			random_step();
		settle();
		close_all();
		close_world();
	}
}

static void no_memory_leaves_nothing_behind(void **state)
{
	enum weft_status st = WEFT_ERR_MEMORY;
	unsigned failures = 0;

	(void)state;
	for (unsigned n = 1; st != WEFT_OK; n++) {
		open_world();
		w.allocs = 0;
		w.fails_at = n;
		st = open_stream(0, &limited, 0);
		assert_true(st == WEFT_OK || st == WEFT_ERR_MEMORY);
		failures += st != WEFT_OK;
		assert_int_equal(w.ctx->flights != NULL, st == WEFT_OK);
		w.fails_at = 0;
		if (st)
			assert_int_equal(open_stream(0, &limited, 0), WEFT_OK);
		assert_int_equal(write_some(&w.all[0], 2 * MAX), MAX);
		close_all();
		close_world();
	}
	assert_true(failures > 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(streams_of_one_name_share_the_limit),
		cmocka_unit_test(whoever_has_waited_longest_is_told_first),
		cmocka_unit_test(who_is_told_and_writes_nothing_lets_the_next_one_go),
		cmocka_unit_test(own_limit_holds_besides),
		cmocka_unit_test(random_orders_lose_no_byte_and_nobody),
		cmocka_unit_test(no_memory_leaves_nothing_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
