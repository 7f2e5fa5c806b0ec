/* SPDX-License-Identifier: MIT */
/* Limits on connections: who is counted together, what it costs, and that nothing of it stays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/conn/admission.h"
#include "core/system/context.h"
#include "weft/weft.h"

enum { MANY = 5000 };

struct world {
	struct weft_context *ctx;
	unsigned lines;
	char line[256];
	uint64_t heap;
};

static void keep_log(void *user, enum weft_log_level level, const char *line)
{
	struct world *w = user;

	assert_int_equal(level, WEFT_LOG_WARN);
	w->lines++;
	snprintf(w->line, sizeof(w->line), "%s", line);
}

static struct weft_counters counts(const struct world *w)
{
	struct weft_counters c;

	weft_context_counters(w->ctx, &c);
	return c;
}

static void open_world(struct world *w, unsigned max, unsigned per_address, size_t heap_max)
{
	const struct weft_context_options o = {
		.event = "poll",
		.tls = "none",
		.log = keep_log,
		.log_user = w,
		.conns_max = max,
		.conns_per_address = per_address,
		.heap_max = heap_max,
	};

	memset(w, 0, sizeof(*w));
	assert_int_equal(weft_context_create(&o, &w->ctx, NULL), WEFT_OK);
	w->heap = counts(w).heap_now;
}

static void close_world(struct world *w)
{
	assert_int_equal(w->ctx->admission.now, 0);
	assert_int_equal(counts(w).heap_now, w->heap);
	weft_context_destroy(w->ctx, 0, NULL, NULL);
}

static bool enter(struct world *w, const char *from, struct weft_origin **origin)
{
	struct weft_address a = { .family = WEFT_FAMILY_UNIX };

	if (from)
		assert_int_equal(weft_address_parse(from, 1, &a, NULL), WEFT_OK);
	return weft_admission_enter(w->ctx, &a, origin);
}

static void without_limits_nothing_is_counted(void **state)
{
	struct weft_origin *origin;
	struct world w;

	(void)state;
	open_world(&w, 0, 0, 0);
	assert_true(enter(&w, "192.0.2.1", &origin));
	assert_null(origin);
	weft_admission_leave(w.ctx, origin);
	close_world(&w);
}

static void all_together_are_bounded_wherever_they_come_from(void **state)
{
	const char *const from[] = { "192.0.2.1", "2001:db8::1", NULL };
	struct weft_origin *origins[3], *other;
	struct world w;

	(void)state;
	open_world(&w, 3, 0, 0);
	for (size_t i = 0; i < 3; i++)
		assert_true(enter(&w, from[i], &origins[i]));
	for (size_t i = 0; i < 3; i++)
		assert_false(enter(&w, from[i], &other));
	assert_int_equal(counts(&w).conns_refused, 3);
	weft_admission_leave(w.ctx, origins[1]);
	assert_true(enter(&w, "192.0.2.9", &origins[1]));
	assert_false(enter(&w, "192.0.2.9", &other));
	for (size_t i = 0; i < 3; i++)
		weft_admission_leave(w.ctx, origins[i]);
	close_world(&w);
}

static void an_address_is_what_one_customer_has(void **state)
{
	static const struct {
		const char *first, *second;
		bool same;
	} cases[] = {
		{ "192.0.2.1", "192.0.2.1", true }, { "192.0.2.1", "192.0.2.2", false },
		{ "192.0.2.1", "::ffff:192.0.2.1", true },
		{ "::ffff:192.0.2.1", "::ffff:192.0.2.2", false },
		{ "2001:db8:1:2::1", "2001:db8:1:2:ffff::9", true },
		{ "2001:db8:1:2::1", "2001:db8:1:3::1", false }, { "0.0.0.1", "::1", false },
		{ NULL, NULL, false }, /* Unix sockets have none */
	};
	struct weft_origin *first, *second;
	struct world w;

	(void)state;
	open_world(&w, 0, 1, 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_true(enter(&w, cases[i].first, &first));
		if (enter(&w, cases[i].second, &second) == cases[i].same)
			fail_msg("%s, then %s", cases[i].first, cases[i].second);
		if (!cases[i].same)
			weft_admission_leave(w.ctx, second);
		weft_admission_leave(w.ctx, first);
	}
	assert_int_equal(counts(&w).conns_refused, 3);
	close_world(&w);
}

