/* SPDX-License-Identifier: MIT */
/* A role as a module: each line that comes is a stream, and what is written to it goes back as a line. */
#include <string.h>
#include <weft/plugin/plugin.h>
#include <weft/plugin/role.h>

enum { LINE_MAX_BYTES = 65536, SEGMENTS = 8 };

struct lines {
	struct weft_pipe *pipe;
	const struct weft_limits *limits;
	struct weft_stream *stream; /* the line that is being answered, or NULL */
};

static void moved(struct lines *l)
{
	uint64_t idle_us = (uint64_t)l->limits->idle_ms * 1000;

	weft_pipe_deadline(l->pipe, idle_us ? weft_pipe_now(l->pipe) + idle_us : WEFT_NEVER);
}

static enum weft_status attach(
	const struct weft_role_attach *a, void **state, struct weft_error *err)
{
	struct lines *l = weft_zalloc(a->alloc, sizeof(*l));

	if (!l)
		return weft_error_set(err, WEFT_ERR_MEMORY, 0, "no memory for lines");
	l->pipe = a->pipe;
	l->limits = a->limits;
	moved(l);
	*state = l;
	return WEFT_OK;
}

static void detach(void *state, const struct weft_error *why)
{
	struct lines *l = state;

	if (l->stream)
		weft_role_closed(l->stream, WEFT_CAUSE_FAILED, why);
	weft_free(weft_pipe_alloc(l->pipe), l, sizeof(*l));
}

/* Any of these upcalls may end the stream: reset has set it to NULL then. */
static void serve(struct lines *l, const unsigned char *line, size_t len)
{
	const struct weft_head head = { .body_len = (int64_t)len };

	l->stream = weft_role_incoming(l->pipe);
	if (!l->stream || weft_role_head(l->stream, &head, WEFT_HEAD_FINAL)) {
		weft_pipe_close(l->pipe); /* no memory; detach gives the stream back */
		return;
	}
	if (l->stream)
		weft_role_data(l->stream, line, len);
	if (l->stream)
		weft_role_fin(l->stream);
}

static enum weft_status input(void *state, uint32_t port, const unsigned char *bytes, size_t len,
	bool fin, size_t *used, struct weft_error *err)
{
	struct lines *l = state;
	const unsigned char *end;

	(void)port;
	moved(l);
	while (!l->stream && (end = memchr(bytes + *used, '\n', len - *used))) {
		const unsigned char *line = bytes + *used;

		*used = (size_t)(end - bytes) + 1;
		serve(l, line, (size_t)(end - line));
	}
	if (l->stream)
		return WEFT_BLOCKED; /* the rest comes again after weft_pipe_resume */
	if (fin && *used < len)
		return weft_error_set(err, WEFT_ERR_TRUNCATED, 0, "half a line");
	if (fin)
		weft_pipe_close(l->pipe);
	return WEFT_OK; /* half a line comes again with more behind it; input_limit bounds it */
}

static void answered(struct lines *l)
{
	const struct weft_segment end = weft_segment_static("\n", 1);
	struct weft_stream *s = l->stream;

	(void)weft_pipe_send(l->pipe, 0, &end, 1, false); /* a failure ends the pipe by itself */
	l->stream = NULL;
	weft_role_closed(s, WEFT_CAUSE_DONE, NULL);
	weft_pipe_resume(l->pipe);
}

static enum weft_status output(void *state, struct weft_error *err)
{
	struct weft_segment segs[SEGMENTS];
	struct lines *l = state;
	size_t count, taken = 1;
	bool fin = false;

	while (l->stream && taken && !fin) {
		count = SEGMENTS;
		taken = weft_stream_take(l->stream, weft_pipe_room(l->pipe), segs, &count, &fin);
		if (weft_pipe_send(l->pipe, 0, segs, count, false))
			weft_error_set(err, WEFT_ERR_MEMORY, 0, "an answer could not be sent");
		for (size_t i = 0; i < count; i++)
			weft_segment_release(&segs[i]);
		if (err->status)
			return err->status;
	}
	moved(l);
	if (l->stream && fin)
		answered(l);
	else if (l->stream && weft_stream_pending(l->stream, &fin))
		weft_pipe_want_output(l->pipe); /* there was no room: when there is */
	return WEFT_OK;
}

static enum weft_status tick(void *state, uint64_t now_us, struct weft_error *err)
{
	(void)state;
	(void)now_us;
	return weft_error_set(err, WEFT_ERR_TIMEOUT, 0, "nothing moved for too long");
}

static void ready(void *state, struct weft_stream *stream)
{
	(void)stream;
	weft_pipe_want_output(((struct lines *)state)->pipe);
}

/* Windows are for roles that give more before the first is taken; here it is a line at most. */
static void credit(void *state, struct weft_stream *stream, size_t len)
{
	(void)state, (void)stream, (void)len;
}

static void reset(void *state, struct weft_stream *stream)
{
	(void)stream;
	((struct lines *)state)->stream = NULL;
	weft_pipe_close(((struct lines *)state)->pipe);
}

static const struct weft_role_ops ops = {
	.size = sizeof(ops),
	.attach = attach,
	.detach = detach,
	.input = input,
	.output = output,
	.tick = tick,
	.ready = ready,
	.credit = credit,
	.reset = reset,
};

static const struct weft_scheme schemes[] = {
	{ .name = "lines", .tls = false },
	{ .name = "lines+tls", .tls = true },
	{ .name = NULL },
};
static const char *const alpn[] = { "lines", NULL };

static const struct weft_role role = {
	.size = sizeof(role),
	.caps = WEFT_ROLE_SERVER,
	.alpn = alpn,
	.schemes = schemes,
	.input_limit = LINE_MAX_BYTES,
	.token = "lines", /* HTTP/1.1's Upgrade, HTTP/2's :protocol */
	.ops = &ops,
};

WEFT_PLUGIN_DEFINE(role_lines) = {
	WEFT_PLUGIN_HEAD,
	.kind = WEFT_PLUGIN_ROLE,
	.name = "lines",
	.version = "1.0",
	.role = &role,
};
