/* SPDX-License-Identifier: MIT */
/*
 * A scripted HTTP/1.1 server on the raw role: it sees every byte that a client of ours sends, on every TLS
 * backend, and answers, dallies or dies as a test says.
 */
#ifndef WEFT_TESTS_SUPPORT_SCRIPT_H
#define WEFT_TESTS_SUPPORT_SCRIPT_H

#include "tests/support/duo.h"

enum { SCRIPT_LINES = 64, SCRIPT_BYTES = 4096 };

/* One connection. */
struct script_line {
	struct script *script;
	struct weft_stream *stream; /* NULL once it is over */
	unsigned number;            /* connections are counted from 0 */
	unsigned served;            /* requests that were answered */
	char in[SCRIPT_BYTES];      /* not yet answered */
	size_t in_len, request_len; /* request_len 0: the first request is not complete */
	unsigned id;                /* of the complete request */
	char digest[17];
	unsigned wait; /* turns before the next piece of the answer goes out */
	unsigned piece;
	bool fin;    /* the client ended its direction */
	bool closed; /* we have ended ours: nothing is answered any more */
};

struct script {
	struct duo *duo;
	struct script_line lines[SCRIPT_LINES];
	unsigned count;    /* connections so far */
	unsigned answered; /* requests */
	bool early;        /* a byte of a further request came before the answer's end */
	/*
	 * Called each turn while a request is complete and unanswered. It answers with script_say, and says
	 * script_done once the answer is out.
	 */
	void (*answer)(struct script_line *line);
	/* A connection arrived; NULL: nothing is done. */
	void (*arrived)(struct script_line *line);
};

/* The routes whose user is the script (set with script_routes). */
const struct weft_route *script_routes(struct script *s);
/* One turn of both contexts, and of the script. */
void script_turn(struct script *s);
void script_say(struct script_line *line, const char *text);
/* The answer is complete: the request is dropped, the next one may be looked at. */
void script_done(struct script_line *line);
/* Sends the digest that the client expects, whole, and is done. extra: further header lines, or "". */
void script_reply(struct script_line *line, const char *extra);
/* Our FIN; or a cut in the middle. */
void script_finish(struct script_line *line);
void script_cut(struct script_line *line);

#endif
