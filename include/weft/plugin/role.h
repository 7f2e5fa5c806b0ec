/* SPDX-License-Identifier: MIT */
/*
 * The third seam: protocol roles. A role sits on a pipe (the top of a connection's transports), turns
 * its bytes into streams and streams into bytes. It knows no socket, no TLS and no application.
 */
#ifndef WEFT_PLUGIN_ROLE_H
#define WEFT_PLUGIN_ROLE_H

#include "weft/address.h"
#include "weft/alloc.h"
#include "weft/segment.h"
#include "weft/status.h"
#include "weft/stream.h"

WEFT_BEGIN

struct weft_pipe;        /* the core's; lives from attach until detach */
struct weft_role_policy; /* plugin/policy.h */

enum weft_role_caps {
	WEFT_ROLE_CLIENT = 1u << 0,
	WEFT_ROLE_SERVER = 1u << 1,
	/* Several streams at once on one connection; of a client's some may be for other hosts (coalescing): each says for which. */
	WEFT_ROLE_MUX = 1u << 2,
	WEFT_ROLE_UPGRADE = 1u << 3, /* a stream can become a tunnel (weft_role_tunnel) */
	/*
	 * Never spoken unless both sides know: by ALPN, by the preface, or because the application asks for it.
	 * Where a scheme has no other role, it is.
	 */
	WEFT_ROLE_NEGOTIATED = 1u << 4,
};

struct weft_scheme {
	const char *name; /* "http" */
	uint16_t port;    /* the default; 0: none, the URL must say it */
	bool tls;
};

/* Limits and times of the vhost or of the client's request. A role enforces those that it understands. */
struct weft_limits {
	uint32_t header_bytes; /* a head with all its fields */
	uint32_t header_count; /* fields in a head */
	uint32_t window_bytes; /* a stream's bytes that the application has not taken yet */
	uint32_t requests;     /* on one connection; 0: any number */
	uint32_t connect_ms;   /* per address (core) */
	uint32_t handshake_ms; /* TLS (core) */
	uint32_t
		header_ms; /* from a head's first byte to its last (server), to the response (client: 0 = none) */
	uint32_t idle_ms;   /* nothing moves, in or out */
	uint32_t flush_ms;  /* output is pending and the peer takes none, or too little (core) */
	uint32_t linger_ms; /* how long a close waits for the peer's FIN (core) */
	uint32_t body_rate_min; /* bytes a second of an arriving body, over rate_grace_ms; 0: any */
	uint32_t rate_grace_ms;
	uint32_t streams; /* that a peer may have open at once on one connection */
	uint32_t
		early_streams; /* clients: so many before the peer said how many it takes; 0: wait */
	uint32_t
		ping_ms; /* with streams open nothing came for so long: ask whether the peer lives; 0: never */
};

struct weft_role_attach {
	size_t size;
	struct weft_pipe *pipe;
	const struct weft_allocator *alloc; /* the context's; weft_pipe_alloc gives it too */
	bool client;
	const struct weft_limits *limits; /* as long as the pipe */
};

/* How a stream left a role. The pool decides from it whether another connection may try again. */
enum weft_cause {
	WEFT_CAUSE_DONE,        /* complete, both ways */
	WEFT_CAUSE_UNSENT,      /* no byte of it was handed to the pipe */
	WEFT_CAUSE_UNPROCESSED, /* the peer said that it did not act on it */
	WEFT_CAUSE_UNKNOWN,     /* sent, at least in part; whether it was acted on is not known */
	WEFT_CAUSE_FAILED,      /* it failed for a reason of its own: trying again would not help */
};

/*
 * state is the role's block for one pipe. While input or output is on the stack, only open, head,
 * ready, credit and reset may be called, and those must only enqueue (weft_pipe_want_output) and never
 * call up. A NULL op has the default written at it.
 */
struct weft_role_ops {
	size_t size;

	/* Makes the state. The pipe is established; nothing was read from it. */
	enum weft_status (*attach)(
		const struct weft_role_attach *attach, void **state, struct weft_error *err);
	/*
	 * The end: calls weft_role_closed for each stream it still has, then frees the state.
	 * why is what ended the connection (status OK: it was wanted).
	 */
	void (*detach)(void *state, const struct weft_error *why);

	/*
	 * Bytes from the peer; fin: no more will come after these. Sets *used to how many are done with.
	 * OK: the rest is kept and comes again with more behind it; reading goes on, up to the role's
	 *   input_limit of kept bytes.
	 * BLOCKED: the rest is kept; reading stops until weft_pipe_resume.
	 * negative: the connection fails with it, after pending output was flushed.
	 * With fin, a role that has no stream left and nothing to say calls weft_pipe_close.
	 */
	enum weft_status (*input)(void *state, uint32_t port, const unsigned char *bytes,
		size_t len, bool fin, size_t *used, struct weft_error *err);
	/* Called at the end of a turn in which weft_pipe_want_output was called and there is room. */
	enum weft_status (*output)(void *state, struct weft_error *err);
	/* The deadline of weft_pipe_deadline has come. NULL: never asked for. */
	enum weft_status (*tick)(void *state, uint64_t now_us, struct weft_error *err);

