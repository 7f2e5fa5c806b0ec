/* SPDX-License-Identifier: MIT */
/* Connections: a chain of transports, the role on top, and how they come up and end. */
#ifndef WEFT_CORE_CONN_CONN_H
#define WEFT_CORE_CONN_CONN_H

#include "core/base/segq.h"
#include "core/system/context.h"
#include "weft/buffer.h"
#include "weft/plugin/transport.h"

struct weft_listener;
struct weft_route;
struct weft_pool_entry;
struct weft_vhost;
struct weft_dial;
struct weft_ticket;

enum weft_conn_state {
	WEFT_CONN_DIALING, /* no transport yet */
	WEFT_CONN_SHAKING, /* transports are getting ready */
	WEFT_CONN_OPEN,    /* the role is attached */
	WEFT_CONN_CLOSING, /* the role is gone; what is queued goes out, then our FIN */
	WEFT_CONN_LINGERING, /* waiting for the peer's FIN, so that nothing of ours is lost by a reset */
	WEFT_CONN_DEAD,      /* freed at the end of the turn */
};

/* The top of a conn, where its role sits. */
struct weft_pipe {
	const struct weft_plugin *role; /* NULL: not attached (any more) */
	union {
		void *state; /* the role's */
		/* before it is attached: who serves the scheme where ALPN says nothing */
		const struct weft_plugin *default_role;
	};
	struct weft_list streams; /* bound to it */
	struct weft_segq out;
	struct weft_list output_node;
};

/* There may be thousands that are idle: what few of them need at a time is allocated then. */
struct weft_conn {
	struct weft_context *ctx;
	struct weft_list node;          /* of ctx->conns */
	struct weft_vhost *vhost;       /* a reference; a client's NULL before it is needed */
	struct weft_listener *listener; /* servers: a reference, or NULL */
	struct weft_origin *origin;     /* servers: what admission counts it under, or NULL */
	const struct weft_scheme *scheme;
	struct weft_transport *top;
	struct weft_pipe pipe;
	struct weft_timer timer; /* for whichever of the two is due first */
	uint64_t state_due_us;   /* of the present state */
	uint64_t tick_due_us;    /* of the role */
	struct weft_list input_node;
	struct weft_list flush_node; /* of the turn's flush queue; once DEAD of its reap queue */
	struct weft_buffer *inbox;   /* bytes that the role did not use yet, or NULL */
	struct weft_error *why;      /* what ended it; NULL: nothing yet, or a wish */
	struct weft_address *peer;   /* made when on_access first wants it */
	uint64_t id;
	unsigned served;  /* streams so far */
	uint32_t flushed; /* bytes that left since the flush timer was set; no more than fit here */
	uint32_t sent_ms; /* when the network last took something, in ms of the loop's time */
	enum weft_conn_state state;
	bool client;
	bool out_fin;   /* our direction ends behind pipe.out */
	bool starved;   /* output is wanted, and there was no room */
	bool blocked;   /* the role wants no input */
	bool unread;    /* reading was put off though there may be more */
	bool in_fin;    /* the peer's direction ended */
	bool fin_told;  /* and the role knows */
	bool shut;      /* our direction ended */
	bool ending;    /* close or failure is on its way */
	bool drain_due; /* the role is to be told, from the turn */
	bool abortive;  /* nothing can be sent any more */
	bool sniff;     /* servers: the first bytes may name another role than the default one */
	bool wrote;     /* clients: the network took something since it was last idle */
};

/* A client's connection, and what only such has. */
struct weft_client_conn {
	struct weft_conn conn;
	struct weft_pool_entry *entry; /* NULL once the pool has let go of it */
	struct weft_list entry_node;
	struct weft_list borrowers; /* other entries, whose streams may come here, too */
	struct weft_dial *dial;
	struct weft_ticket *ticket; /* what is offered, while shaking hands */
	struct weft_limits limits;  /* of the stream that it was made for */
	uint64_t idle_since_us;     /* when the last stream left, or it came up */
	uint64_t idle_turn;         /* the same, as ctx->turns */
	uint64_t read_turn;         /* when it was last read to see whether it lives */
	uint64_t up_us;             /* when it was ready for streams */
	uint64_t begun_us;          /* the steps of coming up; 0: left out */
	uint64_t resolved_us, dialed_us;
	uint32_t vhost_ms, tls_ms; /* before and after these */
	unsigned failures_before;  /* the entry's, when this one was begun */
	uint16_t tls_version;      /* 0x0303, 0x0304; 0: plain */
	uint32_t keep_warm_ms;     /* what the last stream on it wants */
	bool lets_go;              /* ... and without the vhost, while it is idle */
	bool tls_resumed;
	bool busy;    /* streams are bound to it */
	bool offered; /* a handshake that may resume a session is under way */
	bool retired; /* it has reached a limit: nothing is bound any more */
};

