/* SPDX-License-Identifier: MIT */
/* The exchange: how it begins, ends, and becomes a tunnel. */
#include <string.h>

#include "roles/h1/h1.h"
#include "roles/http/outgoing.h"

void weft_h1_reset_exchange(struct weft_h1 *h)
{
	memset(&h->in, 0, sizeof(h->in));
	memset(&h->out, 0, sizeof(h->out));
	h->stream = NULL;
	h->active = false;
	h->drained = 0;
	h->http10 = h->head_method = h->connect_method = h->upgrade = false;
	h->tunnel_due = h->expect = h->heard = h->answered = false;
	h->informational = 0;
}

void weft_h1_end_exchange(struct weft_h1 *h, enum weft_cause cause, const struct weft_error *why)
{
	struct weft_stream *s = h->stream;

	weft_h1_reset_exchange(h);
	weft_h1_moved(h);
	if (s)
		weft_role_closed(s, cause, why);
}

void weft_h1_close(struct weft_h1 *h)
{
	h->closing = true;
	weft_pipe_close(h->pipe);
}

void weft_h1_bounds(const struct weft_h1 *h, struct weft_http_bounds *bounds)
{
	bounds->bytes = h->limits->header_bytes < WEFT_H1_HEAD_MAX ? h->limits->header_bytes
								   : (uint32_t)WEFT_H1_HEAD_MAX;
	bounds->fields = h->limits->header_count;
}

struct weft_field *weft_h1_table(struct weft_h1 *h, struct weft_field *small, uint32_t lines)
{
	if (lines <= WEFT_H1_FIELDS)
		return small;
	return weft_alloc(weft_pipe_alloc(h->pipe), lines * sizeof(*small));
}

void weft_h1_table_done(
	struct weft_h1 *h, struct weft_field *small, struct weft_field *table, uint32_t lines)
{
	if (table != small)
		weft_free(weft_pipe_alloc(h->pipe), table, lines * sizeof(*table));
}

const unsigned char *weft_h1_unfolded(
	struct weft_h1 *h, const struct weft_http_scan *scan, const unsigned char *in)
{
	unsigned char *copy;

	if (!scan->folded)
		return in;
	copy = weft_alloc(weft_pipe_alloc(h->pipe), scan->pos);
	if (!copy)
		return NULL;
	memcpy(copy, in, scan->pos);
	weft_http_unfold(copy, scan->pos);
	return copy;
}

void weft_h1_unfolded_done(struct weft_h1 *h, const struct weft_http_scan *scan,
	const unsigned char *in, const unsigned char *head)
{
	if (head && head != in)
		weft_free(weft_pipe_alloc(h->pipe), (void *)(uintptr_t)head, scan->pos);
}

void weft_h1_begin_tunnel(struct weft_h1 *h)
{
	h->in.body = WEFT_HTTP_BODY_TUNNEL;
	h->in.done = false;
	h->out.body = WEFT_HTTP_BODY_TUNNEL;
	h->out.hold = false;
	h->out.done = false;
	h->keep = false;
	h->tunnel_due = true;
	weft_h1_moved(h);
}

void weft_h1_tell_tunnel(struct weft_h1 *h)
{
	if (!h->tunnel_due)
		return;
	h->tunnel_due = false;
	if (h->stream)
		weft_role_tunnel(h->stream);
}

bool weft_h1_cut_needs_reset(const struct weft_h1 *h)
{
	return h->out.head_sent && !h->out.done &&
	       (h->out.body == WEFT_HTTP_BODY_CLOSE || h->out.body == WEFT_HTTP_BODY_TUNNEL);
}

enum weft_status weft_h1_trailer(
	struct weft_h1 *h, const struct weft_head *head, struct weft_error *err)
{
	enum weft_status st =
		weft_http_check_fields(WEFT_HTTP_OUT_TRAILER, head->fields, head->field_count, err);

	if (st)
		return st;
	if (!h->client && !h->out.head_sent)
		return weft_error_set(err, WEFT_ERR_STATE, 0, "trailers before the head");
	if (h->out.body == WEFT_HTTP_BODY_TUNNEL)
		return weft_error_set(err, WEFT_ERR_STATE, 0, "trailers in a tunnel");
	if (h->out.body == WEFT_HTTP_BODY_LENGTH)
		return weft_error_set(err, WEFT_ERR_ARGUMENT, 0,
			"trailers behind a body of announced length: HTTP/1.1 has them only "
			"where body_len is -1");
	/* without a body, or towards HTTP/1.0, they are left out: RFC 9110 section 6.5 */
	h->out.trailer = head;
	return WEFT_OK;
}
