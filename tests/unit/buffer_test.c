/* SPDX-License-Identifier: MIT */
/* Growable byte runs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "weft/buffer.h"

struct limited {
	size_t used, max;
};

static void *resize(void *user, void *ptr, size_t old_len, size_t new_len)
{
	struct limited *l = user;

	if (new_len > old_len && l->used + new_len - old_len > l->max)
		return NULL;
	l->used += new_len - old_len;
	if (new_len)
		return realloc(ptr, new_len);
	free(ptr);
	return NULL;
}

static void holds_what_was_written(void **state)
{
	struct limited limited = { 0, SIZE_MAX };
	struct weft_allocator alloc = { &limited, resize };
	struct weft_buffer b;

	(void)state;
	weft_buffer_init(&b, &alloc);
	assert_int_equal(limited.used, 0);
	assert_int_equal(weft_buffer_len(&b), 0);
	weft_buffer_append(&b, NULL, 0);
	assert_int_equal(limited.used, 0);
	weft_buffer_append(&b, "abc", 3);
	weft_buffer_printf(&b, "%d-%s", 42, "x");
	weft_buffer_printf(&b, "%s", "");
	assert_int_equal(weft_buffer_len(&b), 7);
	assert_memory_equal(weft_buffer_bytes(&b), "abc42-x", 7);
	weft_buffer_consume(&b, 3);
	assert_memory_equal(weft_buffer_bytes(&b), "42-x", 4);
	weft_buffer_consume(&b, 4);
	assert_int_equal(weft_buffer_len(&b), 0);
	assert_int_equal(b.start, 0);
	memcpy(weft_buffer_reserve(&b, 1000), "reserved", 8);
	weft_buffer_commit(&b, 8);
	assert_memory_equal(weft_buffer_bytes(&b), "reserved", 8);
	weft_buffer_finish(&b);
	assert_int_equal(limited.used, 0);
	weft_buffer_append(&b, "again", 5);
	assert_int_equal(weft_buffer_len(&b), 5);
	weft_buffer_finish(&b);
	assert_int_equal(limited.used, 0);
}

/* A stream through a buffer: the content holds, the memory stays small. */
static void reuses_the_front(void **state)
{
	struct limited limited = { 0, 4096 };
	struct weft_allocator alloc = { &limited, resize };
	unsigned char piece[97];
	size_t in = 0, out = 0;
	struct weft_buffer b;

	(void)state;
	weft_buffer_init(&b, &alloc);
	while (out < 200000) {
		for (size_t i = 0; i < sizeof(piece); i++)
			piece[i] = (unsigned char)((in + i) * 31 >> 3);
		weft_buffer_append(&b, piece, sizeof(piece));
		in += sizeof(piece);
		while (weft_buffer_len(&b) > 300) {
			for (size_t i = 0; i < 61; i++)
				assert_int_equal(weft_buffer_bytes(&b)[i],
					(unsigned char)((out + i) * 31 >> 3));
			weft_buffer_consume(&b, 61);
			out += 61;
		}
		assert_false(b.failed);
	}
	weft_buffer_finish(&b);
	assert_int_equal(limited.used, 0);
}

static void failure_is_sticky(void **state)
{
	struct limited limited = { 0, 2000 };
	struct weft_allocator alloc = { &limited, resize };
	static char big[3000];
	struct weft_buffer b;

	(void)state;
	weft_buffer_init(&b, &alloc);
	weft_buffer_append(&b, "kept", 4);
	weft_buffer_append(&b, big, sizeof(big));
	assert_true(b.failed);
	weft_buffer_append(&b, "no", 2);
	weft_buffer_printf(&b, "no");
	assert_null(weft_buffer_reserve(&b, 1));
	assert_int_equal(weft_buffer_len(&b), 4);
	assert_memory_equal(weft_buffer_bytes(&b), "kept", 4);
	weft_buffer_finish(&b);
	assert_false(b.failed);
	assert_int_equal(limited.used, 0);
	/* lengths that no memory has */
	assert_null(weft_buffer_reserve(&b, SIZE_MAX));
	assert_true(b.failed);
	weft_buffer_finish(&b);
	assert_int_equal(limited.used, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(holds_what_was_written),
		cmocka_unit_test(reuses_the_front),
		cmocka_unit_test(failure_is_sticky),
	};

	return cmocka_run_group_tests_name("buffer", tests, NULL, NULL);
}
