/* SPDX-License-Identifier: MIT */
/* Reads SNI (RFC 6066 section 3) and ALPN (RFC 7301) from a ClientHello, across record boundaries. */
#include "core/transport/hello.h"

#include <string.h>

enum {
	RECORD_HEADER = 5,
	RECORD_HANDSHAKE = 22,
	CLIENT_HELLO = 1,
	EXT_SERVER_NAME = 0,
	EXT_ALPN = 16,
};

/* Walks handshake bytes; left counts what the structure being read still has. */
struct cursor {
	const unsigned char *p, *end;
	size_t record_left;
	size_t total; /* handshake bytes read so far */
	enum weft_status status;
	size_t lacking;
};

static bool fail(struct cursor *c, enum weft_status status, size_t lacking)
{
	if (c->status == WEFT_OK) {
		c->status = status;
		c->lacking = lacking;
	}
	return false;
}

static bool next_record(struct cursor *c)
{
	size_t have = (size_t)(c->end - c->p), len;

	if (have >= 1 && c->p[0] != RECORD_HANDSHAKE)
		return fail(c, WEFT_ERR_PROTOCOL, 0);
	if (have < RECORD_HEADER)
		return fail(c, WEFT_AGAIN, RECORD_HEADER - have);
	len = (size_t)c->p[3] << 8 | c->p[4];
	if (c->p[1] != 3 || !len || len > WEFT_HELLO_MAX)
		return fail(c, WEFT_ERR_PROTOCOL, 0);
	if (have < RECORD_HEADER + len)
		return fail(c, WEFT_AGAIN, RECORD_HEADER + len - have);
	c->p += RECORD_HEADER;
	c->record_left = len;
	return true;
}

static unsigned get(struct cursor *c, unsigned bytes)
{
	unsigned value = 0;

	while (bytes-- && c->status == WEFT_OK) {
		if (!c->record_left && !next_record(c))
			return 0;
		if (++c->total > WEFT_HELLO_MAX) {
			fail(c, WEFT_ERR_PROTOCOL, 0);
			return 0;
		}
		value = value << 8 | *c->p++;
		c->record_left--;
	}
	return c->status == WEFT_OK ? value : 0;
}

/* Takes len off *left, or finds the lengths in contradiction. */
static bool take(struct cursor *c, size_t *left, size_t len)
{
	if (c->status == WEFT_OK && *left < len)
		return fail(c, WEFT_ERR_PROTOCOL, 0);
	*left -= c->status == WEFT_OK ? len : 0;
	return c->status == WEFT_OK;
}

static void skip(struct cursor *c, size_t len)
{
	while (len-- && c->status == WEFT_OK)
		get(c, 1);
}

static void read_sni(struct cursor *c, size_t left, struct weft_hello *hello)
{
	unsigned type;
	size_t len;

	if (!take(c, &left, 2) || get(c, 2) != left) {
		fail(c, WEFT_ERR_PROTOCOL, 0);
		return;
	}
	while (left && take(c, &left, 3)) {
		type = get(c, 1);
		len = get(c, 2);
		if (!take(c, &left, len))
			return;
		if (type || len >= sizeof(hello->sni) || hello->sni[0]) {
			skip(c, len);
			continue;
		}
		for (size_t i = 0; i < len; i++) {
			char ch = (char)get(c, 1);

			hello->sni[i] = ch >= 'A' && ch <= 'Z' ? (char)(ch | 0x20) : ch;
		}
		/* what a NUL cuts short would be another name */
		hello->sni[memchr(hello->sni, '\0', len) ? 0 : len] = '\0';
	}
}

static void read_alpn(struct cursor *c, size_t left, struct weft_hello *hello)
{
	size_t used = 0, len;

	if (!take(c, &left, 2) || get(c, 2) != left) {
		fail(c, WEFT_ERR_PROTOCOL, 0);
		return;
	}
	while (left && take(c, &left, 1)) {
		len = get(c, 1);
		if (!take(c, &left, len))
			return;
		if (used + len + 2 > sizeof(hello->alpn)) {
			skip(c, len);
			continue;
		}
		if (used)
			hello->alpn[used++] = ',';
		while (len--)
			hello->alpn[used++] = (char)get(c, 1);
		hello->alpn[used] = '\0';
	}
}

static void read_extensions(struct cursor *c, size_t left, struct weft_hello *hello)
{
	unsigned type;
	size_t len;

	while (left && take(c, &left, 4)) {
		type = get(c, 2);
		len = get(c, 2);
		if (!take(c, &left, len))
			return;
		if (type == EXT_SERVER_NAME)
			read_sni(c, len, hello);
		else if (type == EXT_ALPN)
			read_alpn(c, len, hello);
		else
			skip(c, len);
	}
}

/* A vector whose content does not matter here. */
static void skip_vector(struct cursor *c, size_t *left, unsigned length_bytes)
{
	size_t len;

	if (!take(c, left, length_bytes))
		return;
	len = get(c, length_bytes);
	if (take(c, left, len))
		skip(c, len);
}

enum weft_status weft_hello_parse(
	const unsigned char *bytes, size_t len, struct weft_hello *hello, size_t *need)
{
	struct cursor c = { .p = bytes, .end = bytes + len };
	size_t left;

	memset(hello, 0, sizeof(*hello));
	if (get(&c, 1) != CLIENT_HELLO && c.status == WEFT_OK)
		return WEFT_ERR_PROTOCOL;
	left = get(&c, 3);
	if (left > WEFT_HELLO_MAX)
		return WEFT_ERR_PROTOCOL;
	if (take(&c, &left, 34)) /* version, random */
		skip(&c, 34);
	skip_vector(&c, &left, 1); /* session id */
	skip_vector(&c, &left, 2); /* cipher suites */
	skip_vector(&c, &left, 1); /* compression methods */
	if (left && take(&c, &left, 2)) {
		if (get(&c, 2) != left)
			fail(&c, WEFT_ERR_PROTOCOL, 0);
		read_extensions(&c, left, hello);
	}
	*need = len + c.lacking;
	return c.status;
}
