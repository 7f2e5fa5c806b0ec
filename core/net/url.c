/* SPDX-License-Identifier: MIT */
/* Splitting URLs. */
#include "core/net/url.h"

#include <stdio.h>
#include <string.h>

size_t weft_url_name_len(const char *host)
{
	size_t len = strlen(host);

	return len > 1 && host[len - 1] == '.' ? len - 1 : len;
}

bool weft_span_is(struct weft_span span, const char *text)
{
	return span.len == strlen(text) && !memcmp(span.ptr, text, span.len);
}

static struct weft_span span(const char *from, const char *to)
{
	return (struct weft_span){ (const unsigned char *)from, (size_t)(to - from) };
}

static bool is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_scheme_char(char c)
{
	return is_alpha(c) || is_digit(c) || c == '+' || c == '-' || c == '.';
}

/* reg-name without percent-encoding, which no resolver takes; "_" occurs in practice. */
static bool is_host_char(char c)
{
	return is_alpha(c) || is_digit(c) || c == '-' || c == '.' || c == '_';
}

static enum weft_status bad(
	struct weft_error *err, const char *text, const char *at, const char *expected)
{
	return weft_error_set(err, WEFT_ERR_ARGUMENT, 0, "URL \"%.100s\", column %zu: expected %s",
		text, (size_t)(at - text) + 1, expected);
}

static enum weft_status parse_port(const char *text, const char *p, const char *end,
	struct weft_url *url, struct weft_error *err)
{
	unsigned long port = 0;

	for (const char *q = p; q < end; q++) {
		if (!is_digit(*q) || (port = port * 10 + (unsigned long)(*q - '0')) > 65535)
			return bad(err, text, q, "a port number, 0 to 65535");
	}
	url->has_port = p < end;
	url->port = (uint16_t)port;
	return WEFT_OK;
}

/* What stands between brackets is an address and no name: RFC 3986 section 3.2.2. */
static bool is_ipv6_literal(struct weft_span host)
{
	char text[WEFT_ADDRESS_TEXT_MAX];
	struct weft_address a;

	if (host.len >= sizeof(text))
		return false;
	memcpy(text, host.ptr, host.len);
	text[host.len] = '\0';
	return weft_address_parse(text, 0, &a, NULL) == WEFT_OK && a.family == WEFT_FAMILY_IPV6;
}

static enum weft_status parse_authority(const char *text, const char *p, const char *end,
	struct weft_url *url, struct weft_error *err)
{
	const char *q = p;

	url->authority = span(p, end);
	if (memchr(p, '@', (size_t)(end - p)))
		return bad(err, text, p, "no user information before the host");
	if (p < end && *p == '[') {
		q = memchr(p, ']', (size_t)(end - p));
		if (!q)
			return bad(err, text, p, "a closing bracket after the IPv6 address");
		url->host = span(p + 1, q++);
		url->is_ipv6 = true;
	} else {
		while (q < end && is_host_char(*q))
			q++;
		url->host = span(p, q);
	}
	if (!url->host.len)
		return bad(err, text, p, "a host");
	if (url->is_ipv6 && !is_ipv6_literal(url->host))
		return bad(err, text, p + 1, "an IPv6 address between the brackets");
	if (q == end)
		return WEFT_OK;
	if (*q != ':')
		return bad(err, text, q, "':' or '/' after the host");
	return parse_port(text, q + 1, end, url, err);
}

enum weft_status weft_url_parse(const char *text, struct weft_url *url, struct weft_error *err)
{
	const char *p = text, *end;
	enum weft_status st;

	*url = (struct weft_url){ .has_port = false };
	for (const char *c = text; *c; c++) {
		if ((unsigned char)*c <= ' ' || (unsigned char)*c >= 0x7f)
			return bad(err, text, c, "visible ASCII");
	}
	while (is_scheme_char(*p))
		p++;
	if (p == text || *p != ':' || !is_alpha(*text))
		return bad(err, text, p, "SCHEME://HOST");
	url->scheme = span(text, p);
	if (p - text > 5 && !memcmp(p - 5, "+unix", 5)) {
		url->scheme.len -= 5;
		url->is_unix = true;
		url->path = span(p + 1, p + strlen(p));
		return url->path.len ? WEFT_OK : bad(err, text, p + 1, "the path of a socket");
	}
	if (p[1] != '/' || p[2] != '/')
		return bad(err, text, p + 1, "\"//\"");
	p += 3;
	end = p + strcspn(p, "/?#");
	st = parse_authority(text, p, end, url, err);
	if (st)
		return st;
	url->target = span(end, end + strcspn(end, "#"));
	return WEFT_OK;
}

enum weft_status weft_endpoint_parse(
	const char *text, struct weft_address *out, struct weft_error *err)
{
	char host[WEFT_ADDRESS_TEXT_MAX];
	struct weft_url url = { .has_port = false };
	enum weft_status st;

	if (!strncmp(text, "unix:", 5)) {
		*out = (struct weft_address){ .family = WEFT_FAMILY_UNIX };
		if (!text[5] || strlen(text + 5) >= sizeof(out->path))
			return weft_error_set(err, WEFT_ERR_ARGUMENT, 0,
				"socket path \"%.80s\": expected 1 to %zu bytes", text + 5,
				sizeof(out->path) - 1);
		memcpy(out->path, text + 5, strlen(text + 5) + 1);
		return WEFT_OK;
	}
	st = parse_authority(text, text, text + strlen(text), &url, err);
	if (st)
		return st;
	snprintf(host, sizeof(host), "%.*s", (int)url.host.len, (const char *)url.host.ptr);
	return weft_address_parse(host, url.port, out, err);
}
