/* SPDX-License-Identifier: MIT */
/* A request out of a policy's stream: method, path, fields, and what its response is called. */
#include "roles/http/policy_inside.h"

#include <stdlib.h>
#include <string.h>

#include "roles/http/chars.h"
#include "roles/http/outgoing.h"
#include "weft/http.h"

static enum weft_status no_memory(struct weft_error *err)
{
	return weft_error_set(err, WEFT_ERR_MEMORY, 0, "no memory for a request");
}

/* ---- a request ---- */

const char *weft_http_policy_text(
	const struct weft_policy_stream *stream, const char *key, const char *otherwise)
{
	const struct weft_policy_value *v = weft_policy_value(stream, key);

	return v ? v->text : otherwise;
}

static bool is(const char *a, const char *b)
{
	return !strcmp(a, b);
}

/* Metadata goes where its use says: given, or left out. */
static size_t put_metadata(const struct weft_policy_stream *stream,
	const struct weft_policy_planning *p, struct weft_field *fields)
{
	size_t n = 0;

	for (size_t i = 0; i < stream->metadata_count; i++) {
		const struct weft_policy_metadata *m = &stream->metadata[i];
		const char *value = weft_policy_given(p, m->name);

		for (size_t k = 0; value && k < m->use_count; k++) {
			if (!is(m->uses[k].name, "header"))
				continue;
			if (fields)
				fields[n] = weft_field(m->uses[k].value, value);
			n++;
		}
	}
	return n;
}

static enum weft_status put_headers(const struct weft_policy_value *headers,
	struct weft_policy_planning *p, struct weft_field *fields, struct weft_error *err)
{
	const char *value;
	enum weft_status st;

	for (size_t i = 0; headers && i < headers->pair_count; i++) {
		st = weft_policy_expand(
			p, headers->pairs[i].value, WEFT_POLICY_AS_IT_IS, &value, err);
		if (st)
			return st;
		fields[i] = weft_field(headers->pairs[i].name, value);
	}
	return WEFT_OK;
}

static enum weft_status make_fields(const struct weft_policy_stream *stream,
	struct weft_policy_planning *p, struct weft_role_plan *out, struct weft_error *err)
{
	const struct weft_policy_value *headers = weft_policy_value(stream, "headers");
	size_t own = headers ? headers->pair_count : 0;
	size_t count = own + put_metadata(stream, p, NULL);
	struct weft_field *fields;
	enum weft_status st;

	if (!count)
		return WEFT_OK;
	fields = weft_policy_alloc(p, count * sizeof(*fields));
	if (!fields)
		return no_memory(err);
	st = put_headers(headers, p, fields, err);
	if (st)
		return st;
	(void)put_metadata(stream, p, fields + own);
	out->fields = fields;
	out->field_count = count;
	return weft_http_check_fields(WEFT_HTTP_OUT_REQUEST, fields, count, err);
}

static enum weft_status plan(const struct weft_policy_stream *stream,
	struct weft_policy_planning *p, struct weft_role_plan *out, struct weft_error *err)
{
	enum weft_status st = weft_policy_expand(p, weft_http_policy_text(stream, "path", "/"),
		WEFT_POLICY_PERCENT, &out->target, err);

	out->method =
		weft_http_policy_text(stream, "method", weft_policy_has_body(p) ? "POST" : "GET");
	out->idempotent = weft_http_idempotent(out->method);
	if (st == WEFT_OK)
		st = weft_http_check_request(out->method, out->target, strlen(out->target), err);
	return st ? st : make_fields(stream, p, out, err);
}

/* ---- a response ---- */

static enum weft_status read_response(
	const struct weft_stream *s, const struct weft_policy_pair *use, struct weft_span *value)
{
	const struct weft_head *head = weft_stream_response(s);
	const struct weft_field *f;

	if (!is(use->name, "response_header") || !head)
		return WEFT_ERR_NOT_FOUND;
	f = weft_head_find(head, use->value);
	if (!f)
		return WEFT_ERR_NOT_FOUND;
	*value = (struct weft_span){ (const unsigned char *)f->value, f->value_len };
	return WEFT_OK;
}

bool weft_http_next_range(const char **at, unsigned long *from, unsigned long *to)
{
	char *end;

	*from = strtoul(*at, &end, 10);
	if (end != *at + 3)
		return false;
	*at = end;
	*to = *from;
	if (*end == '-') {
		*to = strtoul(end + 1, &end, 10);
		if (end != *at + 4)
			return false;
		*at = end;
	}
	if (*from < 100 || *to > 599 || *from > *to || (**at && **at != ','))
		return false;
	if (**at == ',' && !*++*at)
		return false;
	return true;
}

static const char *verdict(const struct weft_policy_stream *stream, unsigned status)
{
	const struct weft_policy_value *expect = weft_policy_value(stream, "expect");
	unsigned long from, to;

	for (size_t i = 0; expect && i < expect->pair_count; i++) {
		const char *at = expect->pairs[i].name;

		while (*at && weft_http_next_range(&at, &from, &to)) {
			if (status >= from && status <= to)
				return expect->pairs[i].value;
		}
	}
	return NULL;
}

const char *weft_http_expected(const struct weft_stream *s)
{
	const struct weft_head *head = weft_stream_response(s);
	const struct weft_policy_stream *stream = weft_stream_policy(s);

	return head && stream ? verdict(stream, head->status) : NULL;
}

const struct weft_role_policy weft_http_policy = {
	.size = sizeof(weft_http_policy),
	.automatic = true,
	.keys = weft_http_policy_keys,
	.uses = weft_http_policy_uses,
	.check = weft_http_policy_check,
	.plan = plan,
	.read = read_response,
};
