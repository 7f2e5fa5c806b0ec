/* SPDX-License-Identifier: MIT */
/* Frames out: nghttp2 makes them, bodies go from the streams' outboxes into the pipe as they are. */
#include <string.h>

#include "roles/h2/h2.h"
#include "roles/http/outgoing.h"

enum { TAKE_SEGMENTS = 16, FRAME_HEAD = 9 };

/* ---- bodies ---- */

/* What waits of the body, and whether that is all of it. */
static size_t pending(const struct weft_h2_stream *hs, bool *fin)
{
	size_t n = 0;

	if (hs->stream)
		return weft_stream_pending(hs->stream, fin);
	*fin = true;
	for (size_t i = hs->kept_at; i < hs->kept_count; i++)
		n += hs->kept[i].len;
	return n;
}

static ssize_t broken(struct weft_h2_stream *hs, const char *problem)
{
	if (!hs->problem)
		hs->problem = problem;
	hs->reset_sent = true; /* nghttp2 does it */
	return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

/* Trailers behind the body; without them the body's end is the stream's. */
static int end_body(struct weft_h2_stream *hs, uint32_t *flags)
{
	struct weft_h2_nv nv;
	int code;

	*flags |= NGHTTP2_DATA_FLAG_EOF;
	if (!hs->trailer || !hs->trailer->field_count)
		return 0;
	*flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
	if (!weft_h2_nv_begin(&nv, hs->h, hs->trailer->field_count))
		return NGHTTP2_ERR_NOMEM;
	weft_h2_nv_fields(&nv, hs->trailer->fields, hs->trailer->field_count);
	code = nghttp2_submit_trailer(hs->h->session, hs->id, nv.nv, nv.count);
	weft_h2_nv_end(&nv);
	return code;
}

/* How much the next DATA frame has; the bytes follow by weft_h2_send_data. */
static ssize_t read_body(nghttp2_session *session, int32_t id, uint8_t *buf, size_t length,
	uint32_t *flags, nghttp2_data_source *source, void *user)
{
	struct weft_h2_stream *hs = source->ptr;
	bool fin;
	size_t n = pending(hs, &fin);

	(void)session;
	(void)id;
	(void)buf;
	(void)user;
	if (hs->hold || hs->reset_sent || (!n && !fin)) {
		hs->deferred = true;
		hs->out_us = weft_pipe_now(hs->h->pipe);
		return NGHTTP2_ERR_DEFERRED;
	}
	if (n > length) {
		fin = false;
		n = length;
	}
	if (hs->out_known) {
		if (n > hs->out_left)
			return broken(hs, "more body was written than its content-length");
		hs->out_left -= n;
		if (fin && hs->out_left)
			return broken(hs, "the body ended short of its content-length");
	}
	*flags |= NGHTTP2_DATA_FLAG_NO_COPY;
	if (fin && end_body(hs, flags))
		return NGHTTP2_ERR_CALLBACK_FAILURE;
	return (ssize_t)n;
}

nghttp2_data_provider weft_h2_body(struct weft_h2_stream *hs)
{
	return (nghttp2_data_provider){ .source = { .ptr = hs }, .read_callback = read_body };
}

ssize_t weft_h2_data_length(nghttp2_session *session, uint8_t type, int32_t id,
	int32_t session_window, int32_t stream_window, uint32_t max, void *user)
{
	(void)session;
	(void)type;
	(void)id;
	(void)session_window;
	(void)stream_window;
	(void)user;
	return max < WEFT_H2_DATA ? (ssize_t)max : (ssize_t)WEFT_H2_DATA;
}

/* Up to max bytes of an answer that outlives its stream. */
static size_t take_kept(
	struct weft_h2_stream *hs, size_t max, struct weft_segment *segs, size_t *count)
{
	size_t room = *count, sum = 0;

	*count = 0;
	while (hs->kept_at < hs->kept_count && *count < room && sum < max) {
		struct weft_segment *from = &hs->kept[hs->kept_at], *to = &segs[(*count)++];

		*to = *from;
		if (from->len <= max - sum) {
			hs->kept_at++; /* its reference goes along */
		} else {
			to->len = max - sum;
			weft_segment_ref(to);
			from->len -= to->len;
			from->ptr = from->ptr ? from->ptr + to->len : NULL;
			from->off += to->len;
		}
		sum += to->len;
	}
	return sum;
}

static size_t take(struct weft_h2_stream *hs, size_t max, struct weft_segment *segs, size_t *count)
{
	bool fin;

	return hs->stream ? weft_stream_take(hs->stream, max, segs, count, &fin)
			  : take_kept(hs, max, segs, count);
}

int weft_h2_send_data(nghttp2_session *session, nghttp2_frame *frame, const uint8_t *head,
	size_t len, nghttp2_data_source *source, void *user)
{
	struct weft_segment segs[TAKE_SEGMENTS + 1];
	struct weft_h2_stream *hs = source->ptr;
	struct weft_h2 *h = user;
	size_t first = 1, count;
	enum weft_status st;

	(void)session;
	(void)frame;
	segs[0] = weft_segment_borrowed(head, FRAME_HEAD);
	hs->out_bytes = weft_h2_add_capped(hs->out_bytes, len);
	weft_h2_earn(h, 4);
	do {
		count = TAKE_SEGMENTS;
		len -= take(hs, len, segs + 1, &count);
		st = weft_pipe_send(h->pipe, 0, segs + 1 - first, count + first, false);
		for (size_t i = 1; i <= count; i++)
			weft_segment_release(&segs[i]);
		first = 0;
	} while (st == WEFT_OK && len && count);
	return st || len ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
}

bool weft_h2_keep(struct weft_h2_stream *hs)
{
	const struct weft_allocator *alloc = hs->h->alloc;
	struct weft_segment segs[TAKE_SEGMENTS], *more;
	size_t count, n = hs->kept_count;
	bool fin = false;

	do {
		count = TAKE_SEGMENTS;
		(void)weft_stream_take(hs->stream, SIZE_MAX, segs, &count, &fin);
		if (!count)
			break;
		more = alloc->resize(
			alloc->user, hs->kept, n * sizeof(*more), (n + count) * sizeof(*more));
		if (!more) {
			for (size_t i = 0; i < count; i++)
				weft_segment_release(&segs[i]);
			return false;
		}
		memcpy(more + n, segs, count * sizeof(*more));
		hs->kept = more;
		hs->kept_count = n += count;
	} while (!fin);
	return weft_h2_keep_trailer(hs);
}

/* A response that has no body, by its method or status: what is written all the same goes nowhere. */
static void drop_body(struct weft_h2_stream *hs)
{
	struct weft_segment segs[TAKE_SEGMENTS];
	size_t count;
	bool fin;

	do {
		count = TAKE_SEGMENTS;
		(void)weft_stream_take(hs->stream, SIZE_MAX, segs, &count, &fin);
		for (size_t i = 0; i < count; i++)
			weft_segment_release(&segs[i]);
	} while (count);
}

void weft_h2_ready(struct weft_h2_stream *hs)
{
	if (hs->no_body && hs->stream)
		drop_body(hs);
	if (hs->deferred && !hs->hold) {
		hs->deferred = false;
		hs->out_us = weft_pipe_now(hs->h->pipe);
		hs->out_bytes = 0;
		(void)nghttp2_session_resume_data(hs->h->session, hs->id);
	}
	weft_pipe_want_output(hs->h->pipe);
}

enum weft_status weft_h2_trailer(
	struct weft_h2_stream *hs, const struct weft_head *head, struct weft_error *err)
{
	enum weft_status st =
		weft_http_check_fields(WEFT_HTTP_OUT_TRAILER, head->fields, head->field_count, err);

	if (st)
		return st;
	if (!hs->h->client && !hs->head_sent)
		return weft_error_set(err, WEFT_ERR_STATE, 0, "trailers before the head");
	if (hs->tunnel || hs->extended || hs->connect)
		return weft_error_set(err, WEFT_ERR_STATE, 0, "trailers in a tunnel");
	hs->trailer = head;
	return WEFT_OK;
}

/* ---- frames ---- */

static void sent_all(struct weft_h2_stream *hs)
{
	hs->out_done = true;
	hs->in_us = hs->rate_us =
		weft_pipe_now(hs->h->pipe); /* the peer is waited for from now on */
	hs->rate_bytes = 0;
	/* nobody is there to read the rest of the request, or it was a tunnel's, which is refused */
	if (!hs->h->client && !hs->in_done &&
		(!hs->stream || ((hs->connect || hs->extended) && !hs->tunnel)))
		weft_h2_reset(hs, NGHTTP2_NO_ERROR);
}

int weft_h2_on_sent(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
	struct weft_h2_stream *hs;

	(void)session;
	if (frame->hd.type == NGHTTP2_GOAWAY && frame->goaway.error_code)
		((struct weft_h2 *)user)->broken = true;
	else if (frame->hd.type == NGHTTP2_GOAWAY)
		weft_h2_goaway_sent(user);
	if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA)
		return 0;
	hs = weft_h2_find(user, frame->hd.stream_id);
	if (!hs)
		return 0;
	hs->headers_out = true;
	if (frame->hd.flags & NGHTTP2_FLAG_END_STREAM)
		sent_all(hs);
	return 0;
}

