/* SPDX-License-Identifier: MIT */
/* The client's side: requests out, as many as the server takes, and their responses. */
#include <stdlib.h>
#include <string.h>

#include "roles/h2/h2.h"
#include "roles/http/framing.h"
#include "roles/http/outgoing.h"

unsigned weft_h2_capacity(const struct weft_h2 *h)
{
	uint32_t max;

	if (!h->client || h->closing || h->draining || h->going ||
		!nghttp2_session_check_request_allowed(h->session))
		return 0;
	max = h->settled ? nghttp2_session_get_remote_settings(
				   h->session, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS)
			 : h->limits->early_streams;
	if (h->learned && h->learned < max)
		max = h->learned;
	return max > h->count ? max - h->count : 0;
}

static bool offers_tunnels(const struct weft_h2 *h)
{
	return h->settled && nghttp2_session_get_remote_settings(
				     h->session, NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL) == 1;
}

/* How the request is framed. */
static enum weft_status settle(
	struct weft_h2_stream *hs, const struct weft_head *r, bool *body, struct weft_error *err)
{
	const struct weft_field *upgrade = weft_head_find(r, "upgrade");
	bool finished;

	hs->head_method = r->method && !strcmp(r->method, "HEAD");
	hs->connect = r->method && !strcmp(r->method, "CONNECT");
	hs->extended = upgrade != NULL;
	*body = true;
	if (hs->connect || hs->extended) {
		if (r->body_len > 0)
			return weft_error_set(err, WEFT_ERR_ARGUMENT, 0,
				"a request for a tunnel cannot have a body");
		if (hs->extended && !offers_tunnels(hs->h))
			return weft_error_set(err, WEFT_ERR_UNSUPPORTED, 0,
				"the server takes no upgrade over HTTP/2 (RFC 8441): ask for "
				"HTTP/1.1 by alpn");
		hs->hold = true;
		return WEFT_OK;
	}
	hs->expect = weft_http_expects_continue(r);
	hs->hold = hs->expect;
	if (r->body_len > 0) {
		hs->out_known = true;
		hs->out_left = (uint64_t)r->body_len;
	} else if (!r->body_len ||
		   (!hs->expect && !weft_stream_pending(hs->stream, &finished) && finished)) {
		*body = false;
	}
	return WEFT_OK;
}

static bool expects_length(const char *method)
{
	return !strcmp(method, "POST") || !strcmp(method, "PUT") || !strcmp(method, "PATCH");
}

static void put_path(struct weft_h2_nv *nv, const char *target, char *room, size_t len)
{
	if (target && *target == '?') { /* RFC 9113 section 8.3.1: never empty */
		room[0] = '/';
		memcpy(room + 1, target, len);
		weft_h2_nv_add(nv, ":path", room, len + 1);
	} else {
		weft_h2_nv_add(nv, ":path", len ? target : "/", len ? len : 1);
	}
}

static void put_head(struct weft_h2_stream *hs, const struct weft_head *r, struct weft_h2_nv *nv,
	bool body, char *room)
{
	const struct weft_field *upgrade = weft_head_find(r, "upgrade");
	const char *method = hs->extended ? "CONNECT" : r->method ? r->method : "GET";
	const char *scheme = weft_pipe_secure(hs->h->pipe) ? "https" : "http";

	weft_h2_nv_add(nv, ":method", method, strlen(method));
	if (!hs->connect) {
		weft_h2_nv_add(nv, ":scheme", scheme, strlen(scheme));
		put_path(nv, r->target, room, r->target ? strlen(r->target) : 0);
	}
	weft_h2_nv_add(nv, ":authority", r->authority, strlen(r->authority));
	if (hs->extended)
		weft_h2_nv_add(nv, ":protocol", upgrade->value, upgrade->value_len);
	if (hs->out_known)
		weft_h2_nv_length(nv, hs->out_left);
	else if (!body && expects_length(method))
		weft_h2_nv_length(nv, 0);
	weft_h2_nv_fields(nv, r->fields, r->field_count);
}

/* nghttp2 copies the head. */
static enum weft_status submit(struct weft_h2_stream *hs, bool body, struct weft_error *err)
{
	const struct weft_head *r = weft_stream_request(hs->stream);
	const nghttp2_data_provider provider = weft_h2_body(hs);
	size_t len = r->target ? strlen(r->target) + 2 : 2;
	char small[256], *room = len <= sizeof(small) ? small : weft_alloc(hs->h->alloc, len);
	struct weft_h2_nv nv;
	int32_t id = NGHTTP2_ERR_NOMEM;

