/* SPDX-License-Identifier: MIT */
/* Allocators: told sizes, the count, the cap, failures, and the blocks kept at hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/memory.h"

/* Checks that the sizes it is told are true; fails the call numbered fail_at, and counts. */
struct checked {
	size_t now, calls, fail_at;
};

static void *checked_resize(void *user, void *ptr, size_t old_len, size_t new_len)
{
	struct checked *c = user;
	size_t *head = ptr ? (size_t *)ptr - 2 : NULL;

	assert_int_equal(head ? *head : 0, old_len);
	if (new_len && ++c->calls == c->fail_at)
		return NULL;
	c->now = c->now - old_len + new_len;
	if (!new_len) {
		free(head);
		return NULL;
	}
	head = realloc(head, new_len + 2 * sizeof(*head));
	assert_non_null(head);
	*head = new_len;
	return head + 2;
}

static void helpers_tell_true_sizes(void **state)
{
	struct checked c = { 0, 0, 0 };
	const struct weft_allocator a = { &c, checked_resize };
	static const char zeros[100];
	char *text;
	void *p;

	(void)state;
	p = weft_alloc(&a, 100);
	assert_non_null(p);
	weft_free(&a, p, 100);
	p = weft_zalloc(&a, 100);
	assert_memory_equal(p, zeros, 100);
	weft_free(&a, p, 100);
	/* nothing is still something to free */
	p = weft_alloc(&a, 0);
	assert_non_null(p);
	weft_free(&a, p, 0);
	p = weft_zalloc(&a, 0);
	assert_non_null(p);
	weft_free(&a, p, 0);
	weft_free(&a, NULL, 100);
	text = weft_strndup(&a, "hello, world", 5);
	assert_string_equal(text, "hello");
	weft_strfree(&a, text);
	text = weft_strndup(&a, NULL, 0);
	assert_string_equal(text, "");
	weft_strfree(&a, text);
	weft_strfree(&a, NULL);
	assert_int_equal(c.now, 0);
}

static void helpers_hand_failures_on(void **state)
{
	struct checked c = { 0, 0, 1 };
	const struct weft_allocator a = { &c, checked_resize };

	(void)state;
	assert_null(weft_alloc(&a, 10));
	c.fail_at = 2;
	assert_null(weft_zalloc(&a, 10));
	c.fail_at = 3;
	assert_null(weft_strndup(&a, "text", 4));
	assert_int_equal(c.calls, 3);
	assert_int_equal(c.now, 0);
}

static void systems_memory_moves_and_ends(void **state)
{
	const struct weft_allocator *a = &weft_allocator_system;
	char *p = weft_strndup(a, "kept", 4);

	(void)state;
	assert_non_null(p);
	p = a->resize(a->user, p, 5, 5000);
	assert_non_null(p);
	assert_string_equal(p, "kept");
	p = a->resize(a->user, p, 5000, 5);
	assert_string_equal(p, "kept");
	assert_null(a->resize(a->user, p, 5, 0));
}

static void all_is_counted(void **state)
{
	struct checked c = { 0, 0, 0 };
	const struct weft_allocator a = { &c, checked_resize };
	struct weft_memory m;
	void *p, *q;

	(void)state;
	weft_memory_init(&m, &a, 0);
	p = weft_alloc(&m.alloc, 1000);
	q = weft_alloc(&m.alloc, 500);
	assert_int_equal(m.now, 1500);
	p = m.alloc.resize(m.alloc.user, p, 1000, 3000);
	assert_int_equal(m.now, 3500);
	p = m.alloc.resize(m.alloc.user, p, 3000, 10);
	assert_int_equal(m.now, 510);
	assert_int_equal(m.peak, 3500);
	assert_int_equal(m.allocs, 4);
	weft_free(&m.alloc, p, 10);
	weft_free(&m.alloc, q, 500);
	assert_int_equal(m.now, 0);
	assert_int_equal(m.peak, 3500);
	assert_int_equal(m.allocs, 4);
	weft_memory_finish(&m);
	assert_int_equal(c.now, 0);
}