/* Whether the connection has nothing left to do. */
static bool is_over(const struct weft_h2 *h)
{
	if (h->first)
		return false;
	if (!nghttp2_session_want_read(h->session) && !nghttp2_session_want_write(h->session))
		return true;
	return h->going && (h->client || h->draining);
}

static enum weft_status ended(struct weft_h2 *h, struct weft_error *err)
{
	if (h->closing)
		return WEFT_OK;
	/* nghttp2 says goodbye by itself when the peer breaks the protocol */
	if (h->broken) {
		h->closing = true;
		return weft_h2_failed(h, NGHTTP2_ERR_PROTO, err);
	}
	if (is_over(h)) {
		h->closing = true;
		weft_pipe_close(h->pipe);
	}
	return WEFT_OK;
}

/* One chunk. AGAIN: there was none. */
static enum weft_status step(struct weft_h2 *h, struct weft_error *err)
{
	struct weft_segment seg;
	const uint8_t *bytes;
	ssize_t n = h->starved ? NGHTTP2_ERR_NOMEM : nghttp2_session_mem_send(h->session, &bytes);

	if (n < 0)
		return weft_h2_failed(h, (int)n, err);
	if (!n)
		return WEFT_AGAIN;
	seg = weft_segment_borrowed(bytes, (size_t)n);
	return weft_pipe_send(h->pipe, 0, &seg, 1, false);
}

