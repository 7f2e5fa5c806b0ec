/* SPDX-License-Identifier: MIT */
/* An HTTP/1.1 server on the raw role that says nothing until it is told. Requests are known by the number of their path. */
#ifndef WEFT_TESTS_SUPPORT_SILENT_H
#define WEFT_TESTS_SUPPORT_SILENT_H

#include "tests/support/duo.h"

enum { SILENT_LINES = 64, SILENT_BYTES = 1024 };

/* A connection. */
struct silent_line {
	struct weft_stream *stream; /* NULL: the place is free */
	char in[SILENT_BYTES];
	size_t in_len;
	unsigned asked;  /* the request that waits; 0: none */
	unsigned served; /* the last one */
};

/* For a vhost; all lines are forgotten. */
const struct weft_route *silent_routes(void);
/* The connection on which this request is, or was last. */
struct silent_line *silent_line(unsigned number);
/* What waits on it does so no more. */
void silent_say(struct silent_line *line, const char *text);
/* The connection ends from here, and is not found any more. */
void silent_end(struct silent_line *line);

#endif
