/* SPDX-License-Identifier: MIT */
/* Targets and authorities. */
#include "roles/http/target.h"

#include <arpa/inet.h>
#include <string.h>

#include "roles/http/chars.h"

static bool all_target(const char *p, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (!weft_http_is((unsigned char)p[i], WEFT_HTTP_TARGET))
			return false;
	}
	return true;
}

/* Behind '[': the length up to and with ']', or 0. */
static size_t ip_literal(const char *p, size_t len)
{
	char text[INET6_ADDRSTRLEN];
	unsigned char address[16];
	size_t i = 1;

	while (i < len && i < sizeof(text) && p[i] != ']')
		i++;
	if (i == len || p[i] != ']')
		return 0;
	memcpy(text, p + 1, i - 1);
	text[i - 1] = 0;
	/* it would end the text at a NUL */
	return !memchr(text, 0, i - 1) && inet_pton(AF_INET6, text, address) == 1 ? i + 1 : 0;
}

/* reg-name: the length up to what is none, or 0. */
static size_t reg_name(const char *p, size_t len)
{
	size_t i = 0;

	for (;;) {
		while (i < len && weft_http_is((unsigned char)p[i], WEFT_HTTP_HOST))
			i++;
		if (i == len || p[i] != '%')
			return i;
		if (len - i < 3 || !weft_http_is((unsigned char)p[i + 1], WEFT_HTTP_HEX) ||
			!weft_http_is((unsigned char)p[i + 2], WEFT_HTTP_HEX))
			return 0;
		i += 3;
	}
}

static bool host_port(const char *p, size_t len, unsigned long *port)
{
	size_t i = len && p[0] == '[' ? ip_literal(p, len) : reg_name(p, len);

	*port = 0;
	if (!i)
		return false;
	if (i == len)
		return true;
	if (p[i++] != ':')
		return false;
	for (; i < len; i++) {
		if (p[i] < '0' || p[i] > '9')
			return false;
		*port = *port * 10 + (unsigned long)(p[i] - '0');
		if (*port > 65535)
			return false;
	}
	return true;
}

bool weft_http_authority(const char *text, size_t len, bool port)
{
	unsigned long number;

	return host_port(text, len, &number) && (number || !port);
}

bool weft_http_origin(const char *method, const char *target, size_t len)
{
	if (len == 1 && target[0] == '*')
		return !strcmp(method, "OPTIONS");
	return len && target[0] == '/' && all_target(target, len);
}

static bool method_is(const struct weft_http_message *m, const char *name)
{
	return m->method.len == strlen(name) && !memcmp(m->method.ptr, name, m->method.len);
}

static enum weft_status check_host(const struct weft_http_message *m,
	const struct weft_http_facts *facts, struct weft_http_target *t,
	struct weft_http_refusal *no)
{
	if (facts->hosts > 1)
		return weft_http_refuse(no, 400, "more than one host field");
	if (!facts->hosts) {
		t->authority = (struct weft_span){ (const unsigned char *)"", 0 };
		return m->version < 11 ? WEFT_OK
				       : weft_http_refuse(no, 400, "no host field in HTTP/1.1");
	}
	if (!weft_http_authority(facts->host->value, facts->host->value_len, false))
		return weft_http_refuse(no, 400, "a host field that is not host[:port]");
	t->authority = (struct weft_span){ (const unsigned char *)facts->host->value,
		facts->host->value_len };
	return WEFT_OK;
}

/* "http://host[:port]path": its authority wins over the host field. RFC 9112 section 3.2.2. */
static enum weft_status absolute(
	const struct weft_http_message *m, struct weft_http_target *t, struct weft_http_refusal *no)
{
	const char *p = (const char *)m->target.ptr, *end = p + m->target.len, *path;

	if (m->target.len > 7 && weft_http_same(p, 7, "http://")) {
		t->scheme = "http";
		p += 7;
	} else if (m->target.len > 8 && weft_http_same(p, 8, "https://")) {
		t->scheme = "https";
		p += 8;
	} else {
		return weft_http_refuse(no, 400, "a request target in no form that HTTP has");
	}
	for (path = p; path < end && *path != '/' && *path != '?';)
		path++;
	if (!weft_http_authority(p, (size_t)(path - p), false))
		return weft_http_refuse(no, 400, "a request target without a proper authority");
	t->authority = (struct weft_span){ (const unsigned char *)p, (size_t)(path - p) };
	t->target = (struct weft_span){ (const unsigned char *)path, (size_t)(end - path) };
	if (path < end && *path == '?')
		return weft_http_refuse(no, 400, "a request target with a query but no path");
	if (path == end)
		t->target = (struct weft_span){
			(const unsigned char *)(method_is(m, "OPTIONS") ? "*" : "/"), 1
		};
	return WEFT_OK;
}

enum weft_status weft_http_request_target(const struct weft_http_message *m,
	const struct weft_http_facts *facts, struct weft_http_target *t,
	struct weft_http_refusal *no)
{
	const char *target = (const char *)m->target.ptr;
	enum weft_status st = check_host(m, facts, t, no);

	if (st)
		return st;
	t->target = m->target;
	t->scheme = NULL;
	if (method_is(m, "CONNECT")) {
		if (!weft_http_authority(target, m->target.len, true))
			return weft_http_refuse(no, 400, "CONNECT to what is not host:port");
		t->authority = m->target;
		return WEFT_OK;
	}
	if (target[0] == '/')
		return WEFT_OK;
	if (m->target.len == 1 && target[0] == '*') {
		if (method_is(m, "OPTIONS"))
			return WEFT_OK;
		return weft_http_refuse(no, 400, "target \"*\" with another method than OPTIONS");
	}
	return absolute(m, t, no);
}

static int hex_digit(char c)
{
	if (!weft_http_is((unsigned char)c, WEFT_HTTP_HEX))
		return -1;
	return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
}

/* The next character of the path, decoded; -1: a bad or a forbidden escape. */
static int next_char(const char **p)
{
	int high, low, c = (unsigned char)*(*p)++;

	if (c != '%')
		return c;
	high = hex_digit((*p)[0]);
	low = high < 0 ? -1 : hex_digit((*p)[1]);
	if (low < 0)
		return -1;
	*p += 2;
	c = high << 4 | low;
	return c && c != '/' ? c : -1;
}

bool weft_http_decode_path(const char *target, char *out, size_t out_len)
{
	const char *p = target;
	char last = 0;
	size_t n = 0;

	if (*p != '/')
		return false;
	while (*p && *p != '?') {
		bool raw_slash = *p == '/';
		int c = next_char(&p);

		if (c < 0 || n + 1 >= out_len)
			return false;
		if (last == '/' && (raw_slash || c == '.'))
			return false;
		last = (char)c;
		out[n++] = last;
	}
	out[n] = 0;
	return true;
}
