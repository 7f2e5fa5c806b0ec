/* SPDX-License-Identifier: MIT */
/* Bytes in: through nghttp2, whose callbacks find the stream and tell the core. */
#include <stdio.h>
#include <string.h>

#include "roles/h2/h2.h"

/* NGHTTP2_ERR_TOO_MANY_CONTINUATIONS, which only later headers name. */
enum { TOO_MANY_CONTINUATIONS = -905 };

int weft_h2_on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
	struct weft_h2 *h = user;
	struct weft_h2_stream *hs = h->client ? weft_h2_find(h, frame->hd.stream_id) : NULL;

	(void)session;
	if (hs)
		hs->heard = true; /* it is answered, well or not: nobody else is asked */
	weft_h2_block_begin(h);
	return 0;
}

int weft_h2_on_header(nghttp2_session *session, const nghttp2_frame *frame, nghttp2_rcbuf *name,
	nghttp2_rcbuf *value, uint8_t flags, void *user)
{
	struct weft_h2 *h = user;

	(void)session;
	(void)frame;
	(void)flags;
	weft_h2_block_add(h, name, value);
	return h->calm ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
}

/* The peer's direction is complete; unless this very frame was refused. */
static void fin_in(struct weft_h2_stream *hs)
{
	if (hs->in_done || hs->problem)
		return;
	hs->in_done = true;
	hs->in_us = weft_pipe_now(hs->h->pipe);
	/* what belongs to a tunnel that is not accepted yet is told with it */
	if (hs->stream && !hs->tunnel_due && !hs->hold_in)
		weft_role_fin(hs->stream);
}

static void trailers(struct weft_h2_stream *hs)
{
	struct weft_h2 *h = hs->h;
	struct weft_head head = { .body_len = -1 };
	struct weft_h2_head got;

	if (!hs->stream || h->block.over)
		return;
	if (!weft_h2_block_keep(h, hs->stream, 0, &got)) {
		weft_h2_break(hs, NGHTTP2_INTERNAL_ERROR, "no memory for trailers");
		return;
	}
	head.fields = got.fields;
	head.field_count = got.count;
	if (got.count)
		(void)weft_role_head_kept(hs->stream, &head, WEFT_HEAD_TRAILER);
}

static int headers(struct weft_h2 *h, const nghttp2_frame *frame)
{
	bool fin = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
	struct weft_h2_stream *hs = weft_h2_find(h, frame->hd.stream_id);
	int code = 0;

	weft_h2_earn(h, 4);
	if (!h->client && frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
		code = weft_h2_request(h, frame->hd.stream_id, fin);
		hs = weft_h2_find(h, frame->hd.stream_id);
	} else if (hs && (!h->client || hs->answered)) {
		trailers(hs);
	} else if (hs) {
		weft_h2_response(hs, fin);
	}
	weft_h2_block_end(h);
	if (hs && fin)
		fin_in(hs);
	return code;
}

/* The final one may come with streams below it that are still to be answered. */
static void goaway(struct weft_h2 *h, const nghttp2_goaway *frame)
{
	if (frame->error_code && !h->problem[0])
		snprintf(h->problem, sizeof(h->problem), "the peer said goodbye: %s",
			nghttp2_http2_strerror(frame->error_code));
	if (!h->client)
		return;
	h->going = true;
	weft_role_drained(h->pipe);
	weft_role_capacity_changed(h->pipe);
}

static void settings(struct weft_h2 *h, const nghttp2_frame *frame)
{
	if (frame->hd.flags & NGHTTP2_FLAG_ACK)
		return;
	h->settled = true;
	h->learned = 0;
	if (h->client)
		weft_role_capacity_changed(h->pipe);
}

/* Nothing but padding, and more is to come. */
static bool is_empty(const nghttp2_frame *frame)
{
	return frame->hd.length <= frame->data.padlen &&
	       !(frame->hd.flags & NGHTTP2_FLAG_END_STREAM);
}

