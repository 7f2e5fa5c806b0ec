/* SPDX-License-Identifier: MIT */
/* CONNECT of RFC 9110 section 9.3.6 over the framing of RFC 9112, and RFC 1928 without authentication. */
#include "core/transport/proxy_talk.h"

#include <stdio.h>
#include <string.h>

enum step {
	STEP_BEGIN,
	STEP_METHOD, /* RFC 1928: which authentication? */
	STEP_ANSWER,
	STEP_DONE,
};

/* ---- CONNECT ---- */

static void ask_connect(const struct weft_proxy_talk *t, struct weft_buffer *out)
{
	const char *open = strchr(t->host, ':') ? "[" : "", *close = *open ? "]" : "";

	weft_buffer_printf(out,
		"CONNECT %s%s%s:%u HTTP/1.1\r\n"
		"Host: %s%s%s:%u\r\n\r\n",
		open, t->host, close, t->port, open, t->host, close, t->port);
}

/* The length of the head that `in` begins with. */
static enum weft_status find_head(struct weft_proxy_talk *t, const struct weft_buffer *in,
	size_t *head_len, struct weft_error *err)
{
	static const char begin[] = "HTTP/1.";
	const unsigned char *p = weft_buffer_bytes(in);
	size_t len = weft_buffer_len(in), max = WEFT_PROXY_HEAD_MAX - t->heads;
	size_t known = len < sizeof(begin) - 1 ? len : sizeof(begin) - 1;

	if (known && memcmp(p, begin, known))
		return weft_error_set(
			err, WEFT_ERR_PROTOCOL, 0, "answered with something else than HTTP/1.1");
	for (; t->seen < len && t->seen < max; t->seen++) {
		if (p[t->seen] != '\n')
			continue;
		if (p[t->seen - 1] != '\r')
			return weft_error_set(err, WEFT_ERR_PROTOCOL, 0,
				"answered with a line that ends without CR");
		*head_len = t->seen + 1;
		if (*head_len - t->line == 2)
			return WEFT_OK;
		t->line = *head_len;
	}
	if (len >= max)
		return weft_error_set(err, WEFT_ERR_LIMIT, 0,
			"answered with a head of more than %d bytes", WEFT_PROXY_HEAD_MAX);
	return WEFT_AGAIN;
}

static bool is_digit(unsigned char c)
{
	return c >= '0' && c <= '9';
}

/* "HTTP/1.1 200 OK": the status, or 0. */
static unsigned status_of(const unsigned char *p)
{
	if (!is_digit(p[7]) || p[8] != ' ' || p[9] < '1' || p[9] > '5' || !is_digit(p[10]) ||
		!is_digit(p[11]) || (p[12] != ' ' && p[12] != '\r'))
		return 0;
	return (unsigned)(p[9] - '0') * 100 + (unsigned)(p[10] - '0') * 10 +
	       (unsigned)(p[11] - '0');
}

/* What the proxy calls the status, as far as it can be shown. */
static void reason_of(const unsigned char *line, char *out, size_t out_len)
{
	const unsigned char *p = line + sizeof("HTTP/1.1 200") - 1;
	size_t n = 0;

	for (; *p != '\r' && n < out_len - 1; p++)
		out[n++] = (char)(*p >= ' ' && *p < 0x7f ? *p : '?');
	out[n] = '\0';
}

static enum weft_status refused(const struct weft_proxy_talk *t, unsigned status,
	const unsigned char *line, struct weft_error *err)
{
	char reason[64];

	reason_of(line, reason, sizeof(reason));
	return weft_error_set(err, WEFT_ERR_REFUSED, (int)status,
		"answered %u%s to CONNECT %.80s:%u%s", status, reason, t->host, t->port,
		status == 407 ? "; a user and password are not supported" : "");
}

static enum weft_status read_connect(
	struct weft_proxy_talk *t, struct weft_buffer *in, struct weft_error *err)
{
	const unsigned char *p;
	enum weft_status st;
	unsigned status;
	size_t len = 0;

	for (;;) {
		st = find_head(t, in, &len, err);
		if (st)
			return st;
		p = weft_buffer_bytes(in);
		/* of the shortest line that has a status, and the empty line behind it */
		status = len < sizeof("HTTP/1.1 200\r\n\r\n") - 1 ? 0 : status_of(p);
		if (!status)
			return weft_error_set(
				err, WEFT_ERR_PROTOCOL, 0, "answered without a status");
		if (status >= 300)
			return refused(t, status, p, err);
		if (status == 101)
			return weft_error_set(err, WEFT_ERR_PROTOCOL, 0, "answered 101 to CONNECT");
		weft_buffer_consume(in, len);
		/* a success has no content, whatever its fields say */
		if (status >= 200)
			return WEFT_OK;
		t->heads += len;
		t->seen = t->line = 0;
	}
}

/* ---- RFC 1928 ---- */

enum {
	VERSION = 5,
	NO_AUTHENTICATION = 0,
	NONE_ACCEPTABLE = 0xff,
	COMMAND_CONNECT = 1,
	TYPE_IPV4 = 1,
	TYPE_NAME = 3,
	TYPE_IPV6 = 4,
};

static void ask_method(struct weft_buffer *out)
{
	static const unsigned char hello[] = { VERSION, 1, NO_AUTHENTICATION };

	weft_buffer_append(out, hello, sizeof(hello));
}

