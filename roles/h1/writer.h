/* SPDX-License-Identifier: MIT */
/* Gathers the short pieces of a head on the stack, so that the pipe is called with runs of them. */
#ifndef WEFT_ROLES_H1_WRITER_H
#define WEFT_ROLES_H1_WRITER_H

#include <string.h>

#include "weft/plugin/role.h"

struct weft_h1_writer {
	struct weft_pipe *pipe;
	enum weft_status status; /* the first failure */
	size_t len;
	char bytes[1024];
};

/* What does not fit behind what is there. */
void weft_h1_write_over(struct weft_h1_writer *w, const char *text, size_t len);

static inline void weft_h1_write(struct weft_h1_writer *w, const char *text, size_t len)
{
	if (len > sizeof(w->bytes) - w->len) {
		weft_h1_write_over(w, text, len);
		return;
	}
	if (len)
		memcpy(w->bytes + w->len, text, len);
	w->len += len;
}

static inline void weft_h1_write_text(struct weft_h1_writer *w, const char *text)
{
	weft_h1_write(w, text, strlen(text));
}

static inline void weft_h1_write_field(
	struct weft_h1_writer *w, const char *name, const char *value)
{
	weft_h1_write_text(w, name);
	weft_h1_write(w, ": ", 2);
	weft_h1_write_text(w, value);
	weft_h1_write(w, "\r\n", 2);
}

void weft_h1_write_number(struct weft_h1_writer *w, uint64_t number);
/* The application's fields, but for "connection", which is merged with the role's own. */
void weft_h1_write_fields(struct weft_h1_writer *w, const struct weft_field *fields, size_t count);
/* Hands over what is left; returns the first failure. */
enum weft_status weft_h1_write_end(struct weft_h1_writer *w);

#endif
