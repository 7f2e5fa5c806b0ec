/* SPDX-License-Identifier: MIT */
/* A server's heads. */
#include <string.h>

#include "roles/h2/h2.h"
#include "roles/http/chars.h"
#include "roles/http/date.h"
#include "roles/http/framing.h"
#include "roles/http/outgoing.h"

void weft_h2_nv_date(struct weft_h2_nv *nv, const struct weft_h2 *h)
{
	const char *line = weft_http_date_line(weft_pipe_wall(h->pipe));

	/* between the field's name and the CRLF; the fields are copied before the next second */
	weft_h2_nv_add(nv, "date", line + 6, WEFT_HTTP_DATE_LINE - 8);
}

static bool is_tunnel(const struct weft_h2_stream *hs, unsigned status, bool fin)
{
	return status == 101 || (hs->connect && status / 100 == 2 && !fin);
}

/*
 * An answer that takes no notice of an extended CONNECT, as one to an Upgrade may: here it would say that the tunnel is
 * there. RFC 8441 section 4, RFC 9220 section 3: 501.
 */
static bool ignores_offer(const struct weft_h2_stream *hs, unsigned status)
{
	return hs->extended && status / 100 == 2;
}

static unsigned status_of(const struct weft_h2_stream *hs, unsigned status)
{
	if (status == 101)
		return 200;
	return ignores_offer(hs, status) ? 501 : status;
}

static enum weft_status check(const struct weft_h2_stream *hs, const struct weft_head *head,
	enum weft_head_kind kind, bool fin, struct weft_error *err)
{
	enum weft_status st =
		weft_http_check_response(hs->head_method ? "HEAD" : NULL, head, kind, fin, err);

	if (st == WEFT_OK && head->status == 101 && (!hs->extended || fin))
		return weft_error_set(err, WEFT_ERR_STATE, 0,
			"status 101: the request offered no change of protocol");
	return st;
}

static void add_length(struct weft_h2_nv *nv, const struct weft_h2_stream *hs,
	const struct weft_head *head, bool fin)
{
	if (hs->tunnel || head->status == 204 || ignores_offer(hs, head->status))
		return;
	if (!hs->no_body) {
		if (fin || head->body_len >= 0)
			weft_h2_nv_length(nv, fin ? 0 : (uint64_t)head->body_len);
	} else if (head->body_len > 0 || (!head->body_len && head->status != 304)) {
		/* what a GET would have brought */
		weft_h2_nv_length(nv, (uint64_t)head->body_len);
	}
}

/* What follows the head. true: a body. */
static bool settle(struct weft_h2_stream *hs, const struct weft_head *head, bool fin)
{
	hs->head_sent = true;
	hs->expect = false;
	if (is_tunnel(hs, head->status, fin)) {
		hs->hold_in = false;
		weft_h2_tunnel(hs);
		return true;
	}
	if (hs->hold_in) { /* refused: what came for the tunnel is nobody's */
		hs->hold_in = false;
		weft_h2_credit(hs, weft_buffer_len(&hs->early));
		weft_buffer_finish(&hs->early);
	}
	hs->no_body = weft_http_bodyless(hs->head_method ? "HEAD" : NULL, head->status) ||
		      head->status == 205 || ignores_offer(hs, head->status);
	hs->out_known = head->body_len >= 0;
	hs->out_left = head->body_len > 0 ? (uint64_t)head->body_len : 0;
	return !hs->no_body && !fin;
}

static int submit(struct weft_h2_stream *hs, const struct weft_head *head, enum weft_head_kind kind,
	bool body, struct weft_h2_nv *nv)
{
	const nghttp2_data_provider provider = weft_h2_body(hs);
	nghttp2_session *session = hs->h->session;

	if (kind == WEFT_HEAD_INFORMATIONAL)
		return nghttp2_submit_headers(
			session, NGHTTP2_FLAG_NONE, hs->id, NULL, nv->nv, nv->count, NULL);
	(void)head;
	return nghttp2_submit_response(session, hs->id, nv->nv, nv->count, body ? &provider : NULL);
}

enum weft_status weft_h2_respond(struct weft_h2_stream *hs, const struct weft_head *head,
	enum weft_head_kind kind, bool fin, struct weft_error *err)
{
	enum weft_status st = check(hs, head, kind, fin, err);
	struct weft_h2_nv nv;
	bool body = false;
	int code;

	if (st)
		return st;
	if (hs->head_sent || hs->reset_sent)
		return weft_error_set(err, WEFT_ERR_STATE, 0, "the head was sent already");
	if (!weft_h2_nv_begin(&nv, hs->h, head->field_count))
		return weft_error_set(err, WEFT_ERR_MEMORY, 0, "no memory for a response");
	if (kind == WEFT_HEAD_FINAL)
		body = settle(hs, head, fin);
	else if (head->status == 100)
		hs->expect = false;
	weft_h2_nv_status(&nv, status_of(hs, head->status));
	if (kind == WEFT_HEAD_FINAL) {
		if (!weft_head_find(head, "date"))
			weft_h2_nv_date(&nv, hs->h);
		add_length(&nv, hs, head, fin);
	}
	weft_h2_nv_fields(&nv, head->fields, head->field_count);
	code = submit(hs, head, kind, body, &nv);
	weft_h2_nv_end(&nv);
	weft_pipe_want_output(hs->h->pipe);
	return code ? weft_h2_failed(hs->h, code, err) : WEFT_OK;
}
