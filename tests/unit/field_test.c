/* SPDX-License-Identifier: MIT */
/* Heads: copied into an arena, and looked through. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/field.h"

static void fields_are_found_without_regard_to_case(void **state)
{
	struct weft_field fields[] = {
		weft_field("Accept", "a"),
		weft_field("accept-encoding", "b"),
		weft_field("ACCEPT", "c"),
		weft_field("x", ""),
	};
	const struct weft_head head = { .fields = fields, .field_count = 4 };

	(void)state;
	assert_ptr_equal(weft_head_find(&head, "accept"), &fields[0]);
	assert_ptr_equal(weft_head_find(&head, "Accept-Encoding"), &fields[1]);
	assert_ptr_equal(weft_head_find(&head, "X"), &fields[3]);
	assert_null(weft_head_find(&head, "accep"));
	assert_null(weft_head_find(&head, "accepts"));
	assert_null(weft_head_find(&head, ""));
	assert_null(weft_head_find(NULL, "accept"));
	assert_null(weft_head_find(&(struct weft_head){ .status = 200 }, "accept"));
}

static void field_measures_its_strings(void **state)
{
	struct weft_field f = weft_field("name", "a value");

	(void)state;
	assert_int_equal(f.name_len, 4);
	assert_int_equal(f.value_len, 7);
	f = weft_field("", "");
	assert_int_equal(f.name_len, 0);
	assert_int_equal(f.value_len, 0);
}

/* Nothing of a copy may depend on what it was made of. */
static void copy_stands_alone(void **state)
{
	static const char lines[] = "X-Name@[\xc4value\tbehind";
	char *bytes = malloc(sizeof(lines) - 1), *method = strdup("GET");
	struct weft_field fields[2];
	struct weft_head head = { .method = method,
		.scheme = "http",
		.authority = "a:1",
		.target = "/?q",
		.status = 7,
		.version = 11,
		.body_len = 5,
		.fields = fields,
		.field_count = 2 };
	struct weft_head copy = { .status = 0 };
	struct weft_memory memory;
	struct weft_arena arena;

	(void)state;
	assert_non_null(bytes);
	assert_non_null(method);
	memcpy(bytes, lines, sizeof(lines) - 1);
	fields[0] = (struct weft_field){ bytes, 9, bytes + 9, 5 };
	fields[1] = (struct weft_field){ bytes + 9, 1, bytes + 10, 0 };
	weft_memory_init(&memory, &weft_allocator_system, 0);
	weft_arena_init(&arena, &memory);
	assert_int_equal(weft_head_copy(&arena, &copy, &head), WEFT_OK);
	free(bytes);
	free(method);
	memset(fields, 0, sizeof(fields));
	assert_string_equal(copy.method, "GET");
	assert_string_equal(copy.scheme, "http");
	assert_string_equal(copy.authority, "a:1");
	assert_string_equal(copy.target, "/?q");
	assert_int_equal(copy.status, 7);
	assert_int_equal(copy.version, 11);
	assert_int_equal(copy.body_len, 5);
	assert_int_equal(copy.field_count, 2);
	/* names are in lower case, letters only; all is terminated */
	assert_string_equal(copy.fields[0].name, "x-name@[\xc4");
	assert_string_equal(copy.fields[0].value, "value");
	assert_int_equal(copy.fields[0].name_len, 9);
	assert_int_equal(copy.fields[0].value_len, 5);
	assert_string_equal(copy.fields[1].name, "v");
	assert_string_equal(copy.fields[1].value, "");
	weft_arena_finish(&arena);
	weft_memory_finish(&memory);
	assert_int_equal(memory.now, 0);
}

static void head_may_be_copied_onto_itself(void **state)
{
	struct weft_field field = weft_field("A", "b");
	struct weft_head head = { .target = "/", .fields = &field, .field_count = 1 };
	struct weft_memory memory;
	struct weft_arena arena;

	(void)state;
	weft_memory_init(&memory, &weft_allocator_system, 0);
	weft_arena_init(&arena, &memory);
	assert_int_equal(weft_head_copy(&arena, &head, &head), WEFT_OK);
	assert_ptr_not_equal(head.fields, &field);
	assert_string_equal(head.fields[0].name, "a");
	assert_string_equal(head.target, "/");
	assert_null(head.method);
	assert_null(head.authority);
	assert_string_equal(field.name, "A");
	/* without fields there is no table */
	head = (struct weft_head){ .status = 204, .fields = &field };
	assert_int_equal(weft_head_copy(&arena, &head, &head), WEFT_OK);
	assert_int_equal(head.status, 204);
	assert_null(head.fields);
	weft_arena_finish(&arena);
	weft_memory_finish(&memory);
}

/* Wherever memory ends, the failure is told and the target stays as it was. */
static void lack_of_memory_leaves_the_target_alone(void **state)
{
	enum { BIG = 20000 };
	char *text = malloc(BIG + 1);
	struct weft_field fields[2];
	struct weft_head head = { .field_count = 2, .fields = fields };
	size_t failed = 0;

	(void)state;
	assert_non_null(text);
	memset(text, 't', BIG);
	text[BIG] = 0;
	head.method = head.scheme = head.authority = head.target = text;
	fields[0] = weft_field(text, "short");
	fields[1] = weft_field("short", text);
	for (size_t max = 1; max < 8 * BIG; max += BIG / 2) {
		struct weft_head copy = { .status = 99 };
		struct weft_memory memory;
		struct weft_arena arena;
		enum weft_status st;

		weft_memory_init(&memory, &weft_allocator_system, max);
		weft_arena_init(&arena, &memory);
		st = weft_head_copy(&arena, &copy, &head);
		if (st) {
			assert_int_equal(st, WEFT_ERR_MEMORY);
			assert_int_equal(copy.status, 99);
			assert_null(copy.fields);
			failed++;
		} else {
			assert_string_equal(copy.target, text);
			assert_string_equal(copy.fields[1].value, text);
		}
		weft_arena_finish(&arena);
		weft_memory_finish(&memory);
		assert_int_equal(memory.now, 0);
	}
	/* each of the six long texts was the one that failed, and in the end none */
	assert_true(failed >= 12 && failed < 16);
	free(text);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_are_found_without_regard_to_case),
		cmocka_unit_test(field_measures_its_strings),
		cmocka_unit_test(copy_stands_alone),
		cmocka_unit_test(head_may_be_copied_onto_itself),
		cmocka_unit_test(lack_of_memory_leaves_the_target_alone),
	};

	return cmocka_run_group_tests_name("field", tests, NULL, NULL);
}
