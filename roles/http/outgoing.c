/* SPDX-License-Identifier: MIT */
/* Which fields an application may send. */
#include "roles/http/outgoing.h"

#include <string.h>

#include "roles/http/chars.h"
#include "roles/http/target.h"

/* Who may not send a field, as bits of 1 << enum weft_http_outgoing. */
enum { REQ = 1, RES = 2, TRA = 4, ALL = 7 };

#define NAMED(text) text, sizeof(text) - 1

static const struct {
	const char *name;
	uint8_t len, who;
	const char *instead;
} reserved[] = {
	{ NAMED("content-length"), ALL, "the body's length says it" },
	{ NAMED("transfer-encoding"), ALL, "it is made for you" },
	{ NAMED("keep-alive"), ALL, "connections are kept without it" },
	{ NAMED("proxy-connection"), ALL, "it never was a proper field" },
	{ NAMED("host"), REQ | TRA, "the URL says it" },
	{ NAMED("te"), TRA, "it is no trailer field" },
	{ NAMED("trailer"), TRA, "it is no trailer field" },
	{ NAMED("content-type"), TRA, "it is no trailer field" },
	{ NAMED("content-encoding"), TRA, "it is no trailer field" },
	{ NAMED("content-range"), TRA, "it is no trailer field" },
	{ NAMED("authorization"), TRA, "it is no trailer field" },
	{ NAMED("set-cookie"), TRA, "it is no trailer field" },
	{ NAMED("expect"), TRA, "it is no trailer field" },
	{ NAMED("upgrade"), TRA, "it is no trailer field" },
	{ NAMED("connection"), TRA, "it is no trailer field" },
};

static bool asks_for_chunked(const struct weft_field *f)
{
	struct weft_span rest = { (const unsigned char *)f->value, f->value_len }, item;
	size_t n;

	if (!weft_http_same(f->name, f->name_len, "te"))
		return false;
	while (weft_http_list_next(&rest, &item)) {
		for (n = 0; n < item.len && weft_http_is(item.ptr[n], WEFT_HTTP_TOKEN);)
			n++;
		if (weft_http_same((const char *)item.ptr, n, "chunked"))
			return true;
	}
	return false;
}

static enum weft_status check_field(
	enum weft_http_outgoing kind, const struct weft_field *f, struct weft_error *err)
{
	unsigned who = 1u << kind;

	if (!weft_http_token(f->name, f->name_len))
		return weft_error_set(err, WEFT_ERR_ARGUMENT, 0,
			"field name \"%.*s\": expected letters, digits and !#$%%&'*+-.^_`|~",
			f->name_len < 60 ? (int)f->name_len : 60, f->name ? f->name : "");
	if (!weft_http_value(f->value, f->value_len))
		return weft_error_set(err, WEFT_ERR_ARGUMENT, 0,
			"field %.*s: its value has a control character", (int)f->name_len, f->name);
	for (size_t i = 0; i < sizeof(reserved) / sizeof(*reserved); i++) {
		if (reserved[i].len == f->name_len && (reserved[i].who & who) &&
			weft_http_same_bytes(f->name, reserved[i].name, f->name_len))
			return weft_error_set(err, WEFT_ERR_ARGUMENT, 0,
				"field %s may not be given here: %s", reserved[i].name,
				reserved[i].instead);
	}
	if (weft_http_same(f->name, f->name_len, "connection") &&
		!weft_http_same(f->value, f->value_len, "close"))
		return weft_error_set(err, WEFT_ERR_ARGUMENT, 0,
			"field connection: only \"close\" may be asked for");
	if (kind == WEFT_HTTP_OUT_REQUEST && f->name_len == 2 && asks_for_chunked(f))
		return weft_error_set(err, WEFT_ERR_ARGUMENT, 0,
			"field te: \"chunked\" may not be listed, it is always acceptable");
	return WEFT_OK;
}

enum weft_status weft_http_check_fields(enum weft_http_outgoing kind,
	const struct weft_field *fields, size_t count, struct weft_error *err)
{
	enum weft_status st = WEFT_OK;

	for (size_t i = 0; i < count && st == WEFT_OK; i++)
		st = check_field(kind, &fields[i], err);
	return st;
}

/* A query behind an empty path, before which roles write "/": RFC 9112 section 3.2.1. */
static bool query_alone(const char *target, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (!weft_http_is((unsigned char)target[i], WEFT_HTTP_TARGET))
			return false;
	}
	return len && target[0] == '?';
}

enum weft_status weft_http_check_request(
	const char *method, const char *target, size_t target_len, struct weft_error *err)
{
	size_t method_len = method ? strlen(method) : 0;

	if (!weft_http_token(method, method_len) || method_len > 64)
		return weft_error_set(err, WEFT_ERR_ARGUMENT, 0,
			"method \"%.80s\": expected a token of at most 64 characters",
			method ? method : "");
	if (!strcmp(method, "CONNECT"))
		return WEFT_OK; /* its target is the authority */
	if (!weft_http_origin(method, target, target_len) && !query_alone(target, target_len))
		return weft_error_set(err, WEFT_ERR_ARGUMENT, 0,
			"request target \"%.*s\": expected a path without spaces, quotes, '<', '>' "
			"and '#'",
			target_len < 100 ? (int)target_len : 100, target);
	return WEFT_OK;
}
