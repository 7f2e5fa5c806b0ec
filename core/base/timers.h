/* SPDX-License-Identifier: MIT */
/* All timers of a context in one intrusive pairing heap: no allocation, O(1) to set, O(log n) to fire. */
#ifndef WEFT_CORE_BASE_TIMERS_H
#define WEFT_CORE_BASE_TIMERS_H

#include "weft/context.h"

struct weft_timers {
	struct weft_timer *root;
};

/*
 * A timer that is only moved later keeps its place, and is put right when that place comes up: so the
 * usual move of an idle deadline costs two stores.
 */
void weft_timers_set(struct weft_timers *timers, struct weft_timer *timer, uint64_t due_us,
	void (*fn)(struct weft_timer *, void *), void *user);
void weft_timers_cancel(struct weft_timers *timers, struct weft_timer *timer);
/* When the heap wants to be looked at next; may be earlier than anything is due. WEFT_NEVER: empty. */
uint64_t weft_timers_next(const struct weft_timers *timers);
/* Takes the next timer that is due at now_us out of the heap; NULL if there is none. */
struct weft_timer *weft_timers_pop(struct weft_timers *timers, uint64_t now_us);

#endif
