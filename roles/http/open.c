/* SPDX-License-Identifier: MIT */
/* A client's request: checked as HTTP, then opened as any other stream. */
#include <string.h>

#include "roles/http/chars.h"
#include "roles/http/outgoing.h"
#include "weft/http.h"

enum { FIELDS_ON_STACK = 24, MADE_FIELDS = 2 };

static enum weft_status argument(struct weft_error *err, const char *text)
{
	return weft_error_set(err, WEFT_ERR_ARGUMENT, 0, "%s", text);
}

static bool has_scheme(const char *url, const char *scheme)
{
	size_t len = strlen(scheme);

	return strlen(url) >= len && weft_http_same(url, len, scheme);
}

/* The URL's target, without the fragment. The authority is the core's to check. */
static void target_of(const char *url, const char **target, size_t *len)
{
	const char *p = strstr(url, "://") + 3;

	p += strcspn(p, "/?#");
	*len = strcspn(p, "#");
	*target = p;
	if (!*len) {
		*target = "/";
		*len = 1;
	}
}

static const char *method_of(const struct weft_request *r)
{
	if (r->method)
		return r->method;
	return r->body.len || r->body_later ? "POST" : "GET";
}

static enum weft_status check(const struct weft_request *r, struct weft_error *err)
{
	const char *method, *target;
	enum weft_status st;
	size_t len;

	if (!r->url || (!has_scheme(r->url, "http://") && !has_scheme(r->url, "https://") &&
			       !has_scheme(r->url, "http+unix:")))
		return weft_error_set(err, WEFT_ERR_ARGUMENT, 0,
			"url \"%.100s\": expected http:// or https://", r->url ? r->url : "(null)");
	if (has_scheme(r->url, "http+unix:"))
		return weft_error_set(err, WEFT_ERR_ARGUMENT, 0,
			"url \"%.100s\": name a host, and the socket with connect_to "
			"\"unix:/path\"",
			r->url);
	if (r->body.len && r->body_later)
		return argument(err, "both body and body_later: expected one of them");
	if (r->upgrade && (r->body.len || r->body_later))
		return argument(err, "a request that offers an upgrade cannot have a body");
	if (r->upgrade && !weft_http_token(r->upgrade, strcspn(r->upgrade, "/")))
		return argument(err, "upgrade: expected the name of a protocol");
	if (r->expect_continue && !r->body.len && !r->body_later)
		return argument(err, "expect_continue without a body");
	method = method_of(r);
	target_of(r->url, &target, &len);
	st = weft_http_check_request(method, target, len, err);
	if (st)
		return st;
	return weft_http_check_fields(WEFT_HTTP_OUT_REQUEST, r->fields, r->field_count, err);
}

static void fill_options(const struct weft_request *r, struct weft_stream_options *o)
{
	*o = r->stream;
	o->url = r->url;
	o->method = method_of(r);
	o->idempotent = weft_http_idempotent(o->method);
	o->share = r->share;
	o->hold = r->hold;
	o->trust = r->trust;
	o->credential = r->credential;
	o->allow = r->allow;
	o->connect_to = r->connect_to;
	o->header_ms = r->header_ms;
	o->total_ms = r->total_ms;
	o->idle_ms = r->idle_ms;
	o->body = true;
	if (r->body.len)
		o->body_len = (int64_t)r->body.len;
	else if (r->body_later)
		o->body_len = r->body_later_len > 0 ? r->body_later_len : -1;
	else if (r->upgrade || !strcmp(o->method, "CONNECT"))
		o->body_len = -1; /* what is written later belongs to the tunnel */
	else
		o->body = false;
}

/* The application's fields and those made here. The stream copies them. */
static enum weft_status open_with(struct weft_context *ctx, const struct weft_request *r,
	struct weft_field *fields, const struct weft_stream_ops *ops, void *user,
	struct weft_stream **out, struct weft_error *err)
{
	struct weft_stream_options o;
	size_t n = r->field_count;

	if (n)
		memcpy(fields, r->fields, n * sizeof(*fields));
	if (r->expect_continue)
		fields[n++] = weft_field("expect", "100-continue");
	if (r->upgrade)
		fields[n++] = weft_field("upgrade", r->upgrade);
	fill_options(r, &o);
	o.fields = fields;
	o.field_count = n;
	return weft_stream_open(ctx, &o, ops, user, out, err);
}

static enum weft_status write_body(
	struct weft_stream *s, const struct weft_span *body, struct weft_error *err)
{
	struct weft_segment seg = weft_segment_static(body->ptr, body->len);
	enum weft_status st = weft_stream_write_segment(s, &seg);

	if (st) {
		/* as if it had never been opened: nobody is called */
		weft_stream_set_ops(s, NULL, NULL);
		weft_stream_close(s);
		return weft_error_set(err, st < 0 ? st : WEFT_ERR_MEMORY, 0,
			"no memory to refer to a request's body");
	}
	weft_stream_finish(s);
	return WEFT_OK;
}

enum weft_status weft_http_open(struct weft_context *ctx, const struct weft_request *r,
	const struct weft_stream_ops *ops, void *user, struct weft_stream **out,
	struct weft_error *err)
{
	const struct weft_allocator *alloc = weft_context_allocator(ctx);
	struct weft_field on_stack[FIELDS_ON_STACK], *fields = on_stack;
	size_t size = (r->field_count + MADE_FIELDS) * sizeof(*fields);
	enum weft_status st = check(r, err);

	if (st)
		return st;
	if (r->field_count + MADE_FIELDS > FIELDS_ON_STACK)
		fields = weft_alloc(alloc, size);
	if (!fields)
		return weft_error_set(err, WEFT_ERR_MEMORY, 0, "no memory for the fields");
	st = open_with(ctx, r, fields, ops, user, out, err);
	if (fields != on_stack)
		weft_free(alloc, fields, size);
	if (st == WEFT_OK && r->body.len)
		st = write_body(*out, &r->body, err);
	return st;
}
