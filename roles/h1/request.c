/* SPDX-License-Identifier: MIT */
/* A client's request: checked, framed, written. */
#include <string.h>

#include "roles/h1/h1.h"
#include "roles/h1/writer.h"
#include "roles/http/outgoing.h"

static const char *method_of(const struct weft_head *r)
{
	return r->method ? r->method : "GET";
}

static const char *target_of(const struct weft_head *r)
{
	return r->target && *r->target ? r->target : "/";
}

enum weft_status weft_h1_open(struct weft_h1 *h, struct weft_stream *stream, struct weft_error *err)
{
	const struct weft_head *r = weft_stream_request(stream);
	const struct weft_field *connection = weft_head_find(r, "connection");
	enum weft_status st;
	bool finished;

	if (h->active || h->closing)
		return weft_error_set(err, WEFT_ERR_STATE, 0, "the connection is taken");
	st = weft_http_check_request_head(r, err);
	if (st)
		return st;
	weft_h1_reset_exchange(h);
	h->head_method = !strcmp(method_of(r), "HEAD");
	h->connect_method = !strcmp(method_of(r), "CONNECT");
	h->upgrade = weft_head_find(r, "upgrade") != NULL;
	if (h->connect_method || h->upgrade) {
		if (r->body_len > 0)
			return weft_error_set(err, WEFT_ERR_ARGUMENT, 0,
				"a request for a tunnel cannot have a body");
		h->out.hold = true;
	} else if (r->body_len > 0) {
		h->out.body = WEFT_HTTP_BODY_LENGTH;
		h->out.left = (uint64_t)r->body_len;
	} else if (r->body_len < 0 &&
		   (weft_http_expects_continue(r) || weft_stream_pending(stream, &finished) ||
			   !finished)) {
		h->out.body = WEFT_HTTP_BODY_CHUNKED;
	}
	h->expect = h->out.body != WEFT_HTTP_BODY_NONE && weft_http_expects_continue(r);
	h->keep = !connection;
	h->stream = stream;
	h->active = true;
	h->served++;
	weft_h1_moved(h);
	weft_pipe_want_output(h->pipe);
	return WEFT_OK;
}

static void framing_fields(struct weft_h1 *h, struct weft_h1_writer *w, const struct weft_head *r)
{
	const char *method = method_of(r);

	if (h->out.body == WEFT_HTTP_BODY_CHUNKED) {
		weft_h1_write_field(w, "transfer-encoding", "chunked");
	} else if (h->out.body == WEFT_HTTP_BODY_LENGTH) {
		weft_h1_write_text(w, "content-length: ");
		weft_h1_write_number(w, h->out.left);
		weft_h1_write(w, "\r\n", 2);
	} else if (!strcmp(method, "POST") || !strcmp(method, "PUT") || !strcmp(method, "PATCH")) {
		/* these are expected to have one: RFC 9110 section 8.6 */
		weft_h1_write_field(w, "content-length", "0");
	}
}

static void connection_field(struct weft_h1 *h, struct weft_h1_writer *w, const struct weft_head *r)
{
	bool te = weft_head_find(r, "te") != NULL;

	if (!te && !h->upgrade && h->keep)
		return;
	weft_h1_write_text(w, "connection: ");
	if (h->upgrade)
		weft_h1_write_text(w, te || !h->keep ? "upgrade, " : "upgrade");
	if (te)
		weft_h1_write_text(w, h->keep ? "te" : "te, ");
	if (!h->keep)
		weft_h1_write_text(w, "close");
	weft_h1_write(w, "\r\n", 2);
}

enum weft_status weft_h1_send_request(struct weft_h1 *h)
{
	const struct weft_head *r = weft_stream_request(h->stream);
	struct weft_h1_writer w;
	const char *target = target_of(r);

	weft_h1_write_begin(&w, h->pipe);
	weft_h1_write_text(&w, method_of(r));
	weft_h1_write(&w, " ", 1);
	if (h->connect_method) {
		target = r->authority;
	} else if (*target == '?') {
		weft_h1_write(&w, "/", 1);
	}
	weft_h1_write_text(&w, target);
	weft_h1_write_text(&w, " HTTP/1.1\r\n");
	weft_h1_write_field(&w, "host", r->authority);
	framing_fields(h, &w, r);
	connection_field(h, &w, r);
	weft_h1_write_fields(&w, r->fields, r->field_count);
	weft_h1_write(&w, "\r\n", 2);
	/* some of it may have gone even where the rest could not */
	h->out.head_sent = true;
	weft_h1_moved(h);
	return weft_h1_write_end(&w);
}
