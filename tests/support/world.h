/* SPDX-License-Identifier: MIT */
/*
 * Three hosts of one server with one certificate, and a client's network that the test makes up: which addresses the
 * second one has and when they are told, which connection hangs, fails or is refused, what time it is.
 */
#ifndef WEFT_TESTS_SUPPORT_WORLD_H
#define WEFT_TESTS_SUPPORT_WORLD_H

#include "core/system/context.h"
#include "tests/support/certs.h"
#include "tests/support/duo.h"
#include "weft/plugin/net.h"

#define WORLD_A "a.example.test"
#define WORLD_B "b.example.test"
#define WORLD_C "c.example.test"

enum { WORLD_QUERIES = 16, WORLD_ASKS = 8 };

struct world_query {
	weft_resolved_fn fn;
	void *user;
	struct weft_timer timer;
	struct weft_address addresses[2];
	size_t count;
	bool held;
};

struct world_net {
	struct weft_net_ops ops;
	struct world_query queries[WORLD_QUERIES];
	const char *b
		[2]; /* the addresses of b; the others are at 127.0.0.1, and the server at 127.0.0.2, too */
	bool holds;             /* what b has is not told before world_tell */
	bool stands;            /* the clock */
	uint64_t stands_at;     /* ... and when */
	unsigned dialled;       /* connections so far */
	unsigned refused_from;  /* so many go through; 0: all */
	weft_socket first;      /* the first one, while it is there */
	enum weft_status fails; /* what a read of that gives; OK: it works */
};

extern struct world_net world_net;
extern struct duo world_duo;
extern struct ask world_asks[WORLD_ASKS];

struct world {
	const struct weft_context_options *server, *client;
	enum test_cert_kind cert;
	bool apart; /* b is of a vhost of its own: a's connection is answered 421 for it */
};

void world_open(struct world w);
/* The clock stands from the beginning; reading the first connection gives this. */
void world_stand_still(struct world w, enum weft_status fails);
void world_close(void);
void world_tell(void);
/* GET, or a POST whose body world_finish sends. */
void world_ask(unsigned i, const char *host, bool coalesce);
void world_post(unsigned i, const char *host, bool coalesce);
void world_finish(unsigned i);
/* Until it was answered as it should be. */
void world_check(unsigned i);
void world_turns(void);
/* Connections that the server has taken, and streams that went to another host's. */
void world_counts(unsigned conns, unsigned coalesced);

#endif
