/* SPDX-License-Identifier: MIT */
/* What the handlers of the suite's servers share: one that keeps its stream for later, and an echo. */
#ifndef WEFT_TESTS_CONTRACT_ROLE_SERVED_H
#define WEFT_TESTS_CONTRACT_ROLE_SERVED_H

#include "tests/contract/role_peer.h"

/* The present test's stream, and what came on it. Tests begin with it all zero. */
struct served {
	struct weft_stream *stream; /* NULL after on_close */
	char body[256];
	size_t len;
	char trailer[64]; /* the value of "check" */
	bool hold;        /* take no data */
	bool ended;
	unsigned closes; /* of all streams */
	struct weft_error why;
};

extern struct served served;

/* Collects; served_close counts. */
extern const struct weft_stream_ops served_ops;
void served_close(struct weft_stream *s, const struct weft_error *why, void *user);
/* A handler that answers later. */
enum weft_status served_keep(struct weft_stream *s, void *user);
/* Writes what it reads, with the application's own backpressure: takes what it can write. */
extern const struct weft_stream_ops served_echo_ops;
/* Turns until so many streams have ended. */
void served_wait(struct world *w, unsigned closes);

#endif
