/* SPDX-License-Identifier: MIT */
/* The client's side: one request, its response, and whether the connection may serve another. */
#include <strings.h>

#include "roles/h1/h1.h"
#include "roles/http/chars.h"

enum { INFORMATIONAL_MAX = 100 };

enum weft_cause weft_h1_cause(const struct weft_h1 *h)
{
	if (!h->out.head_sent)
		return WEFT_CAUSE_UNSENT;
	return h->heard ? WEFT_CAUSE_FAILED : WEFT_CAUSE_UNKNOWN;
}

/* The response is complete. extra: bytes lie behind it that nobody asked for. */
static void finish(struct weft_h1 *h, bool extra)
{
	bool keep = h->keep && h->out.done && !extra && !h->peer_fin && !h->draining &&
		    (!h->limits->requests || h->served < h->limits->requests);

	/* before the core hears of it: it asks for capacity at once */
	if (!keep)
		weft_h1_close(h);
	weft_h1_end_exchange(h, WEFT_CAUSE_DONE, NULL);
}

static enum weft_status refused(const struct weft_http_refusal *no, struct weft_error *err)
{
	return weft_error_set(err, no->status == 431 ? WEFT_ERR_LIMIT : WEFT_ERR_PROTOCOL, 0,
		"in a response: %s", no->why);
}

/* A server of HTTP/2 begins with SETTINGS, whatever was said to it: RFC 9113 section 3.4. */
static bool is_http2(const unsigned char *in, size_t len)
{
	static const unsigned char settings = 4, no_flags = 0;

	return len >= 5 && !in[0] && in[3] == settings && in[4] == no_flags;
}

static enum weft_status informational(
	struct weft_h1 *h, const struct weft_http_message *m, struct weft_error *err)
{
	struct weft_head head = {
		.status = m->status,
		.version = m->version,
		.body_len = -1,
		.fields = m->fields,
		.field_count = m->count,
	};

	if (++h->informational > INFORMATIONAL_MAX)
		return weft_error_set(err, WEFT_ERR_LIMIT, 0,
			"more than %d informational responses", (int)INFORMATIONAL_MAX);
	if (m->status == 100 && h->expect) {
		h->expect = false;
		weft_pipe_want_output(h->pipe);
	}
	weft_h1_moved(h);
	if (weft_role_head(h->stream, &head, WEFT_HEAD_INFORMATIONAL))
		return weft_error_set(err, WEFT_ERR_MEMORY, 0, "no memory for a response");
	return WEFT_OK;
}

/* What the response's framing means for the rest of the exchange. */
static void settle(struct weft_h1 *h, const struct weft_http_message *m,
	const struct weft_http_facts *facts, uint64_t length)
{
	h->answered = true;
	h->in.left = length;
	if (!weft_http_persistent(m, facts) || h->in.body == WEFT_HTTP_BODY_CLOSE)
		h->keep = false;
	if (h->in.body == WEFT_HTTP_BODY_TUNNEL) {
		weft_h1_begin_tunnel(h);
		weft_pipe_want_output(h->pipe);
	} else if (h->out.hold) {
		/* refused, with an ordinary response: what was to go through the tunnel stays */
		h->out.hold = false;
		h->out.done = true;
	} else if (h->expect) {
		/* the answer came without the body: it is not sent any more */
		h->keep = false;
		h->out.hold = true;
	}
	h->expect = false;
}

static struct weft_span value_of(const struct weft_field *f)
{
	return (struct weft_span){ (const unsigned char *)f->value, f->value_len };
}

static bool same(const struct weft_span *a, const struct weft_span *b)
{
	return a->len == b->len && !strncasecmp((const char *)a->ptr, (const char *)b->ptr, a->len);
}

static bool offered(const struct weft_h1 *h, const struct weft_span *protocol)
{
	const struct weft_field *f = weft_head_find(weft_stream_request(h->stream), "upgrade");
	struct weft_span rest = f ? value_of(f) : (struct weft_span){ NULL, 0 }, item;

	while (weft_http_list_next(&rest, &item)) {
		if (same(&item, protocol))
			return true;
	}
	return false;
}

/* A 101 that names what it switches to, and that was offered: RFC 9110 section 7.8. */
static bool switches(const struct weft_h1 *h, const struct weft_http_facts *facts)
{
	struct weft_span rest, item;
	bool any = false;

	if (!h->upgrade || !facts->upgrade || !facts->upgrade_option)
		return false;
	rest = value_of(facts->upgrade);
	while (weft_http_list_next(&rest, &item)) {
		if (!offered(h, &item))
			return false;
		any = true;
	}
	return any;
}

static enum weft_status final(
	struct weft_h1 *h, const struct weft_http_message *m, struct weft_error *err)
{
	const char *method = h->head_method ? "HEAD" : h->connect_method ? "CONNECT" : "GET";
	struct weft_head head = {
		.status = m->status,
		.version = m->version,
		.fields = m->fields,
		.field_count = m->count,
	};
	struct weft_http_facts facts;
	struct weft_http_refusal no;
	enum weft_http_body body;
	uint64_t length;

	weft_http_facts(m, &facts);
	if (weft_http_response_body(m, &facts, method, &body, &length, &no))
		return refused(&no, err);
	h->in.body = (uint8_t)body;
	if (m->status == 101 && !switches(h, &facts))
		return weft_error_set(err, WEFT_ERR_PROTOCOL, 0,
			"status 101, but not to a protocol that was offered");
	settle(h, m, &facts, length);
	head.body_len = (int64_t)length;
	if (h->in.body == WEFT_HTTP_BODY_CHUNKED || h->in.body == WEFT_HTTP_BODY_CLOSE ||
		h->in.body == WEFT_HTTP_BODY_TUNNEL)
		head.body_len = -1;
	weft_h1_moved(h);
	if (weft_role_head(h->stream, &head, WEFT_HEAD_FINAL))
		return weft_error_set(err, WEFT_ERR_MEMORY, 0, "no memory for a response");
	weft_h1_tell_tunnel(h);
	return WEFT_OK;
}

