/* SPDX-License-Identifier: MIT */
/* A loop of any backend under test, and a host that notes what it is told. */
#ifndef WEFT_TESTS_CONTRACT_EVENT_WORLD_H
#define WEFT_TESTS_CONTRACT_EVENT_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "weft/plugin/event.h"

/* What a test gets as its initial state. */
struct event_setting {
	const char *name;
	const struct weft_event_ops *ops;
};

struct event_world {
	const struct weft_event_ops *ops;
	void *loop;
	unsigned readies, ticks;
	unsigned since_tick; /* ready calls since the last tick */
	bool in_call;        /* neither ready nor tick may nest */
	bool destroy_in_tick;
	size_t blocks, bytes; /* of memory in use */
	struct weft_allocator alloc;
	void (*on_tick)(struct event_world *w);
};

/* A pair of connected sockets, of which ours is watched. */
struct event_spot {
	struct event_world *world;
	int ours, theirs;
	void *watch;
	unsigned readies, events; /* how often; all events that were reported */
	void (*on_ready)(struct event_spot *s);
	struct event_spot *other; /* for on_ready */
};

void event_open(struct event_world *w, const struct event_setting *setting, void *foreign);
/* Fails if any memory is left. */
void event_close(struct event_world *w);
/* One turn, which may last 5 s at most; checks that it ticked once. */
void event_run(struct event_world *w);
/* The same, but only waits for ms. */
void event_run_for(struct event_world *w, unsigned ms);
uint64_t event_now(void);

/* ours is non-blocking. interest ~0u: not watched yet. */
void event_spot_open(struct event_spot *s, struct event_world *w, unsigned interest);
void event_spot_watch(struct event_spot *s, unsigned interest);
void event_spot_unwatch(struct event_spot *s);
void event_spot_close(struct event_spot *s);
/* Sends a byte from theirs; takes all that ours has. */
void event_spot_poke(struct event_spot *s);
void event_spot_take(struct event_spot *s);

extern const struct CMUnitTest event_ready_tests[], event_time_tests[], event_adopt_tests[];
extern const size_t event_ready_count, event_time_count, event_adopt_count;

#endif
