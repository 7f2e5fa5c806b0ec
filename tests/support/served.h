/* SPDX-License-Identifier: MIT */
/* One server in memory and one raw connection to it: a test writes bytes and looks at what comes back. */
#ifndef WEFT_TESTS_SUPPORT_SERVED_H
#define WEFT_TESTS_SUPPORT_SERVED_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "weft/plugin/transport.h"
#include "weft/weft.h"

struct served {
	struct weft_context *ctx;
	struct weft_vhost *vh;
	struct weft_transport *end;
	char *text; /* what came so far, terminated */
	size_t len;
	bool ended; /* nothing more will come */
};

/* A context without TLS, a vhost by these options (name and all), and a connection for HTTP. */
void served_open(struct served *v, const struct weft_vhost_options *options);
/* The same with context options. */
void served_open_with(struct served *v, const struct weft_context_options *context,
	const struct weft_vhost_options *options);
/* A further connection to the server of ctx and vh, which are set; its end, which leaves both. */
void served_join(struct served *v);
void served_leave(struct served *v);
/* Writes all at once, without a turn. */
void served_write(struct served *v, const void *bytes, size_t len);
/* Writes len bytes, step at a time, with a turn behind each. Stops early where the server is gone. */
void served_send(struct served *v, const void *bytes, size_t len, size_t step);
/* One turn. */
void served_turn(struct served *v);
/* Turns until the server has closed. */
void served_until_end(struct served *v);
/* Turns until what came has this in it. */
void served_until(struct served *v, const char *text);
/* Forgets what came so far. */
void served_forget(struct served *v);
void served_close(struct served *v);

/* Whole, behind "Connection: close": v->text has the answer. */
void served_ask(struct served *v, const struct weft_vhost_options *options, const char *request);
/* The status of the first answer in text, and where its body begins. */
unsigned served_status(const struct served *v);
const char *served_body(const struct served *v);
/* The value of a field of the first answer into out, "" if there is none. Returns out. */
const char *served_field(const struct served *v, const char *name, char *out, size_t out_len);

#endif
