/* SPDX-License-Identifier: MIT */
/* The server's side: requests in, one after the other, each answered before the next is looked at. */
#include <string.h>

#include "roles/h1/h1.h"
#include "roles/http/keep.h"
#include "roles/http/target.h"

/* Of a request whose response is complete; beyond it the connection ends. */
enum { DRAIN_MAX = 65536 };

/* What a request's head says, once it passed all checks. */
struct request {
	struct weft_span bytes; /* all of it, in the input */
	struct weft_http_message m;
	struct weft_http_facts facts;
	struct weft_http_target target;
	enum weft_http_body body;
	uint64_t length;
};

static bool is_method(const struct request *r, const char *name)
{
	return r->m.method.len == strlen(name) && !memcmp(r->m.method.ptr, name, r->m.method.len);
}

/* RFC 9110 section 7.4: what is for https only must not be answered in the clear. */
static bool misdirected(const struct weft_h1 *h, const struct request *r)
{
	const char *scheme = r->target.scheme;

	return scheme && weft_pipe_secure(h->pipe) != !strcmp(scheme, "https");
}

static enum weft_status read_request(const struct weft_h1 *h, const unsigned char *in,
	struct request *r, struct weft_http_refusal *no)
{
	enum weft_status st = weft_http_parse(&h->in.scan, WEFT_HTTP_REQUEST, in, &r->m, no);

	if (st)
		return st;
	weft_http_facts(&r->m, &r->facts);
	st = weft_http_request_body(&r->m, &r->facts, &r->body, &r->length, no);
	if (st == WEFT_OK)
		st = weft_http_request_target(&r->m, &r->facts, &r->target, no);
	if (st == WEFT_OK && misdirected(h, r))
		st = weft_http_refuse(no, 421, "a target for the other one of http and https");
	if (st == WEFT_OK && r->facts.expect_other)
		st = weft_http_refuse(no, 417, "an expectation other than 100-continue");
	return st;
}

/* Tells the core, with texts that are the stream's own. */
static enum weft_status tell_head(struct weft_h1 *h, const struct request *r)
{
	struct weft_stream *s = h->stream;
	struct weft_http_kept kept;
	struct weft_head head = {
		.scheme = weft_pipe_secure(h->pipe) ? "https" : "http",
		.version = r->m.version,
		.body_len = r->body == WEFT_HTTP_BODY_CHUNKED ? -1 : (int64_t)r->length,
		.field_count = r->m.count,
	};
	/* in the absolute form the path begins where the authority ends */
	bool apart = r->target.authority.ptr + r->target.authority.len != r->target.target.ptr;

	if (weft_http_keep(s, &r->bytes, &r->m, &kept))
		return WEFT_ERR_MEMORY;
	head.fields = kept.fields;
	if (r->target.authority.len) {
		head.authority = weft_http_kept_text(s, &kept, &r->target.authority, apart);
		if (!head.authority)
			return WEFT_ERR_MEMORY;
	}
	head.method = weft_http_kept_text(s, &kept, &r->m.method, true);
	head.target = weft_http_kept_text(s, &kept, &r->target.target, true);
	if (!head.method || !head.target)
		return WEFT_ERR_MEMORY;
	return weft_role_head_kept(s, &head, WEFT_HEAD_FINAL);
}

static void begin_exchange(struct weft_h1 *h, const struct request *r, struct weft_stream *s)
{
	h->stream = s;
	h->active = true;
	h->served++;
	h->in.body = (uint8_t)r->body;
	h->in.left = r->length;
	memset(&h->in.scan, 0, sizeof(h->in.scan));
	h->http10 = r->m.version < 11;
	h->head_method = is_method(r, "HEAD");
	h->connect_method = is_method(r, "CONNECT");
	h->upgrade = r->facts.upgrade && r->facts.upgrade_option && !h->http10;
	h->expect = r->facts.expect_continue && !h->http10 && r->body != WEFT_HTTP_BODY_NONE;
	h->keep = weft_http_persistent(&r->m, &r->facts) && !h->draining &&
		  (!h->limits->requests || h->served < h->limits->requests);
	weft_h1_moved(h);
	h->in.rate_us = h->since_us;
}