int weft_h2_on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
	struct weft_h2 *h = user;
	struct weft_h2_stream *hs;

	(void)session;
	switch (frame->hd.type) {
	case NGHTTP2_HEADERS:
		return headers(h, frame);
	case NGHTTP2_DATA:
		if (is_empty(frame) && !weft_h2_spend(h, 1))
			return NGHTTP2_ERR_CALLBACK_FAILURE;
		hs = weft_h2_find(h, frame->hd.stream_id);
		if (hs && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM))
			fin_in(hs);
		break;
	case NGHTTP2_SETTINGS:
		settings(h, frame);
		break;
	case NGHTTP2_PING:
		if (frame->hd.flags & NGHTTP2_FLAG_ACK)
			weft_h2_pong(h);
		break;
	case NGHTTP2_GOAWAY:
		goaway(h, &frame->goaway);
		break;
	default:
		break;
	}
	return 0;
}

static void no_early(struct weft_h2_stream *hs, size_t n)
{
	weft_h2_credit(hs, n);
	if (hs->early.failed)
		weft_h2_break(hs, NGHTTP2_INTERNAL_ERROR, "no memory for a tunnel's bytes");
}

int weft_h2_on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *bytes,
	size_t len, void *user)
{
	struct weft_h2 *h = user;
	struct weft_h2_stream *hs = weft_h2_find(h, id);

	(void)session;
	(void)flags;
	weft_h2_earn(h, 2);
	if (!hs) { /* it was given up, and nghttp2 does not know yet */
		(void)nghttp2_session_consume_connection(h->session, len);
		return 0;
	}
	hs->in_us = weft_pipe_now(h->pipe);
	hs->rate_bytes = weft_h2_add_capped(hs->rate_bytes, len);
	weft_h2_arrived(hs, len);
	if (hs->out_done)
		weft_h2_drained(hs, len);
	if (hs->hold_in || hs->tunnel_due) {
		weft_buffer_append(&hs->early, bytes, len);
		if (hs->early.failed)
			no_early(hs, len);
	} else if (hs->stream) {
		weft_role_data(hs->stream, bytes, len);
	} else {
		weft_h2_credit(hs, len);
	}
	return 0;
}

/* What the application is told of a stream that ended before it was complete. */
static void say_why(const struct weft_h2_stream *hs, uint32_t code, struct weft_error *why)
{
	const struct weft_h2 *h = hs->h;

	if (hs->problem)
		weft_error_set(why,
			code == NGHTTP2_INTERNAL_ERROR ? WEFT_ERR_MEMORY : WEFT_ERR_PROTOCOL,
			(int)code, "HTTP/2: %s", hs->problem);
	else if (h->problem[0] && code == NGHTTP2_PROTOCOL_ERROR)
		weft_error_set(why, WEFT_ERR_PROTOCOL, (int)code, "HTTP/2: %s", h->problem);
	else if (h->client && code == NGHTTP2_HTTP_1_1_REQUIRED)
		weft_error_set(why, WEFT_ERR_UNSUPPORTED, (int)code,
			"the server answers this over HTTP/1.1 only (HTTP_1_1_REQUIRED): ask with "
			"ALPN "
			"http/1.1");
	else
		weft_error_set(why, WEFT_ERR_RESET, (int)code, "the %s reset the stream (%s)",
			h->client ? "server" : "client", nghttp2_http2_strerror(code));
	if (hs->late)
		why->status = WEFT_ERR_TIMEOUT;
}

static enum weft_cause cause_of(const struct weft_h2_stream *hs, uint32_t code)
{
	if (!hs->h->client)
		return WEFT_CAUSE_FAILED;
	if (!hs->headers_out)
		return WEFT_CAUSE_UNSENT;
	if (!hs->heard && code == NGHTTP2_REFUSED_STREAM)
		return WEFT_CAUSE_UNPROCESSED;
	return WEFT_CAUSE_FAILED;
}

/* Complete both ways, or as good as: RFC 9113 section 8.1 lets a server end what it does not read. */
static bool is_done(const struct weft_h2_stream *hs, uint32_t code)
{
	if (hs->h->client)
		return code == NGHTTP2_NO_ERROR && hs->in_done;
	return code == NGHTTP2_NO_ERROR && hs->in_done && hs->out_done;
}

