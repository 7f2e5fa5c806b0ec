/* SPDX-License-Identifier: MIT */
/* The fuzzers' end of a connection in memory, and the one context of the process whose other end it has. */
#ifndef WEFT_TESTS_FUZZ_PEER_H
#define WEFT_TESTS_FUZZ_PEER_H

#include "weft/context.h"
#include "weft/plugin/transport.h"

struct fuzz_peer {
	struct weft_transport *end;
	char *got; /* what the other side sent; terminated */
	size_t len, cap;
	bool over; /* it ended the connection */
};

/* Made at the first call, on the poll loop, without TLS and without logs. */
struct weft_context *fuzz_context(void);
/* Takes the one end; *other is for the library. */
void fuzz_peer_make(struct fuzz_peer *p, struct weft_transport **other);
/* step bytes at a time, with turns of the loop between; stops when the other side has gone. */
void fuzz_peer_feed(struct fuzz_peer *p, const uint8_t *bytes, size_t len, size_t step);
/* Our FIN, and turns until the other side has ended, too, or does nothing more. */
void fuzz_peer_finish(struct fuzz_peer *p);
void fuzz_peer_close(struct fuzz_peer *p);

#endif
