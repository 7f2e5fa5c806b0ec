/* SPDX-License-Identifier: MIT */
/*
 * A server's and a client's context in one thread, talking over loopback: the ground of the end-to-end
 * tests. Each suite runs on every event loop x client TLS x server TLS x read size that the build has.
 */
#ifndef WEFT_TESTS_SUPPORT_DUO_H
#define WEFT_TESTS_SUPPORT_DUO_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "weft/weft.h"

struct duo_combo {
	const char *event, *server_event;
	const char *client_tls, *server_tls; /* NULL both: plain */
	size_t fragment;                     /* bytes a read may bring; 0: whole */
};

/* The one that the suite runs on at present. */
extern struct duo_combo duo_combo;

enum duo_which {
	DUO_ALL,
	DUO_FEWER, /* whole reads, and the same TLS on both sides */
	DUO_TLS,   /* of those, the ones with TLS */
	DUO_PAIRS, /* all with TLS: each backend with each, small reads, too */
	DUO_PLAIN, /* the ones without; small reads, too */
	DUO_PLAIN_WHOLE,
};

/* Runs the tests on each combination. */
int duo_main(const char *name, const struct CMUnitTest *tests, size_t count, enum duo_which which);

struct duo {
	struct weft_context *server, *client;
	struct weft_vhost *vh;
	char base[64];           /* "https://127.0.0.1:4711" */
	char listener[64];       /* "https://127.0.0.1:0", or the scripted server's scheme */
	struct weft_trust trust; /* in the test CA */
	unsigned turns;
};

enum { DUO_TURNS = 60000 };

/*
 * Makes both contexts by combo and the options (which may be NULL), and a vhost with a good certificate.
 * raw: it listens for bytes instead of HTTP.
 */
void duo_open(struct duo *d, const struct weft_context_options *server,
	const struct weft_context_options *client, const struct weft_vhost_options *vhost,
	bool raw);
/* What duo_open gave the vhost, for making another like it. */
void duo_vhost_options(struct duo *d, struct weft_vhost_options *v);
/* One turn of each. */
void duo_turn(struct duo *d);
/* Turns until *what, or fails. */
#define duo_until(d, what)                                             \
	do {                                                           \
		for (unsigned i_ = 0; i_ < DUO_TURNS && !(what); i_++) \
			duo_turn(d);                                   \
		assert_true(what);                                     \
	} while (0)
/* Ends both; fails if anything of theirs is left. */
void duo_close(struct duo *d);
struct weft_counters duo_server_counts(const struct duo *d);
struct weft_counters duo_client_counts(const struct duo *d);

/* A client's request that knows what must come back, and checks that it is this and nothing else. */
struct ask {
	struct weft_stream *stream;
	struct duo *duo;
	unsigned id;
	char body[32]; /* what it sends, if it is a POST */
	char got[64];
	size_t got_len;
	unsigned status, closes;
	uint64_t conn; /* the id of the connection that brought the head */
	struct weft_error why;
	bool closed, head, close_in_head, close_in_data;
};

/* The answer to request id with this body: 16 hexadecimal digits. */
void ask_digest(unsigned id, const void *body, size_t len, char out[17]);
/* Opens GET (post false) or POST /digest/ID in the pool; r may bring further options, or be NULL. */
void ask_open(struct ask *a, struct duo *d, unsigned id, bool post, const struct weft_request *r);
/* It ended well, and with its own answer. */
void ask_check(const struct ask *a);

/* Answers /digest/ID with the digest of id and body. */
enum weft_status duo_digest(struct weft_stream *s, void *user);

#endif