int weft_h2_on_stream_close(nghttp2_session *session, int32_t id, uint32_t code, void *user)
{
	struct weft_h2 *h = user;
	struct weft_h2_stream *hs = weft_h2_find(h, id);
	struct weft_error why;

	(void)session;
	if (!hs)
		return 0;
	weft_h2_tell_tunnels(h);
	/* work that was begun for nothing */
	if (!h->client && code != NGHTTP2_NO_ERROR && !hs->out_done && !hs->late)
		(void)weft_h2_spend_reset(h);
	(void)nghttp2_session_set_stream_user_data(h->session, id, NULL);
	if (is_done(hs, code)) {
		weft_h2_give_back(hs, WEFT_CAUSE_DONE, NULL);
	} else if (hs->stream) {
		say_why(hs, code, &why);
		weft_h2_give_back(hs, cause_of(hs, code), &why);
	} else {
		weft_h2_credit(hs, hs->given);
	}
	weft_h2_stream_free(hs);
	if (code == NGHTTP2_REFUSED_STREAM)
		h->learned = h->count ? h->count : 1;
	if (h->client)
		weft_role_capacity_changed(h->pipe);
	weft_pipe_want_output(h->pipe);
	return h->calm ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
}

/* A client that said all it has to say: what is complete is answered. */
static void client_ended(struct weft_h2 *h)
{
	h->ended = h->going = h->draining = true;
	for (struct weft_h2_stream *hs = h->first; hs; hs = hs->next) {
		if (!hs->in_done)
			weft_h2_break(hs, NGHTTP2_CANCEL,
				"the connection ended before the request was complete");
	}
	weft_pipe_want_output(h->pipe);
}

/* The end of the peer's bytes. */
static void peer_ended(struct weft_h2 *h)
{
	struct weft_error why;

	if (!h->client && h->first) {
		client_ended(h);
		return;
	}
	h->closing = true;
	if (!h->first) {
		weft_pipe_close(h->pipe);
		return;
	}
	weft_error_set(&why, h->going ? WEFT_ERR_RESET : WEFT_ERR_TRUNCATED, 0,
		"the connection ended before its streams were complete");
	weft_pipe_fail(h->pipe, &why);
}

/* A peer that writes and does not read: no more of it until what we have to say went out. */
static bool must_wait(const struct weft_h2 *h)
{
	return !weft_pipe_room(h->pipe) &&
	       nghttp2_session_get_outbound_queue_size(h->session) > WEFT_H2_QUEUE;
}

enum weft_status weft_h2_input(struct weft_h2 *h, const unsigned char *in, size_t len, bool fin,
	size_t *used, struct weft_error *err)
{
	ssize_t n = 0;

	*used = len;
	if (h->closing)
		return WEFT_OK;
	weft_h2_tell_tunnels(h);
	if (h->starved)
		return weft_h2_failed(h, NGHTTP2_ERR_NOMEM, err);
	if (len) {
		h->in_us = weft_pipe_now(h->pipe);
		n = nghttp2_session_mem_recv(h->session, in, len);
		h->calm |= n == NGHTTP2_ERR_FLOODED || n == TOO_MANY_CONTINUATIONS;
		weft_pipe_want_output(h->pipe);
	}
	if (n < 0 || h->calm) {
		if (h->starved)
			return weft_h2_failed(h, NGHTTP2_ERR_NOMEM, err);
		if (h->calm)
			(void)nghttp2_session_terminate_session(
				h->session, NGHTTP2_ENHANCE_YOUR_CALM);
		else if (n != NGHTTP2_ERR_NOMEM)
			(void)nghttp2_session_terminate_session(h->session, NGHTTP2_PROTOCOL_ERROR);
		return weft_h2_failed(h, (int)n, err);
	}
	if (fin)
		peer_ended(h);
	else if (must_wait(h))
		h->blocked = true;
	return h->blocked ? WEFT_BLOCKED : WEFT_OK;
}