	/* Client streams that may be opened now. NULL: none, a server-only role. */
	unsigned (*capacity)(void *state);
	/* Takes a client stream; its request is weft_stream_request(stream). NULL: as capacity. */
	enum weft_status (*open)(void *state, struct weft_stream *stream, struct weft_error *err);
	/*
	 * The application sends a head (server: status and fields; either side: trailers). fin: nothing
	 * follows. NULL: WEFT_ERR_UNSUPPORTED, a role without heads. Failures are the application's mistakes
	 * and leave the stream as it was.
	 */
	enum weft_status (*head)(void *state, struct weft_stream *stream,
		const struct weft_head *head, enum weft_head_kind kind, bool fin,
		struct weft_error *err);
	/* The stream's outbox has bytes, or its end. Pull with weft_stream_take, now or in output. */
	void (*ready)(void *state, struct weft_stream *stream);
	/* The application took n bytes of what weft_role_data gave. */
	void (*credit)(void *state, struct weft_stream *stream, size_t n);
	/*
	 * This side gives the stream up. The role forgets it before it returns and does not call
	 * weft_role_closed for it. A role that cannot go on without it ends the connection.
	 */
	void (*reset)(void *state, struct weft_stream *stream);
	/* No further streams: finish what is open, then weft_pipe_close. NULL: close when no stream is left. */
	void (*drain)(void *state);
	/*
	 * Server: the stream's request reached a route that belongs to another role, which is called token. OK: the
	 * request asks for that, and was told yes; the stream is a tunnel, or will be (weft_role_tunnel). Else
	 * it was answered, by weft_stream_send_head and the like, and err says with what. NULL: streams of
	 * this role carry no others.
	 */
	enum weft_status (*carry)(
		void *state, struct weft_stream *stream, const char *token, struct weft_error *err);
};

/* What the core must know of a role without knowing the role. */
struct weft_role {
	size_t size;
	unsigned caps;
	const char *const *alpn;           /* NULL-terminated, in order of preference; NULL: none */
	const struct weft_scheme *schemes; /* ended by a NULL name */
	size_t input_limit;                /* bytes that may be kept between two inputs */
	/*
	 * The bytes that each of its connections begins with: where nothing was negotiated, a server knows it by
	 * them. len 0: none.
	 */
	struct weft_span preface;
	const struct weft_role_ops *ops;
	const struct weft_role_policy *policy; /* NULL: policies know nothing of its own */
	/*
	 * Servers: what a request asks for that wants this role on its stream (weft_route.role): in HTTP/1.1's
	 * Upgrade, in :protocol of HTTP/2's extended CONNECT. NULL: it does not ride on others.
	 */
	const char *token;
};

/* ---- the pipe ---- */

/* Bytes that may be sent before the pipe is above its high-water mark. */
WEFT_API size_t weft_pipe_room(const struct weft_pipe *pipe);
/*
 * How much of a stream's outbox to take now: the room, or, if a file comes next, more of that where it takes
 * neither memory nor work. 0: no room.
 */
WEFT_API size_t weft_pipe_room_for(const struct weft_pipe *pipe, const struct weft_stream *stream);
/*
 * Queues segments; they leave together at the end of the turn. Takes everything: a role keeps body
 * bytes within room, and only small control output may exceed it. MEM segments are referenced, not
 * consumed: the caller still releases its own reference. fin: our direction ends after these.
 */
WEFT_API enum weft_status weft_pipe_send(struct weft_pipe *pipe, uint32_t port,
	const struct weft_segment *segs, size_t count, bool fin);
/* Have output called at the end of this turn, or when there is room again. */
WEFT_API void weft_pipe_want_output(struct weft_pipe *pipe);
/* After BLOCKED: have input called again, with what was kept, from the turn's queue. */
WEFT_API void weft_pipe_resume(struct weft_pipe *pipe);
/* The polite end: flush, close_notify, FIN, wait for the peer's, linger_ms at most. input is not called any more. */
WEFT_API void weft_pipe_close(struct weft_pipe *pipe);
/* The other end: as a failure of the connection, with its reason. Queued, never at once. */
WEFT_API void weft_pipe_fail(struct weft_pipe *pipe, const struct weft_error *why);
/*
 * When the network last took something of what was sent (monotonic µs, to the ms); what waits in the pipe
 * may go out long after weft_pipe_send. Before the first time: when the connection was begun.
 */
WEFT_API uint64_t weft_pipe_sent_at(const struct weft_pipe *pipe);
/* When tick is due (monotonic µs; WEFT_NEVER: not at all). Cheap to move. */
WEFT_API void weft_pipe_deadline(struct weft_pipe *pipe, uint64_t deadline_us);
/* The context's allocator, for the role's own blocks. */
WEFT_API const struct weft_allocator *weft_pipe_alloc(const struct weft_pipe *pipe);
/*
 * The same for what comes and goes with each exchange: pieces of up to 1,024 bytes are kept at hand as long as turns
 * need about as many.
 */
