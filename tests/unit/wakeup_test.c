/* SPDX-License-Identifier: MIT */
/*
 * Nothing may wait for somebody who does not come: output for which there was no room, a goodbye that the
 * peer does not take, input that the window did not take at once.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "weft/plugin/event.h"
#include "weft/plugin/transport.h"
#include "weft/weft.h"

enum { TURNS_MAX = 5000, MUCH = 300000 };

/*
 * A transport that takes all that is written, as TLS does, and lets it go when the test says so. Its owner is
 * told from a timer, as from any loop.
 */
struct hoard {
	struct weft_transport base;
	struct weft_context *ctx;
	struct weft_transport_owner owner;
	struct weft_timer timer;
	size_t held, gone;
	bool stuck_end; /* the goodbye is never taken */
	bool destroyed;
};

static enum weft_status hoard_start(
	struct weft_transport *t, const struct weft_transport_owner *owner, struct weft_error *err)
{
	(void)err;
	((struct hoard *)t)->owner = *owner;
	return WEFT_OK;
}

static enum weft_status hoard_ok(struct weft_transport *t, struct weft_error *err)
{
	(void)t;
	(void)err;
	return WEFT_OK;
}

static enum weft_status hoard_read(
	struct weft_transport *t, struct weft_span *got, struct weft_error *err)
{
	(void)t;
	(void)got;
	(void)err;
	return WEFT_AGAIN;
}

static enum weft_status hoard_write(struct weft_transport *t, const struct weft_segment *segs,
	size_t count, size_t *taken, struct weft_error *err)
{
	struct hoard *h = (struct hoard *)t;

	(void)err;
	*taken = 0;
	for (size_t i = 0; i < count; i++)
		*taken += segs[i].len;
	h->held += *taken;
	return WEFT_AGAIN;
}

static enum weft_status hoard_flush(struct weft_transport *t, struct weft_error *err)
{
	struct hoard *h = (struct hoard *)t;

	(void)err;
	h->gone += h->held;
	h->held = 0;
	return WEFT_OK;
}

static size_t hoard_pending(const struct weft_transport *t)
{
	return ((const struct hoard *)t)->held;
}

static bool hoard_buffered(const struct weft_transport *t)
{
	(void)t;
	return false;
}

static void hoard_interest(struct weft_transport *t, unsigned events)
{
	(void)t;
	(void)events;
}

static enum weft_status hoard_shutdown(struct weft_transport *t, struct weft_error *err)
{
	(void)err;
	return ((struct hoard *)t)->stuck_end ? WEFT_AGAIN : WEFT_OK;
}

static void hoard_abort(struct weft_transport *t)
{
	(void)t;
}

static void hoard_info(const struct weft_transport *t, struct weft_conn_info *info)
{
	(void)t;
	(void)info;
}

static void hoard_destroy(struct weft_transport *t)
{
	((struct hoard *)t)->destroyed = true;
}

static const struct weft_transport_ops hoard_ops = {
	.size = sizeof(hoard_ops),
	.name = "hoard",
	.start = hoard_start,
	.advance = hoard_ok,
	.read = hoard_read,
	.write = hoard_write,
	.flush = hoard_flush,
	.pending = hoard_pending,
	.buffered = hoard_buffered,
	.interest = hoard_interest,
	.shutdown = hoard_shutdown,
	.abort = hoard_abort,
	.info = hoard_info,
	.destroy = hoard_destroy,
};

static void hoard_writable(struct weft_timer *timer, void *user)
{
	struct hoard *h = user;

	(void)timer;
	h->owner.ready(h->owner.user, WEFT_EVENT_WRITE);
}

/* ---- a server that writes much, or counts what comes ---- */

struct served {
	size_t written, got;
	bool ended, closed;
};

static void go_on(struct weft_stream *s, void *user)
{
	static const char bytes[4096];
	struct served *v = user;
	size_t n = 1;

	while (v->written < MUCH && n) {
		n = MUCH - v->written;
		n = weft_stream_write(s, bytes, n < sizeof(bytes) ? n : sizeof(bytes));
		v->written += n;
	}
	if (v->written == MUCH)
		weft_stream_finish(s);
}

static size_t count(struct weft_stream *s, const void *bytes, size_t len, void *user)
{
	(void)s;
	(void)bytes;
	((struct served *)user)->got += len;
	return len;
}

static void ended(struct weft_stream *s, void *user)
{
	((struct served *)user)->ended = true;
	weft_stream_finish(s);
}

static void closed(struct weft_stream *s, const struct weft_error *why, void *user)
{
	(void)s;
	(void)why;
	((struct served *)user)->closed = true;
}

static const struct weft_stream_ops writer_ops = { .on_writable = go_on, .on_close = closed };
static const struct weft_stream_ops counter_ops = {
	.on_data = count, .on_end = ended, .on_close = closed
};

static enum weft_status write_much(struct weft_stream *s, void *user)
{
	weft_stream_set_ops(s, &writer_ops, user);
	go_on(s, user);
	return WEFT_OK;
}

static enum weft_status count_all(struct weft_stream *s, void *user)
{
	weft_stream_set_ops(s, &counter_ops, user);
	return WEFT_OK;
}

