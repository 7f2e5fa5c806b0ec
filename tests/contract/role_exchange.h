/* SPDX-License-Identifier: MIT */
/* A client's stream of the suite: what it heard, and what it does inside its callbacks. */
#ifndef WEFT_TESTS_CONTRACT_ROLE_EXCHANGE_H
#define WEFT_TESTS_CONTRACT_ROLE_EXCHANGE_H

#include "tests/contract/role_peer.h"

enum exchange_event {
	EXCHANGE_INFORMATIONAL,
	EXCHANGE_HEAD,
	EXCHANGE_TRAILER,
	EXCHANGE_DATA,
	EXCHANGE_END,
	EXCHANGE_WRITABLE,
};

struct exchange {
	struct weft_stream *stream; /* NULL after on_close */
	struct world *world;
	/* called inside each callback, once it is noted here; may be NULL */
	void (*hook)(struct exchange *x, enum exchange_event event);
	unsigned status, informational, last_informational;
	int64_t body_len;
	char body[4096];
	size_t len;
	size_t left;      /* for hooks that write: how much is still to come */
	char trailer[64]; /* the value of "check" */
	bool hold;        /* take no data */
	bool ended, closed;
	struct weft_error why;
};

extern const struct weft_stream_ops exchange_ops;

/* A context whose streams go to a server that the test plays. */
struct client {
	struct world world;
	int listener;
	unsigned port;
};

void client_begin(struct client *c, const struct weft_context_options *options);
/* Fails if a connection was made that the test did not accept. */
void client_end(struct client *c);
/*
 * Of the pool, unless it brings its own transport. request may be NULL: a GET. Its URL is made from
 * path; the host is called "a".
 */
void client_open(
	struct client *c, struct exchange *x, const struct weft_request *request, const char *path);
/* Over a memory transport of that capacity; p is its other end. */
void client_open_memory(struct client *c, struct exchange *x, struct peer *p, size_t capacity,
	const struct weft_request *request, const char *path);
void client_accept(struct client *c, struct peer *p);

/* Turns until on_close; it came with this status. */
void exchange_wait(struct exchange *x, enum weft_status status);
/* The whole of a response: complete, with this status and body. */
void exchange_expect(struct exchange *x, unsigned status, const char *body);

/* Hooks that give the stream up. */
void exchange_close_in_head(struct exchange *x, enum exchange_event event);
void exchange_close_in_data(struct exchange *x, enum exchange_event event);
void exchange_close_in_end(struct exchange *x, enum exchange_event event);
/* A hook that writes x->left bytes 'u' as there is room, and then finishes; call it once to begin. */
void exchange_upload(struct exchange *x, enum exchange_event event);

#endif
