/* SPDX-License-Identifier: MIT */
/*
 * The loop as the core sees it: a backend's ops, its net table, the timers and the turn. Everything in
 * the core that watches a socket, sets a timer or asks for the time goes through here.
 */
#ifndef WEFT_CORE_LOOP_LOOP_H
#define WEFT_CORE_LOOP_LOOP_H

#include "core/base/timers.h"
#include "weft/plugin/event.h"
#include "weft/plugin/net.h"

/* What the owner's turn wants next. */
enum weft_turn {
	WEFT_TURN_WAIT,
	WEFT_TURN_AGAIN, /* work is left: another turn at once */
	WEFT_TURN_GONE,  /* the loop was finished: it must not be touched */
};

/* Embed it; what `ready` gets is found with weft_container_of. */
struct weft_watch {
	void (*ready)(struct weft_watch *watch, unsigned events);
	void *handle;      /* the backend's; NULL while not watched */
	unsigned interest; /* what the backend was told last */
};

struct weft_loop {
	const struct weft_event_ops *ops;
	const struct weft_net_ops *net;
	void *state;     /* the backend's block */
	void *net_state; /* first argument of the net ops */
	struct weft_timers timers;
	uint64_t now_us;      /* this turn's time */
	uint64_t deadline_us; /* what the backend was told last */
	uint64_t waits;       /* turns */
	bool adopted;
	bool now_stale;                     /* the time is to be read again before it is used */
	bool in_turn;                       /* between the first ready and the end of tick */
	bool calling;                       /* one of the two is on the stack */
	enum weft_turn (*turn)(void *user); /* the owner's end-of-turn work */
	void *user;
};

enum weft_status weft_loop_init(struct weft_loop *loop, const struct weft_event_ops *ops,
	const struct weft_allocator *alloc, void *foreign, enum weft_turn (*turn)(void *user),
	void *user, struct weft_error *err);
void weft_loop_finish(struct weft_loop *loop);

enum weft_status weft_loop_watch(struct weft_loop *loop, struct weft_watch *watch, weft_socket sock,
	unsigned interest, void (*ready)(struct weft_watch *, unsigned), struct weft_error *err);
/* Does nothing where the interest is the same already. */
void weft_loop_interest(struct weft_loop *loop, struct weft_watch *watch, unsigned interest);
/* Safe on a watch that is not watched. */
void weft_loop_unwatch(struct weft_loop *loop, struct weft_watch *watch);

uint64_t weft_loop_now(struct weft_loop *loop);
void weft_loop_timer(struct weft_loop *loop, struct weft_timer *timer, uint64_t due_us,
	void (*fn)(struct weft_timer *, void *), void *user);
void weft_loop_timer_cancel(struct weft_loop *loop, struct weft_timer *timer);
/* Has the turn's work done soon, though nothing is ready: called when something was queued outside a turn. */
void weft_loop_nudge(struct weft_loop *loop);
/* One turn, waiting max_wait_us at most. */
enum weft_status weft_loop_run(
	struct weft_loop *loop, uint64_t max_wait_us, struct weft_error *err);

#endif
