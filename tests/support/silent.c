/* SPDX-License-Identifier: MIT */
/* The silent server. */
#include "tests/support/silent.h"

#include <stdlib.h>
#include <string.h>

static struct silent_line lines[SILENT_LINES];

static size_t line_data(struct weft_stream *s, const void *bytes, size_t len, void *user)
{
	struct silent_line *l = user;

	(void)s;
	assert_true(l->in_len + len < sizeof(l->in));
	memcpy(l->in + l->in_len, bytes, len);
	l->in_len += len;
	l->in[l->in_len] = '\0';
	if (!strstr(l->in, "\r\n\r\n"))
		return len;
	assert_int_equal(l->asked, 0);
	l->asked = l->served = (unsigned)strtoul(strstr(l->in, " /") + 2, NULL, 10);
	l->in_len = 0;
	return len;
}

static void line_end(struct weft_stream *s, void *user)
{
	(void)user;
	weft_stream_finish(s);
}

static void line_closed(struct weft_stream *s, const struct weft_error *why, void *user)
{
	(void)s;
	(void)why;
	memset(user, 0, sizeof(struct silent_line));
}

static enum weft_status arrived(struct weft_stream *s, void *user)
{
	static const struct weft_stream_ops ops = {
		.on_data = line_data,
		.on_end = line_end,
		.on_close = line_closed,
	};
	struct silent_line *l = lines;

	(void)user;
	while (l->stream) {
		l++;
		assert_true(l < lines + SILENT_LINES);
	}
	l->stream = s;
	weft_stream_set_ops(s, &ops, l);
	return WEFT_OK;
}

struct silent_line *silent_line(unsigned number)
{
	for (size_t i = 0; i < SILENT_LINES; i++) {
		if (lines[i].stream && lines[i].served == number)
			return &lines[i];
	}
	return NULL;
}

void silent_say(struct silent_line *line, const char *text)
{
	line->asked = 0;
	assert_int_equal(weft_stream_write(line->stream, text, strlen(text)), strlen(text));
}

void silent_end(struct silent_line *line)
{
	line->asked = line->served = 0;
	weft_stream_finish(line->stream);
}

const struct weft_route *silent_routes(void)
{
	static const struct weft_route routes[] = { { .prefix = "", .on_request = arrived },
		{ .prefix = NULL } };

	memset(lines, 0, sizeof(lines));
	return routes;
}
