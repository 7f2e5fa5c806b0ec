/* SPDX-License-Identifier: MIT */
/* A line of the access log: the common and the combined format, and JSON. Nothing a peer sends ends a line. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "access_log.h"

enum { TEXT_MAX = 2000 }; /* of one thing that the peer sent */

/* Appends within what a line may have. */
struct line {
	char *out;
	size_t len;
};

static void put(struct line *l, const char *text, size_t len)
{
	if (len > ACCESS_LINE_MAX - l->len)
		len = ACCESS_LINE_MAX - l->len;
	memcpy(l->out + l->len, text, len);
	l->len += len;
}

static void put_text(struct line *l, const char *text)
{
	put(l, text, strlen(text));
}

/* Quotes, backslashes, control and other bytes that are not plain ASCII are told as \xHH. */
static void put_escaped(struct line *l, const char *text, size_t len)
{
	char hex[8];

	if (len > TEXT_MAX / 2)
		len = TEXT_MAX / 2;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c > 0x20 && c < 0x7f && c != '"' && c != '\\') {
			put(l, &text[i], 1);
		} else if (c == ' ') {
			put(l, " ", 1);
		} else {
			snprintf(hex, sizeof(hex), "\\x%02x", c);
			put(l, hex, 4);
		}
	}
}

static void put_quoted(struct line *l, const struct weft_field *f)
{
	put_text(l, " \"");
	if (f)
		put_escaped(l, f->value, f->value_len);
	else
		put_text(l, "-");
	put_text(l, "\"");
}

/* Without the port; a Unix socket's peer has no name. */
static const char *peer_text(const struct weft_address *a, char out[WEFT_ADDRESS_TEXT_MAX])
{
	struct weft_address bare = *a;
	char *end;

	if (a->family != WEFT_FAMILY_IPV4 && a->family != WEFT_FAMILY_IPV6)
		return a->family == WEFT_FAMILY_UNIX ? "unix:" : "-";
	bare.port = 0;
	weft_address_format(&bare, out, WEFT_ADDRESS_TEXT_MAX);
	if (out[0] == '[') {
		end = strchr(out, ']');
		if (end)
			*end = 0;
		return out + 1;
	}
	end = strrchr(out, ':');
	if (end)
		*end = 0;
	return out;
}

/* A name without spaces, for the log has columns. */
static void put_user(struct line *l, const struct weft_stream *s)
{
	struct weft_http_basic basic;

	if (!weft_http_basic_auth(s, &basic) || !basic.user[0]) {
		put_text(l, "-");
		return;
	}
	for (char *c = basic.user; *c; c++) {
		if (*c == ' ')
			*c = '_';
	}
	put_escaped(l, basic.user, strlen(basic.user));
}

static void put_request(struct line *l, const struct weft_head *r)
{
	char version[24];

	if (!r->method) {
		put_text(l, "\"-\"");
		return;
	}
	put_text(l, "\"");
	put_escaped(l, r->method, strlen(r->method));
	put_text(l, " ");
	put_escaped(l, r->target, strlen(r->target));
	snprintf(version, sizeof(version), " HTTP/%u.%u\"", r->version / 10, r->version % 10);
	put_text(l, version);
}

size_t access_line_text(struct weft_stream *s, const struct weft_access *a, bool combined,
	char out[ACCESS_LINE_MAX])
{
	const struct weft_head *r = weft_stream_request(s);
	char peer[WEFT_ADDRESS_TEXT_MAX], text[64];
	time_t begun = (time_t)a->begun_wall;
	struct line l = { .out = out };
	struct tm tm;

	put_text(&l, peer_text(&a->peer, peer));
	put_text(&l, " - ");
	put_user(&l, s);
	gmtime_r(&begun, &tm);
	strftime(text, sizeof(text), " [%d/%b/%Y:%H:%M:%S +0000] ", &tm);
	put_text(&l, text);
	put_request(&l, r);
	if (a->body_out)
		snprintf(
			text, sizeof(text), " %u %llu", a->status, (unsigned long long)a->body_out);
	else
		snprintf(text, sizeof(text), " %u -", a->status);
	put_text(&l, text);
	if (combined) {
		put_quoted(&l, weft_head_find(r, "referer"));
		put_quoted(&l, weft_head_find(r, "user-agent"));
	}
	return l.len;
}

/* Bytes that are no UTF-8 are taken for Latin-1. */
static json_t *any_text(const char *text, size_t len)
{
	char wide[TEXT_MAX];
	size_t n = 0;
	json_t *json;

	if (len > TEXT_MAX / 2) {
		/* not within a character */
		for (len = TEXT_MAX / 2; len && ((unsigned char)text[len] & 0xc0) == 0x80;)
			len--;
	}
	json = json_stringn(text, len);
	if (json)
		return json;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c >= 0x80)
			wide[n++] = (char)(0xc0 | c >> 6);
		wide[n++] = (char)(c >= 0x80 ? 0x80 | (c & 0x3f) : c);
	}
	return json_stringn(wide, n);
}

static void set_text(json_t *o, const char *name, const char *text)
{
	json_object_set_new(o, name, text ? any_text(text, strlen(text)) : json_null());
}

static void set_field(json_t *o, const char *name, const struct weft_field *f)
{
	json_object_set_new(o, name, f ? any_text(f->value, f->value_len) : json_null());
}

static void set_request(json_t *o, struct weft_stream *s)
{
	const struct weft_head *r = weft_stream_request(s);
	struct weft_http_basic basic;
	char version[24];

	snprintf(version, sizeof(version), "%u.%u", r->version / 10, r->version % 10);
	set_text(o, "method", r->method);
	set_text(o, "scheme", r->scheme);
	set_text(o, "host", r->authority);
	set_text(o, "target", r->target);
	set_text(o, "version", r->method ? version : NULL);
	set_text(o, "user", weft_http_basic_auth(s, &basic) ? basic.user : NULL);
	set_field(o, "referer", weft_head_find(r, "referer"));
	set_field(o, "user_agent", weft_head_find(r, "user-agent"));
}

size_t access_line_json(
	struct weft_stream *s, const struct weft_access *a, char out[ACCESS_LINE_MAX])
{
	char peer[WEFT_ADDRESS_TEXT_MAX], text[64];
	time_t begun = (time_t)a->begun_wall;
	json_t *o = json_object();
	struct tm tm;
	size_t len;

	gmtime_r(&begun, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	set_text(o, "time", text);
	set_text(o, "peer", peer_text(&a->peer, peer));
	set_request(o, s);
	json_object_set_new(o, "status", json_integer((json_int_t)a->status));
	json_object_set_new(o, "body_in", json_integer((json_int_t)a->body_in));
	json_object_set_new(o, "body_out", json_integer((json_int_t)a->body_out));
	json_object_set_new(o, "duration_us", json_integer((json_int_t)a->duration_us));
	set_text(o, "end", weft_status_name(a->why->status));
	set_text(o, "why", a->why->status ? a->why->text : NULL);
	len = json_dumpb(o, out, ACCESS_LINE_MAX, JSON_COMPACT | JSON_ENSURE_ASCII);
	json_decref(o);
	/* longer than a line may be, which only escapes could make it: an empty record is one, too */
	return len && len <= ACCESS_LINE_MAX ? len : (size_t)snprintf(out, ACCESS_LINE_MAX, "{}");
}
