/* SPDX-License-Identifier: MIT */
/* How much of a request's body a route takes. */
#include "core/stream/stream.h"
#include "core/vhost/vhost.h"

/* The connection is not worth the rest of that body. */
static void answer(struct weft_stream *s)
{
	const struct weft_field close = weft_field("connection", "close");
	const struct weft_head head = { .status = 413, .fields = &close, .field_count = 1 };

	if (weft_stream_send_head(s, &head, WEFT_HEAD_FINAL, true, NULL))
		weft_stream_close(s);
}

/*
 * Answers 413 where that is still possible. The application's part in it ends here, and the role goes on
 * with what it has: a response that was begun is cut.
 */
static void refuse(struct weft_stream *s)
{
	struct weft_error why;

	s->ctx->counters.limits_hit++;
	weft_error_set(&why, WEFT_ERR_LIMIT, 0, "a request's body of more than %llu bytes",
		(unsigned long long)s->body_max);
	if (!s->head_sent)
		answer(s);
	if (s->state == WEFT_STREAM_DONE)
		return; /* it could not be answered, and was closed for it */
	s->detached = true;
	weft_list_remove(&s->writable_node);
	weft_buffer_finish(&s->in);
	weft_stream_unbind(s);
	weft_stream_over(s, &why);
}

bool weft_stream_body_fits(struct weft_stream *s, uint64_t max)
{
	s->body_max = max;
	if (!max || s->request.body_len < 0 || (uint64_t)s->request.body_len <= max)
		return true;
	refuse(s);
	return false;
}

bool weft_stream_count_body(struct weft_stream *s, size_t len)
{
	s->body_in += len;
	/* bytes without a request around them, and a tunnel's, are no body */
	if (!s->body_max || s->body_in <= s->body_max || !s->request.method || s->tunnel)
		return true;
	refuse(s);
	return false;
}
