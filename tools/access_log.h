/* SPDX-License-Identifier: MIT */
/* The access log of `weft serve`: one file, which all workers append whole lines to. */
#ifndef WEFT_TOOLS_ACCESS_LOG_H
#define WEFT_TOOLS_ACCESS_LOG_H

#include "weft/weft.h"

struct access_log;

/* Whether there is such a format: "common", "combined", "json". */
bool access_log_format(const char *name);
/* Opens path, "-" for standard output, before any worker begins. False: it was said why. */
bool access_log_open(const char *path, const char *format);
/* Any thread: opens the same path again, for the sake of log rotation. False: the old file stays in use. */
bool access_log_reopen(void);

/* A context's lines, gathered for a moment. NULL: no memory. */
struct access_log *access_log_begin(struct weft_context *ctx);
/* When the context is gone. Writes what is left. NULL is safe. */
void access_log_end(struct access_log *log);
/* A vhost's on_access; log is the context's. */
void access_log_add(struct weft_stream *s, const struct weft_access *access, void *log);

/* access_format.c: a line without its end into out; the length. */
enum { ACCESS_LINE_MAX = 32768 };
size_t access_line_text(struct weft_stream *s, const struct weft_access *access, bool combined,
	char out[ACCESS_LINE_MAX]);
size_t access_line_json(
	struct weft_stream *s, const struct weft_access *access, char out[ACCESS_LINE_MAX]);

#endif
