/* SPDX-License-Identifier: MIT */
/* Bytes as they are: one stream a connection, each direction ended by its own side. */
#include "weft/plugin/plugin.h"
#include "weft/plugin/policy.h"
#include "weft/plugin/role.h"

enum { TAKE_SEGMENTS = 16, WINDOW_DEFAULT = 65536 };

struct raw {
	struct weft_pipe *pipe;
	const struct weft_allocator *alloc;
	const struct weft_limits *limits;
	struct weft_stream *stream;
	uint64_t given;    /* bytes that the application has not taken yet */
	uint64_t moved_us; /* when a byte went either way */
	uint64_t armed_us;
	bool client;
	bool begun;   /* the one stream was had */
	bool touched; /* a byte of it went either way */
	bool in_done, out_done;
	bool stalled;
	bool closing;
};

static uint32_t idle_ms(const struct raw *r)
{
	return (r->stream ? weft_stream_limits(r->stream) : r->limits)->idle_ms;
}

/* What was given to the pipe goes out later, as the peer takes it. */
static uint64_t idle_due(const struct raw *r)
{
	uint64_t sent = weft_pipe_sent_at(r->pipe);

	return (sent > r->moved_us ? sent : r->moved_us) + (uint64_t)idle_ms(r) * 1000;
}

static void arm(struct raw *r)
{
	uint64_t due;

	if (r->closing || !idle_ms(r) || r->stalled)
		return;
	due = idle_due(r);
	if (due >= r->armed_us)
		return;
	r->armed_us = due;
	weft_pipe_deadline(r->pipe, due);
}

static void moved(struct raw *r)
{
	r->touched = true;
	r->moved_us = weft_pipe_now(r->pipe);
}

static enum weft_status raw_attach(
	const struct weft_role_attach *attach, void **state, struct weft_error *err)
{
	struct raw *r = weft_zalloc(attach->alloc, sizeof(*r));

	if (!r)
		return weft_error_set(err, WEFT_ERR_MEMORY, 0, "no memory for a raw connection");
	r->pipe = attach->pipe;
	r->alloc = attach->alloc;
	r->limits = attach->limits;
	r->client = attach->client;
	r->armed_us = WEFT_NEVER;
	r->moved_us = weft_pipe_now(r->pipe);
	/* a server's stream begins without a byte of the peer's: it may be the server that speaks first */
	if (!r->client)
		weft_pipe_want_output(r->pipe);
	arm(r);
	*state = r;
	return WEFT_OK;
}

static void end_stream(struct raw *r, enum weft_cause cause, const struct weft_error *why)
{
	struct weft_stream *s = r->stream;

	r->stream = NULL;
	if (s)
		weft_role_closed(s, cause, why);
}

static enum weft_cause cause_of(const struct raw *r)
{
	return r->client && !r->touched ? WEFT_CAUSE_UNSENT : WEFT_CAUSE_FAILED;
}

static void raw_detach(void *state, const struct weft_error *why)
{
	struct raw *r = state;

	r->closing = true;
	end_stream(r, cause_of(r), why);
	weft_free(r->alloc, r, sizeof(*r));
}

static void close_pipe(struct raw *r)
{
	r->closing = true;
	weft_pipe_close(r->pipe);
}

static void finish_if_complete(struct raw *r)
{
	if (!r->stream || !r->in_done || !r->out_done)
		return;
	end_stream(r, WEFT_CAUSE_DONE, NULL);
	close_pipe(r);
}

/* A server's stream: made at the first opportunity to call up. */
static void begin(struct raw *r)
{
	const struct weft_head head = { .body_len = 0 };
	struct weft_error why;

	if (r->client || r->begun)
		return;
	r->begun = true;
	r->stream = weft_role_incoming(r->pipe);
	if (!r->stream) {
		close_pipe(r);
		return;
	}
	if (weft_role_head(r->stream, &head, WEFT_HEAD_FINAL)) {
		weft_error_set(&why, WEFT_ERR_MEMORY, 0, "no memory for a stream");
		end_stream(r, WEFT_CAUSE_FAILED, &why);
		close_pipe(r);
	}
}

/* What the stream may be given. There is one. */
static size_t window(const struct raw *r)
{
	const struct weft_limits *limits = r->stream ? weft_stream_limits(r->stream) : r->limits;
	uint64_t max = limits->window_bytes ? limits->window_bytes : WINDOW_DEFAULT;

	if (!max)
		max = WINDOW_DEFAULT;
	return r->given < max ? (size_t)(max - r->given) : 0;
}

static enum weft_status raw_input(void *state, uint32_t port, const unsigned char *bytes,
	size_t len, bool fin, size_t *used, struct weft_error *err)
{
	struct raw *r = state;
	size_t n;

	(void)port;
	(void)err;
	*used = 0;
	begin(r);
	if (!r->stream && !r->closing && r->client && !r->begun)
		/* the server spoke, or hung up, before our stream came: that can wait */
		return len || fin ? WEFT_BLOCKED : WEFT_OK;
	if (!r->stream || r->closing) {
		*used = len;
		return WEFT_OK;
	}
	/* the window opens again while the application takes all that it is given */
	while (*used < len && r->stream && !r->closing && (n = window(r))) {
		n = len - *used < n ? len - *used : n;
		moved(r);
		r->given += n;
		weft_role_data(r->stream, bytes + *used, n);
		*used += n;
	}
	if (!r->stream || r->closing) {
		*used = len;
		return WEFT_OK;
	}
	if (*used < len) {
		r->stalled = true;
		return WEFT_BLOCKED;
	}
	if (fin && !r->in_done) {
		r->in_done = true;
		moved(r);
		weft_role_fin(r->stream);
		finish_if_complete(r);
	}
	arm(r);
	return WEFT_OK;
}

