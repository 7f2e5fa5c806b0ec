/* SPDX-License-Identifier: MIT */
/* A server in memory. */
#include "tests/support/served.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { TURNS_MAX = 50000 };

static void no_log(void *user, enum weft_log_level level, const char *line)
{
	(void)user;
	(void)level;
	(void)line;
}

static void ready(void *user, unsigned events)
{
	(void)user;
	(void)events;
}

void served_join(struct served *v)
{
	const struct weft_transport_owner owner = { .ready = ready };
	struct weft_transport *ends[2];
	struct weft_error err;

	if (weft_transport_memory_pair(v->ctx, 0, ends, &err) ||
		weft_transport_serve(v->vh, "http", ends[0], &err))
		fail_msg("%s", err.text);
	v->end = ends[1];
	assert_int_equal(v->end->ops->start(v->end, &owner, &err), WEFT_OK);
	v->text = calloc(1, 1);
	assert_non_null(v->text);
}

void served_leave(struct served *v)
{
	weft_transport_destroy(v->end);
	free(v->text);
}

void served_write(struct served *v, const void *bytes, size_t len)
{
	struct weft_segment seg = weft_segment_static(bytes, len);
	struct weft_error err;
	size_t taken = 0;

	assert_int_equal(v->end->ops->write(v->end, &seg, 1, &taken, &err), WEFT_OK);
	assert_int_equal(taken, len);
}

void served_open_with(struct served *v, const struct weft_context_options *context,
	const struct weft_vhost_options *options)
{
	struct weft_error err;

	*v = (struct served){ .text = NULL };
	if (weft_context_create(context, &v->ctx, &err) ||
		weft_vhost_create(v->ctx, options, &v->vh, &err))
		fail_msg("%s", err.text);
	served_join(v);
}

void served_open(struct served *v, const struct weft_vhost_options *options)
{
	const struct weft_context_options context = {
		.tls = "none", .log = no_log, .linger_ms = 50
	};

	served_open_with(v, &context, options);
}

static void receive(struct served *v)
{
	struct weft_span got = { NULL, 0 };
	enum weft_status st;

	while (!v->ended && (st = v->end->ops->read(v->end, &got, NULL)) != WEFT_AGAIN) {
		if (st != WEFT_OK || !got.len) {
			v->ended = true;
			break;
		}
		v->text = realloc(v->text, v->len + got.len + 1);
		assert_non_null(v->text);
		memcpy(v->text + v->len, got.ptr, got.len);
		v->len += got.len;
		v->text[v->len] = 0;
	}
}

void served_turn(struct served *v)
{
	assert_true(weft_context_turn(v->ctx, 1) >= 0);
	receive(v);
}

void served_send(struct served *v, const void *bytes, size_t len, size_t step)
{
	const char *p = bytes;

	while (len && !v->ended) {
		size_t taken = 0, n = len < step ? len : step;
		struct weft_segment seg = weft_segment_static(p, n);
		struct weft_error err;

		if (v->end->ops->write(v->end, &seg, 1, &taken, &err) < 0)
			return;
		p += taken;
		len -= taken;
		assert_true(weft_context_turn(v->ctx, 0) >= 0);
		receive(v);
	}
}

void served_until_end(struct served *v)
{
	for (int i = 0; i < TURNS_MAX && !v->ended; i++)
		served_turn(v);
	assert_true(v->ended);
}

void served_until(struct served *v, const char *text)
{
	for (int i = 0; i < TURNS_MAX && !strstr(v->text, text) && !v->ended; i++)
		served_turn(v);
	if (!strstr(v->text, text))
		fail_msg("no \"%s\" in \"%s\"", text, v->text);
}

void served_forget(struct served *v)
{
	v->len = 0;
	v->text[0] = 0;
}

void served_close(struct served *v)
{
	weft_transport_destroy(v->end);
	weft_vhost_destroy(v->vh);
	weft_context_destroy(v->ctx, 0, NULL, NULL);
	free(v->text);
}

void served_ask(struct served *v, const struct weft_vhost_options *options, const char *request)
{
	served_open(v, options);
	served_send(v, request, strlen(request), SIZE_MAX);
	served_until_end(v);
}

unsigned served_status(const struct served *v)
{
	unsigned status = 0;

	if (sscanf(v->text, "HTTP/1.1 %3u ", &status) != 1)
		fail_msg("no answer: \"%.100s\"", v->text);
	return status;
}

const char *served_body(const struct served *v)
{
	const char *at = strstr(v->text, "\r\n\r\n");

	assert_non_null(at);
	return at + 4;
}

const char *served_field(const struct served *v, const char *name, char *out, size_t out_len)
{
	const char *body = served_body(v);
	size_t len = strlen(name);

	out[0] = 0;
	for (const char *p = strstr(v->text, "\r\n"); p && p + 4 < body; p = strstr(p, "\r\n")) {
		p += 2;
		if (strncasecmp(p, name, len) || p[len] != ':')
			continue;
		p += len + 1;
		p += strspn(p, " ");
		snprintf(out, out_len, "%.*s", (int)strcspn(p, "\r"), p);
		break;
	}
	return out;
}