static void no_memory(struct weft_h1 *h)
{
	struct weft_error why;

	weft_error_set(&why, WEFT_ERR_MEMORY, 0, "no memory for a request");
	weft_h1_refuse(h, 503, "no memory for this request");
	weft_h1_end_exchange(h, WEFT_CAUSE_FAILED, &why);
}

/* A request without a body is complete at once, unless it may turn into something else. */
static void after_head(struct weft_h1 *h)
{
	if (!h->active || h->closing)
		return;
	weft_h1_tell_tunnel(h);
	if (h->expect && !h->out.head_sent)
		weft_h1_send_continue(h);
	if (h->in.body != WEFT_HTTP_BODY_NONE || h->in.done)
		return;
	if (h->connect_method && !h->out.head_sent)
		return; /* what follows is the tunnel's, or nobody's */
	h->in.done = true;
	if (h->stream)
		weft_role_fin(h->stream);
}

static void serve(struct weft_h1 *h, const struct request *r)
{
	struct weft_stream *s = weft_role_incoming(h->pipe);

	if (!s) {
		weft_h1_refuse(h, 503, "no room for this request");
		return;
	}
	begin_exchange(h, r, s);
	if (tell_head(h, r))
		no_memory(h);
	else
		after_head(h);
}

/* OK: a request was begun, or the connection is closing. AGAIN: its head is not complete. */
static enum weft_status request_head(
	struct weft_h1 *h, const unsigned char *in, size_t len, size_t *used)
{
	struct weft_field small[WEFT_H1_FIELDS], *table;
	struct request r;
	struct weft_http_refusal no;
	struct weft_http_bounds bounds;
	enum weft_status st;
	uint32_t lines;

	if (!h->in.scan.pos)
		weft_h1_moved(h);
	weft_h1_bounds(h, &bounds);
	st = weft_http_scan(&h->in.scan, WEFT_HTTP_REQUEST, in, len, &bounds, &no);
	if (st == WEFT_AGAIN)
		return st;
	*used = h->in.scan.pos;
	r.bytes = (struct weft_span){ in + h->in.scan.start, h->in.scan.pos - h->in.scan.start };
	if (st) {
		weft_h1_refuse(h, no.status, no.why);
		return WEFT_OK;
	}
	lines = h->in.scan.lines;
	table = weft_h1_table(h, small, lines);
	if (!table) {
		weft_h1_refuse(h, 503, "no memory for this request");
		return WEFT_OK;
	}
	r.m.fields = table;
	if (read_request(h, in, &r, &no))
		weft_h1_refuse(h, no.status, no.why);
	else
		serve(h, &r);
	weft_h1_table_done(h, small, table, lines);
	return WEFT_OK;
}

static void fail_exchange(struct weft_h1 *h, const struct weft_error *why)
{
	bool answered = h->out.head_sent;
	bool cut = weft_h1_cut_needs_reset(h);
	struct weft_error err = *why;

	/* first, while it is known whose answer it is */
	if (!answered) {
		if (why->status == WEFT_ERR_PROTOCOL || why->status == WEFT_ERR_TRUNCATED)
			weft_h1_refuse(h, 400, why->text);
		else if (why->status == WEFT_ERR_LIMIT)
			weft_h1_refuse(h, 431, why->text);
		else
			weft_h1_refuse(h, 500, "the response could not be made");
	}
	weft_h1_end_exchange(h, WEFT_CAUSE_FAILED, why);
	if (!answered)
		return;
	if (cut)
		err.status = WEFT_ERR_RESET;
	h->closing = true;
	weft_pipe_fail(h->pipe, &err);
}

/* The response is out, but the request goes on: read the rest, within reason. */
static void drain_request(struct weft_h1 *h)
{
	struct weft_error why;

	if (h->in.left <= DRAIN_MAX && h->drained <= DRAIN_MAX)
		return;
	weft_error_set(
		&why, WEFT_ERR_CANCELLED, 0, "the request was answered before its body was read");
	weft_h1_end_exchange(h, WEFT_CAUSE_FAILED, &why);
	weft_h1_close(h);
}

