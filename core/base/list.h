/* SPDX-License-Identifier: MIT */
/* Intrusive doubly linked lists. A node knows whether it is in a list; removing twice is harmless. */
#ifndef WEFT_CORE_BASE_LIST_H
#define WEFT_CORE_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct weft_list {
	struct weft_list *next,
		*prev; /* a head points to itself while empty; a free node to nothing */
};

#define weft_container_of(node, type, member) \
	((type *)(void *)((char *)(node)-offsetof(type, member)))

static inline void weft_list_init(struct weft_list *head)
{
	head->next = head->prev = head;
}

static inline bool weft_list_empty(const struct weft_list *head)
{
	return head->next == head;
}

static inline bool weft_list_single(const struct weft_list *head)
{
	return head->next != head && head->next == head->prev;
}

static inline bool weft_list_linked(const struct weft_list *node)
{
	return node->next != NULL;
}

static inline void weft_list_insert(struct weft_list *before, struct weft_list *node)
{
	node->prev = before->prev;
	node->next = before;
	before->prev->next = node;
	before->prev = node;
}

static inline void weft_list_append(struct weft_list *head, struct weft_list *node)
{
	weft_list_insert(head, node);
}

static inline void weft_list_remove(struct weft_list *node)
{
	if (!node->next)
		return;
	node->prev->next = node->next;
	node->next->prev = node->prev;
	node->next = node->prev = NULL;
}

/* The first node, taken out; NULL if there is none. */
static inline struct weft_list *weft_list_pop(struct weft_list *head)
{
	struct weft_list *node = head->next;

	if (node == head)
		return NULL;
	weft_list_remove(node);
	return node;
}

/* Moves all of from behind what to has. */
static inline void weft_list_splice(struct weft_list *to, struct weft_list *from)
{
	if (weft_list_empty(from))
		return;
	from->next->prev = to->prev;
	from->prev->next = to;
	to->prev->next = from->next;
	to->prev = from->prev;
	weft_list_init(from);
}

#define weft_list_each(node, head) \
	for (struct weft_list *node = (head)->next; node != (head); node = node->next)

/* The body may remove node itself, and nothing else. */
#define weft_list_each_safe(node, head)                                                        \
	for (struct weft_list *node = (head)->next, *node##_next = node->next; node != (head); \
		node = node##_next, node##_next = node->next)

#endif
