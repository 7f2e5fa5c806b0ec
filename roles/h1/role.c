/* SPDX-License-Identifier: MIT */
/* The role's descriptor and ops: which side does what. */
#include "roles/h1/h1.h"
#include "roles/http/carry.h"
#include "roles/http/policy.h"
#include "weft/plugin/plugin.h"

static enum weft_status h1_attach(
	const struct weft_role_attach *attach, void **state, struct weft_error *err)
{
	struct weft_h1 *h = weft_zalloc(attach->alloc, sizeof(*h));

	if (!h)
		return weft_error_set(err, WEFT_ERR_MEMORY, 0, "no memory for HTTP/1.1");
	h->pipe = attach->pipe;
	h->limits = attach->limits;
	h->client = attach->client;
	h->armed_us = WEFT_NEVER;
	weft_h1_moved(h);
	weft_h1_arm(h);
	*state = h;
	return WEFT_OK;
}

static void h1_detach(void *state, const struct weft_error *why)
{
	struct weft_h1 *h = state;

	h->closing = true;
	if (h->active)
		weft_h1_end_exchange(h, h->client ? weft_h1_cause(h) : WEFT_CAUSE_FAILED, why);
	weft_free(weft_pipe_alloc(h->pipe), h, sizeof(*h));
}

static enum weft_status h1_input(void *state, uint32_t port, const unsigned char *bytes, size_t len,
	bool fin, size_t *used, struct weft_error *err)
{
	struct weft_h1 *h = state;
	enum weft_status st;

	(void)port;
	if (fin)
		h->peer_fin = true;
	st = h->client ? weft_h1_client_input(h, bytes, len, used, err)
		       : weft_h1_server_input(h, bytes, len, used);
	weft_h1_arm(h);
	return st;
}

static enum weft_status h1_output(void *state, struct weft_error *err)
{
	struct weft_h1 *h = state;
	enum weft_status st = WEFT_OK;

	if (h->client)
		st = weft_h1_client_output(h, err);
	else
		weft_h1_server_output(h);
	weft_h1_arm(h);
	return st;
}

static enum weft_status h1_tick(void *state, uint64_t now_us, struct weft_error *err)
{
	return weft_h1_tick(state, now_us, err);
}

static unsigned h1_capacity(void *state)
{
	const struct weft_h1 *h = state;

	return h->client && !h->active && !h->closing && !h->draining && !h->peer_fin;
}

static enum weft_status h1_open(void *state, struct weft_stream *stream, struct weft_error *err)
{
	return weft_h1_open(state, stream, err);
}

static enum weft_status h1_head(void *state, struct weft_stream *stream,
	const struct weft_head *head, enum weft_head_kind kind, bool fin, struct weft_error *err)
{
	struct weft_h1 *h = state;

	if (!h->active || h->closing || h->stream != stream)
		return weft_error_set(err, WEFT_ERR_STATE, 0, "the exchange is over");
	if (kind == WEFT_HEAD_TRAILER)
		return weft_h1_trailer(h, head, err);
	if (h->client)
		return weft_error_set(err, WEFT_ERR_STATE, 0, "a client's head was sent already");
	return weft_h1_respond(h, head, kind, fin, err);
}

static void h1_ready(void *state, struct weft_stream *stream)
{
	struct weft_h1 *h = state;

	(void)stream;
	weft_pipe_want_output(h->pipe);
}

/* Reading goes on once half the window is free: not for each byte that the application takes. */
static void h1_credit(void *state, struct weft_stream *stream, size_t n)
{
	struct weft_h1 *h = state;

	if (h->stream != stream)
		return;
	h->in.given -= n < h->in.given ? (uint32_t)n : h->in.given;
	if (!h->in.stalled || h->in.given > weft_stream_limits(stream)->window_bytes / 2)
		return;
	h->in.stalled = false;
	weft_h1_moved(h);
	weft_h1_rate_begin(h);
	weft_pipe_resume(h->pipe);
}

/*
 * A server whose response is complete reads on without the stream, and an exchange that is complete both
 * ways ends as any other. Else the connection ends with the stream.
 */
static void h1_reset(void *state, struct weft_stream *stream)
{
	struct weft_h1 *h = state;
	struct weft_error why;
	bool cut;

	if (!h->active || h->stream != stream)
		return;
	/* "answer, then close" is one thought: what is complete in the outbox still counts */
	if (!h->client && h->out.body != WEFT_HTTP_BODY_TUNNEL)
		(void)weft_h1_body_out(h, &why);
	h->stream = NULL;
	if (h->client && h->in.done && h->out.done)
		return; /* within the upcall that told the end */
	if (!h->client && h->out.done && h->in.body != WEFT_HTTP_BODY_TUNNEL) {
		if (h->in.stalled) {
			h->in.stalled = false;
			weft_h1_rate_begin(h);
			weft_pipe_resume(h->pipe);
		}
		weft_pipe_want_output(h->pipe);
		return;
	}
	cut = !h->client && weft_h1_cut_needs_reset(h);
	weft_h1_reset_exchange(h);
	h->closing = true;
	weft_error_set(&why, cut ? WEFT_ERR_RESET : WEFT_ERR_CANCELLED, 0,
		"an exchange was given up before it was complete");
	weft_pipe_fail(h->pipe, &why);
}

static void h1_drain(void *state)
{
	struct weft_h1 *h = state;

	h->draining = true;
	if (!h->active && !h->closing)
		weft_h1_close(h);
}

static const struct weft_role_ops h1_ops = {
	.size = sizeof(h1_ops),
	.attach = h1_attach,
	.detach = h1_detach,
	.input = h1_input,
	.output = h1_output,
	.tick = h1_tick,
	.capacity = h1_capacity,
	.open = h1_open,
	.head = h1_head,
	.ready = h1_ready,
	.credit = h1_credit,
	.reset = h1_reset,
	.drain = h1_drain,
	.carry = weft_http_carry,
};

/* the second for clients that offer nothing else: RFC 7301 section 3.2 would have them refused */
static const char *const h1_alpn[] = { "http/1.1", "http/1.0", NULL };

static const struct weft_scheme h1_schemes[] = {
	{ .name = "http", .port = 80, .tls = false },
	{ .name = "https", .port = 443, .tls = true },
	{ .name = NULL },
};

static const struct weft_role h1_role = {
	.size = sizeof(h1_role),
	.caps = WEFT_ROLE_CLIENT | WEFT_ROLE_SERVER | WEFT_ROLE_UPGRADE,
	.alpn = h1_alpn,
	.schemes = h1_schemes,
	/* a head, which the scan bounds more narrowly, and what was read behind it */
	.input_limit = (size_t)WEFT_H1_HEAD_MAX + 131072,
	.ops = &h1_ops,
	.policy = &weft_http_policy,
};

WEFT_PLUGIN_DEFINE(role_h1) = {
	WEFT_PLUGIN_HEAD,
	.kind = WEFT_PLUGIN_ROLE,
	.name = "h1",
	.version = WEFT_VERSION,
	.role = &h1_role,
};
