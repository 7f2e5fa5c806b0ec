/* SPDX-License-Identifier: MIT */
/*
 * The client pool: streams to the same place under the same TLS policy share connections. DESIGN 5 is
 * its law. Nothing else decides when a stream is bound, moved or given up.
 */
#ifndef WEFT_CORE_CLIENT_POOL_H
#define WEFT_CORE_CLIENT_POOL_H

#include "core/conn/conn.h"
#include "core/stream/stream.h"
#include "weft/plugin/role.h"

struct weft_trust_spec;

/* Everything that decides whom we talk to and how we check; equal keys may share. */
struct weft_pool_key {
	const struct weft_scheme *scheme;
	const struct weft_plugin *role; /* what is spoken where nothing is negotiated */
	const char *host;               /* lower case, without brackets */
	uint16_t port;
	const char *sni;               /* "" for none */
	const char *connect_to;        /* "" for the host itself */
	const char *proxy;             /* "" for none; as weft_proxy_format writes it */
	const char *local;             /* "" for any */
	struct weft_trust_spec *trust; /* CA, CRL, client certificate, ALPN: compared by content */
	unsigned allow;
};

struct weft_pool_entry {
	struct weft_context *ctx;
	struct weft_list node; /* of ctx->entries */
	struct weft_list pump_node;
	struct weft_pool_key key; /* the strings are the entry's */
	const struct weft_plugin *role;
	struct weft_list queue; /* streams, by order */
	struct weft_list conns;
	struct weft_transport *transport; /* given by the application for the first connection */
	struct weft_timer warm;           /* when idle connections are due to close */
	struct weft_error why;            /* of the last failure */
	uint64_t place;                   /* whose budget of retries holds */
	struct weft_address
		*addresses; /* coalescing: what the host had, when it was last looked up */
	size_t address_count;
	struct weft_client_conn
		*borrowed;            /* another entry's, that its streams may go to; or NULL */
	struct weft_list borrow_node; /* of borrowed's borrowers */
	uint64_t idle_us;             /* when the last of its streams left */
	unsigned streams;             /* queued or bound */
	unsigned faithful;            /* queued ones that want a connection of this host */
	unsigned queued, conn_count;
	unsigned connecting;
	unsigned failures; /* attempts that failed since one carried a stream */
	bool alone;
	bool no_resume; /* a handshake that was to resume a session failed */
	bool given;     /* transport was: there is no second connection */
	bool known;     /* a connection came up: what it speaks is in mux */
	bool mux;       /* its connections carry many streams at once */
	bool promised;  /* borrowed is not up: it may turn out not to serve this host */
	bool unwelcome; /* on borrowed: its server does not serve this host there (421) */
};

/* Puts a new stream into the entry for key, made if need be. strings of key are copied. */
enum weft_status weft_pool_submit(struct weft_stream *s, const struct weft_pool_key *key,
	const struct weft_plugin *role, bool alone, struct weft_transport *transport,
	struct weft_error *err);
/* Its host is a name, and the one that TLS tells the server (SNI). */
bool weft_pool_names_itself(const struct weft_pool_key *key);
/* Takes a stream out, wherever it is in the pool. */
void weft_pool_leave(struct weft_stream *s);
/* A queued stream has waited as long as it may. Law 7. */
void weft_pool_waited_out(struct weft_stream *s);
/* The role on conn gave a bound stream back: it ends, or waits for another connection. Laws 5 and 6. */
void weft_pool_returned(struct weft_stream *s, struct weft_conn *conn, enum weft_cause cause,
	const struct weft_error *why);

/*
 * A bound stream was answered 421 (RFC 9110 section 15.5.20). true: it went to another host's connection and waits for
 * one of its own now, or is over; the answer is nobody's. false: the answer is for the application.
 */
bool weft_pool_misdirected(struct weft_stream *s);

/* Conns report. */
void weft_pool_conn_up(struct weft_conn *conn, const struct weft_conn_info *info);
void weft_pool_conn_down(struct weft_conn *conn);
void weft_pool_capacity_changed(struct weft_conn *conn);
void weft_pool_conn_drained(struct weft_conn *conn);

/* Turn step. */
void weft_pool_pump(struct weft_pool_entry *entry);
/* Nothing is bound any more to what policies' streams left open; it ends when nothing runs on it. */
void weft_pool_forget_policy(struct weft_context *ctx);
/* No further connections, idle ones close. For draining. */
void weft_pool_drain(struct weft_context *ctx);
void weft_pool_finish(struct weft_context *ctx);

#endif
