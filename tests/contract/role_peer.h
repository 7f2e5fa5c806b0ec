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

struct world {
	struct weft_context *ctx;
	struct weft_vhost *vh;
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

/* A connection to the world's vhost. */
void peer_dial(struct peer *p, struct world *w, const char *scheme);
void peer_send(struct peer *p, const char *text);
void peer_send_bytes(struct peer *p, const void *bytes, size_t len);
/* Our FIN. */
void peer_finish(struct peer *p);
/* Turns until text arrived behind the mark, and moves the mark behind it. Date fields are dropped. */
void peer_expect(struct peer *p, const char *text);
/* Turns until the other side has closed; nothing but text came since the mark. */
void peer_expect_end(struct peer *p, const char *text);
/* Turns until the other side has reset the connection. */
void peer_expect_reset(struct peer *p);
/* One turn, and what came in it. */
void peer_turn(struct peer *p);
/* Some turns in which nothing may come. */
void peer_expect_silence(struct peer *p);
void peer_close(struct peer *p);

/* A listening loopback socket; returns it and its port. */
int peer_listen(unsigned *port);
/* Turns until a client of ours has connected. */
void peer_accept(struct peer *p, struct world *w, int listener);
/* Whether a connection waits to be accepted. */
bool peer_waiting(int listener);

/* What a client's stream heard. */
struct exchange {
	struct weft_stream *stream;
	struct world *world;
	unsigned status, informational, last_informational;
	int64_t body_len;
	char body[4096];
	size_t len;
	char trailer[64]; /* the value of "check" */
	bool hold;        /* take no data */
	bool ended, closed;
	unsigned closes;
	struct weft_error why;
};

extern const struct weft_stream_ops exchange_ops;
void exchange_open(struct exchange *x, struct world *w, unsigned port, struct weft_request *request,
	const char *path);
/* Turns until on_close. */
void exchange_wait(struct exchange *x);

extern const struct CMUnitTest role_server_tests[], role_client_tests[], role_raw_tests[],
	role_body_tests[];
extern const size_t role_server_count, role_client_count, role_raw_count, role_body_count;

#endif