static enum weft_status one_head(
	struct weft_h1 *h, const struct weft_http_message *m, struct weft_error *err)
{
	if (m->status / 100 == 1 && m->status != 101)
		return informational(h, m, err);
	return final(h, m, err);
}

static enum weft_status read_head(struct weft_h1 *h, const struct weft_http_scan *scan,
	const unsigned char *in, struct weft_error *err)
{
	struct weft_field small[WEFT_H1_FIELDS];
	struct weft_field *table = weft_h1_table(h, small, scan->lines);
	const unsigned char *head = weft_h1_unfolded(h, scan, in);
	struct weft_http_message m = { .fields = table };
	struct weft_http_refusal no;
	enum weft_status st;

	if (table && head) {
		st = weft_http_parse(scan, WEFT_HTTP_RESPONSE, head, &m, &no);
		st = st ? refused(&no, err) : one_head(h, &m, err);
	} else {
		st = weft_error_set(err, WEFT_ERR_MEMORY, 0, "no memory for a response");
	}
	weft_h1_unfolded_done(h, scan, in, head);
	if (table)
		weft_h1_table_done(h, small, table, scan->lines);
	return st;
}

static enum weft_status response_head(struct weft_h1 *h, const unsigned char *in, size_t len,
	size_t *used, struct weft_error *err)
{
	struct weft_http_scan scan;
	struct weft_http_refusal no;
	struct weft_http_bounds bounds;
	enum weft_status st;

	weft_h1_bounds(h, &bounds);
	st = weft_http_scan(&h->in.scan, WEFT_HTTP_RESPONSE, in, len, &bounds, &no);
	if (st == WEFT_AGAIN && h->peer_fin)
		return weft_error_set(err, WEFT_ERR_TRUNCATED, 0,
			len ? "the connection ended within a response's head"
			    : "the connection ended before a response came");
	if (st < 0 && is_http2(in, len))
		return weft_error_set(err, WEFT_ERR_PROTOCOL, 0,
			"the server speaks HTTP/2 here, and was asked by HTTP/1.1");
	if (st)
		return st < 0 ? refused(&no, err) : st;
	scan = h->in.scan;
	h->in.scan = (struct weft_http_scan){ .pos = 0 };
	*used = scan.pos;
	return read_head(h, &scan, in, err);
}

/* Bytes, or the end, while no answer is owed: RFC 9112 section 9.5 lets a server close at any time. */
static void unsolicited(struct weft_h1 *h)
{
	struct weft_error why;

	weft_h1_close(h);
	if (!h->active)
		return;
	weft_error_set(&why, WEFT_ERR_RESET, 0,
		"the server ended the connection before the request was sent");
	weft_h1_end_exchange(h, WEFT_CAUSE_UNSENT, &why);
}

static enum weft_status fail(struct weft_h1 *h, struct weft_error *err)
{
	enum weft_cause cause = weft_h1_cause(h);

	h->closing = true;
	weft_h1_end_exchange(h, cause, err);
	return err->status;
}

/* A tunnel ends when both directions have. */
static void check_tunnel(struct weft_h1 *h)
{
	if (h->active && h->in.body == WEFT_HTTP_BODY_TUNNEL && h->in.done && h->out.done)
		finish(h, false);
}

enum weft_status weft_h1_client_input(struct weft_h1 *h, const unsigned char *in, size_t len,
	size_t *used, struct weft_error *err)
{
	enum weft_status st = WEFT_OK;
	size_t n, at = 0;

	while (st == WEFT_OK && !h->closing) {
		if (!h->active || !h->out.head_sent) {
			if (at < len || h->peer_fin)
				unsolicited(h);
			break;
		}
		if (h->in.done) {
			if (h->in.body != WEFT_HTTP_BODY_TUNNEL)
				finish(h, at < len);
			else
				check_tunnel(h);
			break;
		}
		if (at < len)
			h->heard = true;
		n = 0;
		if (h->answered)
			st = weft_h1_body_in(h, in + at, len - at, h->peer_fin, &n, err);
		else
			st = response_head(h, in + at, len - at, &n, err);
		at += n;
	}
	*used = h->closing ? len : at;
	if (st >= 0)
		return st == WEFT_BLOCKED && !h->closing ? WEFT_BLOCKED : WEFT_OK;
	/* the stream may be gone already, by an upcall */
	return h->closing ? WEFT_OK : fail(h, err);
}

enum weft_status weft_h1_client_output(struct weft_h1 *h, struct weft_error *err)
{
	enum weft_status st = WEFT_OK;

	if (!h->active || h->closing)
		return WEFT_OK;
	if (!h->out.head_sent)
		st = weft_h1_send_request(h);
	if (st == WEFT_OK && !h->expect)
		st = weft_h1_body_out(h, err);
	check_tunnel(h);
	if (st == WEFT_OK)
		return WEFT_OK;
	if (err->status == WEFT_OK)
		weft_error_set(err, st, 0, "the request could not be sent");
	if (err->status == WEFT_ERR_ARGUMENT)
		h->heard = true; /* the application's mistake: trying again would not help */
	return fail(h, err);
}
