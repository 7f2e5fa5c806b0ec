/* SPDX-License-Identifier: MIT */
/* Decoding chunks byte by byte where there is grammar, and in runs where there is data. */
#include "roles/http/chunked.h"

#include <string.h>

#include "roles/http/chars.h"

enum state {
	SIZE,
	SIZE_SPACE, /* behind the size: only an extension may follow */
	EXTENSION,
	SIZE_LF,
	DATA,
	DATA_CR,
	DATA_LF,
	ENDED,
};

/* All extensions of a body together: nobody has use for more. */
enum { EXTENSIONS_MAX = 16384 };

static unsigned hex(unsigned char c)
{
	return c <= '9' ? c - (unsigned)'0' : (c | 0x20u) - (unsigned)'a' + 10;
}

static enum weft_status size_byte(
	struct weft_http_chunked *dec, unsigned char c, struct weft_http_refusal *no)
{
	if (weft_http_is(c, WEFT_HTTP_HEX)) {
		/* 15 digits: no overflow, and a sum of chunks cannot overflow soon either */
		if (dec->digits++ == 15)
			return weft_http_refuse(no, 400, "a chunk size of more than 15 digits");
		dec->left = dec->left << 4 | hex(c);
		return WEFT_OK;
	}
	if (!dec->digits)
		return weft_http_refuse(no, 400, "a chunk without a size");
	dec->digits = 0;
	switch (c) {
	case '\r':
		dec->state = SIZE_LF;
		return WEFT_OK;
	case ';':
		dec->state = EXTENSION;
		return WEFT_OK;
	case ' ':
	case '\t':
		dec->state = SIZE_SPACE;
		return WEFT_OK;
	default:
		return weft_http_refuse(no, 400, "a chunk size that is not hexadecimal");
	}
}

static enum weft_status grammar_byte(
	struct weft_http_chunked *dec, unsigned char c, struct weft_http_refusal *no)
{
	switch (dec->state) {
	case SIZE:
		return size_byte(dec, c, no);
	case SIZE_SPACE:
	case EXTENSION:
		if (++dec->ext_bytes > EXTENSIONS_MAX)
			return weft_http_refuse(no, 400, "too many bytes of chunk extensions");
		if (dec->state == SIZE_SPACE && c != ';' && c != ' ' && c != '\t')
			return weft_http_refuse(no, 400, "white space behind a chunk size");
		if (c == ';')
			dec->state = EXTENSION;
		else if (c == '\r')
			dec->state = SIZE_LF;
		else if (!weft_http_is(c, WEFT_HTTP_VALUE))
			return weft_http_refuse(
				no, 400, "a control character in a chunk extension");
		return WEFT_OK;
	case SIZE_LF:
		dec->state = dec->left ? DATA : ENDED;
		break;
	case DATA_CR:
		if (c != '\r')
			return weft_http_refuse(no, 400, "a chunk is longer than its size");
		dec->state = DATA_LF;
		return WEFT_OK;
	default: /* DATA_LF */
		dec->state = SIZE;
		break;
	}
	return c == '\n' ? WEFT_OK : weft_http_refuse(no, 400, "CR without LF in a chunk");
}

enum weft_status weft_http_chunked_decode(struct weft_http_chunked *dec, const unsigned char *in,
	size_t len, size_t max, size_t *used, struct weft_span *data, struct weft_http_refusal *no)
{
	enum weft_status st;
	size_t n, i = 0;

	*data = (struct weft_span){ NULL, 0 };
	while (dec->state != ENDED && i < len) {
		if (dec->state != DATA) {
			st = grammar_byte(dec, in[i++], no);
			if (st) {
				*used = i;
				return st;
			}
			continue;
		}
		n = len - i < dec->left ? len - i : (size_t)dec->left;
		n = n < max ? n : max;
		*data = (struct weft_span){ in + i, n };
		dec->left -= n;
		if (!dec->left)
			dec->state = DATA_CR;
		*used = i + n;
		return WEFT_OK;
	}
	*used = i;
	return dec->state == ENDED ? WEFT_EOF : WEFT_AGAIN;
}

size_t weft_http_chunk_head(char out[WEFT_HTTP_CHUNK_HEAD_MAX], uint64_t len)
{
	static const char digits[] = "0123456789abcdef";
	char text[16];
	size_t n = 0;

	do {
		text[n++] = digits[len & 15];
		len >>= 4;
	} while (len);
	for (size_t i = 0; i < n; i++)
		out[i] = text[n - 1 - i];
	memcpy(out + n, "\r\n", 2);
	return n + 2;
}
