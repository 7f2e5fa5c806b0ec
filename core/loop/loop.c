/* SPDX-License-Identifier: MIT */
/* Between the backend's two callbacks and the core's turn: time, timers, one deadline. */
#include "core/loop/loop.h"

#include <string.h>

uint64_t weft_loop_now(struct weft_loop *loop)
{
	/* between turns nobody knows how long ago the last one was */
	if (loop->now_stale || !loop->calling) {
		loop->now_us = loop->net->now(loop->net_state);
		loop->now_stale = false;
	}
	return loop->now_us;
}

static void tell_deadline(struct weft_loop *loop, uint64_t deadline_us)
{
	if (deadline_us == loop->deadline_us)
		return;
	loop->deadline_us = deadline_us;
	loop->ops->deadline(loop->state, deadline_us);
}

static void host_ready(void *user, void *watch_user, unsigned events)
{
	struct weft_loop *loop = user;
	struct weft_watch *watch = watch_user;

	loop->now_stale |= !loop->in_turn;
	loop->in_turn = true;
	loop->calling = true;
	watch->ready(watch, events);
	loop->calling = false;
}

static void host_tick(void *user)
{
	struct weft_loop *loop = user;
	struct weft_timer *timer;
	enum weft_turn next;
	uint64_t now;

	loop->in_turn = true;
	loop->calling = true;
	loop->now_stale = true;
	now = weft_loop_now(loop);
	while ((timer = weft_timers_pop(&loop->timers, now)))
		timer->fn(timer, timer->user);
	next = loop->turn(loop->user);
	if (next == WEFT_TURN_GONE)
		return;
	loop->in_turn = false;
	loop->calling = false;
	tell_deadline(loop, next == WEFT_TURN_AGAIN ? 0 : weft_timers_next(&loop->timers));
}

enum weft_status weft_loop_init(struct weft_loop *loop, const struct weft_event_ops *ops,
	const struct weft_allocator *alloc, void *foreign, enum weft_turn (*turn)(void *user),
	void *user, struct weft_error *err)
{
	struct weft_event_options options = {
		.size = sizeof(options),
		.alloc = alloc,
		.host = { .user = loop, .ready = host_ready, .tick = host_tick },
		.foreign = foreign,
	};
	enum weft_status st;

	memset(loop, 0, sizeof(*loop));
	loop->ops = ops;
	loop->net = ops->net ? ops->net : &weft_net_posix;
	loop->turn = turn;
	loop->user = user;
	loop->adopted = foreign != NULL;
	loop->deadline_us = WEFT_NEVER;
	loop->now_stale = true;
	st = ops->create(&options, &loop->state, err);
	if (st)
		return st;
	loop->net_state = ops->net_state ? ops->net_state(loop->state) : NULL;
	return WEFT_OK;
}

void weft_loop_finish(struct weft_loop *loop)
{
	/* those of the application may be set again, in another context */
	while (weft_timers_pop(&loop->timers, WEFT_NEVER)) {
	}
	if (loop->state)
		loop->ops->destroy(loop->state);
	loop->state = NULL;
}

enum weft_status weft_loop_watch(struct weft_loop *loop, struct weft_watch *watch, weft_socket sock,
	unsigned interest, void (*ready)(struct weft_watch *, unsigned), struct weft_error *err)
{
	watch->ready = ready;
	watch->interest = interest;
	return loop->ops->watch(loop->state, sock, interest, watch, &watch->handle, err);
}

void weft_loop_interest(struct weft_loop *loop, struct weft_watch *watch, unsigned interest)
{
	if (!watch->handle || watch->interest == interest)
		return;
	if (loop->ops->interest(loop->state, watch->handle, interest) == WEFT_OK)
		watch->interest = interest;
}

void weft_loop_unwatch(struct weft_loop *loop, struct weft_watch *watch)
{
	if (watch->handle)
		loop->ops->unwatch(loop->state, watch->handle);
	watch->handle = NULL;
}

void weft_loop_timer(struct weft_loop *loop, struct weft_timer *timer, uint64_t due_us,
	void (*fn)(struct weft_timer *, void *), void *user)
{
	weft_timers_set(&loop->timers, timer, due_us, fn, user);
	/* outside a turn nobody tells the backend later */
	if (!loop->in_turn && weft_timers_next(&loop->timers) < loop->deadline_us)
		tell_deadline(loop, weft_timers_next(&loop->timers));
}

void weft_loop_timer_cancel(struct weft_loop *loop, struct weft_timer *timer)
{
	weft_timers_cancel(&loop->timers, timer);
}

void weft_loop_nudge(struct weft_loop *loop)
{
	if (!loop->in_turn)
		tell_deadline(loop, 0);
}

enum weft_status weft_loop_run(struct weft_loop *loop, uint64_t max_wait_us, struct weft_error *err)
{
	uint64_t now, until;

	if (loop->adopted)
		return weft_error_set(err, WEFT_ERR_STATE, 0,
			"the loop is the application's own: it runs it, not Weft");
	if (max_wait_us < WEFT_NEVER) {
		now = weft_loop_now(loop);
		until = max_wait_us > WEFT_NEVER - 1 - now ? WEFT_NEVER : now + max_wait_us;
		if (until < loop->deadline_us)
			tell_deadline(loop, until);
	}
	loop->waits++;
	return loop->ops->run(loop->state, err);
}