/* One helping of the outbox. AGAIN: nothing more goes now. */
static enum weft_status send_some(struct raw *r)
{
	struct weft_segment segs[TAKE_SEGMENTS];
	size_t count = TAKE_SEGMENTS, n;
	enum weft_status st = WEFT_OK;
	bool fin = false;

	n = weft_stream_take(r->stream, weft_pipe_room_for(r->pipe, r->stream), segs, &count, &fin);
	if (n || fin) {
		moved(r);
		st = weft_pipe_send(r->pipe, 0, segs, count, fin);
	}
	for (size_t i = 0; i < count; i++)
		weft_segment_release(&segs[i]);
	if (st)
		return st;
	r->out_done = fin;
	if (n && !fin)
		return WEFT_OK;
	if (weft_stream_pending(r->stream, &fin))
		weft_pipe_want_output(r->pipe);
	return WEFT_AGAIN;
}

static enum weft_status raw_output(void *state, struct weft_error *err)
{
	struct raw *r = state;
	enum weft_status st = WEFT_OK;

	begin(r);
	while (st == WEFT_OK && r->stream && !r->out_done && !r->closing)
		st = send_some(r);
	if (st < 0) {
		weft_error_set(err, st, 0, "the bytes could not be sent");
		end_stream(r, WEFT_CAUSE_FAILED, err);
		r->closing = true;
		return st;
	}
	finish_if_complete(r);
	arm(r);
	return WEFT_OK;
}

static enum weft_status raw_tick(void *state, uint64_t now_us, struct weft_error *err)
{
	struct raw *r = state;

	r->armed_us = WEFT_NEVER;
	if (r->closing)
		return WEFT_OK;
	if (!r->stalled && idle_ms(r) && now_us >= idle_due(r)) {
		weft_error_set(err, WEFT_ERR_TIMEOUT, 0, "nothing moved for %u ms", idle_ms(r));
		r->closing = true;
		end_stream(r, WEFT_CAUSE_FAILED, err);
		return WEFT_ERR_TIMEOUT;
	}
	arm(r);
	return WEFT_OK;
}

static unsigned raw_capacity(void *state)
{
	const struct raw *r = state;

	return r->client && !r->begun && !r->closing;
}

static enum weft_status raw_open(void *state, struct weft_stream *stream, struct weft_error *err)
{
	struct raw *r = state;

	if (!raw_capacity(r))
		return weft_error_set(err, WEFT_ERR_STATE, 0, "the connection is taken");
	r->begun = true;
	r->stream = stream;
	r->moved_us = weft_pipe_now(r->pipe);
	arm(r);
	weft_pipe_resume(r->pipe);
	weft_pipe_want_output(r->pipe);
	return WEFT_OK;
}

static void raw_ready(void *state, struct weft_stream *stream)
{
	struct raw *r = state;

	(void)stream;
	weft_pipe_want_output(r->pipe);
}

static void raw_credit(void *state, struct weft_stream *stream, size_t n)
{
	struct raw *r = state;

	r->given -= n < r->given ? n : r->given;
	if (!r->stalled || r->given > weft_stream_limits(stream)->window_bytes / 2)
		return;
	r->stalled = false;
	r->moved_us = weft_pipe_now(r->pipe);
	arm(r);
	weft_pipe_resume(r->pipe);
}

/* Bytes that were promised and do not come can only be told from an end by a reset. */
static void raw_reset(void *state, struct weft_stream *stream)
{
	struct raw *r = state;
	struct weft_error why;
	bool fin;

	if (r->stream != stream)
		return;
	r->stream = NULL;
	r->closing = true;
	if (!weft_stream_pending(stream, &fin)) {
		weft_pipe_close(r->pipe);
		return;
	}
	weft_error_set(&why, WEFT_ERR_RESET, 0, "the stream was given up with bytes unsent");
	weft_pipe_fail(r->pipe, &why);
}

static void raw_drain(void *state)
{
	struct raw *r = state;

	if (!r->stream && !r->closing)
		close_pipe(r);
}

static const struct weft_role_ops raw_ops = {
	.size = sizeof(raw_ops),
	.attach = raw_attach,
	.detach = raw_detach,
	.input = raw_input,
	.output = raw_output,
	.tick = raw_tick,
	.capacity = raw_capacity,
	.open = raw_open,
	.ready = raw_ready,
	.credit = raw_credit,
	.reset = raw_reset,
	.drain = raw_drain,
};

static const struct weft_scheme raw_schemes[] = {
	{ .name = "tcp", .port = 0, .tls = false },
	{ .name = "tls", .port = 0, .tls = true },
	{ .name = NULL },
};

static const struct weft_role_policy raw_policy = {
	.size = sizeof(raw_policy),
	.flows = true,
};

static const struct weft_role raw_role = {
	.size = sizeof(raw_role),
	.caps = WEFT_ROLE_CLIENT | WEFT_ROLE_SERVER,
	.schemes = raw_schemes,
	.input_limit = 131072,
	.ops = &raw_ops,
	.policy = &raw_policy,
};

WEFT_PLUGIN_DEFINE(role_raw) = {
	WEFT_PLUGIN_HEAD,
	.kind = WEFT_PLUGIN_ROLE,
	.name = "raw",
	.version = WEFT_VERSION,
	.role = &raw_role,
};
