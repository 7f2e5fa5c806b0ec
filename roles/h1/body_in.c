/* SPDX-License-Identifier: MIT */
/* A message's body on its way to the stream, in each framing, within the stream's window. */
#include "roles/h1/h1.h"
#include "roles/http/parse.h"

enum { WINDOW_DEFAULT = 65536 };

static size_t window(const struct weft_h1 *h)
{
	uint64_t max;

	if (!h->stream)
		return SIZE_MAX;
	max = weft_stream_limits(h->stream)->window_bytes;
	if (!max)
		max = WINDOW_DEFAULT;
	return h->in.given < max ? (size_t)(max - h->in.given) : 0;
}

static void give(struct weft_h1 *h, const unsigned char *bytes, size_t n)
{
	weft_h1_moved(h);
	h->in.rate_bytes =
		n < UINT32_MAX - h->in.rate_bytes ? h->in.rate_bytes + (uint32_t)n : UINT32_MAX;
	if (h->out.done)
		h->drained += (uint32_t)n;
	if (!h->stream)
		return;
	h->in.given += (uint32_t)n; /* within the window */
	weft_role_data(h->stream, bytes, n);
}

static enum weft_status complete(struct weft_h1 *h)
{
	h->in.done = true;
	if (h->stream)
		weft_role_fin(h->stream);
	return WEFT_OK;
}

static enum weft_status stall(struct weft_h1 *h)
{
	h->in.stalled = true;
	return WEFT_BLOCKED;
}

static enum weft_status truncated(struct weft_error *err)
{
	return weft_error_set(
		err, WEFT_ERR_TRUNCATED, 0, "the connection ended within the body of a message");
}

/* The application may reset the stream in any upcall; a server then drains, else all is over. */
static bool gone(const struct weft_h1 *h)
{
	return !h->active || h->closing;
}

/* As much as the window takes, which opens again while the application takes all that it is given. */
static size_t give_within_window(struct weft_h1 *h, const unsigned char *in, size_t len)
{
	size_t room, n, at = 0;

	while (at < len && !gone(h) && (room = window(h))) {
		n = len - at < room ? len - at : room;
		give(h, in + at, n);
		at += n;
	}
	return at;
}

static enum weft_status by_length(struct weft_h1 *h, const unsigned char *in, size_t len, bool fin,
	size_t *used, struct weft_error *err)
{
	size_t want = len < h->in.left ? len : (size_t)h->in.left;
	size_t n = give_within_window(h, in, want);

	*used = n;
	if (gone(h))
		return WEFT_AGAIN;
	h->in.left -= n;
	if (!h->in.left)
		return complete(h);
	if (n < want)
		return stall(h);
	return fin ? truncated(err) : WEFT_AGAIN;
}

static enum weft_status until_fin(
	struct weft_h1 *h, const unsigned char *in, size_t len, bool fin, size_t *used)
{
	size_t n = give_within_window(h, in, len);

	*used = n;
	if (gone(h))
		return WEFT_AGAIN;
	if (n < len)
		return stall(h);
	return fin ? complete(h) : WEFT_AGAIN;
}

static enum weft_status refused(const struct weft_http_refusal *no, struct weft_error *err)
{
	return weft_error_set(err, no->status == 431 ? WEFT_ERR_LIMIT : WEFT_ERR_PROTOCOL, 0,
		"in a body: %s", no->why);
}

static enum weft_status tell_trailers(struct weft_h1 *h, const struct weft_http_scan *scan,
	const unsigned char *in, struct weft_http_message *m, struct weft_error *err)
{
	struct weft_http_refusal no;
	struct weft_head head = { .body_len = -1 };
	enum weft_status st = weft_http_parse(scan, WEFT_HTTP_TRAILER, in, m, &no);

	if (st)
		return refused(&no, err);
	if (!h->stream || !m->count)
		return WEFT_OK;
	head.fields = m->fields;
	head.field_count = m->count;
	st = weft_role_head(h->stream, &head, WEFT_HEAD_TRAILER);
	return st ? weft_error_set(err, st, 0, "no memory for trailers") : WEFT_OK;
}

static enum weft_status give_trailers(
	struct weft_h1 *h, const unsigned char *in, struct weft_error *err)
{
	struct weft_field small[WEFT_H1_FIELDS];
	const struct weft_http_scan scan = h->in.scan;
	struct weft_field *table = weft_h1_table(h, small, scan.lines);
	const unsigned char *text = weft_h1_unfolded(h, &scan, in);
	struct weft_http_message m = { .fields = table };
	enum weft_status st;

	if (table && text)
		st = tell_trailers(h, &scan, text, &m, err);
	else
		st = weft_error_set(err, WEFT_ERR_MEMORY, 0, "no memory for trailers");
	weft_h1_unfolded_done(h, &scan, in, text);
	if (table)
		weft_h1_table_done(h, small, table, scan.lines);
	return st;
}

static enum weft_status trailers(struct weft_h1 *h, const unsigned char *in, size_t len, bool fin,
	size_t *used, struct weft_error *err)
{
	struct weft_http_bounds bounds;
	struct weft_http_refusal no;
	enum weft_status st;

	weft_h1_bounds(h, &bounds);
	*used = 0;
	st = weft_http_scan(&h->in.scan, h->client ? WEFT_HTTP_RESPONSE_TRAILER : WEFT_HTTP_TRAILER,
		in, len, &bounds, &no);
	if (st == WEFT_AGAIN)
		return fin ? truncated(err) : st;
	if (st)
		return refused(&no, err);
	*used = h->in.scan.pos;
	st = give_trailers(h, in, err);
	if (st)
		return st;
	return gone(h) ? WEFT_AGAIN : complete(h);
}

static enum weft_status chunks(struct weft_h1 *h, const unsigned char *in, size_t len, bool fin,
	size_t *used, struct weft_error *err)
{
	struct weft_http_refusal no;
	struct weft_span data;
	enum weft_status st;
	size_t n, at = 0;

	while (!h->in.trailers) {
		st = weft_http_chunked_decode(
			&h->in.chunked, in + at, len - at, window(h), &n, &data, &no);
		at += n;
		*used = at;
		if (st < 0)
			return refused(&no, err);
		if (st == WEFT_AGAIN)
			return fin ? truncated(err) : st;
		h->in.trailers = st == WEFT_EOF;
		if (st == WEFT_EOF) {
			h->in.scan = (struct weft_http_scan){ .pos = 0 };
			break;
		}
		if (!data.len)
			return stall(h);
		give(h, data.ptr, data.len);
		if (gone(h))
			return WEFT_AGAIN;
	}
	st = trailers(h, in + at, len - at, fin, &n, err);
	*used = at + n;
	return st;
}

enum weft_status weft_h1_body_in(struct weft_h1 *h, const unsigned char *in, size_t len, bool fin,
	size_t *used, struct weft_error *err)
{
	*used = 0;
	switch (h->in.body) {
	case WEFT_HTTP_BODY_NONE:
		return complete(h);
	case WEFT_HTTP_BODY_LENGTH:
		return by_length(h, in, len, fin, used, err);
	case WEFT_HTTP_BODY_CHUNKED:
		return chunks(h, in, len, fin, used, err);
	default:
		return until_fin(h, in, len, fin, used);
	}
}
