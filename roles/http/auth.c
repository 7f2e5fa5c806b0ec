/* SPDX-License-Identifier: MIT */
/* The Basic scheme: RFC 7617. */
#include <stdio.h>
#include <string.h>

#include "roles/http/chars.h"
#include "weft/http.h"

static int digit64(unsigned char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+')
		return 62;
	return c == '/' ? 63 : -1;
}

/* RFC 4648 section 4, strictly, with or without its padding. The bytes, or -1. */
static int decode64(const char *in, size_t len, unsigned char *out, size_t out_len)
{
	unsigned bits = 0, have = 0;
	size_t n = 0, digits;

	for (digits = len; digits && in[digits - 1] == '=' && len - digits < 2;)
		digits--;
	if ((digits != len && len % 4) || digits % 4 == 1)
		return -1;
	for (size_t i = 0; i < digits; i++) {
		int d = digit64((unsigned char)in[i]);

		if (d < 0)
			return -1;
		bits = bits << 6 | (unsigned)d;
		have += 6;
		if (have < 8)
			continue;
		have -= 8;
		if (n == out_len)
			return -1;
		out[n++] = (unsigned char)(bits >> have);
	}
	/* what is left over must say nothing */
	return bits & ((1u << have) - 1) ? -1 : (int)n;
}

bool weft_http_basic_auth(const struct weft_stream *s, struct weft_http_basic *out)
{
	const struct weft_field *f = weft_head_find(weft_stream_request(s), "authorization");
	unsigned char text[sizeof(out->user) + sizeof(out->password)];
	const unsigned char *colon;
	size_t at = 6, user, password;
	int len;

	memset(out, 0, sizeof(*out));
	if (!f || f->value_len < 7 || !weft_http_same(f->value, 6, "basic "))
		return false;
	while (at < f->value_len && f->value[at] == ' ')
		at++;
	len = decode64(f->value + at, f->value_len - at, text, sizeof(text) - 1);
	if (len < 0)
		return false;
	for (int i = 0; i < len; i++) {
		if (text[i] < 0x20 || text[i] == 0x7f)
			return false; /* RFC 7617 section 2 */
	}
	colon = memchr(text, ':', (size_t)len);
	if (!colon)
		return false;
	user = (size_t)(colon - text);
	password = (size_t)len - user - 1;
	if (user >= sizeof(out->user) || password >= sizeof(out->password))
		return false;
	memcpy(out->user, text, user);
	memcpy(out->password, colon + 1, password);
	return true;
}

bool weft_http_same_secret(const char *given, const char *expected)
{
	size_t given_len = strlen(given), expected_len = strlen(expected);
	unsigned char differ = given_len != expected_len;

	/* as many steps as the peer's own text has bytes, whatever is in the other */
	for (size_t i = 0; i < given_len; i++)
		differ |= (unsigned char)(given[i] ^ expected[expected_len ? i % expected_len : 0]);
	return !differ;
}

enum weft_status weft_http_demand_auth(struct weft_stream *s, const char *realm)
{
	char value[512];
	struct weft_field field;
	struct weft_head head = {
		.status = 401, .body_len = 0, .fields = &field, .field_count = 1
	};
	size_t n = (size_t)snprintf(value, sizeof(value), "Basic realm=\"");

	/* a quoted-string: RFC 9110 section 5.6.4 */
	for (; *realm; realm++) {
		/* an escaped pair and the end, which has 19 bytes with its terminator */
		if (n + 21 > sizeof(value))
			return WEFT_ERR_ARGUMENT;
		if (*realm == '"' || *realm == '\\')
			value[n++] = '\\';
		value[n++] = *realm;
	}
	snprintf(value + n, sizeof(value) - n, "\", charset=\"UTF-8\"");
	field = weft_field("www-authenticate", value);
	return weft_stream_send_head(s, &head, WEFT_HEAD_FINAL, true, NULL);
}
