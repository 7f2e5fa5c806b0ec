/* SPDX-License-Identifier: MIT */
/* Intrusive lists. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/list.h"

struct item {
	char name;
	struct weft_list node;
};

/* The names in order, and again from the end: both directions must agree. */
static void assert_list(const struct weft_list *head, const char *names)
{
	size_t len = strlen(names);

	weft_list_each(node, (struct weft_list *)(uintptr_t)head)
	{
		assert_int_equal(weft_container_of(node, struct item, node)->name, *names);
		assert_true(weft_list_linked(node));
		names++;
	}
	assert_int_equal(*names, 0);
	assert_int_equal(weft_list_empty(head), len == 0);
	for (const struct weft_list *node = head->prev; node != head; node = node->prev, len--)
		assert_int_equal(weft_container_of(node, struct item, node)->name, *--names);
	assert_int_equal(len, 0);
}

static void nodes_keep_their_order(void **state)
{
	struct item a = { .name = 'a' }, b = { .name = 'b' }, c = { .name = 'c' };
	struct weft_list head;

	(void)state;
	weft_list_init(&head);
	assert_list(&head, "");
	weft_list_append(&head, &a.node);
	weft_list_append(&head, &c.node);
	weft_list_insert(&c.node, &b.node);
	assert_list(&head, "abc");
	weft_list_remove(&b.node);
	assert_list(&head, "ac");
	weft_list_insert(&a.node, &b.node);
	assert_list(&head, "bac");
}

static void removing_twice_is_harmless(void **state)
{
	struct item a = { .name = 'a' }, b = { .name = 'b' };
	struct weft_list head;

	(void)state;
	weft_list_init(&head);
	assert_false(weft_list_linked(&a.node));
	weft_list_remove(&a.node);
	weft_list_append(&head, &a.node);
	weft_list_append(&head, &b.node);
	weft_list_remove(&a.node);
	weft_list_remove(&a.node);
	assert_false(weft_list_linked(&a.node));
	assert_list(&head, "b");
	weft_list_append(&head, &a.node);
	assert_list(&head, "ba");
}

static void pop_takes_the_first(void **state)
{
	struct item a = { .name = 'a' }, b = { .name = 'b' };
	struct weft_list head;

	(void)state;
	weft_list_init(&head);
	assert_null(weft_list_pop(&head));
	weft_list_append(&head, &a.node);
	weft_list_append(&head, &b.node);
	assert_ptr_equal(weft_list_pop(&head), &a.node);
	assert_false(weft_list_linked(&a.node));
	assert_list(&head, "b");
	assert_ptr_equal(weft_list_pop(&head), &b.node);
	assert_null(weft_list_pop(&head));
	assert_list(&head, "");
}

static void splice_moves_all_behind(void **state)
{
	struct item a = { .name = 'a' }, b = { .name = 'b' }, c = { .name = 'c' };
	struct weft_list to, from;

	(void)state;
	weft_list_init(&to);
	weft_list_init(&from);
	weft_list_splice(&to, &from);
	assert_list(&to, "");
	weft_list_append(&from, &a.node);
	weft_list_append(&from, &b.node);
	weft_list_splice(&to, &from);
	assert_list(&to, "ab");
	assert_list(&from, "");
	weft_list_append(&from, &c.node);
	weft_list_splice(&to, &from);
	assert_list(&to, "abc");
	weft_list_splice(&to, &from);
	assert_list(&to, "abc");
}

static void walk_may_remove_where_it_stands(void **state)
{
	struct item items[5] = { { .name = 'a' }, { .name = 'b' }, { .name = 'c' }, { .name = 'd' },
		{ .name = 'e' } };
	struct weft_list head;
	unsigned seen = 0;

	(void)state;
	weft_list_init(&head);
	for (size_t i = 0; i < 5; i++)
		weft_list_append(&head, &items[i].node);
	weft_list_each_safe(node, &head)
	{
		if (seen++ % 2 == 0)
			weft_list_remove(node);
	}
	assert_int_equal(seen, 5);
	assert_list(&head, "bd");
	weft_list_each_safe(other, &head) weft_list_remove(other);
	assert_list(&head, "");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(nodes_keep_their_order),
		cmocka_unit_test(removing_twice_is_harmless),
		cmocka_unit_test(pop_takes_the_first),
		cmocka_unit_test(splice_moves_all_behind),
		cmocka_unit_test(walk_may_remove_where_it_stands),
	};

	return cmocka_run_group_tests_name("list", tests, NULL, NULL);
}
