/* SPDX-License-Identifier: MIT */
/* Streams: the application's handle on one exchange, bound to a pipe, or waiting for one. */
#ifndef WEFT_CORE_STREAM_STREAM_H
#define WEFT_CORE_STREAM_STREAM_H

#include "core/base/arena.h"
#include "core/base/segq.h"
#include "core/stream/story.h"
#include "core/system/context.h"
#include "weft/buffer.h"

struct weft_flight;
struct weft_pipe;
struct weft_pool_entry;
struct weft_plugin;
struct weft_policy;
struct weft_policy_stream;

/* Where a stream is. */
enum weft_stream_state {
	WEFT_STREAM_QUEUED, /* a client's, waiting for a connection */
	WEFT_STREAM_BOUND,  /* a role has it */
	WEFT_STREAM_DONE,   /* no role has it, or will */
};

struct weft_stream {
	struct weft_context *ctx;
	struct weft_list node; /* of ctx->streams */
	const struct weft_stream_ops *ops;
	void *user;
	enum weft_stream_state state;
	struct weft_pipe *pipe; /* while BOUND */
	void *role_data;        /* the role's, while BOUND */
	uint64_t role_number;   /* what the protocol calls it; 0: nothing */
	struct weft_list pipe_node;
	struct weft_vhost *vhost; /* a reference: servers, and clients that hold it by stream */
	uint64_t id;              /* 0: never asked for */
	struct weft_stream *id_next;

	/* servers */
	uint64_t body_max;          /* 0: no limit */
	uint64_t body_in, body_out; /* bytes of the bodies so far */
	int64_t begun_wall;         /* these two where the vhost's on_access is told */
	struct weft_address *peer;  /* in the arena, or NULL */
	unsigned status;            /* of the final head; 0: none was sent */

	/* clients */
	struct weft_pool_entry *entry;
	struct weft_list entry_node; /* while QUEUED */
	uint64_t order;              /* the place in the queue, kept when it comes back */
	uint64_t opened_us, queued_us;
	uint64_t queued_turn;                /* ctx->turns, if it was queued within a turn */
	uint64_t waited_us;                  /* in the queue, before the present wait */
	uint64_t total_due_us;               /* total_ms; WEFT_NEVER: no limit */
	uint32_t queue_ms;                   /* 0: no limit */
	struct weft_timer timer;             /* for whichever of the two is due first */
	const struct weft_limits *limits;    /* its own, or the context's */
	unsigned tries;                      /* connections that it was bound to */
	uint32_t keep_warm_ms;               /* what it leaves open, in ms */
	bool lets_go;                        /* ... without the vhost */
	const struct weft_plugin *role;      /* who opened it */
	const struct weft_policy *policy_of; /* a reference, or NULL */
	const struct weft_policy_stream *policy;
	bool warm; /* its connection had been idle before it */
	bool late; /* it was tried again because no answer came in time */

	struct weft_arena arena; /* heads */
	bool has_response, has_trailer;

	struct weft_segq out;
	struct weft_segq taken;       /* of out, kept in case it must be sent again */
	bool body_lost;               /* bytes were taken that are not kept */
	bool finished;                /* our direction is complete, once out is empty */
	bool head_sent;               /* a server's final head */
	bool want_write;              /* a write took less than offered */
	uint32_t write_high;          /* bytes in out from which on nothing more is taken */
	struct weft_flight *flight;   /* shared by the streams of its name, or NULL */
	struct weft_list flight_node; /* while it waits for the others of its name */
	size_t in_flight;             /* bytes of out that flight knows of */

	struct weft_buffer in; /* received and not taken by the application */
	bool in_fin;           /* the peer's direction is complete behind in */
	bool end_told;
	bool paused;
	bool delivering;

	bool id_linked; /* in the context's table */
	bool client;
	bool idempotent;
	bool coalesce; /* another host's connection will do */
	bool tunnel;
	bool detached; /* the application gave it up: on_close only */
	bool answered; /* a byte of the response arrived, 1xx included */
	struct weft_list deliver_node, writable_node, close_node;

	/* What is behind here is large, and not cleared at the making. */
	struct weft_error why;
	struct weft_head request, response, trailer;
	struct weft_story story; /* clients: weft_stream_explain */
};

struct weft_stream *weft_stream_create(struct weft_context *ctx, bool client);
/* Frees; not from a callback of its own. */
void weft_stream_free(struct weft_stream *s);

/* The stream is over, for this reason: on_close is owed. Unbinds nothing: the role has done with it. */
void weft_stream_over(struct weft_stream *s, const struct weft_error *why);
/* Lets go of the role, if a role has it. The role hears of it by reset. */
void weft_stream_unbind(struct weft_stream *s);
/* Back to its first byte for another connection. NOT_REPLAYABLE if the body cannot. */
enum weft_status weft_stream_rewind(struct weft_stream *s, struct weft_error *err);

/* Sets the timer for what may end it: its total time, its time in the queue. */
void weft_stream_arm(struct weft_stream *s);
/* serve.c: the head of a request has come. This and what follows: no_serve.c where a build has no server. */
void weft_stream_serve(struct weft_stream *s);
/* limit.c: false where the body is too large; the stream was answered, or cut, and is over. */
bool weft_stream_body_fits(struct weft_stream *s, uint64_t max);
bool weft_stream_count_body(struct weft_stream *s, size_t len);
/* access.c: the request's head has come; on_close is next. */
void weft_access_begin(struct weft_stream *s);
void weft_access_tell(struct weft_stream *s);

/* Turn steps. */
void weft_stream_deliver(struct weft_stream *s);
void weft_stream_tell_writable(struct weft_stream *s);
void weft_stream_tell_closed(struct weft_stream *s);

#endif
