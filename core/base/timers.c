/* SPDX-License-Identifier: MIT */
/* A pairing heap (Fredman, Sedgewick, Sleator, Tarjan 1986), linked through the timers themselves. */
#include "core/base/timers.h"

/* prev is the left sibling, or the parent for a first child. */
static struct weft_timer *meld(struct weft_timer *a, struct weft_timer *b)
{
	struct weft_timer *t;

	if (!a)
		return b;
	if (!b)
		return a;
	if (b->key_us < a->key_us) {
		t = a;
		a = b;
		b = t;
	}
	b->next = a->child;
	if (b->next)
		b->next->prev = b;
	b->prev = a;
	a->child = b;
	return a;
}

static struct weft_timer *meld_pairs(struct weft_timer *list)
{
	struct weft_timer *pairs = NULL, *root = NULL, *a, *b, *rest;

	while (list) {
		a = list;
		b = a->next;
		rest = b ? b->next : NULL;
		a->next = a->prev = NULL;
		if (b)
			b->next = b->prev = NULL;
		a = meld(a, b);
		a->next = pairs;
		pairs = a;
		list = rest;
	}
	while (pairs) {
		rest = pairs->next;
		pairs->next = NULL;
		root = meld(root, pairs);
		pairs = rest;
	}
	return root;
}

static void insert(struct weft_timers *timers, struct weft_timer *timer)
{
	timer->key_us = timer->due_us;
	timer->child = timer->next = timer->prev = NULL;
	timer->queued = true;
	timers->root = meld(timers->root, timer);
}

static void unlink_timer(struct weft_timers *timers, struct weft_timer *timer)
{
	struct weft_timer *children = meld_pairs(timer->child);

	if (timer == timers->root) {
		timers->root = children;
	} else {
		if (timer->prev->child == timer)
			timer->prev->child = timer->next;
		else
			timer->prev->next = timer->next;
		if (timer->next)
			timer->next->prev = timer->prev;
		timers->root = meld(timers->root, children);
	}
	timer->child = timer->next = timer->prev = NULL;
	timer->queued = false;
}

void weft_timers_set(struct weft_timers *timers, struct weft_timer *timer, uint64_t due_us,
	void (*fn)(struct weft_timer *, void *), void *user)
{
	timer->fn = fn;
	timer->user = user;
	timer->due_us = due_us;
	if (timer->queued) {
		if (due_us >= timer->key_us)
			return;
		unlink_timer(timers, timer);
	}
	insert(timers, timer);
}

void weft_timers_cancel(struct weft_timers *timers, struct weft_timer *timer)
{
	if (timer->queued)
		unlink_timer(timers, timer);
}

uint64_t weft_timers_next(const struct weft_timers *timers)
{
	return timers->root ? timers->root->key_us : WEFT_NEVER;
}

struct weft_timer *weft_timers_pop(struct weft_timers *timers, uint64_t now_us)
{
	struct weft_timer *timer;

	while ((timer = timers->root) && timer->key_us <= now_us) {
		unlink_timer(timers, timer);
		if (timer->due_us == timer->key_us)
			return timer;
		insert(timers, timer);
	}
	return NULL;
}
