/* SPDX-License-Identifier: MIT */
/* How calls end: a status, and for failures a text that says what, where and what was expected. */
#ifndef WEFT_STATUS_H
#define WEFT_STATUS_H

#include <stdarg.h>
#include <stdio.h>

#include "weft/base.h"

WEFT_BEGIN

/* 0 is fine, positive is "not yet" or "ended", negative has failed. */
enum weft_status {
	WEFT_OK = 0,
	WEFT_AGAIN = 1,   /* nothing now; call again once more input, room or time is there */
	WEFT_BLOCKED = 2, /* stop delivering until told to resume */
	WEFT_EOF = 3,     /* the peer ended its direction in order */

	WEFT_ERR_MEMORY = -1,
	WEFT_ERR_ARGUMENT = -2,    /* the caller's mistake; the text names the argument */
	WEFT_ERR_STATE = -3,       /* not now: the object is not in a state that allows it */
	WEFT_ERR_NOT_FOUND = -4,   /* no such name, file, plugin */
	WEFT_ERR_EXISTS = -5,      /* the name is taken */
	WEFT_ERR_UNSUPPORTED = -6, /* this build or this backend cannot */
	WEFT_ERR_LIMIT = -7,       /* a configured limit was reached */
	WEFT_ERR_TIMEOUT = -8,
	WEFT_ERR_CANCELLED = -9, /* by this side's own wish */
	WEFT_ERR_IO = -10,       /* the system said no; native is errno */
	WEFT_ERR_REFUSED = -11,  /* connection refused */
	WEFT_ERR_RESET = -12,    /* the peer cut the connection */
	WEFT_ERR_UNREACHABLE = -13,
	WEFT_ERR_RESOLVE = -14,   /* the host name has no usable address */
	WEFT_ERR_TLS = -15,       /* the TLS library failed; native is its code */
	WEFT_ERR_VERIFY = -16,    /* the peer's certificate was not accepted */
	WEFT_ERR_TRUNCATED = -17, /* the stream ended before it was complete */
	WEFT_ERR_PROTOCOL = -18,  /* the peer broke the protocol */
	WEFT_ERR_PLUGIN = -19,    /* not a plugin, or one that cannot be used here */
	WEFT_ERR_ABI = -20,       /* a plugin made for another ABI version */
	WEFT_ERR_NOT_REPLAYABLE =
		-21,             /* the connection was lost and the body cannot be sent again */
	WEFT_ERR_SHUTDOWN = -22, /* the context is going away */
};

/* Where a failing call writes what happened. Callers own it; NULL is accepted everywhere. */
struct weft_error {
	enum weft_status status;
	int native;     /* errno, or the library's own code; 0 if there is none */
	char text[244]; /* one line, no newline, always terminated */
};

/* "timeout", "refused", ...: the status as one stable lower-case word. Never NULL. */
WEFT_API const char *weft_status_name(enum weft_status status);

/* Fills err (if not NULL) and returns status, so that a failing path is one line. */
WEFT_API enum weft_status weft_error_set(struct weft_error *err, enum weft_status status,
	int native, const char *fmt, ...) WEFT_PRINTF(4, 5);
WEFT_API enum weft_status weft_error_setv(
	struct weft_error *err, enum weft_status status, int native, const char *fmt, va_list args);

/* The same from an errno value: picks the fitting status and appends the system's text to what. */
WEFT_API enum weft_status weft_error_errno(
	struct weft_error *err, int errno_value, const char *fmt, ...) WEFT_PRINTF(3, 4);

/* No failure yet. Much cheaper than clearing the whole text, where it is done for every read. */
static inline void weft_error_clear(struct weft_error *err)
{
	err->status = WEFT_OK;
	err->native = 0;
	err->text[0] = '\0';
}

/* Puts "context: " before the text err already has; keeps status and native. */
WEFT_API enum weft_status weft_error_prefix(struct weft_error *err, const char *fmt, ...)
	WEFT_PRINTF(2, 3);

/* Prints "status: text\n". Returns err->status. */
WEFT_API enum weft_status weft_error_print(FILE *to, const struct weft_error *err);

WEFT_END

#endif
