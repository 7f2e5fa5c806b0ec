/* SPDX-License-Identifier: MIT */
/* Connections: a chain of transports, the role on top, and how they come up and end. */
#ifndef WEFT_CORE_CONN_CONN_H
#define WEFT_CORE_CONN_CONN_H

#include "core/base/segq.h"
#include "core/system/context.h"
#include "weft/buffer.h"
#include "weft/plugin/transport.h"

struct weft_listener;
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
	struct weft_conn *conn;
	const struct weft_plugin *role; /* NULL: not attached (any more) */
	void *state;                    /* the role's */
	struct weft_list streams;       /* bound to it */
	struct weft_segq out;
	struct weft_timer timer; /* the role's tick */
	struct weft_list output_node;
	bool fin;     /* our direction ends behind out */
	bool starved; /* output is wanted, and there was no room */
};

struct weft_conn {
	struct weft_context *ctx;
	struct weft_list node;          /* of ctx->conns */
	struct weft_vhost *vhost;       /* a reference; a client's NULL before it is needed */
	struct weft_listener *listener; /* servers: a reference, or NULL */
	struct weft_origin *origin;     /* servers: what admission counts it under, or NULL */
	struct weft_pool_entry *entry;  /* clients; NULL once the pool has let go of it */
	struct weft_list entry_node;
	struct weft_dial *dial;
	struct weft_ticket *ticket;            /* clients: what is offered, while shaking hands */
	const struct weft_plugin *scheme_role; /* who serves the scheme where ALPN says nothing */
	const struct weft_scheme *scheme;
	struct weft_transport *top;
	struct weft_pipe pipe;
	enum weft_conn_state state;
	struct weft_limits limits;
	struct weft_timer timer; /* of the present state */
	struct weft_list input_node, flush_node, reap_node;
	struct weft_buffer inbox;  /* bytes that the role did not use yet */
	struct weft_error why;     /* what ended it; OK: by wish */
	struct weft_address *peer; /* made when on_access first wants it */
	uint64_t id;
	uint64_t idle_since_us;   /* clients: when the last stream left */
	uint64_t flushed;         /* bytes that left since the flush timer was set */
	unsigned served;          /* streams so far */
	unsigned failures_before; /* the entry's, when this one was begun */
	bool client;
	bool blocked;   /* the role wants no input */
	bool unread;    /* reading was put off though there may be more */
	bool in_fin;    /* the peer's direction ended */
	bool fin_told;  /* and the role knows */
	bool shut;      /* our direction ended */
	bool ending;    /* close or failure is on its way */
	bool drain_due; /* the role is to be told, from the turn */
	bool abortive;  /* nothing can be sent any more */
	bool offered;   /* a client's handshake that may resume a session is under way */
};

/*
 * Takes a server's connection over. transport is the ground (a socket); TLS is put on it if the scheme
 * wants it. vhost is the default identity and referenced; on failure transport and origin are still the
 * caller's.
 */
enum weft_status weft_conn_accept(struct weft_vhost *vhost, struct weft_listener *listener,
	struct weft_origin *origin, const struct weft_plugin *role,
	const struct weft_scheme *scheme, struct weft_transport *transport, struct weft_error *err);

/* A client's connection without transport, for the pool: dial it, then weft_conn_start. */
struct weft_conn *weft_conn_create(struct weft_context *ctx, const struct weft_plugin *role,
	const struct weft_scheme *scheme, bool client);
/* The chain is complete: begin. Failures end the conn and are reported as any other. */
void weft_conn_start(struct weft_conn *conn, struct weft_transport *top);

/* Ends in order, from the turn: the role leaves, output is flushed, FIN, linger. */
void weft_conn_close(struct weft_conn *conn);
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

/* conn_io.c, for conn.c */
void weft_conn_read(struct weft_conn *conn);
enum weft_status weft_conn_write_out(struct weft_conn *conn, struct weft_error *err);
/* pipe.c, for conn.c */
enum weft_status weft_pipe_attach(
	struct weft_pipe *pipe, const struct weft_plugin *role, struct weft_error *err);
void weft_pipe_detach(struct weft_pipe *pipe, const struct weft_error *why);

/* Reads are switched by what state and role want. */
void weft_conn_update_interest(struct weft_conn *conn);

#endif