static void cap_is_exact(void **state)
{
	struct checked c = { 0, 0, 0 };
	const struct weft_allocator a = { &c, checked_resize };
	struct weft_memory m;
	void *p, *q;

	(void)state;
	weft_memory_init(&m, &a, 1000);
	assert_null(weft_alloc(&m.alloc, 1001));
	assert_null(weft_alloc(&m.alloc, SIZE_MAX));
	assert_null(weft_alloc(&m.alloc, SIZE_MAX / 2 + 1));
	p = weft_alloc(&m.alloc, 1000);
	assert_non_null(p);
	assert_null(weft_alloc(&m.alloc, 1));
	assert_null(weft_alloc(&m.alloc, SIZE_MAX));
	assert_null(m.alloc.resize(m.alloc.user, p, 1000, 1001));
	assert_int_equal(m.now, 1000);
	/* what was refused never reached the allocator behind */
	assert_int_equal(c.calls, 1);
	p = m.alloc.resize(m.alloc.user, p, 1000, 400);
	q = weft_alloc(&m.alloc, 600);
	assert_non_null(q);
	assert_null(m.alloc.resize(m.alloc.user, p, 400, 401));
	weft_free(&m.alloc, q, 600);
	p = m.alloc.resize(m.alloc.user, p, 400, 1000);
	assert_non_null(p);
	weft_free(&m.alloc, p, 1000);
	assert_int_equal(m.now, 0);
	weft_memory_finish(&m);
}

static void failure_behind_changes_no_count(void **state)
{
	struct checked c = { 0, 0, 2 };
	const struct weft_allocator a = { &c, checked_resize };
	struct weft_memory m;
	void *p;

	(void)state;
	weft_memory_init(&m, &a, 0);
	p = weft_alloc(&m.alloc, 100);
	assert_null(m.alloc.resize(m.alloc.user, p, 100, 200));
	assert_int_equal(m.now, 100);
	assert_int_equal(m.peak, 100);
	assert_int_equal(m.allocs, 1);
	c.fail_at = 3;
	assert_null(weft_alloc(&m.alloc, 100));
	assert_int_equal(m.now, 100);
	weft_free(&m.alloc, p, 100);
	assert_int_equal(m.now, 0);
	weft_memory_finish(&m);
	assert_int_equal(c.now, 0);
}

static void blocks_come_in_classes(void **state)
{
	static const struct {
		size_t len, cap;
	} cases[] = {
		{ 0, WEFT_BLOCK_SMALL },
		{ 1, WEFT_BLOCK_SMALL },
		{ WEFT_BLOCK_SMALL, WEFT_BLOCK_SMALL },
		{ WEFT_BLOCK_SMALL + 1, WEFT_BLOCK_MEDIUM },
		{ WEFT_BLOCK_MEDIUM, WEFT_BLOCK_MEDIUM },
		{ WEFT_BLOCK_MEDIUM + 1, WEFT_BLOCK_LARGE },
		{ WEFT_BLOCK_LARGE, WEFT_BLOCK_LARGE },
		{ WEFT_BLOCK_LARGE + 1, WEFT_BLOCK_LARGE + 1 },
		{ 100000, 100000 },
	};
	struct checked c = { 0, 0, 0 };
	const struct weft_allocator a = { &c, checked_resize };
	struct weft_memory m;

	(void)state;
	weft_memory_init(&m, &a, 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		size_t cap = 0;
		void *block = weft_block_get(&m, cases[i].len, &cap);

		assert_non_null(block);
		assert_int_equal(cap, cases[i].cap);
		memset(block, 0xa5, cap);
		weft_block_put(&m, block, cap);
	}
	weft_block_put(&m, NULL, WEFT_BLOCK_SMALL);
	/* one of each class is kept, and a larger one never */
	assert_int_equal(m.now, WEFT_BLOCK_SMALL + WEFT_BLOCK_MEDIUM + WEFT_BLOCK_LARGE);
	weft_memory_finish(&m);
	assert_int_equal(m.now, 0);
	assert_int_equal(c.now, 0);
}

enum { MANY = 100 };

