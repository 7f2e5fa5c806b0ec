/* SPDX-License-Identifier: MIT */
/* Ticks: after a batch, at a deadline, on a wake; and the end of a loop. */
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/contract/event_world.h"

enum { READ = WEFT_EVENT_READ, MS = 1000 };

static void run(struct event_world *w)
{
	unsigned ticks = w->ticks;
	struct weft_error err;

	if (w->ops->run(w->loop, &err))
		fail_msg("run: %s", err.text);
	assert_int_equal(w->ticks, ticks + 1);
}

static void a_batch_ends_with_one_tick(void **state)
{
	struct event_spot spots[5];
	struct event_world w;

	event_open(&w, *state, NULL);
	for (int i = 0; i < 5; i++) {
		event_spot_open(&spots[i], &w, READ);
		event_spot_poke(&spots[i]);
	}
	event_run(&w); /* checks it */
	assert_int_equal(w.readies, 5);
	assert_int_equal(w.ticks, 1);
	for (int i = 0; i < 5; i++)
		event_spot_close(&spots[i]);
	event_close(&w);
}

/* A backend may be early by little (the core looks again), never late by much. */
static void run_until(struct event_world *w, uint64_t due)
{
	for (int i = 0; i < 50 && event_now() < due; i++)
		run(w);
	assert_true(event_now() >= due);
	assert_true(event_now() < due + 500 * MS);
}

static void deadlines_end_a_wait(void **state)
{
	struct event_world w;
	uint64_t now = event_now();

	event_open(&w, *state, NULL);
	w.ops->deadline(w.loop, 0);
	run(&w);
	w.ops->deadline(w.loop, now - 5000 * MS);
	run(&w);
	w.ops->deadline(w.loop, event_now());
	run(&w);
	assert_true(event_now() < now + 500 * MS);
	now = event_now();
	w.ops->deadline(w.loop, now + 30 * MS);
	run_until(&w, now + 30 * MS);
	event_close(&w);
}

static void deadlines_can_be_moved(void **state)
{
	struct event_world w;
	uint64_t now = event_now();

	event_open(&w, *state, NULL);
	w.ops->deadline(w.loop, now + 60000 * MS);
	w.ops->deadline(w.loop, now + 20 * MS);
	run_until(&w, now + 20 * MS);
	now = event_now();
	w.ops->deadline(w.loop, now + 1 * MS);
	w.ops->deadline(w.loop, now + 40 * MS);
	run_until(&w, now + 40 * MS);
	/* none at all: only the wake ends the wait */
	w.ops->deadline(w.loop, now + 1 * MS);
	w.ops->deadline(w.loop, WEFT_NEVER);
	w.ops->wake(w.loop);
	run(&w);
	event_close(&w);
}

/* Told once, a deadline that has passed holds: the core tells only what is new. */
static void a_deadline_holds_until_replaced(void **state)
{
	struct event_world w;
	uint64_t due = event_now() + 10 * MS, before;

	event_open(&w, *state, NULL);
	w.ops->deadline(w.loop, due);
	for (int i = 0; i < 5; i++)
		run_until(&w, due);
	run(&w);
	w.ops->deadline(w.loop, 0);
	before = event_now();
	for (int i = 0; i < 5; i++)
		run(&w);
	assert_true(event_now() - before < 500 * MS);
	event_close(&w);
}

static void no_deadline_waits(void **state)
{
	struct event_world w;
	uint64_t before = event_now();

	event_open(&w, *state, NULL);
	event_run_for(&w, 40);
	assert_true(event_now() - before >= 30 * MS);
	event_close(&w);
}

static void wake_before_the_wait(void **state)
{
	struct event_world w;
	uint64_t before = event_now();

	event_open(&w, *state, NULL);
	w.ops->wake(w.loop);
	w.ops->wake(w.loop);
	event_run(&w);
	assert_true(event_now() - before < 2000 * MS);
	assert_int_equal(w.ticks, 1);
	/* both at once: no second turn for them */
	before = event_now();
	event_run_for(&w, 40);
	assert_true(event_now() - before >= 30 * MS);
	event_close(&w);
}

static void *wake_soon(void *arg)
{
	static const struct timespec delay = { 0, 20 * 1000 * 1000 };
	struct event_world *w = arg;

	nanosleep(&delay, NULL);
	w->ops->wake(w->loop);
	return NULL;
}

