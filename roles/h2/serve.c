/* SPDX-License-Identifier: MIT */
/* The server's side: a head becomes a request. RFC 9113 section 8.3.1, RFC 8441. */
#include <stdlib.h>
#include <string.h>

#include "roles/h2/h2.h"
#include "roles/http/chars.h"
#include "roles/http/refusal.h"
#include "roles/http/target.h"

/* Answers that the role gives by itself end with their text. */
static void answer(struct weft_h2_stream *hs, unsigned status, const char *why)
{
	struct weft_h2 *h = hs->h;
	const nghttp2_data_provider body = weft_h2_body(hs);
	struct weft_h2_nv nv;

	hs->kept = weft_alloc(h->alloc, sizeof(*hs->kept));
	if (!hs->kept || !weft_h2_nv_begin(&nv, h, 0)) {
		weft_h2_reset(hs, NGHTTP2_INTERNAL_ERROR);
		return;
	}
	hs->kept[0] = weft_segment_static(why, strlen(why));
	hs->kept_count = 1;
	weft_h2_nv_status(&nv, status);
	weft_h2_nv_date(&nv, h);
	weft_h2_nv_add(&nv, "content-type", "text/plain; charset=utf-8", 25);
	weft_h2_nv_length(&nv, strlen(why));
	if (nghttp2_submit_response(
		    h->session, hs->id, nv.nv, nv.count, hs->head_method ? NULL : &body))
		weft_h2_reset(hs, NGHTTP2_INTERNAL_ERROR);
	weft_h2_nv_end(&nv);
}

static void refuse(struct weft_h2_stream *hs, unsigned status, const char *why)
{
	struct weft_stream *s = hs->stream;
	struct weft_error err;

	weft_error_set(&err, status >= 500 ? WEFT_ERR_MEMORY : WEFT_ERR_PROTOCOL, 0, "%s", why);
	weft_role_refused(hs->h->pipe, s, status, &err);
	hs->stream = NULL;
	if (s)
		weft_role_closed(s, WEFT_CAUSE_FAILED, &err);
	answer(hs, status, why);
}

/* OK, or what is wrong with where it goes. */
static enum weft_status check_place(const struct weft_h2_stream *hs, const struct weft_h2_head *got,
	const struct weft_head *head, struct weft_http_refusal *no)
{
	const char *scheme = got->pseudo[WEFT_H2_SCHEME];
	size_t scheme_len = got->pseudo_len[WEFT_H2_SCHEME];
	size_t len = got->pseudo[WEFT_H2_AUTHORITY] ? got->pseudo_len[WEFT_H2_AUTHORITY]
		     : got->host                    ? got->host->value_len
						    : 0;
	bool secure;

	if (!len || !weft_http_authority(head->authority, len, hs->connect))
		return weft_http_refuse(no, 400, "the authority is missing, or is none\n");
	if (got->host && got->host->value != head->authority &&
		!weft_http_same(got->host->value, got->host->value_len, head->authority))
		return weft_http_refuse(no, 400, "host is not what :authority says\n");
	if (hs->connect)
		return WEFT_OK;
	if (!weft_http_origin(head->method, head->target, got->pseudo_len[WEFT_H2_PATH]))
		return weft_http_refuse(no, 400, "a path that is none\n");
	secure = weft_http_same(scheme, scheme_len, "https");
	if (!secure && !weft_http_same(scheme, scheme_len, "http"))
		return weft_http_refuse(no, 400, "a scheme that is neither http nor https\n");
	if (weft_pipe_secure(hs->h->pipe) != secure)
		return weft_http_refuse(no, 421, "a target for the other one of http and https\n");
	return WEFT_OK;
}

static enum weft_status check(const struct weft_h2_stream *hs, const struct weft_h2_head *got,
	const struct weft_head *head, struct weft_http_refusal *no)
{
	const struct weft_field *expect = got->expect;
	enum weft_status st = check_place(hs, got, head, no);

	if (st == WEFT_OK && expect &&
		!weft_http_same(expect->value, expect->value_len, "100-continue"))
		st = weft_http_refuse(no, 417, "an expectation other than 100-continue\n");
	return st;
}

