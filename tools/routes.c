/* SPDX-License-Identifier: MIT */
/* The routes that `weft serve` always has. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tool.h"

enum { BLOCK = 16384 };

enum weft_status route_hello(struct weft_stream *s, void *user)
{
	(void)user;
	return weft_http_reply_static(s, 200, "text/plain", "Hello, World\n", 13);
}

/* ---- /echo: the request's body, as it arrives ---- */

static size_t echo_data(struct weft_stream *s, const void *bytes, size_t len, void *user)
{
	(void)user;
	return weft_stream_write(s, bytes, len);
}

static void echo_end(struct weft_stream *s, void *user)
{
	(void)user;
	weft_stream_finish(s);
}

static void echo_writable(struct weft_stream *s, void *user)
{
	(void)user;
	weft_stream_resume(s);
}

static const struct weft_stream_ops echo_ops = {
	.on_data = echo_data,
	.on_end = echo_end,
	.on_writable = echo_writable,
};

enum weft_status route_echo(struct weft_stream *s, void *user)
{
	const struct weft_head *request = weft_stream_request(s);
	const struct weft_field *type = weft_head_find(request, "content-type");
	struct weft_field field = weft_field("content-type", "application/octet-stream");
	struct weft_head go_on = { .status = 100 };

	(void)user;
	/* a client that asks first would take the early answer for a refusal of its body */
	if (weft_head_find(request, "expect") && request->body_len &&
		weft_stream_send_head(s, &go_on, WEFT_HEAD_INFORMATIONAL, false, NULL))
		return WEFT_ERR_STATE;
	if (type)
		field = *type;
	weft_stream_set_ops(s, &echo_ops, NULL);
	return weft_http_reply_head(s, 200, &field, 1, request->body_len);
}

enum weft_status route_echo_bytes(struct weft_stream *s, void *user)
{
	(void)user;
	weft_stream_set_ops(s, &echo_ops, NULL);
	return WEFT_OK;
}

/* ---- /bytes/N: N bytes of a pattern ---- */

struct bytes {
	uint64_t at, total;
};

static unsigned char pattern[BLOCK];

void route_init(void)
{
	for (size_t i = 0; i < BLOCK; i++)
		pattern[i] = (unsigned char)(i * 31 + (i >> 8) * 7);
}

static void bytes_more(struct weft_stream *s, void *user)
{
	struct bytes *b = user;

	while (b->at < b->total) {
		size_t off = b->at % BLOCK;
		uint64_t left = b->total - b->at;
		size_t len = left < BLOCK - off ? (size_t)left : BLOCK - off;
		struct weft_segment seg = weft_segment_static(pattern + off, len);

		if (weft_stream_write_segment(s, &seg))
			return;
		b->at += len;
	}
	weft_stream_finish(s);
}

static void bytes_close(struct weft_stream *s, const struct weft_error *why, void *user)
{
	(void)s;
	(void)why;
	free(user);
}

static const struct weft_stream_ops bytes_ops = {
	.on_writable = bytes_more,
	.on_close = bytes_close,
};

static bool parse_count(const char *text, uint64_t *out)
{
	uint64_t n = 0;

	if (!*text)
		return false;
	for (; *text && *text != '?'; text++) {
		if (*text < '0' || *text > '9' || n > (uint64_t)1 << 50)
			return false;
		n = n * 10 + (uint64_t)(*text - '0');
	}
	*out = n;
	return true;
}

enum weft_status route_bytes(struct weft_stream *s, void *user)
{
	const struct weft_head *request = weft_stream_request(s);
	struct weft_field type = weft_field("content-type", "application/octet-stream");
	struct bytes *b;
	enum weft_status st;
	uint64_t total;

	(void)user;
	if (!parse_count(request->target + strlen("/bytes/"), &total))
		return weft_http_error(s, 400);
	b = calloc(1, sizeof(*b));
	if (!b)
		return WEFT_ERR_MEMORY;
	b->total = total;
	weft_stream_set_ops(s, &bytes_ops, b);
	st = weft_http_reply_head(s, 200, &type, 1, (int64_t)total);
	if (st == WEFT_OK && strcmp(request->method, "HEAD"))
		bytes_more(s, b);
	else if (st == WEFT_OK)
		weft_stream_finish(s);
	return st;
}
