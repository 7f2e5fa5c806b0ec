/* SPDX-License-Identifier: MIT */
/* The heap of timers, also against a plain array. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/timers.h"

static void fire(struct weft_timer *timer, void *user)
{
	(void)timer;
	++*(int *)user;
}

static void fires_in_order(void **state)
{
	static const uint64_t dues[] = { 50, 10, 40, 20, 30, 10 };
	struct weft_timer timer[6] = { { .queued = false } };
	struct weft_timers timers = { NULL };
	uint64_t before = 0;
	int count = 0;

	(void)state;
	assert_true(weft_timers_next(&timers) == WEFT_NEVER);
	assert_null(weft_timers_pop(&timers, WEFT_NEVER));
	for (int i = 0; i < 6; i++)
		weft_timers_set(&timers, &timer[i], dues[i], fire, &count);
	assert_int_equal(weft_timers_next(&timers), 10);
	assert_null(weft_timers_pop(&timers, 9));
	for (int i = 0; i < 6; i++) {
		struct weft_timer *t = weft_timers_pop(&timers, 50);

		assert_non_null(t);
		assert_false(t->queued);
		assert_true(t->due_us >= before);
		before = t->due_us;
		t->fn(t, t->user);
	}
	assert_int_equal(count, 6);
	assert_null(weft_timers_pop(&timers, WEFT_NEVER));
}

static void moves_and_cancels(void **state)
{
	struct weft_timer a = { .queued = false }, b = { .queued = false };
	struct weft_timers timers = { NULL };
	int count = 0;

	(void)state;
	weft_timers_cancel(&timers, &a); /* never set */
	weft_timers_set(&timers, &a, 10, fire, &count);
	weft_timers_set(&timers, &b, 20, fire, &count);
	weft_timers_set(&timers, &a, 30, fire, &count); /* later */
	assert_true(weft_timers_next(&timers) <= 20);
	assert_null(weft_timers_pop(&timers, 15));
	assert_ptr_equal(weft_timers_pop(&timers, 25), &b);
	assert_null(weft_timers_pop(&timers, 29));
	assert_int_equal(weft_timers_next(&timers), 30);
	weft_timers_set(&timers, &a, 5, fire, &count); /* earlier */
	assert_int_equal(weft_timers_next(&timers), 5);
	weft_timers_set(&timers, &a, 7, fire, &count); /* later, then cancelled while it is stale */
	weft_timers_cancel(&timers, &a);
	weft_timers_cancel(&timers, &a);
	assert_true(weft_timers_next(&timers) == WEFT_NEVER);
	weft_timers_set(&timers, &a, WEFT_NEVER - 1, fire, &count);
	assert_null(weft_timers_pop(&timers, 1u << 30));
	assert_ptr_equal(weft_timers_pop(&timers, WEFT_NEVER - 1), &a);
}

static unsigned next_random(unsigned *seed)
{
	return (*seed = *seed * 1103515245u + 12345u) >> 8;
}

/* The first due timer of the model; NULL if none. */
static struct weft_timer *earliest(struct weft_timer *timer, size_t count, uint64_t now)
{
	struct weft_timer *best = NULL;

	for (size_t i = 0; i < count; i++)
		if (timer[i].queued && timer[i].due_us <= now &&
			(!best || timer[i].due_us < best->due_us))
			best = &timer[i];
	return best;
}

static void agrees_with_a_model(void **state)
{
	enum { COUNT = 100, STEPS = 50000 };
	static struct weft_timer timer[COUNT];
	struct weft_timers timers = { NULL };
	unsigned seed = 42;
	uint64_t now = 0;
	int count = 0;

	(void)state;
	for (int i = 0; i < STEPS; i++) {
		struct weft_timer *t = &timer[next_random(&seed) % COUNT], *want;
		unsigned what = next_random(&seed) % 10;

		if (what < 6) {
			weft_timers_set(&timers, t, now + next_random(&seed) % 1000, fire, &count);
		} else if (what < 8) {
			weft_timers_cancel(&timers, t);
			assert_false(t->queued);
		} else {
			now += next_random(&seed) % 100;
			want = earliest(timer, COUNT, now);
			t = weft_timers_pop(&timers, now);
			assert_true(!t == !want);
			if (t)
				assert_int_equal(t->due_us, want->due_us);
		}
		want = earliest(timer, COUNT, WEFT_NEVER);
		assert_true(weft_timers_next(&timers) <= (want ? want->due_us : WEFT_NEVER));
		assert_true(want || weft_timers_next(&timers) == WEFT_NEVER);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(fires_in_order),
		cmocka_unit_test(moves_and_cancels),
		cmocka_unit_test(agrees_with_a_model),
	};

	return cmocka_run_group_tests_name("timers", tests, NULL, NULL);
}
