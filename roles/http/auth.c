/* SPDX-License-Identifier: MIT */
/* The Basic scheme: RFC 7617. */
#include <stdio.h>
#include <string.h>

#include "roles/http/chars.h"
#include "weft/base64.h"
#include "weft/http.h"

enum { USER_PASS_MAX = sizeof(struct weft_http_basic) };

/* Some clients leave the padding out: here it is put back. */
static bool decode(const char *in, size_t len, unsigned char out[USER_PASS_MAX], size_t *out_len)
{
	char padded[USER_PASS_MAX / 3 * 4 + 8];

	*out_len = USER_PASS_MAX;
	if (len % 4 && in[len - 1] != '=' && len + 3 <= sizeof(padded)) {
		memcpy(padded, in, len);
		while (len % 4)
			padded[len++] = '=';
		in = padded;
	}
	return weft_base64_decode(in, len, false, out, out_len);
}

bool weft_http_basic_auth(const struct weft_stream *s, struct weft_http_basic *out)
{
	const struct weft_field *f = weft_head_find(weft_stream_request(s), "authorization");
	unsigned char text[USER_PASS_MAX];
	const unsigned char *colon;
	size_t at = 6, len, user, password;

	memset(out, 0, sizeof(*out));
	if (!f || f->value_len < 7 || !weft_http_same(f->value, 6, "basic "))
		return false;
	while (at < f->value_len && f->value[at] == ' ')
		at++;
	if (!decode(f->value + at, f->value_len - at, text, &len))
		return false;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < 0x20 || text[i] == 0x7f)
			return false; /* RFC 7617 section 2 */
	}
	colon = memchr(text, ':', len);
	if (!colon)
		return false;
	user = (size_t)(colon - text);
	password = len - user - 1;
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
