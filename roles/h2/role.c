/* SPDX-License-Identifier: MIT */
/* The role's descriptor and ops. */
#include "roles/h2/h2.h"
#include "roles/http/carry.h"
#include "roles/http/policy.h"
#include "weft/plugin/plugin.h"

static void h2_free(struct weft_h2 *h)
{
	while (h->first)
		weft_h2_stream_free(h->first);
	weft_h2_memory_end(h);
	weft_h2_block_finish(h);
	weft_free(h->alloc, h, sizeof(*h));
}

static enum weft_status h2_attach(
	const struct weft_role_attach *attach, void **state, struct weft_error *err)
{
	struct weft_h2 *h = weft_zalloc(weft_pipe_quick(attach->pipe), sizeof(*h));
	enum weft_status st;

	if (!h)
		return weft_error_set(err, WEFT_ERR_MEMORY, 0, "no memory for HTTP/2");
	h->pipe = attach->pipe;
	h->alloc = weft_pipe_quick(h->pipe);
	h->limits = attach->limits;
	h->client = attach->client;
	h->armed_us = WEFT_NEVER;
	h->in_us = h->idle_us = weft_pipe_now(h->pipe);
	weft_buffer_init(&h->block.text, h->alloc);
	weft_buffer_init(&h->block.table, h->alloc);
	weft_h2_abuse_begin(h);
	st = weft_h2_session_make(h, err);
	if (st) {
		h2_free(h);
		return st;
	}
	weft_h2_arm(h);
	weft_pipe_want_output(h->pipe);
	*state = h;
	return WEFT_OK;
}

static uint32_t goodbye(const struct weft_h2 *h, const struct weft_error *why)
{
	if (h->calm)
		return NGHTTP2_ENHANCE_YOUR_CALM;
	return why->status == WEFT_ERR_PROTOCOL ? NGHTTP2_PROTOCOL_ERROR : NGHTTP2_NO_ERROR;
}

static void h2_detach(void *state, const struct weft_error *why)
{
	struct weft_h2 *h = state;

	h->closing = true;
	if (!h->starved) {
		(void)nghttp2_session_terminate_session(h->session, goodbye(h, why));
		weft_h2_output_last(h);
	}
	for (struct weft_h2_stream *hs = h->first; hs; hs = hs->next)
		weft_h2_give_back(hs, weft_h2_cause(hs), why);
	h2_free(h);
}

static enum weft_status h2_input(void *state, uint32_t port, const unsigned char *bytes, size_t len,
	bool fin, size_t *used, struct weft_error *err)
{
	struct weft_h2 *h = state;
	enum weft_status st;

	(void)port;
	st = weft_h2_input(h, bytes, len, fin, used, err);
	weft_h2_arm(h);
	return st;
}

static enum weft_status h2_output(void *state, struct weft_error *err)
{
	enum weft_status st = weft_h2_output(state, err);

	weft_h2_arm(state);
	return st;
}

static enum weft_status h2_tick(void *state, uint64_t now_us, struct weft_error *err)
{
	return weft_h2_tick(state, now_us, err);
}

static unsigned h2_capacity(void *state)
{
	return weft_h2_capacity(state);
}

static enum weft_status h2_open(void *state, struct weft_stream *stream, struct weft_error *err)
{
	return weft_h2_open(state, stream, err);
}

static enum weft_status h2_head(void *state, struct weft_stream *stream,
	const struct weft_head *head, enum weft_head_kind kind, bool fin, struct weft_error *err)
{
	struct weft_h2_stream *hs = weft_stream_role_data(stream);
	struct weft_h2 *h = state;

	if (!hs || h->closing)
		return weft_error_set(err, WEFT_ERR_STATE, 0, "the exchange is over");
	if (kind == WEFT_HEAD_TRAILER)
		return weft_h2_trailer(hs, head, err);
	if (h->client)
		return weft_error_set(err, WEFT_ERR_STATE, 0, "a client's head was sent already");
	return weft_h2_respond(hs, head, kind, fin, err);
}

static void h2_ready(void *state, struct weft_stream *stream)
{
	struct weft_h2_stream *hs = weft_stream_role_data(stream);

	(void)state;
	if (hs)
		weft_h2_ready(hs);
}

static void h2_credit(void *state, struct weft_stream *stream, size_t n)
{
	struct weft_h2_stream *hs = weft_stream_role_data(stream);

	(void)state;
	if (hs)
		weft_h2_credit(hs, n);
}

/* "Answer, then close" is one thought: a response that is complete in the outbox still goes out. */
static bool outlives(struct weft_h2_stream *hs)
{
	bool fin;

	if (hs->h->client || !hs->head_sent || hs->tunnel || hs->reset_sent)
		return false;
	if (hs->out_done || hs->no_body)
		return true;
	(void)weft_stream_pending(hs->stream, &fin);
	return fin && weft_h2_keep(hs);
}

static void h2_reset(void *state, struct weft_stream *stream)
{
	struct weft_h2_stream *hs = weft_stream_role_data(stream);
	struct weft_h2 *h = state;
	bool done, goes_on;

	if (!hs)
		return;
	done = hs->in_done && hs->out_done;
	goes_on = outlives(hs);
	hs->stream = NULL;
	weft_h2_credit(hs, hs->given);
	if (done)
		return;
	if (!goes_on)
		weft_h2_reset(hs, h->client ? NGHTTP2_CANCEL : NGHTTP2_INTERNAL_ERROR);
	else if (hs->out_done && !hs->in_done)
		weft_h2_reset(hs, NGHTTP2_NO_ERROR);
	weft_h2_ready(hs);
}

static void h2_drain(void *state)
{
	weft_h2_drain(state);
}

static const struct weft_role_ops h2_ops = {
	.size = sizeof(h2_ops),
	.attach = h2_attach,
	.detach = h2_detach,
	.input = h2_input,
	.output = h2_output,
	.tick = h2_tick,
	.capacity = h2_capacity,
	.open = h2_open,
	.head = h2_head,
	.ready = h2_ready,
	.credit = h2_credit,
	.reset = h2_reset,
	.drain = h2_drain,
	.carry = weft_http_carry,
};

static const char *const h2_alpn[] = { "h2", NULL };

static const struct weft_scheme h2_schemes[] = {
	{ .name = "http", .port = 80, .tls = false },
	{ .name = "https", .port = 443, .tls = true },
	{ .name = NULL },
};

static const struct weft_role h2_role = {
	.size = sizeof(h2_role),
	.caps = WEFT_ROLE_CLIENT | WEFT_ROLE_SERVER | WEFT_ROLE_MUX | WEFT_ROLE_UPGRADE |
		WEFT_ROLE_NEGOTIATED,
	.alpn = h2_alpn,
	.schemes = h2_schemes,
	/* nghttp2 keeps what it needs of a frame itself */
	.input_limit = 131072,
	.preface = { (const unsigned char *)NGHTTP2_CLIENT_MAGIC, NGHTTP2_CLIENT_MAGIC_LEN },
	.ops = &h2_ops,
	.policy = &weft_http_policy,
};

WEFT_PLUGIN_DEFINE(role_h2) = {
	WEFT_PLUGIN_HEAD,
	.kind = WEFT_PLUGIN_ROLE,
	.name = "h2",
	.version = WEFT_VERSION " (nghttp2 " NGHTTP2_VERSION ")",
	.role = &h2_role,
};
