/* SPDX-License-Identifier: MIT */
/* The application's own libevent base: used, shared, and left as it was. */
#include <event2/event.h>
#include <unistd.h>

#include "tests/contract/event_world.h"

enum { READ = WEFT_EVENT_READ };

static int events_of(struct event_base *base)
{
	return event_base_get_num_events(
		base, EVENT_BASE_COUNT_ADDED | EVENT_BASE_COUNT_ACTIVE | EVENT_BASE_COUNT_VIRTUAL);
}

static void turn(struct event_base *base)
{
	assert_true(event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK) >= 0);
}

static void called(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	++*(int *)arg;
}

static void an_adopted_base_is_left_intact(void **state)
{
	struct event_base *base = event_base_new();
	static const struct timeval at_once = { 0, 0 };
	struct event_world w;
	struct event_spot s;
	int calls = 0;
	struct event *theirs = event_new(base, -1, 0, called, &calls);

	event_open(&w, *state, base);
	assert_true(w.ops->caps & WEFT_EVENT_CAN_ADOPT);
	event_spot_open(&s, &w, READ | WEFT_EVENT_WRITE);
	w.ops->deadline(w.loop, event_now() + 1000000);
	w.ops->wake(w.loop);
	event_spot_poke(&s);
	event_add(theirs, &at_once);
	turn(base);
	assert_int_equal(s.readies, 1);
	assert_int_equal(w.ticks, 1);
	assert_int_equal(calls, 1);
	w.ops->wake(w.loop);
	w.ops->deadline(w.loop, 0);
	event_spot_close(&s);
	event_close(&w);
	assert_int_equal(events_of(base), 0);
	event_add(theirs, &at_once);
	turn(base);
	assert_int_equal(calls, 2);
	event_free(theirs);
	event_base_free(base);
}

static void an_adopted_base_is_not_run(void **state)
{
	struct event_base *base = event_base_new();
	struct event_world w;
	struct weft_error err;

	event_open(&w, *state, base);
	assert_int_equal(w.ops->run(w.loop, &err), WEFT_ERR_STATE);
	assert_int_equal(err.status, WEFT_ERR_STATE);
	event_close(&w);
	event_base_free(base);
}

static struct event_spot *last_spot;

static void close_last(struct event_world *w)
{
	(void)w;
	event_spot_close(last_spot);
}

/* More of ours is active when the tick destroys all. */
static void an_adopted_base_survives_destroy_in_a_tick(void **state)
{
	struct event_base *base = event_base_new();
	struct event_world w;
	struct event_spot s;

	event_open(&w, *state, base);
	event_spot_open(&s, &w, READ);
	last_spot = &s;
	w.on_tick = close_last;
	w.destroy_in_tick = true;
	event_spot_poke(&s);
	w.ops->wake(w.loop);
	w.ops->deadline(w.loop, 0);
	turn(base);
	assert_null(w.loop);
	assert_int_equal(w.ticks, 1);
	assert_int_equal(events_of(base), 0);
	turn(base);
	assert_int_equal(w.ticks, 1);
	event_close(&w);
	event_base_free(base);
}

static void two_contexts_share_a_base(void **state)
{
	struct event_base *base = event_base_new();
	struct event_world v, w;
	struct event_spot s;

	event_open(&v, *state, base);
	event_open(&w, *state, base);
	event_spot_open(&s, &w, READ);
	event_spot_poke(&s);
	turn(base);
	assert_int_equal(w.ticks, 1);
	assert_int_equal(v.ticks, 0);
	event_close(&v);
	turn(base);
	assert_int_equal(w.ticks, 2);
	event_spot_close(&s);
	event_close(&w);
	assert_int_equal(events_of(base), 0);
	event_base_free(base);
}

const struct CMUnitTest event_adopt_tests[] = {
	cmocka_unit_test(an_adopted_base_is_left_intact),
	cmocka_unit_test(an_adopted_base_is_not_run),
	cmocka_unit_test(an_adopted_base_survives_destroy_in_a_tick),
	cmocka_unit_test(two_contexts_share_a_base),
};
const size_t event_adopt_count = sizeof(event_adopt_tests) / sizeof(*event_adopt_tests);
