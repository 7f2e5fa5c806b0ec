/* SPDX-License-Identifier: MIT */
/* The context: one thread's world. A loop, its vhosts, the client pool, timers, memory. */
#ifndef WEFT_CONTEXT_H
#define WEFT_CONTEXT_H

#include "weft/alloc.h"
#include "weft/base.h"
#include "weft/log.h"
#include "weft/plugins.h"
#include "weft/status.h"

WEFT_BEGIN

struct weft_context;

/* All zero is a working default. Strings are copied. */
struct weft_context_options {
	const char *event;  /* loop backend; NULL: the first of the build */
	const char *tls;    /* TLS backend; NULL: the first of the build; "none": no TLS at all */
	void *foreign_loop; /* the application's own loop (libevent: a struct event_base), or NULL */
	struct weft_registry *registry;         /* NULL: one of its own, with plugin_dir */
	const char *plugin_dir;                 /* as in weft_registry_create */
	const struct weft_allocator *allocator; /* NULL: the system's. Must outlive the context */
	/*
	 * Bytes of our own allocations, 0: no cap. The last eighth is for what runs: with less than that
	 * left, new connections are refused. The TLS libraries' own memory is not in it.
	 */
	size_t heap_max;
	weft_log_fn log; /* NULL: standard error */
	void *log_user;
	enum weft_log_level log_level; /* NONE (0): warnings and errors */

	/* Client pool, per origin. */
	unsigned max_conns;    /* connections at once, 0: 1 */
	unsigned max_queue;    /* streams waiting, 0: 10,000 */
	uint32_t keep_warm_ms; /* how long the last exchange leaves a connection open, 0: 5,000 */
	bool no_keep_warm;     /* close at once when nothing waits */
	uint32_t
		queue_ms; /* a stream's waits for a connection, together; then TIMEOUT. 0: no limit */
	unsigned conn_requests; /* exchanges on one connection, which then ends; 0: any number */
	uint32_t conn_age_ms;   /* no exchange begins on a connection that is older; 0: any age */
	/*
	 * Retries in 100 streams to one place (scheme, host, port), beyond the first 10; 0: 20. A stream over
	 * it fails with its cause. Free: retries of what was never sent, and of what met a connection that
	 * had died while it was warm. A place is forgotten after a minute without streams.
	 */
	unsigned retry_percent;
	/* So many streams may be sent on a connection before the server has said how many it takes; 0: none. */
	uint32_t early_streams;
	unsigned ticket_cache; /* sessions kept for resumption, 0: 64 */
	bool no_tickets;       /* never resume */

	/* Limits and times of all connections; 0: the default. Vhosts and streams may override. */
	uint32_t header_bytes; /* 65,536 */
	uint32_t header_count; /* 128 */
	uint32_t streams;      /* that a peer may have open at once on a connection: 100 */
	uint32_t window_bytes; /* received and not yet taken by the application, a stream: 65,536 */
	uint32_t write_high;   /* written and not yet sent, a stream: 65,536 */
	uint32_t connect_ms;   /* an address: 10,000 */
	uint32_t handshake_ms; /* TLS: 10,000 */
	uint32_t header_ms;    /* a server's wait for a whole request head: 10,000 */
	uint32_t idle_ms;      /* nothing moves on a connection: 60,000 */
	/*
	 * A client with streams open from which nothing came for so long asks whether the server lives, where
	 * the protocol can, and gives the connection up after as long again. UINT32_MAX: never. 20,000
	 */
	uint32_t ping_ms;
	uint32_t flush_ms;  /* the peer takes no output, or hardly any: 30,000; body_rate_min */
	uint32_t linger_ms; /* a close waits for the peer's end: 2,000 */
	/*
	 * Bytes a second that a peer must reach, on the whole: 100. A server asks it of a request's body over
	 * each rate_grace_ms (while the application takes it; tunnels are free), and whoever sends asks it of
	 * the reader over each flush_ms in which output was pending all the time.
	 */
	uint32_t body_rate_min;
	uint32_t rate_grace_ms; /* 10,000 */

	/*
	 * Server connections that listeners took and that have not ended: in all, and of one IPv4 address or
	 * IPv6 /64 (Unix sockets have none). 0: no limit. What is over it is reset at once: conns_refused.
	 */
	unsigned conns_max;
	unsigned conns_per_address;
	bool reuse_port; /* listeners share their port with other processes' or contexts': SO_REUSEPORT */

	/* Tests: every read is cut to this many bytes, so that every boundary is met. 0: whole. */
	size_t fragment_bytes;
};

/*
 * Makes a context on the calling thread, which is its thread from then on. Errors: NOT_FOUND (no such
 * backend, which are there), UNSUPPORTED (the loop cannot be adopted), PLUGIN and ABI from loading,
 * MEMORY. Nothing is left behind on failure.
 */
WEFT_API WEFT_MUST_CHECK enum weft_status weft_context_create(
	const struct weft_context_options *options, struct weft_context **out,
	struct weft_error *err);

/*
 * Ends the context: listeners close, idle connections close, running exchanges may finish until
 * deadline_ms have passed, the rest is cut. Then done (may be NULL) is called, once, last, whatever
 * happens. With deadline 0 outside callbacks all is done on return; else the loop must go on running
 * (weft_context_run does so until the end). Legal inside any callback. Called again, it can bring the
 * deadline forward, and its done is ignored. NULL is safe.
 */
