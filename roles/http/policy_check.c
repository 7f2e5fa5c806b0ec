/* SPDX-License-Identifier: MIT */
/* HTTP's keys, and what is looked at when a policy is loaded. */
#include <string.h>

#include "roles/http/chars.h"
#include "roles/http/outgoing.h"
#include "roles/http/policy_inside.h"

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
			if (!weft_http_next_range(&at, &from, &to))
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
			if (!strcmp(m->uses[k].name, "header"))
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
	const char *method = weft_http_policy_text(stream, "method", "GET");
	enum weft_status st = weft_http_check_request(method, "/", 1, err);

	*key = "method";
	if (st)
		return st;
	*key = "path";
	stand_in(weft_http_policy_text(stream, "path", "/"), target, sizeof(target));
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

enum weft_status weft_http_policy_check(
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

const struct weft_policy_key weft_http_policy_keys[] = {
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

const struct weft_policy_key weft_http_policy_uses[] = {
	{ "header", WEFT_POLICY_TEXT, 0, 0, NULL, "none",
		"The value goes into this field of the request." },
	{ "response_header", WEFT_POLICY_TEXT, 0, 0, NULL, "none",
		"The value is read from this field of the response." },
	{ .name = NULL },
};
