/* SPDX-License-Identifier: MIT */
/* What a server sends besides bodies: heads, 100, and refusals of its own. */
#include <stdio.h>
#include <string.h>

#include "roles/h1/h1.h"
#include "roles/h1/writer.h"
#include "roles/http/chars.h"
#include "roles/http/date.h"
#include "roles/http/outgoing.h"
#include "weft/http.h"

static void date_field(const struct weft_h1 *h, struct weft_h1_writer *w)
{
	weft_h1_write(w, weft_http_date_line(weft_pipe_wall(h->pipe)), WEFT_HTTP_DATE_LINE);
}

static void status_line(struct weft_h1_writer *w, unsigned status)
{
	char line[] = "HTTP/1.1 000 ";

	line[9] = (char)('0' + status / 100);
	line[10] = (char)('0' + status / 10 % 10);
	line[11] = (char)('0' + status % 10);
	weft_h1_write(w, line, sizeof(line) - 1);
	weft_h1_write_text(w, weft_http_reason(status));
	weft_h1_write(w, "\r\n", 2);
}

void weft_h1_refuse(struct weft_h1 *h, unsigned status, const char *why)
{
	struct weft_h1_writer w;
	struct weft_error err;
	char body[256];
	int len =
		snprintf(body, sizeof(body), "%u %s: %s\n", status, weft_http_reason(status), why);

	weft_h1_write_begin(&w, h->pipe);
	if (len >= (int)sizeof(body))
		len = (int)sizeof(body) - 1;
	weft_error_set(&err,
		status == 408   ? WEFT_ERR_TIMEOUT
		: status >= 500 ? WEFT_ERR_MEMORY
				: WEFT_ERR_PROTOCOL,
		0, "%s", why);
	weft_role_refused(h->pipe, h->stream, status, &err);
	status_line(&w, status);
	date_field(h, &w);
	weft_h1_write_field(&w, "content-type", "text/plain; charset=utf-8");
	weft_h1_write_text(&w, "content-length: ");
	weft_h1_write_number(&w, (uint64_t)len);
	weft_h1_write_text(&w, "\r\nconnection: close\r\n\r\n");
	weft_h1_write(&w, body, (size_t)len);
	/* where it does not get through, the connection ends all the same */
	(void)weft_h1_write_end(&w);
	weft_h1_close(h);
}

void weft_h1_send_continue(struct weft_h1 *h)
{
	static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";
	struct weft_segment seg = weft_segment_static(text, sizeof(text) - 1);

	h->expect = false;
	(void)weft_pipe_send(h->pipe, 0, &seg, 1, false);
}

/* The application's fields that concern the role, found in one pass. */
enum { HAS_DATE = 1, HAS_UPGRADE = 2, HAS_CLOSE = 4 };

static unsigned fields_of(const struct weft_head *head)
{
	unsigned has = 0;

	for (size_t i = 0; i < head->field_count; i++) {
		const struct weft_field *f = &head->fields[i];

		if (f->name_len == 4 && weft_http_same(f->name, 4, "date"))
			has |= HAS_DATE;
		else if (f->name_len == 7 && weft_http_same(f->name, 7, "upgrade"))
			has |= HAS_UPGRADE;
		else if (f->name_len == 10 && weft_http_same(f->name, 10, "connection"))
			has |= HAS_CLOSE; /* the only value that the check lets through */
	}
	return has;
}

static bool is_tunnel(const struct weft_h1 *h, unsigned status, bool fin)
{
	return status == 101 || (h->connect_method && status / 100 == 2 && !fin);
}

static enum weft_status check(const struct weft_h1 *h, const struct weft_head *head,
	enum weft_head_kind kind, bool fin, struct weft_error *err)
{
	enum weft_status st =
		weft_http_check_response(h->head_method ? "HEAD" : NULL, head, kind, fin, err);

	if (st)
		return st;
	if (head->status == 101 && (!h->upgrade || fin))
		return weft_error_set(err, WEFT_ERR_STATE, 0,
			"status 101: the request offered no change of protocol");
	if (is_tunnel(h, head->status, fin) && h->in.body != WEFT_HTTP_BODY_NONE && !h->in.done)
		return weft_error_set(err, WEFT_ERR_STATE, 0,
			"the request's body must be read before the protocol changes");
	return WEFT_OK;
}

