/* SPDX-License-Identifier: MIT */
/* Memory given piece by piece and taken back at once. */
#include <setjmp.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/arena.h"

static void pieces_do_not_overlap(void **state)
{
	enum { COUNT = 500 };
	struct weft_memory memory;
	struct weft_arena a;
	unsigned char *piece[COUNT];
	size_t len[COUNT];

	(void)state;
	weft_memory_init(&memory, &weft_allocator_system, 0);
	weft_arena_init(&a, &memory);
	assert_int_equal(memory.now, 0);
	for (size_t i = 0; i < COUNT; i++) {
		len[i] = i % 7 == 6 ? 3000 * i : 1 + i * 37 % 200;
		piece[i] = i % 2 ? (unsigned char *)weft_arena_text(&a, "", 0)
				 : weft_arena_alloc(&a, len[i]);
		assert_non_null(piece[i]);
		if (i % 2)
			len[i] = 1;
		else
			assert_int_equal((uintptr_t)piece[i] % alignof(max_align_t), 0);
		memset(piece[i], (int)i, len[i]);
	}
	for (size_t i = 0; i < COUNT; i++)
		for (size_t k = 0; k < len[i]; k++)
			assert_int_equal(piece[i][k], (unsigned char)i);
	weft_arena_finish(&a);
	/* usable again */
	assert_string_equal(weft_arena_text(&a, "hello, world", 5), "hello");
	assert_string_equal(weft_arena_text(&a, NULL, 0), "");
	weft_arena_finish(&a);
	weft_memory_finish(&memory);
	assert_int_equal(memory.now, 0);
}

static void no_memory_is_told(void **state)
{
	struct weft_memory memory;
	struct weft_arena a;
	char *text;

	(void)state;
	weft_memory_init(&memory, &weft_allocator_system, 4096);
	weft_arena_init(&a, &memory);
	text = weft_arena_text(&a, "kept", 4);
	assert_non_null(text);
	assert_null(weft_arena_alloc(&a, 10000));
	assert_null(weft_arena_alloc(&a, SIZE_MAX));
	assert_null(weft_arena_alloc(&a, SIZE_MAX - 64));
	assert_null(weft_arena_text(&a, text, SIZE_MAX - 1));
	assert_string_equal(text, "kept");
	assert_non_null(weft_arena_alloc(&a, 100));
	weft_arena_finish(&a);
	weft_memory_finish(&memory);
	assert_int_equal(memory.now, 0);
}

static void blocks_are_kept_at_hand(void **state)
{
	struct weft_memory memory;
	struct weft_arena a;
	uint64_t allocs = 0;

	(void)state;
	weft_memory_init(&memory, &weft_allocator_system, 0);
	for (int i = 0; i < 100; i++) {
		weft_arena_init(&a, &memory);
		assert_non_null(weft_arena_alloc(&a, 1000));
		assert_non_null(weft_arena_alloc(&a, 1000));
		weft_arena_finish(&a);
		if (i == 1)
			allocs = memory.allocs;
	}
	assert_int_equal(memory.allocs, allocs);
	weft_memory_finish(&memory);
	assert_int_equal(memory.now, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_do_not_overlap),
		cmocka_unit_test(no_memory_is_told),
		cmocka_unit_test(blocks_are_kept_at_hand),
	};

	return cmocka_run_group_tests_name("arena", tests, NULL, NULL);
}
