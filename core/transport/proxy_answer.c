/* SPDX-License-Identifier: MIT */
/* What proxies answer: a response to CONNECT, or the two messages of SOCKS5. */
#include <stdio.h>
#include <string.h>

#include "core/transport/proxy.h"

enum { HEAD_MAX = 16384, CODE_DIGITS = 3 };

static enum weft_status not_understood(struct weft_error *err, const char *expected)
{
	return weft_error_set(err, WEFT_ERR_PROTOCOL, 0,
		"the proxy's answer is not understood: expected %s", expected);
}

/* ---- CONNECT ---- */

static bool is_digit(unsigned char c)
{
	return c >= '0' && c <= '9';
}

/* "HTTP/1.x NNN", as far as it has come: whether it can still become one. RFC 9112 section 4. */
static bool may_be_status_line(const unsigned char *bytes, size_t len)
{
	static const char begin[] = "HTTP/1.";
	const size_t fixed = sizeof(begin) - 1;

	if (memcmp(bytes, begin, len < fixed ? len : fixed) != 0)
		return false;
	if (len > fixed && !is_digit(bytes[fixed]))
		return false;
	if (len > fixed + 1 && bytes[fixed + 1] != ' ')
		return false;
	for (size_t i = fixed + 2; i < fixed + 2 + CODE_DIGITS && i < len; i++) {
		if (!is_digit(bytes[i]))
			return false;
	}
	return len <= fixed + 2 + CODE_DIGITS || strchr(" \r", bytes[fixed + 2 + CODE_DIGITS]);
}

/* One head; *end behind it. */
static enum weft_status read_head(const unsigned char *bytes, size_t len, size_t *end,
	unsigned *status, struct weft_error *err)
{
	static const char empty_line[] = "\r\n\r\n";
	const unsigned char *last;

	if (!may_be_status_line(bytes, len))
		return not_understood(err, "a response to CONNECT");
	last = memmem(bytes, len, empty_line, sizeof(empty_line) - 1);
	if (!last && len >= HEAD_MAX)
		return weft_error_set(err, WEFT_ERR_LIMIT, 0,
			"the proxy's answer has more than %d bytes", HEAD_MAX);
	if (!last)
		return WEFT_AGAIN;
	*end = (size_t)(last - bytes) + sizeof(empty_line) - 1;
	if (*end < sizeof("HTTP/1.1 200\r\n\r\n") - 1)
		return not_understood(err, "a response to CONNECT");
	*status = (unsigned)(bytes[9] - '0') * 100 + (unsigned)(bytes[10] - '0') * 10 +
		  (unsigned)(bytes[11] - '0');
	return WEFT_OK;
}

static enum weft_status understand_response(
	struct weft_proxy_answer *a, const unsigned char *bytes, size_t len, struct weft_error *err)
{
	enum weft_status st;
	unsigned code = 0;
	size_t end = 0;

	do {
		if (a->used == len)
			return WEFT_AGAIN;
		st = read_head(bytes + a->used, len - a->used, &end, &code, err);
		if (st)
			return st;
		a->used += end;
		/* one more is on its way behind those that only inform: section 15.2 */
	} while (code < 200 && a->used < HEAD_MAX);
	if (code >= 200 && code < 300)
		return WEFT_OK;
	return weft_error_set(
		err, WEFT_ERR_REFUSED, (int)code, "the proxy refused: status %u", code);
}

/* ---- SOCKS5 ---- */

static const char *reply_text(unsigned char code)
{
	static const char *const texts[] = {
		"granted",
		"general failure",
		"its rules do not allow it",
		"network unreachable",
		"host unreachable",
		"connection refused",
		"time to live expired",
		"it does not know CONNECT",
		"it does not know this kind of address",
	};

	return code < sizeof(texts) / sizeof(texts[0]) ? texts[code] : "a code that nobody knows";
}

static enum weft_status understand_greeting(
	struct weft_proxy_answer *a, const unsigned char *bytes, size_t len, struct weft_error *err)
{
	enum { GREETING = 2, NO_METHOD = 0xff };

	if (len && bytes[0] != 5)
		return not_understood(err, "SOCKS version 5");
	if (len < GREETING)
		return WEFT_AGAIN;
	if (bytes[1] == NO_METHOD)
		return weft_error_set(err, WEFT_ERR_REFUSED, bytes[1],
			"the proxy refused: it wants authentication");
	if (bytes[1])
		return not_understood(err, "no authentication, as was offered");
	a->greeted = true;
	a->used = GREETING;
	return WEFT_OK;
}

static enum weft_status understand_reply(
	struct weft_proxy_answer *a, const unsigned char *bytes, size_t len, struct weft_error *err)
{
	enum { FIXED = 4, PORT = 2 };
	size_t need = FIXED + 1;

	if (len && bytes[0] != 5)
		return not_understood(err, "SOCKS version 5");
	if (len > 1 && bytes[1])
		return weft_error_set(err, WEFT_ERR_REFUSED, bytes[1], "the proxy refused: %s",
			reply_text(bytes[1]));
	if (len < need)
		return WEFT_AGAIN;
	switch (bytes[3]) {
	case 1:
		need = FIXED + 4 + PORT;
		break;
	case 3:
		need = FIXED + 1 + (size_t)bytes[4] + PORT;
		break;
	case 4:
		need = FIXED + 16 + PORT;
		break;
	default:
		return not_understood(err, "an address of a kind that is known");
	}
	if (len < need)
		return WEFT_AGAIN;
	a->used += need;
	return WEFT_OK;
}

enum weft_status weft_proxy_understand(
	struct weft_proxy_answer *a, const unsigned char *bytes, size_t len, struct weft_error *err)
{
	if (a->kind == WEFT_PROXY_CONNECT)
		return understand_response(a, bytes, len, err);
	if (!a->greeted)
		return understand_greeting(a, bytes, len, err);
	return understand_reply(a, bytes + a->used, len - a->used, err);
}
