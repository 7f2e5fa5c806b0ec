/* SPDX-License-Identifier: MIT */
/*
 * The first seam: event loops. A backend says when a socket is ready and when a deadline has come;
 * it knows no timers, no connections and no bytes.
 */
#ifndef WEFT_PLUGIN_EVENT_H
#define WEFT_PLUGIN_EVENT_H

#include "weft/alloc.h"
#include "weft/plugin/net.h"
#include "weft/status.h"

WEFT_BEGIN

enum weft_event {
	WEFT_EVENT_READ = 1u << 0,
	WEFT_EVENT_WRITE = 1u << 1,
	/* Hang-up or error. Nobody asks for it; where interest is 0, a loop may keep it to itself. */
	WEFT_EVENT_ERROR = 1u << 2,
};

/* What the core gives a loop: the only two calls a backend ever makes into it. */
struct weft_event_host {
	void *user;
	/* A watched socket is ready; events are those of the interest that hold, or ERROR. */
	void (*ready)(void *user, void *watch_user, unsigned events);
	/*
	 * The end of a turn: once after every batch of ready calls, and once when the deadline has
	 * come or wake was called, with nothing ready. Never nested.
	 */
	void (*tick)(void *user);
};

struct weft_event_options {
	size_t size;
	const struct weft_allocator *alloc;
	struct weft_event_host host;
	void *foreign; /* the application's own loop to adopt, or NULL to make one */
};

enum weft_event_caps {
	WEFT_EVENT_CAN_ADOPT = 1u << 0, /* options.foreign is understood */
};

/*
 * loop and watch are the backend's own blocks. All calls come from the context's thread, except wake.
 * Any op may be called from within ready and tick, destroy included in an adopted loop's tick.
 */
struct weft_event_ops {
	size_t size;
	unsigned caps;

	/* Makes or adopts. WEFT_ERR_UNSUPPORTED if foreign is set and cannot be adopted. */
	enum weft_status (*create)(
		const struct weft_event_options *options, void **loop, struct weft_error *err);
	/*
	 * Every watch is gone by then. An adopted loop is left as it was found: none of ours remains in
	 * it, and callbacks that the library delivers late do nothing.
	 */
	void (*destroy)(void *loop);

	/* Starts watching sock, level-triggered, for interest (may be 0). watch_user comes back in ready. */
	enum weft_status (*watch)(void *loop, weft_socket sock, unsigned interest, void *watch_user,
		void **watch, struct weft_error *err);
	/* Replaces the interest. May be batched until the next wait. Cannot fail for a reason of its own. */
	enum weft_status (*interest)(void *loop, void *watch, unsigned interest);
	/* No ready for this watch after it returns. The socket is still open here. */
	void (*unwatch)(void *loop, void *watch);

	/*
	 * tick no later than this (monotonic µs of net->now; WEFT_NEVER: none). Holds until it is replaced:
	 * once it has passed, turns do not wait.
	 */
	void (*deadline)(void *loop, uint64_t deadline_us);
	/* Makes a waiting or the next wait end with a tick. Thread-safe and async-signal-safe. */
	void (*wake)(void *loop);
	/*
	 * One turn: waits until something is ready, the deadline or a wake; delivers; ticks once.
	 * WEFT_ERR_STATE on an adopted loop: its owner runs it.
	 */
	enum weft_status (*run)(void *loop, struct weft_error *err);

	/* The loop's own network, or NULL: POSIX sockets. net_state(loop) is passed to its ops. */
	const struct weft_net_ops *net;
	void *(*net_state)(void *loop); /* NULL: NULL is passed */
};

WEFT_END

#endif