static void wake_from_another_thread(void **state)
{
	struct event_world w;
	pthread_t thread;
	uint64_t before = event_now();

	event_open(&w, *state, NULL);
	assert_int_equal(pthread_create(&thread, NULL, wake_soon, &w), 0);
	event_run(&w);
	assert_true(event_now() - before < 3000 * MS);
	pthread_join(thread, NULL);
	event_close(&w);
}

static struct event_world *signalled;

static void on_signal(int number)
{
	(void)number;
	signalled->ops->wake(signalled->loop);
}

static void wake_from_a_signal_handler(void **state)
{
	static const struct timespec soon = { 0, 20 * 1000 * 1000 };
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	struct itimerspec once = { .it_value = soon };
	struct sigaction action = { .sa_handler = on_signal }, old;
	uint64_t before = event_now();
	struct event_world w;
	timer_t timer;

	event_open(&w, *state, NULL);
	signalled = &w;
	sigaction(SIGUSR1, &action, &old);
	assert_int_equal(timer_create(CLOCK_MONOTONIC, &event, &timer), 0);
	assert_int_equal(timer_settime(timer, 0, &once, NULL), 0);
	event_run(&w);
	assert_true(event_now() - before < 3000 * MS);
	timer_delete(timer);
	sigaction(SIGUSR1, &old, NULL);
	event_close(&w);
}

static void wake_again(struct event_world *w)
{
	if (w->ticks < 4)
		w->ops->wake(w->loop);
}

static void wake_from_a_tick(void **state)
{
	struct event_world w;

	event_open(&w, *state, NULL);
	w.on_tick = wake_again;
	w.ops->wake(w.loop);
	for (int i = 0; i < 4; i++)
		event_run(&w);
	assert_int_equal(w.ticks, 4);
	event_close(&w);
}

static void destroy_in_a_tick(void **state)
{
	struct event_world w;

	event_open(&w, *state, NULL);
	w.destroy_in_tick = true;
	w.ops->deadline(w.loop, 0);
	w.ops->wake(w.loop);
	event_run(&w);
	assert_null(w.loop);
	event_close(&w);
}

static struct event_spot *last_spot;

static void close_last(struct event_world *w)
{
	(void)w;
	event_spot_close(last_spot);
}

static void destroy_in_a_tick_after_a_batch(void **state)
{
	struct event_world w;
	struct event_spot s;

	event_open(&w, *state, NULL);
	event_spot_open(&s, &w, READ);
	last_spot = &s;
	w.on_tick = close_last;
	w.destroy_in_tick = true;
	event_spot_poke(&s);
	event_run(&w);
	assert_null(w.loop);
	assert_int_equal(s.readies, 1);
	event_close(&w);
}

/* Loops do not know of each other. */
static void two_loops(void **state)
{
	struct event_world v, w;
	struct event_spot s;

	event_open(&v, *state, NULL);
	event_open(&w, *state, NULL);
	event_spot_open(&s, &w, READ);
	event_spot_poke(&s);
	event_run_for(&v, 10);
	assert_int_equal(s.readies, 0);
	v.ops->wake(v.loop);
	event_run(&w);
	assert_int_equal(s.readies, 1);
	assert_int_equal(w.ticks, 1);
	event_run(&v);
	event_spot_close(&s);
	event_close(&w);
	event_close(&v);
}

const struct CMUnitTest event_time_tests[] = {
	cmocka_unit_test(a_batch_ends_with_one_tick),
	cmocka_unit_test(deadlines_end_a_wait),
	cmocka_unit_test(deadlines_can_be_moved),
	cmocka_unit_test(a_deadline_holds_until_replaced),
	cmocka_unit_test(no_deadline_waits),
	cmocka_unit_test(wake_before_the_wait),
	cmocka_unit_test(wake_from_another_thread),
	cmocka_unit_test(wake_from_a_signal_handler),
	cmocka_unit_test(wake_from_a_tick),
	cmocka_unit_test(destroy_in_a_tick),
	cmocka_unit_test(destroy_in_a_tick_after_a_batch),
	cmocka_unit_test(two_loops),
};
const size_t event_time_count = sizeof(event_time_tests) / sizeof(*event_time_tests);
