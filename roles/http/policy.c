/* SPDX-License-Identifier: MIT */
/* A request out of a policy's stream: method, path, fields, and what its response is called. */
#include "roles/http/policy.h"

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

static const char *text_of(
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
	enum weft_status st = weft_policy_expand(
		p, text_of(stream, "path", "/"), WEFT_POLICY_PERCENT, &out->target, err);

	out->method = text_of(stream, "method", weft_policy_has_body(p) ? "POST" : "GET");
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

/* One of "200-299,304": whether status is in it. Moves *at behind it; false and *at at the fault: it is none. */
static bool next_range(const char **at, unsigned long *from, unsigned long *to)
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

		while (*at && next_range(&at, &from, &to)) {
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

/* ---- when a policy is loaded ---- */

static enum weft_status check_ranges(
	const struct weft_policy_stream *stream, struct weft_error *err)
{
	const struct weft_policy_value *expect = weft_policy_value(stream, "expect");
	unsigned char taken[600] = { 0 };
	unsigned long from, to;

	for (size_t i = 0; expect && i < expect->pair_count; i++) {
		const char *at = expect->pairs[i].name;

		if (!*at)
			return weft_error_set(err, WEFT_ERR_ARGUMENT, 0,
				"\"\": expected statuses, as \"200-299,304\"");
		while (*at) {
			if (!next_range(&at, &from, &to))
				return weft_error_set(err, WEFT_ERR_ARGUMENT, 0,
					"\"%.40s\": expected statuses from 100 to 599, as "
					"\"200-299,304\"",
					expect->pairs[i].name);
			for (; from <= to; from++) {
				if (taken[from]++)
					return weft_error_set(err, WEFT_ERR_ARGUMENT, 0,
						"status %lu is expected twice", from);
			}
		}
		if (!expect->pairs[i].value[0])
			return weft_error_set(err, WEFT_ERR_ARGUMENT, 0, "\"%.40s\" has no name",
				expect->pairs[i].name);
	}
	return WEFT_OK;
}

/* With a letter where metadata will be. */
static void stand_in(const char *text, char *out, size_t room)
{
	size_t used = 0;

	while (*text && used + 1 < room) {
		const char *close = text[0] == '$' && text[1] == '{' ? strchr(text, '}') : NULL;

		out[used++] = close ? 'x' : *text;
		text = close ? close + 1 : text + 1;
	}
	out[used] = '\0';
}

static enum weft_status check_field(const char *name, const char *text, struct weft_error *err)
{
	char value[8192];
	struct weft_field field;

	stand_in(text, value, sizeof(value));
	field = weft_field(name, value);
	return weft_http_check_fields(WEFT_HTTP_OUT_REQUEST, &field, 1, err);
}

static enum weft_status check_metadata(
	const struct weft_policy_stream *stream, const char **key, struct weft_error *err)
{
	enum weft_status st = WEFT_OK;

	for (size_t i = 0; i < stream->metadata_count; i++) {
		const struct weft_policy_metadata *m = &stream->metadata[i];

		*key = m->name;
		for (size_t k = 0; st == WEFT_OK && k < m->use_count; k++) {
			if (is(m->uses[k].name, "header"))
				st = check_field(m->uses[k].value, "x", err);
			else if (!weft_http_token(m->uses[k].value, strlen(m->uses[k].value)))
				st = weft_error_set(err, WEFT_ERR_ARGUMENT, 0,
					"response_header \"%.40s\" is no name of a field",
					m->uses[k].value);
		}
		if (st)
			return st;
	}
	return WEFT_OK;
}

static enum weft_status check_request(
	const struct weft_policy_stream *stream, const char **key, struct weft_error *err)
{
	char target[8192];
	const struct weft_policy_value *headers = weft_policy_value(stream, "headers");
	const char *method = text_of(stream, "method", "GET");
	enum weft_status st = weft_http_check_request(method, "/", 1, err);

	*key = "method";
	if (st)
		return st;
	*key = "path";
	stand_in(text_of(stream, "path", "/"), target, sizeof(target));
	if (target[0] != '/')
		return weft_error_set(err, WEFT_ERR_ARGUMENT, 0,
			"is \"%.60s\", expected something that begins with /", target);
	st = weft_http_check_request(method, target, strlen(target), err);
	for (size_t i = 0; st == WEFT_OK && headers && i < headers->pair_count; i++) {
		*key = "headers";
		st = check_field(headers->pairs[i].name, headers->pairs[i].value, err);
	}
	return st;
}

static enum weft_status check(
	const struct weft_policy_stream *stream, const char **key, struct weft_error *err)
{
	enum weft_status st = check_request(stream, key, err);

	if (st == WEFT_OK)
		st = check_metadata(stream, key, err);
	if (st)
		return st;
	*key = "expect";
	return check_ranges(stream, err);
}

static const struct weft_policy_key keys[] = {
	{ "method", WEFT_POLICY_TEXT, 0, 0, NULL, "GET, or POST with a body",
		"The request's method." },
	{ "path", WEFT_POLICY_TEMPLATE, 0, 0, NULL, "/",
		"Path and query. Metadata in it is percent-encoded." },
	{ "headers", WEFT_POLICY_MAP, 0, 0, NULL, "none", "Fields of the request, by name." },
	{ "expect", WEFT_POLICY_MAP, 0, 0, NULL, "none",
		"What statuses are called: \"200-299\": \"ok\". Acts with secure streams." },
	{ "redirects", WEFT_POLICY_NUMBER, 0, 20, NULL, "0",
		"How many redirects are followed. Acts with secure streams." },
	{ .name = NULL },
};

static const struct weft_policy_key uses[] = {
	{ "header", WEFT_POLICY_TEXT, 0, 0, NULL, "none",
		"The value goes into this field of the request." },
	{ "response_header", WEFT_POLICY_TEXT, 0, 0, NULL, "none",
		"The value is read from this field of the response." },
	{ .name = NULL },
};

const struct weft_role_policy weft_http_policy = {
	.size = sizeof(weft_http_policy),
	.automatic = true,
	.keys = keys,
	.uses = uses,
	.check = check,
	.plan = plan,
	.read = read_response,
};
