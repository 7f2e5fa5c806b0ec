/* SPDX-License-Identifier: MIT */
/* A complete head into spans: start line and fields. */
#include "roles/http/parse.h"

#include <string.h>

#include "roles/http/chars.h"
#include "roles/http/start.h"

enum { METHOD_MAX = 64, VERSION_LEN = 8 };

static bool digit(unsigned char c)
{
	return c >= '0' && c <= '9';
}

/* "HTTP/1.1": 1.0 and any later 1.x are understood. RFC 9110 section 2.5. */
static enum weft_status parse_version(
	const unsigned char *p, unsigned *version, struct weft_http_refusal *no)
{
	if (memcmp(p, "HTTP/", 5) || !digit(p[5]) || p[6] != '.' || !digit(p[7]))
		return weft_http_refuse(no, 400, "no HTTP version in the start line");
	if (p[5] != '1')
		return weft_http_refuse(no, 505, "an HTTP version that is not 1.x");
	*version = p[7] == '0' ? 10 : 11;
	return WEFT_OK;
}

static enum weft_status request_line(const unsigned char *p, size_t len,
	struct weft_http_message *m, struct weft_http_refusal *no)
{
	const unsigned char *end = p + len, *method = p, *target;

	while (p < end && weft_http_is(*p, WEFT_HTTP_TOKEN))
		p++;
	if (p == method || p == end || *p != ' ')
		return weft_http_refuse(no, 400, "the request line does not begin with a method");
	if (p - method > METHOD_MAX)
		return weft_http_refuse(no, 501, "a method of more than 64 characters");
	m->method = (struct weft_span){ method, (size_t)(p - method) };
	target = ++p;
	while (p < end && weft_http_is(*p, WEFT_HTTP_TARGET))
		p++;
	if (p == target || p == end || *p != ' ')
		return weft_http_refuse(
			no, 400, "a request target with characters that no URI has");
	m->target = (struct weft_span){ target, (size_t)(p - target) };
	p++;
	if (end - p != VERSION_LEN)
		return weft_http_refuse(no, 400, "no HTTP version in the start line");
	return parse_version(p, &m->version, no);
}

/* "HTTP/1.1 200 OK"; the space before an absent reason may be missing too, as servers do it. */
static enum weft_status status_line(const unsigned char *p, size_t len, struct weft_http_message *m,
	struct weft_http_refusal *no)
{
	const unsigned char *end = p + len;
	enum weft_status st;

	if (len < VERSION_LEN + 4)
		return weft_http_refuse(no, 400, "no status line");
	st = parse_version(p, &m->version, no);
	if (st)
		return st;
	p += VERSION_LEN;
	if (p[0] != ' ' || !digit(p[1]) || !digit(p[2]) || !digit(p[3]) || p[1] == '0')
		return weft_http_refuse(no, 400, "no status code in the status line");
	m->status =
		(unsigned)(p[1] - '0') * 100 + (unsigned)(p[2] - '0') * 10 + (unsigned)(p[3] - '0');
	p += 4;
	if (p < end && *p++ != ' ')
		return weft_http_refuse(no, 400, "a status code of more than three digits");
	m->reason = (struct weft_span){ p, (size_t)(end - p) };
	return WEFT_OK;
}

enum weft_status weft_http_start_line(enum weft_http_kind kind, const unsigned char *line,
	size_t len, struct weft_http_message *m, struct weft_http_refusal *no)
{
	return kind == WEFT_HTTP_REQUEST ? request_line(line, len, m, no)
					 : status_line(line, len, m, no);
}

static enum weft_status field_line(const unsigned char *p, const unsigned char *end,
	struct weft_field *f, struct weft_http_refusal *no)
{
	const unsigned char *name = p;

	while (p < end && weft_http_is(*p, WEFT_HTTP_TOKEN))
		p++;
	if (p < end && p > name && (*p == ' ' || *p == '\t'))
		return weft_http_refuse(no, 400, "white space in or behind a field name");
	if (p == name || p == end || *p != ':')
		return weft_http_refuse(no, 400, "a field line without a name and a colon");
	f->name = (const char *)name;
	f->name_len = (size_t)(p - name);
	p++;
	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	while (end > p && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	f->value = (const char *)p;
	f->value_len = (size_t)(end - p);
	return WEFT_OK;
}

enum weft_status weft_http_parse(const struct weft_http_scan *scan, enum weft_http_kind kind,
	const unsigned char *in, struct weft_http_message *m, struct weft_http_refusal *no)
{
	const unsigned char *p = in + scan->start, *end = in + scan->pos - 2, *lf;
	struct weft_field *fields = m->fields;
	enum weft_status st = WEFT_OK;

	*m = (struct weft_http_message){ .fields = fields };
	if (kind != WEFT_HTTP_TRAILER) {
		lf = memchr(p, '\n', (size_t)(end - p));
		st = weft_http_start_line(kind, p, (size_t)(lf - 1 - p), m, no);
		p = lf + 1;
	}
	while (st == WEFT_OK && p < end) {
		lf = memchr(p, '\n', (size_t)(end - p));
		st = field_line(p, lf - 1, &fields[m->count++], no);
		p = lf + 1;
	}
	return st;
}