	if (room && weft_h2_nv_begin(&nv, hs->h, r->field_count)) {
		put_head(hs, r, &nv, body, room);
		id = nghttp2_submit_request(
			hs->h->session, NULL, nv.nv, nv.count, body ? &provider : NULL, hs);
		weft_h2_nv_end(&nv);
	}
	if (room != small)
		weft_free(hs->h->alloc, room, len);
	if (id < 0)
		return weft_h2_failed(hs->h, id, err);
	hs->id = id;
	return WEFT_OK;
}

enum weft_status weft_h2_open(struct weft_h2 *h, struct weft_stream *stream, struct weft_error *err)
{
	enum weft_status st = weft_http_check_request_head(weft_stream_request(stream), err);
	struct weft_h2_stream *hs;
	bool body;

	if (st)
		return st;
	if (!weft_h2_capacity(h))
		return weft_error_set(err, WEFT_ERR_STATE, 0, "the connection takes no streams");
	hs = weft_h2_stream_make(h, 0);
	if (!hs)
		return weft_error_set(err, WEFT_ERR_MEMORY, 0, "no memory for a request");
	hs->stream = stream;
	st = settle(hs, weft_stream_request(stream), &body, err);
	if (st == WEFT_OK)
		st = submit(hs, body, err);
	if (st) {
		weft_h2_stream_free(hs);
		return st;
	}
	weft_stream_set_role_data(stream, hs);
	weft_stream_set_role_number(stream, (uint64_t)hs->id);
	weft_h2_arm(h);
	weft_pipe_want_output(h->pipe);
	return WEFT_OK;
}

/* ---- responses ---- */

static void let_go(struct weft_h2_stream *hs)
{
	hs->expect = false;
	hs->hold = false;
	weft_h2_ready(hs);
}

static void informational(struct weft_h2_stream *hs, struct weft_head *head)
{
	if (++hs->informational > WEFT_H2_INFORMATIONAL) {
		weft_h2_break(
			hs, NGHTTP2_ENHANCE_YOUR_CALM, "more than 100 informational responses");
		return;
	}
	if (head->status == 100 && hs->expect)
		let_go(hs);
	head->body_len = -1;
	(void)weft_role_head_kept(hs->stream, head, WEFT_HEAD_INFORMATIONAL);
}

/* What the head means for the rest of the exchange. */
static void answered(struct weft_h2_stream *hs, struct weft_head *head, bool fin)
{
	const struct weft_field *length = weft_head_find(head, "content-length");
	bool bodyless = weft_http_bodyless(hs->head_method ? "HEAD" : NULL, head->status);

	hs->answered = true;
	hs->expect = false;
	head->body_len = length ? (int64_t)strtoll(length->value, NULL, 10) : -1;
	if (fin && !bodyless)
		head->body_len = 0;
	if ((hs->connect || hs->extended) && head->status / 100 == 2) {
		head->body_len = -1;
		if (hs->extended)
			head->status = 101; /* as over HTTP/1.1 */
		weft_h2_tunnel(hs);
		weft_h2_ready(hs);
	}
	/* else what is held stays: it was refused, or not asked for any more */
}

void weft_h2_response(struct weft_h2_stream *hs, bool fin)
{
	struct weft_h2 *h = hs->h;
	struct weft_h2_head got;
	struct weft_head head = { .version = 20 };

	hs->heard = true;
	hs->in_us = weft_pipe_now(h->pipe);
	if (!hs->stream)
		return;
	if (h->block.over) {
		weft_h2_break(hs, NGHTTP2_CANCEL,
			"a response's head with more bytes or fields than are taken");
		return;
	}
	if (!weft_h2_block_keep(h, hs->stream, 0, &got)) {
		weft_h2_break(hs, NGHTTP2_INTERNAL_ERROR, "no memory for a response");
		return;
	}
	head.status = got.pseudo[WEFT_H2_STATUS]
			      ? (unsigned)strtoul(got.pseudo[WEFT_H2_STATUS], NULL, 10)
			      : 0;
	if (head.status < 100) { /* nghttp2 has seen that it has three digits */
		weft_h2_break(hs, NGHTTP2_PROTOCOL_ERROR, "a status below 100");
		return;
	}
	head.fields = got.fields;
	head.field_count = got.count;
	if (head.status / 100 == 1) {
		informational(hs, &head);
		return;
	}
	answered(hs, &head, fin);
	(void)weft_role_head_kept(hs->stream, &head, WEFT_HEAD_FINAL);
	weft_h2_tell_tunnels(h);
}
