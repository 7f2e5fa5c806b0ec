/* SPDX-License-Identifier: MIT */
/* A message's body on its way from the stream's outbox into the pipe, in each framing. */
#include "roles/h1/h1.h"
#include "roles/h1/writer.h"

enum { TAKE_SEGMENTS = 16 };

/* The last chunk, and the trailers that wait for it. */
static enum weft_status last_chunk(struct weft_h1 *h)
{
	struct weft_h1_writer w;

	weft_h1_write_begin(&w, h->pipe);
	weft_h1_write(&w, "0\r\n", 3);
	if (h->out.trailer)
		weft_h1_write_fields(&w, h->out.trailer->fields, h->out.trailer->field_count);
	weft_h1_write(&w, "\r\n", 2);
	return weft_h1_write_end(&w);
}

static enum weft_status send_data(
	struct weft_h1 *h, struct weft_segment *segs, size_t count, size_t len)
{
	/* segs[0] is left free for the head of a chunk, and one behind the data for its end */
	char chunk[WEFT_HTTP_CHUNK_HEAD_MAX];

	switch (h->out.body) {
	case WEFT_HTTP_BODY_NONE:
		return WEFT_OK;
	case WEFT_HTTP_BODY_CHUNKED:
		segs[0] = weft_segment_borrowed(chunk, weft_http_chunk_head(chunk, len));
		segs[count + 1] = weft_segment_static("\r\n", 2);
		return weft_pipe_send(h->pipe, 0, segs, count + 2, false);
	case WEFT_HTTP_BODY_LENGTH:
		h->out.left -= len;
		break;
	default:
		break;
	}
	return weft_pipe_send(h->pipe, 0, segs + 1, count, false);
}

static enum weft_status finish(struct weft_h1 *h, struct weft_error *err)
{
	h->out.done = true;
	weft_h1_moved(h); /* from now on it is the peer who is waited for */
	switch (h->out.body) {
	case WEFT_HTTP_BODY_LENGTH:
		if (!h->out.left)
			return WEFT_OK;
		return weft_error_set(err, WEFT_ERR_ARGUMENT, 0,
			"the body ended %llu bytes short of its content-length",
			(unsigned long long)h->out.left);
	case WEFT_HTTP_BODY_CHUNKED:
		return last_chunk(h);
	case WEFT_HTTP_BODY_TUNNEL:
		return weft_pipe_send(h->pipe, 0, NULL, 0, true);
	default:
		return WEFT_OK;
	}
}

/* One helping. AGAIN: nothing more goes now. */
static enum weft_status step(struct weft_h1 *h, struct weft_error *err)
{
	struct weft_segment segs[TAKE_SEGMENTS + 2];
	size_t count = TAKE_SEGMENTS, n, max = weft_pipe_room_for(h->pipe, h->stream);
	enum weft_status st = WEFT_OK;
	bool fin = false, ended;

	if (h->out.body == WEFT_HTTP_BODY_NONE)
		max = SIZE_MAX; /* a response without body, by method or status: drop it */
	if (h->out.body == WEFT_HTTP_BODY_LENGTH && h->out.left < max)
		max = (size_t)h->out.left;
	n = weft_stream_take(h->stream, max, segs + 1, &count, &fin);
	if (n) {
		weft_h1_moved(h);
		st = send_data(h, segs, count, n);
		for (size_t i = 1; i <= count; i++)
			weft_segment_release(&segs[i]);
	}
	if (st)
		return st;
	if (fin)
		return finish(h, err);
	if (n && (h->out.body != WEFT_HTTP_BODY_LENGTH || h->out.left))
		return WEFT_OK;
	if (!weft_stream_pending(h->stream, &ended))
		return WEFT_AGAIN;
	if (h->out.body == WEFT_HTTP_BODY_LENGTH && !h->out.left)
		return weft_error_set(
			err, WEFT_ERR_ARGUMENT, 0, "more body was written than its content-length");
	weft_pipe_want_output(h->pipe);
	return WEFT_AGAIN;
}

enum weft_status weft_h1_body_out(struct weft_h1 *h, struct weft_error *err)
{
	enum weft_status st = WEFT_OK;

	while (st == WEFT_OK && h->stream && h->out.head_sent && !h->out.done && !h->out.hold)
		st = step(h, err);
	return st == WEFT_AGAIN ? WEFT_OK : st;
}
