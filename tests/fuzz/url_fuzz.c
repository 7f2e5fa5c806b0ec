/* SPDX-License-Identifier: MIT */
/* URLs: what is accepted consists of its parts, in order and within the text. */
#include "core/net/url.h"
#include "tests/fuzz/fuzz.h"

static void within(struct weft_span span, const char *text, size_t len)
{
	const char *p = (const char *)span.ptr;

	if (!p) {
		must(!span.len);
		return;
	}
	must(p >= text && p + span.len <= text + len);
}

/* Puts the parts together again: all of the text but the fragment. */
static void put_together(const struct weft_url *u, const char *text)
{
	size_t len = strcspn(text, "#"), n;
	char *again = malloc(len + 32);

	must(again);
	n = (size_t)sprintf(again, "%.*s://%.*s%.*s", (int)u->scheme.len,
		(const char *)u->scheme.ptr, (int)u->authority.len, (const char *)u->authority.ptr,
		(int)u->target.len, (const char *)u->target.ptr);
	must(n == len && !memcmp(again, text, len));
	free(again);
}

static void check_host(const struct weft_url *u)
{
	const char *host = (const char *)u->host.ptr, *authority = (const char *)u->authority.ptr;
	const char *behind = host + u->host.len, *end = authority + u->authority.len;
	char *copy = fuzz_string(u->host.ptr, u->host.len);
	struct weft_address a;

	must(u->host.len);
	must(host == authority + u->is_ipv6);
	if (u->is_ipv6) {
		must(authority[0] == '[' && *behind == ']');
		behind++;
		must(weft_address_parse(copy, 0, &a, NULL) == WEFT_OK);
		must(a.family == WEFT_FAMILY_IPV6);
	} else {
		must(!strpbrk(copy, "@:/?#[]%\\ "));
	}
	must(behind <= end);
	if (u->has_port)
		must(*behind == ':' && strtoul(behind + 1, NULL, 10) == u->port);
	else
		must(!u->port && (behind == end || (*behind == ':' && behind + 1 == end)));
	free(copy);
}

static void check_url(const char *text)
{
	struct weft_error err = { .text = "" };
	size_t len = strlen(text);
	struct weft_url u;
	enum weft_status st = weft_url_parse(text, &u, &err);

	if (st) {
		must(st == WEFT_ERR_ARGUMENT && err.status == st && strstr(err.text, "column "));
		return;
	}
	within(u.scheme, text, len);
	within(u.host, text, len);
	within(u.authority, text, len);
	within(u.target, text, len);
	within(u.path, text, len);
	must(u.scheme.len && (const char *)u.scheme.ptr == text);
	if (u.is_unix) {
		must(u.path.len && !u.host.len && !u.target.len);
		must(!memcmp(text + u.scheme.len, "+unix:", 6));
		must(u.path.len == len - u.scheme.len - 6);
		return;
	}
	must(!u.path.len && !memchr(u.target.ptr, '#', u.target.len));
	must(!u.target.len || u.target.ptr[0] == '/' || u.target.ptr[0] == '?');
	check_host(&u);
	put_together(&u, text);
}

static void check_endpoint(const char *text)
{
	char formatted[WEFT_ADDRESS_TEXT_MAX];
	struct weft_address a, again;

	if (weft_endpoint_parse(text, &a, NULL))
		return;
	must(a.family != WEFT_FAMILY_NONE);
	weft_address_format(&a, formatted, sizeof(formatted));
	must(weft_endpoint_parse(formatted, &again, NULL) == WEFT_OK);
	must(weft_address_equal(&a, &again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *text = fuzz_string(data, len);

	check_url(text);
	check_endpoint(text);
	free(text);
	return 0;
}