WEFT_API const struct weft_allocator *weft_pipe_quick(const struct weft_pipe *pipe);
/*
 * Memory that the pipes of a context have together: for what is made and sent within one call of an op. What it holds
 * does not outlast the op, and no op of another pipe may be called meanwhile. All ask for the same len. NULL: no
 * memory, or another len. Each that got it gives it back, once.
 */
WEFT_API void *weft_pipe_workspace(struct weft_pipe *pipe, size_t len);
WEFT_API void weft_pipe_workspace_end(struct weft_pipe *pipe);
/* Addresses, TLS, ALPN of the connection. */
WEFT_API void weft_pipe_info(const struct weft_pipe *pipe, struct weft_conn_info *info);
WEFT_API bool weft_pipe_secure(const struct weft_pipe *pipe);
/* The turn's time: monotonic µs, and wall-clock seconds. */
WEFT_API uint64_t weft_pipe_now(const struct weft_pipe *pipe);
WEFT_API int64_t weft_pipe_wall(const struct weft_pipe *pipe);

/* ---- streams, as a role sees them ---- */

/*
 * Moves up to max bytes out of the outbox into segs (*count: in room, out used), each with a reference
 * for the caller to release after weft_pipe_send. *fin: the application has finished and nothing is
 * left behind these. Returns the bytes taken.
 */
WEFT_API size_t weft_stream_take(struct weft_stream *stream, size_t max, struct weft_segment *segs,
	size_t *count, bool *fin);
/*
 * A client's stream: its own limits, whoever its connection was made for. A server's: those of its vhost,
 * once its head came. As long as the stream is bound.
 */
WEFT_API const struct weft_limits *weft_stream_limits(const struct weft_stream *stream);
/* A word of the role's own, while it has the stream: NULL whenever it gets one. */
WEFT_API void weft_stream_set_role_data(struct weft_stream *stream, void *data);
WEFT_API void *weft_stream_role_data(const struct weft_stream *stream);
/* What the protocol calls the stream, for its story; within open, or before the request's head is told. */
WEFT_API void weft_stream_set_role_number(struct weft_stream *stream, uint64_t number);
/* Bytes waiting in the outbox, and whether its end is known. */
WEFT_API size_t weft_stream_pending(const struct weft_stream *stream, bool *fin);

/* ---- upcalls: what a role tells the core; not while an op other than input, output, tick or detach runs ---- */

/* Server: the peer began a stream. NULL when there is no memory or the context is going away. */
WEFT_API struct weft_stream *weft_role_incoming(struct weft_pipe *pipe);
/*
 * A head arrived; all of it is copied. Server: a FINAL request head finds the vhost and the handler,
 * which may already answer in it. Client: INFORMATIONAL any number, FINAL once, TRAILER at the end.
 */
WEFT_API enum weft_status weft_role_head(
	struct weft_stream *stream, const struct weft_head *head, enum weft_head_kind kind);
/* Memory that lives as long as the stream, aligned for any type, not zeroed. NULL: there is none. */
WEFT_API void *weft_role_alloc(struct weft_stream *stream, size_t len);
/*
 * The same without a copy: what head points to is static or of weft_role_alloc, texts are terminated, and
 * the names of fields in lower case.
 */
WEFT_API enum weft_status weft_role_head_kept(
	struct weft_stream *stream, const struct weft_head *head, enum weft_head_kind kind);
/* Body bytes. All are taken (or kept) by the core; credit says when they are gone. */
WEFT_API void weft_role_data(struct weft_stream *stream, const void *bytes, size_t len);
/* The peer's direction is complete. */
WEFT_API void weft_role_fin(struct weft_stream *stream);
/* From now on the stream is a tunnel: data flows both ways until each side's fin. */
WEFT_API void weft_role_tunnel(struct weft_stream *stream);
/*
 * The role has done with the stream, complete or not; it must not touch it again. why may be NULL for DONE.
 * The application hears of it at the end of the turn.
 */
WEFT_API void weft_role_closed(
	struct weft_stream *stream, enum weft_cause cause, const struct weft_error *why);
/*
 * A server's role answers with status by itself. Before weft_role_closed, if the request is a stream already; a
 * NULL stream: it never became one. Counted, and told to the vhost's on_access.
 */
WEFT_API void weft_role_refused(struct weft_pipe *pipe, struct weft_stream *stream, unsigned status,
	const struct weft_error *why);
/* A time ran out for one stream of several, and not for the pipe (weft_pipe_fail counts that): to be counted. */
WEFT_API void weft_role_timed_out(struct weft_pipe *pipe);
/* Clients: this connection takes no further streams, ever; those that it has may go on. Before capacity_changed. */
WEFT_API void weft_role_drained(struct weft_pipe *pipe);
/* capacity may give another answer now. */
WEFT_API void weft_role_capacity_changed(struct weft_pipe *pipe);

WEFT_END

#endif