static void few_blocks_are_kept_for_long(void **state)
{
	struct checked c = { 0, 0, 0 };
	const struct weft_allocator a = { &c, checked_resize };
	static const size_t lens[] = { WEFT_BLOCK_SMALL, WEFT_BLOCK_MEDIUM, WEFT_BLOCK_LARGE };
	struct weft_memory m;
	void *blocks[MANY];
	uint64_t allocs;
	size_t cap;

	(void)state;
	for (size_t k = 0; k < sizeof(lens) / sizeof(*lens); k++) {
		weft_memory_init(&m, &a, 0);
		for (int i = 0; i < MANY; i++)
			blocks[i] = weft_block_get(&m, lens[k], &cap);
		for (int i = 0; i < MANY; i++)
			weft_block_put(&m, blocks[i], lens[k]);
		/* turns without another such one, as often as it takes, and no more */
		for (int i = 0; weft_memory_settle(&m); i++)
			assert_in_range(i, 0, 100);
		assert_true(m.now > 0 && m.now <= 68 * 1024);
		/* the kept ones serve, without the allocator */
		allocs = m.allocs;
		for (size_t kept = m.now / lens[k], i = 0; i < kept; i++)
			blocks[i] = weft_block_get(&m, 1 + lens[k] - 1, &cap);
		assert_int_equal(m.allocs, allocs);
		for (size_t kept = m.now / lens[k], i = 0; i < kept; i++)
			weft_block_put(&m, blocks[i], cap);
		weft_memory_finish(&m);
		assert_int_equal(m.now, 0);
	}
	assert_int_equal(c.now, 0);
}

static void busy_turn_finds_the_blocks_of_the_one_before(void **state)
{
	struct weft_memory m;
	void *blocks[MANY];
	uint64_t allocs = 0;
	size_t cap;

	(void)state;
	weft_memory_init(&m, &weft_allocator_system, 0);
	for (int turn = 0; turn < 5; turn++) {
		if (turn == 1)
			allocs = m.allocs;
		for (int i = 0; i < MANY; i++)
			blocks[i] = weft_block_get(&m, WEFT_BLOCK_SMALL, &cap);
		for (int i = 0; i < MANY; i++)
			weft_block_put(&m, blocks[i], cap);
		assert_true(weft_memory_settle(&m));
	}
	assert_int_equal(m.allocs, allocs);
	/* what stays out for long is not kept a second time */
	for (int i = 0; i < MANY; i++)
		blocks[i] = weft_block_get(&m, WEFT_BLOCK_SMALL, &cap);
	while (weft_memory_settle(&m))
		;
	for (int i = 0; i < MANY; i++)
		weft_block_put(&m, blocks[i], cap);
	for (int i = 0; weft_memory_settle(&m); i++)
		assert_in_range(i, 0, 100);
	weft_memory_finish(&m);
	assert_int_equal(m.now, 0);
}

static void kept_blocks_make_room_below_the_cap(void **state)
{
	struct weft_memory m;
	void *a, *b;
	size_t cap;

	(void)state;
	weft_memory_init(&m, &weft_allocator_system, 2 * WEFT_BLOCK_MEDIUM);
	a = weft_block_get(&m, WEFT_BLOCK_MEDIUM, &cap);
	b = weft_block_get(&m, WEFT_BLOCK_MEDIUM, &cap);
	weft_block_put(&m, a, cap);
	weft_block_put(&m, b, cap);
	assert_int_equal(m.now, 2 * WEFT_BLOCK_MEDIUM);
	a = weft_alloc(&m.alloc, 2 * WEFT_BLOCK_MEDIUM);
	assert_non_null(a);
	weft_free(&m.alloc, a, 2 * WEFT_BLOCK_MEDIUM);
	weft_memory_finish(&m);
	assert_int_equal(m.now, 0);
}

static void blocks_end_at_the_cap_too(void **state)
{
	struct weft_memory m;
	void *block;
	size_t cap;

	(void)state;
	weft_memory_init(&m, &weft_allocator_system, WEFT_BLOCK_MEDIUM);
	assert_null(weft_block_get(&m, WEFT_BLOCK_LARGE, &cap));
	assert_null(weft_block_get(&m, SIZE_MAX, &cap));
	block = weft_block_get(&m, WEFT_BLOCK_MEDIUM, &cap);
	assert_non_null(block);
	assert_null(weft_block_get(&m, 1, &cap));
	weft_block_put(&m, block, WEFT_BLOCK_MEDIUM);
	weft_memory_finish(&m);
	assert_int_equal(m.now, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(helpers_tell_true_sizes),
		cmocka_unit_test(helpers_hand_failures_on),
		cmocka_unit_test(systems_memory_moves_and_ends),
		cmocka_unit_test(all_is_counted),
		cmocka_unit_test(cap_is_exact),
		cmocka_unit_test(failure_behind_changes_no_count),
		cmocka_unit_test(blocks_come_in_classes),
		cmocka_unit_test(few_blocks_are_kept_for_long),
		cmocka_unit_test(busy_turn_finds_the_blocks_of_the_one_before),
		cmocka_unit_test(kept_blocks_make_room_below_the_cap),
		cmocka_unit_test(blocks_end_at_the_cap_too),
	};

	return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
