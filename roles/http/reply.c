/* SPDX-License-Identifier: MIT */
/* Answers in one call. */
#include <stdio.h>
#include <string.h>

#include "roles/http/chars.h"
#include "roles/http/framing.h"
#include "weft/http.h"

/* A body that belongs to nobody but the segments that refer to it. */
struct body_copy {
	struct weft_owner owner;
	const struct weft_allocator *alloc;
	unsigned refs;
	size_t len;
	unsigned char bytes[];
};

static void copy_ref(struct weft_owner *owner)
{
	((struct body_copy *)owner)->refs++;
}

static void copy_release(struct weft_owner *owner)
{
	struct body_copy *c = (struct body_copy *)owner;

	if (--c->refs == 0)
		weft_free(c->alloc, c, sizeof(*c) + c->len);
}

static enum weft_status copy_body(struct weft_stream *s, struct weft_segment *seg)
{
	const struct weft_allocator *alloc = weft_context_allocator(weft_stream_context(s));
	struct body_copy *c = NULL;

	/* a difference, because a sum might wrap around */
	if (seg->len <= SIZE_MAX - sizeof(*c))
		c = weft_alloc(alloc, sizeof(*c) + seg->len);
	if (!c)
		return WEFT_ERR_MEMORY;
	*c = (struct body_copy){
		.owner = { .ref = copy_ref, .release = copy_release },
		.alloc = alloc,
		.refs = 1,
		.len = seg->len,
	};
	memcpy(c->bytes, seg->ptr, seg->len);
	seg->kind = WEFT_SEGMENT_MEM;
	seg->ptr = c->bytes;
	seg->owner = &c->owner;
	return WEFT_OK;
}

static bool is_bare(const struct weft_stream *s, unsigned status, size_t len)
{
	return !len || weft_http_bodyless(weft_stream_request(s)->method, status);
}

/* The body's reference passes to the stream where there is a body and all is well. */
static enum weft_status reply(
	struct weft_stream *s, unsigned status, const char *type, const struct weft_segment *body)
{
	struct weft_field field = weft_field("content-type", type ? type : "");
	uint64_t len = body->len;
	struct weft_head head = {
		.status = status,
		.body_len = len <= INT64_MAX ? (int64_t)len : -1,
		.fields = &field,
		.field_count = type ? 1 : 0,
	};
	bool bare = is_bare(s, status, body->len);
	enum weft_status st = weft_stream_send_head(s, &head, WEFT_HEAD_FINAL, bare, NULL);

	if (st || bare)
		return st;
	if (body->kind != WEFT_SEGMENT_BORROWED)
		st = weft_stream_write_segment(s, body);
	else if (weft_stream_write(s, body->ptr, body->len) != body->len)
		st = WEFT_ERR_MEMORY;
	if (st) {
		/* the head promised a body: only a cut connection is honest now */
		weft_stream_close(s);
		return st;
	}
	weft_stream_finish(s);
	return WEFT_OK;
}

enum weft_status weft_http_reply_static(
	struct weft_stream *s, unsigned status, const char *type, const void *body, size_t len)
{
	struct weft_segment seg = weft_segment_static(body, len);

	return reply(s, status, type, &seg);
}

enum weft_status weft_http_reply(
	struct weft_stream *s, unsigned status, const char *type, const void *body, size_t len)
{
	struct weft_segment seg = weft_segment_borrowed(body, len);
	enum weft_status st = WEFT_OK;

	/* before the head, so that there is still an answer if it fails */
	if (len > weft_stream_room(s) && !is_bare(s, status, len))
		st = copy_body(s, &seg);
	if (st)
		return st;
	st = reply(s, status, type, &seg);
	if (st)
		weft_segment_release(&seg);
	return st;
}

enum weft_status weft_http_error(struct weft_stream *s, unsigned status)
{
	char text[64];
	int len = snprintf(text, sizeof(text), "%u %s\n", status, weft_http_reason(status));

	return weft_http_reply(s, status, "text/plain; charset=utf-8", text, (size_t)len);
}

enum weft_status weft_http_reply_head(struct weft_stream *s, unsigned status,
	const struct weft_field *fields, size_t field_count, int64_t body_len)
{
	struct weft_head head = {
		.status = status,
		.body_len = body_len,
		.fields = fields,
		.field_count = field_count,
	};

	return weft_stream_send_head(s, &head, WEFT_HEAD_FINAL, false, NULL);
}

enum weft_status weft_http_redirect(struct weft_stream *s, unsigned status, const char *location)
{
	struct weft_field field = weft_field("location", location);
	struct weft_head head = {
		.status = status, .body_len = 0, .fields = &field, .field_count = 1
	};

	if (status < 301 || status > 308 || status == 304 || status == 305 || status == 306 ||
		!*location)
		return WEFT_ERR_ARGUMENT;
	for (const char *c = location; *c; c++) {
		if (*c != '#' && !weft_http_is((unsigned char)*c, WEFT_HTTP_TARGET))
			return WEFT_ERR_ARGUMENT;
	}
	return weft_stream_send_head(s, &head, WEFT_HEAD_FINAL, true, NULL);
}

static bool offered(const struct weft_head *request, const char *protocol)
{
	for (size_t i = 0; i < request->field_count; i++) {
		const struct weft_field *f = &request->fields[i];
		struct weft_span rest = { (const unsigned char *)f->value, f->value_len }, item;

		if (!weft_http_same(f->name, f->name_len, "upgrade"))
			continue;
		while (weft_http_list_next(&rest, &item)) {
			if (weft_http_same((const char *)item.ptr, item.len, protocol))
				return true;
		}
	}
	return false;
}

enum weft_status weft_http_accept_upgrade(struct weft_stream *s, const char *protocol)
{
	struct weft_field field = weft_field("upgrade", protocol);
	struct weft_head head = {
		.status = 101,
		.body_len = -1,
		.fields = &field,
		.field_count = 1,
	};

	if (!offered(weft_stream_request(s), protocol))
		return WEFT_ERR_STATE;
	return weft_stream_send_head(s, &head, WEFT_HEAD_FINAL, false, NULL);
}
