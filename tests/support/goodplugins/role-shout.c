/* SPDX-License-Identifier: MIT */
/*
 * A stranger's role: a server that hands its peer's bytes on in capitals, and sends what it is told. It
 * is written against the public headers alone, and is not part of the build's table.
 */
#include "weft/plugin/plugin.h"
#include "weft/plugin/role.h"

enum { SEGMENTS = 8, PIECE = 512 };

struct shout {
	struct weft_pipe *pipe;
	const struct weft_allocator *alloc;
	const struct weft_limits *limits;
	struct weft_stream *stream;
	size_t given; /* bytes that the application has not taken yet */
	bool begun, blocked, in_done, out_done;
};

static enum weft_status shout_attach(
	const struct weft_role_attach *attach, void **state, struct weft_error *err)
{
	struct shout *s = weft_zalloc(attach->alloc, sizeof(*s));

	if (!s)
		return weft_error_set(err, WEFT_ERR_MEMORY, 0, "no memory to shout");
	s->pipe = attach->pipe;
	s->alloc = attach->alloc;
	s->limits = attach->limits;
	*state = s;
	weft_pipe_want_output(s->pipe);
	return WEFT_OK;
}

static void end_stream(struct shout *s, enum weft_cause cause, const struct weft_error *why)
{
	struct weft_stream *stream = s->stream;

	s->stream = NULL;
	if (stream)
		weft_role_closed(stream, cause, why);
}

static void shout_detach(void *state, const struct weft_error *why)
{
	struct shout *s = state;

	end_stream(s, WEFT_CAUSE_FAILED, why);
	weft_free(s->alloc, s, sizeof(*s));
}

static void begin(struct shout *s)
{
	const struct weft_head head = { .body_len = 0 };

	if (s->begun)
		return;
	s->begun = true;
	s->stream = weft_role_incoming(s->pipe);
	if (!s->stream || weft_role_head(s->stream, &head, WEFT_HEAD_FINAL))
		weft_pipe_close(s->pipe);
}

static void end_if_complete(struct shout *s)
{
	if (!s->stream || !s->in_done || !s->out_done)
		return;
	end_stream(s, WEFT_CAUSE_DONE, NULL);
	weft_pipe_close(s->pipe);
}

static void hand_on(struct shout *s, const unsigned char *bytes, size_t len)
{
	unsigned char loud[PIECE];

	for (size_t i = 0; i < len; i++)
		loud[i] = bytes[i] >= 'a' && bytes[i] <= 'z' ? bytes[i] - 'a' + 'A' : bytes[i];
	s->given += len;
	weft_role_data(s->stream, loud, len);
}

static enum weft_status shout_input(void *state, uint32_t port, const unsigned char *bytes,
	size_t len, bool fin, size_t *used, struct weft_error *err)
{
	struct shout *s = state;
	size_t n;

	(void)port;
	(void)err;
	begin(s);
	for (*used = 0; *used < len && s->stream; *used += n) {
		n = len - *used < PIECE ? len - *used : PIECE;
		s->blocked = s->given + n > s->limits->window_bytes;
		if (s->blocked)
			return WEFT_BLOCKED;
		hand_on(s, bytes + *used, n);
	}
	*used = len;
	if (fin && s->stream && !s->in_done) {
		s->in_done = true;
		weft_role_fin(s->stream);
		end_if_complete(s);
	}
	return WEFT_OK;
}

static enum weft_status shout_output(void *state, struct weft_error *err)
{
	struct weft_segment segs[SEGMENTS];
	struct shout *s = state;
	enum weft_status st;
	size_t count, n;

	begin(s);
	while (s->stream && !s->out_done) {
		count = SEGMENTS;
		n = weft_stream_take(
			s->stream, weft_pipe_room(s->pipe), segs, &count, &s->out_done);
		if (!n && !s->out_done)
			break;
		st = weft_pipe_send(s->pipe, 0, segs, count, s->out_done);
		for (size_t i = 0; i < count; i++)
			weft_segment_release(&segs[i]);
		if (st)
			return weft_error_set(err, st, 0, "could not shout");
	}
	if (s->stream && !s->out_done && weft_stream_pending(s->stream, &(bool){ false }))
		weft_pipe_want_output(s->pipe);
	end_if_complete(s);
	return WEFT_OK;
}

static void shout_ready(void *state, struct weft_stream *stream)
{
	(void)stream;
	weft_pipe_want_output(((struct shout *)state)->pipe);
}

static void shout_credit(void *state, struct weft_stream *stream, size_t n)
{
	struct shout *s = state;

	(void)stream;
	s->given -= n;
	if (!s->blocked)
		return;
	s->blocked = false;
	weft_pipe_resume(s->pipe);
}

static void shout_reset(void *state, struct weft_stream *stream)
{
	struct shout *s = state;

	(void)stream;
	s->stream = NULL;
	weft_pipe_close(s->pipe);
}

static const struct weft_role_ops shout_ops = {
	.size = sizeof(shout_ops),
	.attach = shout_attach,
	.detach = shout_detach,
	.input = shout_input,
	.output = shout_output,
	.ready = shout_ready,
	.credit = shout_credit,
	.reset = shout_reset,
};

static const struct weft_scheme shout_schemes[] = {
	{ .name = "shout", .port = 0, .tls = false },
	{ .name = NULL },
};

static const struct weft_role shout_role = {
	.size = sizeof(shout_role),
	.caps = WEFT_ROLE_SERVER,
	.schemes = shout_schemes,
	.input_limit = 65536,
	.ops = &shout_ops,
	.token = "shout",
};

WEFT_PLUGIN_DEFINE(role_shout) = {
	WEFT_PLUGIN_HEAD,
	.kind = WEFT_PLUGIN_ROLE,
	.name = "shout",
	.version = "7.1",
	.role = &shout_role,
};
