/* SPDX-License-Identifier: MIT */
/* Log lines: levels, and where they go. */
#ifndef WEFT_LOG_H
#define WEFT_LOG_H

#include "weft/base.h"
#include "weft/status.h"

WEFT_BEGIN

enum weft_log_level {
	WEFT_LOG_NONE,
	WEFT_LOG_ERROR,
	WEFT_LOG_WARN, /* something a person should look at: a check switched off, a limit crossed */
	WEFT_LOG_INFO,
	WEFT_LOG_DEBUG,
};

/* line has no newline and ends with the call. Called on the context's thread; must not call Weft. */
typedef void (*weft_log_fn)(void *user, enum weft_log_level level, const char *line);

/* "2026-11-24T08:00:00Z warn line" to standard error; user: the context whose clock says when, or NULL
 * for no time. The default sink. */
WEFT_API void weft_log_stderr(void *user, enum weft_log_level level, const char *line);

/* "error", "warn", ... to a level. WEFT_ERR_ARGUMENT for another word. */
WEFT_API WEFT_MUST_CHECK enum weft_status weft_log_level_parse(
	const char *word, enum weft_log_level *level, struct weft_error *err);

struct weft_context;
WEFT_API void weft_log(struct weft_context *ctx, enum weft_log_level level, const char *fmt, ...)
	WEFT_PRINTF(3, 4);

WEFT_END

#endif
