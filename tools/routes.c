/* SPDX-License-Identifier: MIT */
/* The routes that `weft serve` always has. */
#include <inttypes.h>
#include <jansson.h>
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

/* ---- /bytes/N: N bytes of a pattern ---- */

struct bytes {
	uint64_t at, total;
};

static unsigned char pattern[BLOCK];

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
	for (size_t i = 0; !pattern[1] && i < BLOCK; i++)
		pattern[i] = (unsigned char)(i * 31 + (i >> 8) * 7);
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

/* ---- /status ---- */

static json_t *counters_json(const struct weft_counters *c)
{
	json_t *o = json_object();
	const struct {
		const char *name;
		uint64_t value;
	} all[] = {
		{ "conns_accepted", c->conns_accepted },
		{ "conns_opened", c->conns_opened },
		{ "conns_failed", c->conns_failed },
		{ "conns_now", c->conns_now },
		{ "handshakes_full", c->handshakes_full },
		{ "handshakes_resumed", c->handshakes_resumed },
		{ "handshakes_failed", c->handshakes_failed },
		{ "streams_opened", c->streams_opened },
		{ "streams_incoming", c->streams_incoming },
		{ "streams_now", c->streams_now },
		{ "streams_peak", c->streams_peak },
		{ "streams_ok", c->streams_ok },
		{ "streams_failed", c->streams_failed },
		{ "streams_per_conn_max", c->streams_per_conn_max },
		{ "vhosts_created", c->vhosts_created },
		{ "vhosts_freed", c->vhosts_freed },
		{ "vhosts_now", c->vhosts_now },
		{ "bytes_in", c->bytes_in },
		{ "bytes_out", c->bytes_out },
		{ "timeouts", c->timeouts },
		{ "limits_hit", c->limits_hit },
		{ "requests_refused", c->requests_refused },
		{ "net_recv", c->net_recv },
		{ "net_send", c->net_send },
		{ "net_wait", c->net_wait },
		{ "net_accept", c->net_accept },
		{ "heap_now", c->heap_now },
		{ "heap_peak", c->heap_peak },
		{ "heap_allocs", c->heap_allocs },
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		json_object_set_new(o, all[i].name, json_integer((json_int_t)all[i].value));
	return o;
}

static json_t *vhosts_json(struct weft_context *ctx)
{
	json_t *list = json_array();
	struct weft_vhost_info v;

	for (size_t i = 0; weft_vhost_info(ctx, i, &v); i++)
		json_array_append_new(list,
			json_pack("{s:s, s:b, s:s, s:i, s:i, s:b, s:I}", "name", v.name, "client",
				v.client, "state", v.state == WEFT_VHOST_LIVE ? "live" : "dying",
				"refs", (int)v.refs, "conns", (int)v.conns, "tls", v.tls, "age_us",
				(json_int_t)v.age_us));
	return list;
}

enum weft_status route_status(struct weft_stream *s, void *user)
{
	struct weft_context *ctx = weft_stream_context(s);
	struct weft_counters c;
	enum weft_status st = WEFT_ERR_MEMORY;
	json_t *o;
	char *text;

	(void)user;
	weft_context_counters(ctx, &c);
	o = json_pack("{s:s, s:s, s:s, s:I, s:I, s:o, s:o}", "version", WEFT_VERSION, "event",
		weft_context_event(ctx), "tls", weft_context_tls(ctx), "conns",
		(json_int_t)c.conns_now, "streams", (json_int_t)c.streams_now, "vhosts",
		vhosts_json(ctx), "counters", counters_json(&c));
	text = o ? json_dumps(o, JSON_INDENT(2)) : NULL;
	if (text) {
		size_t len = strlen(text);

		text[len] = '\n'; /* in place of the terminator: a reply has a length */
		st = weft_http_reply(s, 200, "application/json", text, len + 1);
	}
	free(text);
	json_decref(o);
	return st;
}
