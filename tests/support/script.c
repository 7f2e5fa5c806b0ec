/* SPDX-License-Identifier: MIT */
/* The scripted server. */
#include "tests/support/script.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where the first request in the buffer ends, and what it is; 0: it is not complete. */
static size_t request_end(struct script_line *l)
{
	char *end = strstr(l->in, "\r\n\r\n"), *field, *body, *digits, *chunk;
	size_t len = 0, size;
	char joined[SCRIPT_BYTES];

	if (!end)
		return 0;
	digits = strstr(l->in, "/digest/");
	assert_non_null(digits);
	l->id = (unsigned)strtoul(digits + 8, NULL, 10);
	body = end + 4;
	*end = '\0';
	field = strstr(l->in, "\r\ncontent-length: ");
	chunk = strstr(l->in, "\r\ntransfer-encoding: chunked");
	*end = '\r';
	if (chunk) {
		for (end = body; (size = strtoul(end, &chunk, 16)) && *chunk == '\r';) {
			if (chunk + 2 + size + 2 > l->in + l->in_len)
				return 0;
			memcpy(joined + len, chunk + 2, size);
			len += size;
			end = chunk + 2 + size + 2;
		}
		if (strncmp(end, "0\r\n\r\n", 5))
			return 0;
		ask_digest(l->id, joined, len, l->digest);
		return (size_t)(end - l->in) + 5;
	}
	if (field)
		len = strtoul(field + 18, NULL, 10);
	if ((size_t)(body - l->in) + len > l->in_len)
		return 0;
	ask_digest(l->id, body, len, l->digest);
	return (size_t)(body - l->in) + len;
}

static size_t on_data(struct weft_stream *s, const void *bytes, size_t len, void *user)
{
	struct script_line *l = user;

	(void)s;
	if (l->request_len)
		l->script->early = true;
	assert_true(l->in_len + len < SCRIPT_BYTES);
	memcpy(l->in + l->in_len, bytes, len);
	l->in_len += len;
	l->in[l->in_len] = '\0';
	if (!l->request_len)
		l->request_len = request_end(l);
	if (l->request_len && l->in_len > l->request_len)
		l->script->early = true;
	return len;
}

static void on_end(struct weft_stream *s, void *user)
{
	((struct script_line *)user)->fin = true;
	weft_stream_finish(s);
}

static void on_close(struct weft_stream *s, const struct weft_error *why, void *user)
{
	(void)s;
	(void)why;
	((struct script_line *)user)->stream = NULL;
}

static enum weft_status on_request(struct weft_stream *s, void *user)
{
	static const struct weft_stream_ops ops = {
		.on_data = on_data,
		.on_end = on_end,
		.on_close = on_close,
	};
	struct script *script = user;
	struct script_line *l = &script->lines[script->count];

	assert_true(script->count < SCRIPT_LINES);
	memset(l, 0, sizeof(*l));
	l->script = script;
	l->number = script->count++;
	l->stream = s;
	weft_stream_set_ops(s, &ops, l);
	if (script->arrived)
		script->arrived(l);
	return WEFT_OK;
}

const struct weft_route *script_routes(struct script *s)
{
	static struct weft_route routes[2];

	routes[0] = (struct weft_route){ .prefix = "", .on_request = on_request, .user = s };
	return routes;
}

void script_turn(struct script *s)
{
	duo_turn(s->duo);
	for (unsigned i = 0; i < s->count; i++) {
		struct script_line *l = &s->lines[i];

		if (!l->stream || !l->request_len || l->closed)
			continue;
		if (l->wait)
			l->wait--;
		else
			s->answer(l);
	}
}

void script_say(struct script_line *l, const char *text)
{
	assert_non_null(l->stream);
	assert_int_equal(weft_stream_write(l->stream, text, strlen(text)), strlen(text));
}

void script_done(struct script_line *l)
{
	l->in_len -= l->request_len;
	memmove(l->in, l->in + l->request_len, l->in_len + 1);
	l->piece = 0;
	l->served++;
	l->script->answered++;
	l->request_len = request_end(l);
}

void script_reply(struct script_line *l, const char *extra)
{
	char text[256];

	snprintf(text, sizeof(text), "HTTP/1.1 200 OK\r\nContent-Length: 16\r\n%s\r\n%s", extra,
		l->digest);
	script_say(l, text);
	script_done(l);
}

void script_finish(struct script_line *l)
{
	l->closed = true;
	if (l->stream)
		weft_stream_finish(l->stream);
}

void script_cut(struct script_line *l)
{
	weft_stream_close(l->stream);
	l->stream = NULL;
}
