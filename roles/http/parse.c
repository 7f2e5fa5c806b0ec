/* SPDX-License-Identifier: MIT */
/* A complete head into spans: start line and fields. */
#include "roles/http/parse.h"

#include <string.h>

#include "roles/http/chars.h"
#include "roles/http/run.h"
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

	p += weft_http_run_token(p, len);
	if (p == method || p == end || *p != ' ')
		return weft_http_refuse(no, 400, "the request line does not begin with a method");
	if (p - method > METHOD_MAX)
		return weft_http_refuse(no, 501, "a method of more than 64 characters");
	m->method = (struct weft_span){ method, (size_t)(p - method) };
	target = ++p;
	p += weft_http_run_target(p, (size_t)(end - p));
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

void weft_http_start_again(enum weft_http_kind kind, const unsigned char *line, size_t len,
	struct weft_http_message *m)
{
	const unsigned char *p = line;

	if (kind == WEFT_HTTP_RESPONSE) {
		struct weft_http_refusal no;

		(void)status_line(line, len, m, &no);
		return;
	}
	while (*p != ' ')
		p++;
	m->method = (struct weft_span){ line, (size_t)(p - line) };
	p++;
	m->target = (struct weft_span){ p, len - m->method.len - 2 - VERSION_LEN };
	m->version = line[len - 1] == '0' ? 10 : 11;
}

/* The scan let no CR through that does not end a line, and there is one before end. */
static const unsigned char *line_end(const unsigned char *p, const unsigned char *end)
{
	return memchr(p, '\r', (size_t)(end - p));
}

/* The line at *at, of a head that ends before end; *at then is the next line. */
static enum weft_status field_line(const unsigned char **at, const unsigned char *end,
	struct weft_field *f, struct weft_http_refusal *no)
{
	const unsigned char *name = *at, *p = name, *eol;

	p += weft_http_run_token(p, (size_t)(end - p));
	if (*p != ':' || p == name) {
		if (p > name && (*p == ' ' || *p == '\t'))
			return weft_http_refuse(no, 400, "white space in or behind a field name");
		return weft_http_refuse(no, 400, "a field line without a name and a colon");
	}
	f->name = (const char *)name;
	f->name_len = (size_t)(p - name);
	p++;
	while (*p == ' ' || *p == '\t')
		p++;
	eol = line_end(p, end);
	*at = eol + 2;
	while (eol > p && (eol[-1] == ' ' || eol[-1] == '\t'))
		eol--;
	f->value = (const char *)p;
	f->value_len = (size_t)(eol - p);
	return WEFT_OK;
}

void weft_http_unfold(unsigned char *head, size_t len)
{
	for (size_t i = 0; i + 2 < len; i++) {
		if (head[i] == '\r' && (head[i + 2] == ' ' || head[i + 2] == '\t'))
			memset(head + i, ' ', 2);
	}
}

enum weft_status weft_http_parse(const struct weft_http_scan *scan, enum weft_http_kind kind,
	const unsigned char *in, struct weft_http_message *m, struct weft_http_refusal *no)
{
	/* every line that the scan passed ends with CRLF, and there is one more behind the last */
	const unsigned char *p = in + scan->start, *end = in + scan->pos, *eol;
	struct weft_field *fields = m->fields;
	enum weft_status st = WEFT_OK;

	*m = (struct weft_http_message){ .fields = fields };
	if (kind == WEFT_HTTP_REQUEST || kind == WEFT_HTTP_RESPONSE) {
		eol = line_end(p, end);
		weft_http_start_again(kind, p, (size_t)(eol - p), m);
		p = eol + 2;
	}
	while (st == WEFT_OK && p < end - 2)
		st = field_line(&p, end, &fields[m->count++], no);
	return st;
}
