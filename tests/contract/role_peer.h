/* SPDX-License-Identifier: MIT */
/*
 * The role suite's harness: a context, and the other end of a connection as plain bytes. Servers are
 * driven through memory transports, clients through a loopback socket that plays a server.
 */
#ifndef WEFT_TESTS_CONTRACT_ROLE_PEER_H
#define WEFT_TESTS_CONTRACT_ROLE_PEER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "weft/http.h"
#include "weft/plugin/transport.h"

/* How the suite's reads are cut at present; 0: whole. */
extern size_t role_fragment;

enum { WORLD_TURNS_MAX = 2000 }; /* of at most 2 ms: how long anything is waited for */

struct world {
	struct weft_context *ctx;
	struct weft_vhost *vh;
	struct weft_allocator alloc;
	size_t heap; /* bytes that alloc has given and not got back */
};

/* The scripted end of a connection. */
struct peer {
	struct world *world;
	struct weft_transport *end; /* towards a server of ours */
	int sock;                   /* towards a client of ours; -1 */
	char *got;                  /* terminated */
	size_t len, cap, mark;      /* mark: what expect has gone past */
	bool fin, reset;
};

void world_open(struct world *w, const struct weft_context_options *extra,
	const struct weft_vhost_options *vhost);
/* Ends everything; fails if memory of the context's is left. */
void world_close(struct world *w);
/* One turn of the loop that does not wait long. */
void world_turn(struct world *w);
/* Turns until *what. */
void world_wait(struct world *w, const bool *what);

/* A connection to the world's vhost; the second form: through a transport of that capacity. */
void peer_dial(struct peer *p, struct world *w, const char *scheme);
void peer_dial_narrow(struct peer *p, struct world *w, const char *scheme, size_t capacity);
/* The other end of a connection in memory. */
void peer_hold(struct peer *p, struct world *w, struct weft_transport *end);
void peer_send(struct peer *p, const char *text);
void peer_send_bytes(struct peer *p, const void *bytes, size_t len);
/* Our FIN. */
void peer_finish(struct peer *p);
/* Turns until text arrived behind the mark, and moves the mark behind it. Date fields are dropped. */
void peer_expect(struct peer *p, const char *text);
/* Turns until len bytes of c arrived, however long it takes while some come. */
void peer_expect_body(struct peer *p, char c, size_t len);
/* Turns until the other side has closed; nothing but text came since the mark. */
void peer_expect_end(struct peer *p, const char *text);
/* Turns until the other side has reset the connection. */
void peer_expect_reset(struct peer *p);
/* One turn, and what came in it. */
void peer_turn(struct peer *p);
/* Some turns in which nothing may come. */
void peer_expect_silence(struct peer *p);
/* In order, unless something was left unread. */
void peer_close(struct peer *p);
/* With a reset. */
void peer_abort(struct peer *p);

/* A listening loopback socket; returns it and its port. */
int peer_listen(unsigned *port);
/* Turns until a client of ours has connected. */
void peer_accept(struct peer *p, struct world *w, int listener);
/* Whether a connection waits to be accepted. */
bool peer_waiting(int listener);

/* One file's tests. */
struct role_group {
	const char *name;
	const struct CMUnitTest *tests;
	size_t count;
};

extern const struct role_group role_server_group, role_refusal_group, role_request_group,
	role_response_group, role_tunnel_group, role_client_group, role_client_body_group,
	role_client_bad_group, role_client_reuse_group, role_upload_group, role_client_retry_group,
	role_client_end_group, role_client_tunnel_group, role_client_stale_group,
	role_client_limit_group, role_raw_group, role_raw_client_group, role_verdict_group,
	role_rules_group, role_client_rules_group, role_pair_group;

#endif
