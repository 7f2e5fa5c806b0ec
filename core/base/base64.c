/* SPDX-License-Identifier: MIT */
/* Base64 decoding, strictly: one text for each sequence of bytes, but for white space. */
#include "weft/base64.h"

/* Or -1. Without a branch: which of them comes next is anybody's guess, the processor's too. */
static int digit(char c)
{
	unsigned u = (unsigned char)c;

	return (u - 'A' < 26) * (int)(u - 'A' + 1) + (u - 'a' < 26) * (int)(u - 'a' + 27) +
	       (u - '0' < 10) * (int)(u - '0' + 53) + (u == '+') * 63 + (u == '/') * 64 - 1;
}

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

bool weft_base64_decode(
	const char *text, size_t len, bool white_space, unsigned char *out, size_t *out_len)
{
	size_t used = 0, digits = 0, pads = 0;
	unsigned bits = 0, have = 0;
	int value;

	for (size_t i = 0; i < len; i++) {
		if (white_space && is_space(text[i]))
			continue;
		if (text[i] == '=') {
			pads++;
			continue;
		}
		value = digit(text[i]);
		if (value < 0 || pads)
			return false;
		digits++;
		bits = (bits << 6 | (unsigned)value) & 0xfff;
		have += 6;
		if (have < 8)
			continue;
		have -= 8;
		if (used == *out_len)
			return false;
		out[used++] = (unsigned char)(bits >> have);
	}
	/* the last group is whole, and what it has beyond the last byte says nothing */
	if ((digits + pads) % 4 || pads > 2 || bits & ((1u << have) - 1))
		return false;
	*out_len = used;
	return true;
}