/* ---- the world ---- */

struct world {
	struct weft_context *ctx;
	struct weft_vhost *vh;
	struct weft_route routes[2];
	struct served served;
};

static void no_log(void *user, enum weft_log_level level, const char *line)
{
	(void)user;
	(void)level;
	(void)line;
}

static void open_world(struct world *w, const struct weft_context_options *options,
	enum weft_status (*handler)(struct weft_stream *, void *))
{
	struct weft_context_options o = *options;
	const struct weft_vhost_options v = { .name = "a", .routes = w->routes };

	o.event = "poll";
	o.tls = "none";
	o.log = no_log;
	*w = (struct world){ .routes = { { .prefix = "", .on_request = handler } } };
	w->routes[0].user = &w->served;
	assert_int_equal(weft_context_create(&o, &w->ctx, NULL), WEFT_OK);
	assert_int_equal(weft_vhost_create(w->ctx, &v, &w->vh, NULL), WEFT_OK);
}

static void turn(struct world *w)
{
	assert_true(weft_context_turn(w->ctx, 2) >= 0);
}

static uint64_t conns(struct world *w)
{
	struct weft_counters c;

	weft_context_counters(w->ctx, &c);
	return c.conns_now;
}

static void open_hoard(struct world *w, struct hoard *h)
{
	*h = (struct hoard){ .base.ops = &hoard_ops, .ctx = w->ctx };
	assert_int_equal(weft_transport_serve(w->vh, "tcp", &h->base, NULL), WEFT_OK);
}

static void output_goes_on_once_the_transport_let_go_of_all_it_held(void **state)
{
	static const struct weft_context_options o = { .idle_ms = 600000, .linger_ms = 1 };
	struct world w;
	struct hoard h;

	(void)state;
	open_world(&w, &o, write_much);
	open_hoard(&w, &h);
	for (unsigned i = 0; i < TURNS_MAX && h.gone < MUCH; i++) {
		if (h.held)
			weft_timer_set(w.ctx, &h.timer, 1, hoard_writable, &h);
		turn(&w);
	}
	assert_int_equal(h.gone, MUCH);
	weft_timer_cancel(w.ctx, &h.timer);
	weft_context_destroy(w.ctx, 0, NULL, NULL);
	assert_true(h.destroyed);
}

static void a_goodbye_that_is_not_taken_ends_with_the_flush_time(void **state)
{
	static const struct weft_context_options o = { .idle_ms = 600000, .flush_ms = 20 };
	struct world w;
	struct hoard h;

	(void)state;
	open_world(&w, &o, write_much);
	open_hoard(&w, &h);
	h.stuck_end = true;
	for (unsigned i = 0; i < TURNS_MAX && !h.destroyed; i++) {
		if (h.held)
			weft_timer_set(w.ctx, &h.timer, 1, hoard_writable, &h);
		turn(&w);
	}
	assert_true(h.destroyed);
	assert_true(w.served.closed);
	assert_int_equal(conns(&w), 0);
	weft_timer_cancel(w.ctx, &h.timer);
	weft_context_destroy(w.ctx, 0, NULL, NULL);
}

static void ignore(void *user, unsigned events)
{
	(void)user;
	(void)events;
}

static void what_a_small_window_left_over_comes_without_more_input(void **state)
{
	static const struct weft_context_options o = { .window_bytes = 1000, .linger_ms = 1 };
	static const struct weft_transport_owner owner = { .ready = ignore };
	static const char bytes[5000];
	const struct weft_segment seg = weft_segment_static(bytes, sizeof(bytes));
	struct weft_transport *ends[2];
	struct world w;
	size_t taken;

	(void)state;
	open_world(&w, &o, count_all);
	assert_int_equal(weft_transport_memory_pair(w.ctx, 0, ends, NULL), WEFT_OK);
	assert_int_equal(weft_transport_serve(w.vh, "tcp", ends[0], NULL), WEFT_OK);
	assert_int_equal(ends[1]->ops->start(ends[1], &owner, NULL), WEFT_OK);
	assert_int_equal(ends[1]->ops->write(ends[1], &seg, 1, &taken, NULL), WEFT_OK);
	for (unsigned i = 0; i < TURNS_MAX && w.served.got < sizeof(bytes); i++)
		turn(&w);
	assert_int_equal(w.served.got, sizeof(bytes));
	assert_int_equal(ends[1]->ops->write(ends[1], &seg, 1, &taken, NULL), WEFT_OK);
	assert_int_equal(ends[1]->ops->shutdown(ends[1], NULL), WEFT_OK);
	for (unsigned i = 0; i < TURNS_MAX && !w.served.closed; i++)
		turn(&w);
	assert_int_equal(w.served.got, 2 * sizeof(bytes));
	assert_true(w.served.ended);
	assert_true(w.served.closed);
	weft_transport_destroy(ends[1]);
	weft_context_destroy(w.ctx, 0, NULL, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(output_goes_on_once_the_transport_let_go_of_all_it_held),
		cmocka_unit_test(a_goodbye_that_is_not_taken_ends_with_the_flush_time),
		cmocka_unit_test(what_a_small_window_left_over_comes_without_more_input),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