static enum weft_status read_method(struct weft_buffer *in, struct weft_error *err)
{
	const unsigned char *p = weft_buffer_bytes(in);
	size_t len = weft_buffer_len(in);

	if (len && p[0] != VERSION)
		return weft_error_set(
			err, WEFT_ERR_PROTOCOL, 0, "answered with something else than SOCKS 5");
	if (len < 2)
		return WEFT_AGAIN;
	if (p[1] == NONE_ACCEPTABLE)
		return weft_error_set(err, WEFT_ERR_REFUSED, 0,
			"asks for a user and password, which are not supported");
	if (p[1] != NO_AUTHENTICATION)
		return weft_error_set(err, WEFT_ERR_PROTOCOL, 0,
			"chose authentication method %u, which was not offered", p[1]);
	weft_buffer_consume(in, 2);
	return WEFT_OK;
}

static void ask_address(const struct weft_proxy_talk *t, struct weft_buffer *out)
{
	unsigned char head[5] = { VERSION, COMMAND_CONNECT, 0, TYPE_NAME, 0 };
	unsigned char port[2] = { (unsigned char)(t->port >> 8), (unsigned char)t->port };
	struct weft_address literal;

	if (weft_address_parse(t->host, t->port, &literal, NULL) == WEFT_OK) {
		bool v4 = literal.family == WEFT_FAMILY_IPV4;

		head[3] = v4 ? TYPE_IPV4 : TYPE_IPV6;
		weft_buffer_append(out, head, 4);
		weft_buffer_append(out, literal.ip, v4 ? 4 : 16);
	} else {
		head[4] = (unsigned char)strlen(t->host); /* WEFT_URL_NAME_MAX at most */
		weft_buffer_append(out, head, 5);
		weft_buffer_append(out, t->host, head[4]);
	}
	weft_buffer_append(out, port, 2);
}

static enum weft_status no(const struct weft_proxy_talk *t, unsigned reply, struct weft_error *err)
{
	static const struct {
		enum weft_status status;
		const char *text;
	} replies[] = {
		{ WEFT_ERR_REFUSED, "general failure" },
		{ WEFT_ERR_REFUSED, "not allowed by its rules" },
		{ WEFT_ERR_UNREACHABLE, "network unreachable" },
		{ WEFT_ERR_UNREACHABLE, "host unreachable" },
		{ WEFT_ERR_REFUSED, "connection refused" },
		{ WEFT_ERR_UNREACHABLE, "TTL expired" },
		{ WEFT_ERR_REFUSED, "command not supported" },
		{ WEFT_ERR_REFUSED, "address type not supported" },
	};

	if (reply > sizeof(replies) / sizeof(replies[0]))
		return weft_error_set(err, WEFT_ERR_REFUSED, (int)reply,
			"answered %u, which means nothing, to connecting to %.80s:%u", reply,
			t->host, t->port);
	return weft_error_set(err, replies[reply - 1].status, (int)reply,
		"answered %u, %s, to connecting to %.80s:%u", reply, replies[reply - 1].text,
		t->host, t->port);
}

/* How long a reply is in all, by its address; 0: not to be known yet. */
static size_t reply_len(const unsigned char *p, size_t len)
{
	if (p[3] == TYPE_NAME)
		return len > 4 ? 4 + 1 + (size_t)p[4] + 2 : 0;
	return p[3] == TYPE_IPV4 ? 4 + 4 + 2 : 4 + 16 + 2;
}

static enum weft_status read_reply(
	const struct weft_proxy_talk *t, struct weft_buffer *in, struct weft_error *err)
{
	const unsigned char *p = weft_buffer_bytes(in);
	size_t len = weft_buffer_len(in), whole;

	if (len && p[0] != VERSION)
		return weft_error_set(
			err, WEFT_ERR_PROTOCOL, 0, "answered with something else than SOCKS 5");
	if (len > 1 && p[1])
		return no(t, p[1], err);
	if (len < 4)
		return WEFT_AGAIN;
	if (p[3] != TYPE_IPV4 && p[3] != TYPE_NAME && p[3] != TYPE_IPV6)
		return weft_error_set(err, WEFT_ERR_PROTOCOL, 0,
			"answered with an address of type %u, expected 1, 3 or 4", p[3]);
	whole = reply_len(p, len);
	if (!whole || len < whole)
		return WEFT_AGAIN;
	weft_buffer_consume(in, whole);
	return WEFT_OK;
}

/* ---- both ---- */

static void begin(struct weft_proxy_talk *t, struct weft_buffer *out)
{
	if (t->kind == WEFT_PROXY_CONNECT) {
		ask_connect(t, out);
		t->step = STEP_ANSWER;
	} else {
		ask_method(out);
		t->step = STEP_METHOD;
	}
}

enum weft_status weft_proxy_talk(struct weft_proxy_talk *t, struct weft_buffer *in,
	struct weft_buffer *out, struct weft_error *err)
{
	enum weft_status st;

	if (t->step == STEP_DONE)
		return WEFT_OK;
	if (t->step == STEP_BEGIN)
		begin(t, out);
	if (t->step == STEP_METHOD) {
		st = read_method(in, err);
		if (st)
			return st;
		ask_address(t, out);
		t->step = STEP_ANSWER;
	}
	st = t->kind == WEFT_PROXY_CONNECT ? read_connect(t, in, err) : read_reply(t, in, err);
	if (st == WEFT_OK)
		t->step = STEP_DONE;
	return st;
}