static void thousands_of_addresses_are_told_apart_and_forgotten(void **state)
{
	static struct weft_origin *origins[MANY][2];
	struct weft_origin *third;
	struct world w;
	char from[64];

	(void)state;
	open_world(&w, 0, 2, 0);
	for (unsigned i = 0; i < MANY; i++) {
		snprintf(from, sizeof(from), i % 2 ? "10.0.%u.%u" : "2001:db8:%x:%x::1", i >> 8,
			i & 255);
		assert_true(enter(&w, from, &origins[i][0]));
		assert_true(enter(&w, from, &origins[i][1]));
		assert_ptr_equal(origins[i][0], origins[i][1]);
		assert_false(enter(&w, from, &third));
	}
	assert_int_equal(w.ctx->admission.origins, MANY);
	for (unsigned i = 0; i < MANY; i++) {
		weft_admission_leave(w.ctx, origins[(i * 7) % MANY][0]);
		weft_admission_leave(w.ctx, origins[(i * 7) % MANY][1]);
	}
	assert_int_equal(w.ctx->admission.origins, 0);
	assert_null(w.ctx->admission.buckets);
	close_world(&w);
}

static void refusals_are_logged_at_most_once_a_second(void **state)
{
	struct weft_origin *origin, *other;
	struct world w;

	(void)state;
	open_world(&w, 1, 0, 0);
	assert_true(enter(&w, "192.0.2.1", &origin));
	for (unsigned i = 0; i < 1000; i++)
		assert_false(enter(&w, "192.0.2.1", &other));
	/* a machine that takes seconds for that may see more than one */
	assert_in_range(w.lines, 1, 100);
	assert_non_null(strstr(w.line, "refused: as many as conns_max are there"));
	w.ctx->admission.told_us = 0;
	w.lines = 0;
	assert_false(enter(&w, "192.0.2.1", &other));
	assert_int_equal(w.lines, 1);
	assert_null(strstr(w.line, "1 connection refused")); /* but with those before it */
	assert_int_equal(counts(&w).conns_refused, 1001);
	weft_admission_leave(w.ctx, origin);
	close_world(&w);
}

static void with_little_memory_left_nobody_comes_in(void **state)
{
	struct weft_origin *origin;
	struct world w;
	void *block;

	(void)state;
	open_world(&w, 0, 5, 400000);
	assert_true(enter(&w, "192.0.2.1", &origin));
	weft_admission_leave(w.ctx, origin);
	block = weft_alloc(weft_context_allocator(w.ctx), 380000 - (size_t)w.heap);
	assert_non_null(block);
	assert_false(enter(&w, "192.0.2.1", &origin));
	assert_non_null(strstr(w.line, "heap_max"));
	assert_int_equal(counts(&w).conns_refused, 1);
	weft_free(weft_context_allocator(w.ctx), block, 380000 - (size_t)w.heap);
	assert_true(enter(&w, "192.0.2.1", &origin));
	weft_admission_leave(w.ctx, origin);
	close_world(&w);
}

/* ---- every allocation may fail ---- */

static unsigned left; /* allocations that succeed */

static void *failing(void *user, void *ptr, size_t old_len, size_t new_len)
{
	const struct weft_allocator *real = &weft_allocator_system;

	(void)user;
	if (new_len > old_len && !left)
		return NULL;
	if (new_len > old_len)
		left--;
	return real->resize(real->user, ptr, old_len, new_len);
}

static void a_failed_allocation_refuses_and_leaves_nothing(void **state)
{
	const struct weft_allocator alloc = { .resize = failing };
	struct weft_context_options o = {
		.event = "poll", .tls = "none", .log = keep_log, .conns_per_address = 9
	};
	struct weft_origin *origin;
	struct world w = { .lines = 0 };

	(void)state;
	o.allocator = &alloc;
	o.log_user = &w;
	left = UINT32_MAX;
	assert_int_equal(weft_context_create(&o, &w.ctx, NULL), WEFT_OK);
	w.heap = counts(&w).heap_now;
	for (left = 0; !enter(&w, "192.0.2.1", &origin); left = w.lines) {
		w.lines++;
		w.ctx->admission.told_us = 0;
		assert_in_range(w.lines, 1, 10);
	}
	left = UINT32_MAX;
	assert_int_equal(origin->conns, 1);
	weft_admission_leave(w.ctx, origin);
	close_world(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_limits_nothing_is_counted),
		cmocka_unit_test(all_together_are_bounded_wherever_they_come_from),
		cmocka_unit_test(an_address_is_what_one_customer_has),
		cmocka_unit_test(thousands_of_addresses_are_told_apart_and_forgotten),
		cmocka_unit_test(refusals_are_logged_at_most_once_a_second),
		cmocka_unit_test(with_little_memory_left_nobody_comes_in),
		cmocka_unit_test(a_failed_allocation_refuses_and_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