/* A client whose bytes have ended opens no window any more. */
static void drop_stuck(struct weft_h2 *h)
{
	bool all = nghttp2_session_get_remote_window_size(h->session) <= 0;

	for (struct weft_h2_stream *hs = h->first; hs; hs = hs->next) {
		if (weft_h2_has_output(hs) && (all || nghttp2_session_get_stream_remote_window_size(
							      h->session, hs->id) <= 0))
			weft_h2_break(hs, NGHTTP2_CANCEL,
				"the client ended without a window for the response");
	}
}

enum weft_status weft_h2_output(struct weft_h2 *h, struct weft_error *err)
{
	enum weft_status st = WEFT_OK;

	if (h->closing)
		return WEFT_OK;
	weft_h2_tell_tunnels(h);
	while (st == WEFT_OK && weft_pipe_room(h->pipe))
		st = step(h, err);
	if (st < 0)
		return st;
	if (st == WEFT_OK)
		weft_pipe_want_output(h->pipe);
	if (h->blocked &&
		nghttp2_session_get_outbound_queue_size(h->session) <= WEFT_H2_QUEUE / 2) {
		h->blocked = false;
		weft_pipe_resume(h->pipe);
	}
	if (h->ended)
		drop_stuck(h);
	if (!h->first && !h->block.active)
		weft_h2_block_finish(h);
	return ended(h, err);
}

void weft_h2_output_last(struct weft_h2 *h)
{
	struct weft_error err;
	enum weft_status st = WEFT_OK;

	weft_error_clear(&err);
	while (st == WEFT_OK)
		st = step(h, &err);
}