/* For counts of which only the lower end matters. */
static inline uint32_t weft_add_capped(uint32_t sum, size_t more)
{
	return more < UINT32_MAX - sum ? sum + (uint32_t)more : UINT32_MAX;
}

static inline struct weft_client_conn *weft_client_conn(const struct weft_conn *conn)
{
	return weft_container_of(conn, struct weft_client_conn, conn);
}

static inline struct weft_conn *weft_pipe_conn(const struct weft_pipe *pipe)
{
	return weft_container_of(pipe, struct weft_conn, pipe);
}

/*
 * Takes a server's connection over. transport is the ground (a socket); TLS is put on it if the scheme
 * wants it. vhost is the default identity and referenced; on failure transport and origin are still the
 * caller's.
 */
enum weft_status weft_conn_accept(struct weft_vhost *vhost, struct weft_listener *listener,
	struct weft_origin *origin, const struct weft_plugin *role,
	const struct weft_scheme *scheme, struct weft_transport *transport, struct weft_error *err);

/*
 * The stream of a request whose route belongs to another role: if it asks for that role, it carries a connection of its
 * own from now on. Else, and on failure, it was answered, or is over.
 */
void weft_conn_carry(struct weft_stream *s, const struct weft_route *route);

/*
 * The first bytes of a server's connection: puts the role that they name in the default one's place. false: they
 * do not tell yet.
 */
bool weft_conn_recognise(struct weft_conn *conn, const unsigned char *bytes, size_t len);

/* A client's connection without transport, for the pool: dial it, then weft_conn_start. */
struct weft_conn *weft_conn_create(struct weft_context *ctx, const struct weft_plugin *role,
	const struct weft_scheme *scheme, bool client);
/* The chain is complete: begin. Failures end the conn and are reported as any other. */
void weft_conn_start(struct weft_conn *conn, struct weft_transport *top);

/* Ends in order, from the turn: the role leaves, output is flushed, FIN, linger. */
void weft_conn_close(struct weft_conn *conn);
/* The vhost's, or a client's own. */
const struct weft_limits *weft_conn_limits(const struct weft_conn *conn);
/* What ended it, or is about to; status OK: nothing, or a wish. */
const struct weft_error *weft_conn_why(const struct weft_conn *conn);
/* The first reason stays. */
void weft_conn_set_why(struct weft_conn *conn, const struct weft_error *why);
/* Ends with a reason: what is queued is still sent, unless the transport itself failed. */
void weft_conn_fail(struct weft_conn *conn, const struct weft_error *why);
/* At once, without a word to the peer but a reset. Not while a role op is on its stack. */
void weft_conn_kill(struct weft_conn *conn, const struct weft_error *why);
/* At once and in order: both directions have ended. */
void weft_conn_end(struct weft_conn *conn);
/* No new streams; closes when the present ones are done. */
void weft_conn_drain(struct weft_conn *conn);

/* Turn steps. */
void weft_conn_input(struct weft_conn *conn);
void weft_conn_flush(struct weft_conn *conn);
void weft_conn_reap(struct weft_conn *conn);
void weft_pipe_output(struct weft_pipe *pipe);

/* io.c, for conn.c */
void weft_conn_read(struct weft_conn *conn);
enum weft_status weft_conn_write_out(struct weft_conn *conn, struct weft_error *err);
void weft_conn_drop_inbox(struct weft_conn *conn);
/* timer.c: how long the present state may last. */
void weft_conn_state_timer(struct weft_conn *conn, uint32_t ms);
void weft_conn_no_state_timer(struct weft_conn *conn);
/* When the role's tick is due; WEFT_NEVER: not at all. */
void weft_conn_tick_at(struct weft_conn *conn, uint64_t due_us);
/* pipe.c, for conn.c */
void weft_pipe_tick(struct weft_pipe *pipe);
enum weft_status weft_pipe_attach(
	struct weft_pipe *pipe, const struct weft_plugin *role, struct weft_error *err);
void weft_pipe_detach(struct weft_pipe *pipe, const struct weft_error *why);

/* Reads are switched by what state and role want. */
void weft_conn_update_interest(struct weft_conn *conn);

#endif