static int64_t length_of(const struct weft_h2_head *got, bool fin)
{
	if (fin)
		return 0;
	/* nghttp2 has seen that it is a number */
	return got->length ? (int64_t)strtoll(got->length->value, NULL, 10) : -1;
}

static bool method_is(const struct weft_h2_head *got, const char *name, size_t len)
{
	return got->pseudo_len[WEFT_H2_METHOD] == len &&
	       !memcmp(got->pseudo[WEFT_H2_METHOD], name, len);
}

/* Over HTTP/2 an upgrade looks to the application as it does over HTTP/1.1. */
static void as_upgrade(struct weft_h2_stream *hs, struct weft_h2_head *got, struct weft_head *head)
{
	hs->hold_in = true;
	if (!got->pseudo[WEFT_H2_PROTOCOL]) {
		hs->connect = true;
		head->target = head->authority;
		return;
	}
	hs->extended = true;
	head->method = "GET";
	got->fields[got->count++] = weft_field("upgrade", got->pseudo[WEFT_H2_PROTOCOL]);
}

static void fill(
	struct weft_h2_stream *hs, struct weft_h2_head *got, struct weft_head *head, bool fin)
{
	*head = (struct weft_head){
		.method = got->pseudo[WEFT_H2_METHOD],
		.scheme = got->pseudo[WEFT_H2_SCHEME],
		.authority = got->pseudo[WEFT_H2_AUTHORITY],
		.target = got->pseudo[WEFT_H2_PATH],
		.version = 20,
		.fields = got->fields,
		.field_count = got->count,
	};
	if (!head->authority && got->host)
		head->authority = got->host->value;
	head->body_len = length_of(got, fin);
	hs->head_method = method_is(got, "HEAD", 4);
	hs->expect = !fin && got->expect;
	if (method_is(got, "CONNECT", 7)) {
		head->body_len = 0;
		as_upgrade(hs, got, head);
		head->field_count = got->count;
	}
}

static void send_continue(struct weft_h2_stream *hs)
{
	struct weft_h2_nv nv;

	hs->expect = false;
	if (!weft_h2_nv_begin(&nv, hs->h, 0))
		return; /* the client's patience ends, too */
	weft_h2_nv_status(&nv, 100);
	(void)nghttp2_submit_headers(
		hs->h->session, NGHTTP2_FLAG_NONE, hs->id, NULL, nv.nv, nv.count, NULL);
	weft_h2_nv_end(&nv);
}

/* It is a stream of the core's: tells it, which may answer at once. */
static void tell(struct weft_h2_stream *hs, bool fin)
{
	struct weft_http_refusal no;
	struct weft_h2_head got;
	struct weft_head head;

	if (!weft_h2_block_keep(hs->h, hs->stream, 1, &got)) {
		refuse(hs, 503, "no memory for this request\n");
		return;
	}
	fill(hs, &got, &head, fin);
	if (check(hs, &got, &head, &no)) {
		refuse(hs, no.status, no.why);
		return;
	}
	(void)weft_role_head_kept(hs->stream, &head, WEFT_HEAD_FINAL);
	weft_h2_tell_tunnels(hs->h);
	if (hs->stream && hs->expect && !hs->head_sent)
		send_continue(hs);
}

int weft_h2_request(struct weft_h2 *h, int32_t id, bool fin)
{
	struct weft_h2_stream *hs = weft_h2_stream_make(h, id);

	if (!hs || nghttp2_session_set_stream_user_data(h->session, id, hs))
		return NGHTTP2_ERR_CALLBACK_FAILURE;
	if (h->block.over) {
		refuse(hs, 431, "a head with more bytes or fields than are taken\n");
		return 0;
	}
	hs->stream = weft_role_incoming(h->pipe);
	if (!hs->stream) {
		refuse(hs, 503, "no room for this request\n");
		return 0;
	}
	weft_stream_set_role_data(hs->stream, hs);
	tell(hs, fin);
	if (h->limits->requests && h->served >= h->limits->requests)
		weft_h2_drain(h);
	return 0;
}