/* How the body will be sent, and whether the connection can go on behind it. */
static void frame(struct weft_h1 *h, const struct weft_head *head, unsigned has, bool fin)
{
	if (is_tunnel(h, head->status, fin)) {
		weft_h1_begin_tunnel(h);
		return;
	}
	if (h->draining || (has & HAS_CLOSE))
		h->keep = false;
	/* a client that still waits for 100 may, or may not, send its body: RFC 9110 10.1.1 */
	if (h->expect && !h->in.done)
		h->keep = false;
	h->expect = false;
	h->out.left = 0;
	if (weft_http_bodyless(h->head_method ? "HEAD" : NULL, head->status) ||
		head->status == 205) {
		h->out.body = WEFT_HTTP_BODY_NONE;
	} else if (fin || head->body_len >= 0) {
		h->out.body = WEFT_HTTP_BODY_LENGTH;
		h->out.left = fin ? 0 : (uint64_t)head->body_len;
	} else if (h->http10) {
		h->out.body = WEFT_HTTP_BODY_CLOSE;
		h->keep = false;
	} else {
		h->out.body = WEFT_HTTP_BODY_CHUNKED;
	}
}

static void length_field(struct weft_h1_writer *w, uint64_t length)
{
	weft_h1_write_text(w, "content-length: ");
	weft_h1_write_number(w, length);
	weft_h1_write(w, "\r\n", 2);
}

/* What it lists concerns this connection alone: RFC 9110 sections 7.6.1 and 7.8. */
static void connection_field(const struct weft_h1 *h, struct weft_h1_writer *w, unsigned has)
{
	bool tunnel = h->out.body == WEFT_HTTP_BODY_TUNNEL;
	const char *persistence = tunnel ? "" : !h->keep ? "close" : h->http10 ? "keep-alive" : "";
	bool upgrade = (has & HAS_UPGRADE) != 0;

	if (!upgrade && !*persistence)
		return;
	weft_h1_write_text(w, "connection: ");
	if (upgrade)
		weft_h1_write_text(w, *persistence ? "upgrade, " : "upgrade");
	weft_h1_write_text(w, persistence);
	weft_h1_write(w, "\r\n", 2);
}

static void framing_fields(
	struct weft_h1 *h, struct weft_h1_writer *w, const struct weft_head *head, unsigned has)
{
	switch (h->out.body) {
	case WEFT_HTTP_BODY_TUNNEL:
		break;
	case WEFT_HTTP_BODY_LENGTH:
		length_field(w, h->out.left);
		break;
	case WEFT_HTTP_BODY_CHUNKED:
		weft_h1_write_field(w, "transfer-encoding", "chunked");
		break;
	case WEFT_HTTP_BODY_NONE:
		/* what a GET would have brought; 204 may say nothing: RFC 9110 section 8.6 */
		if (head->status == 205) /* never has content: section 15.3.6 */
			length_field(w, 0);
		else if (head->status != 204 &&
			 (head->body_len > 0 || (!head->body_len && head->status != 304)))
			length_field(w, (uint64_t)head->body_len);
		break;
	default:
		break;
	}
	connection_field(h, w, has);
}

enum weft_status weft_h1_respond(struct weft_h1 *h, const struct weft_head *head,
	enum weft_head_kind kind, bool fin, struct weft_error *err)
{
	struct weft_h1_writer w;
	unsigned has = fields_of(head);
	enum weft_status st;

	if (h->out.head_sent)
		return weft_error_set(err, WEFT_ERR_STATE, 0, "the head was sent already");
	st = check(h, head, kind, fin, err);
	if (st)
		return st;
	if (kind == WEFT_HEAD_INFORMATIONAL) {
		if (h->http10)
			return WEFT_OK; /* would be taken for the answer */
		if (head->status == 100)
			h->expect = false;
	} else {
		frame(h, head, has, fin);
	}
	weft_h1_write_begin(&w, h->pipe);
	status_line(&w, head->status);
	if (kind == WEFT_HEAD_FINAL) {
		if (!(has & HAS_DATE))
			date_field(h, &w);
		framing_fields(h, &w, head, has);
	}
	weft_h1_write_fields(&w, head->fields, head->field_count);
	weft_h1_write(&w, "\r\n", 2);
	st = weft_h1_write_end(&w);
	if (st)
		return weft_error_set(err, st, 0, "the connection takes no output any more");
	if (kind == WEFT_HEAD_FINAL)
		h->out.head_sent = true;
	weft_pipe_want_output(h->pipe);
	return WEFT_OK;
}