/* Sends what can be sent, and ends the exchange if it is complete. */
static void advance(struct weft_h1 *h)
{
	struct weft_error err;
	bool keep;

	if (!h->active || h->closing)
		return;
	weft_error_clear(&err);
	weft_h1_tell_tunnel(h);
	if (h->connect_method && h->out.head_sent)
		after_head(h);
	if (weft_h1_body_out(h, &err)) {
		if (err.status == WEFT_OK)
			weft_error_set(&err, WEFT_ERR_MEMORY, 0, "the response could not be sent");
		fail_exchange(h, &err);
		return;
	}
	if (!h->active || !h->out.done)
		return;
	if (!h->in.done) {
		if (h->in.body != WEFT_HTTP_BODY_TUNNEL)
			drain_request(h);
		return;
	}
	keep = h->keep && !h->draining;
	weft_h1_end_exchange(h, WEFT_CAUSE_DONE, NULL);
	if (!keep && !h->closing)
		weft_h1_close(h);
}

/* The request is complete, or held back for a tunnel: it is the response's turn. */
static bool awaits_response(const struct weft_h1 *h)
{
	return h->active && (h->in.done || h->in.body == WEFT_HTTP_BODY_NONE);
}

/* One step of input. OK: go on. AGAIN: more bytes are needed. BLOCKED: stop reading. */
static enum weft_status step(struct weft_h1 *h, const unsigned char *in, size_t len, size_t *used)
{
	struct weft_error err;
	enum weft_status st;

	weft_error_clear(&err);
	*used = 0;
	if (awaits_response(h)) {
		advance(h);
		if (!awaits_response(h))
			return WEFT_OK;
		return len ? WEFT_BLOCKED : WEFT_AGAIN;
	}
	if (!len && !h->peer_fin)
		return WEFT_AGAIN;
	if (!h->active) {
		if (!weft_pipe_room(h->pipe)) {
			/* a peer that asks and does not read gets no further */
			weft_pipe_want_output(h->pipe);
			return WEFT_BLOCKED;
		}
		return request_head(h, in, len, used);
	}
	st = weft_h1_body_in(h, in, len, h->peer_fin, used, &err);
	if (st < 0) {
		fail_exchange(h, &err);
		return WEFT_OK;
	}
	if (h->active && h->out.done)
		advance(h);
	return st;
}

enum weft_status weft_h1_server_input(
	struct weft_h1 *h, const unsigned char *in, size_t len, size_t *used)
{
	enum weft_status st = WEFT_OK;
	size_t n, at = 0;

	weft_h1_tell_tunnel(h); /* before any of its bytes */
	while (st == WEFT_OK && !h->closing && (h->active || at < len)) {
		st = step(h, in + at, len - at, &n);
		at += n;
	}
	*used = h->closing ? len : at;
	h->held = st == WEFT_BLOCKED && !h->in.stalled;
	if (h->peer_fin && !h->active && !h->closing && !h->held)
		weft_h1_close(h); /* a head that was begun is nothing to answer */
	if (h->active)
		weft_pipe_want_output(h->pipe);
	return st == WEFT_BLOCKED ? WEFT_BLOCKED : WEFT_OK;
}

void weft_h1_server_output(struct weft_h1 *h)
{
	bool tunnel = h->tunnel_due;

	weft_h1_tell_tunnel(h);
	if (tunnel && h->peer_fin && !h->held && !h->in.done) {
		/* its end came with the request: there is no further input to find it in */
		h->in.done = true;
		if (h->stream)
			weft_role_fin(h->stream);
	}
	advance(h);
	if (h->closing)
		return;
	if (h->held && (!h->active || tunnel)) {
		h->held = false;
		weft_pipe_resume(h->pipe);
	} else if (h->peer_fin && !h->active) {
		weft_h1_close(h);
	}
}