WEFT_API void weft_context_destroy(
	struct weft_context *ctx, uint32_t deadline_ms, void (*done)(void *user), void *user);

/* Runs until weft_context_stop or destroy. WEFT_ERR_STATE on an adopted loop, and in callbacks. OK at the end. */
WEFT_API enum weft_status weft_context_run(struct weft_context *ctx);
/* One turn, waiting max_wait_ms at most. EOF when the context was destroyed in it. STATE as above. */
WEFT_API WEFT_MUST_CHECK enum weft_status weft_context_turn(
	struct weft_context *ctx, uint32_t max_wait_ms);
/* Makes weft_context_run return after this turn. */
WEFT_API void weft_context_stop(struct weft_context *ctx);
/*
 * Closes listeners and, when each has finished its exchange, connections. What still runs after deadline_ms is
 * cut, with SHUTDOWN (0: it may take as long as it likes). drained(user) is called once none is left, also if that
 * is so already; from the loop, not from within this call, and in any case before the done of destroy. The
 * context may be destroyed in it. Called again, it can bring the deadline forward, and its drained is ignored.
 */
WEFT_API void weft_context_drain(
	struct weft_context *ctx, uint32_t deadline_ms, void (*drained)(void *user), void *user);

/* What other threads know a context by. Never reused within a process. */
WEFT_API uint64_t weft_context_id(const struct weft_context *ctx);
/*
 * Thread-safe, but not for signal handlers (it locks and allocates): has fn(arg) called on the
 * context's thread. EOF when the context is gone, MEMORY (drop is then not called: arg is still the
 * caller's).
 * If the context ends before fn could be called, drop(arg) is called instead, if not NULL.
 */
WEFT_API WEFT_MUST_CHECK enum weft_status weft_post(
	uint64_t context_id, void (*fn)(void *arg), void *arg, void (*drop)(void *arg));

/* One-shot timers of the application. Embed one, zeroed; it must stay in place while it is set. */
struct weft_timer {
	struct weft_timer *child, *next, *prev; /* the heap's */
	uint64_t key_us, due_us;                /* place in the heap <= when it is really due */
	void (*fn)(struct weft_timer *timer, void *user);
	void *user;
	bool queued;
};

/* Calls fn(user) once, delay_us from now; a timer that is set already is moved. */
WEFT_API void weft_timer_set(struct weft_context *ctx, struct weft_timer *timer, uint64_t delay_us,
	void (*fn)(struct weft_timer *timer, void *user), void *user);
WEFT_API void weft_timer_cancel(struct weft_context *ctx, struct weft_timer *timer);

/* This turn's monotonic time in µs, and the wall clock in seconds since 1970. */
WEFT_API uint64_t weft_context_now(const struct weft_context *ctx);
WEFT_API int64_t weft_context_wall(const struct weft_context *ctx);
/* The names of the backends in use; tls is "none" without one. */
WEFT_API const char *weft_context_event(const struct weft_context *ctx);
WEFT_API const char *weft_context_tls(const struct weft_context *ctx);
WEFT_API const struct weft_allocator *weft_context_allocator(struct weft_context *ctx);
/* Whether less than an eighth of heap_max is left: new connections are refused, luxuries should be done without. */
WEFT_API bool weft_context_memory_low(struct weft_context *ctx);
WEFT_API struct weft_registry *weft_context_registry(struct weft_context *ctx);

/*
 * What a library keeps with a context, found by the address of something of its own. set_local once a key;
 * drop(value), if not NULL, when the context ends, behind all callbacks. MEMORY: value is the caller's.
 */
WEFT_API void *weft_context_local(const struct weft_context *ctx, const void *key);
WEFT_API WEFT_MUST_CHECK enum weft_status weft_context_set_local(
	struct weft_context *ctx, const void *key, void *value, void (*drop)(void *value));

/* Counts since the context was made, but for those called "now". */
struct weft_counters {
	uint64_t conns_accepted, conns_now;
	/* A client's: begun; of these, up and ready for streams; ended before they carried one. */
	uint64_t conns_tried, conns_opened, conns_failed;
	/* Ended for conn_requests or conn_age_ms; found dead while they were warm and wanted. */
	uint64_t conns_retired, conns_stale;
	uint64_t conns_reused; /* streams bound to a connection that had carried another */
	/* Bound to another host's connection; of these, told by a 421 that it does not serve theirs. */
	uint64_t streams_coalesced, streams_misdirected;
	uint64_t
		conns_refused; /* accepted over a limit, or without memory for them, and closed at once */
	uint64_t handshakes_full, handshakes_resumed, handshakes_failed;
	uint64_t streams_opened, streams_incoming, streams_now, streams_peak;
	uint64_t streams_ok, streams_failed, streams_retried;
	uint64_t retries_refused, queue_timeouts;        /* over retry_percent, over queue_ms */
	uint64_t streams_queued, queue_us, queue_us_max; /* waits of the client's streams */
	uint64_t streams_per_conn_max;
	uint64_t vhosts_created, vhosts_freed, vhosts_now;
	uint64_t bytes_in, bytes_out; /* of application data */
	uint64_t timeouts, limits_hit;
	uint64_t
		requests_refused; /* by a role, before or instead of a handler: 400, 408, 431 ... */
	uint64_t net_recv, net_send, net_wait, net_accept; /* calls */
	uint64_t heap_now, heap_peak, heap_allocs;         /* of our own */
};

WEFT_API void weft_context_counters(const struct weft_context *ctx, struct weft_counters *out);

WEFT_END

#endif
