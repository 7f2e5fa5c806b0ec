/* SPDX-License-Identifier: MIT */
/* weft get: whom it believes, and who it is. */
#include <stdio.h>
#include <string.h>

#include "get.h"

static int digit(char c)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* Base64 of exactly 32 bytes: 43 digits and one =. RFC 4648 section 4. */
static bool decode(const char *text, unsigned char out[WEFT_SHA256_BYTES])
{
	enum { DIGITS = 43 };
	unsigned bits = 0, have = 0;
	size_t n = 0;
	int value;

	for (size_t i = 0; i < DIGITS; i++) {
		value = digit(text[i]);
		if (value < 0)
			return false;
		bits = (bits << 6 | (unsigned)value) & 0xfff;
		have += 6;
		if (have < 8)
			continue;
		have -= 8;
		out[n++] = (unsigned char)(bits >> have);
	}
	return !strcmp(text + DIGITS, "=") && !(bits & 3);
}

bool get_add_pin(struct get_options *o, const char *text)
{
	static const char kind[] = "sha256//";

	if (o->pin_count == WEFT_PINS_MAX) {
		fprintf(stderr, "weft get: more than %d times --pin\n", WEFT_PINS_MAX);
		return false;
	}
	if (strncmp(text, kind, strlen(kind)) ||
		!decode(text + strlen(kind), o->pins[o->pin_count])) {
		fprintf(stderr,
			"weft get: --pin \"%s\": expected sha256// and 32 bytes in base64, of the "
			"server's public key\n",
			text);
		return false;
	}
	o->pin_count++;
	return true;
}

bool get_has_trust(const struct get_options *o)
{
	return o->cacert || o->pin_count || o->cert;
}

void get_identify(const struct get_options *o, struct get_identity *id)
{
	id->trust = (struct weft_trust){
		.ca_file = o->cacert,
		.pins = o->pins,
		.pin_count = o->pin_count,
	};
	id->credential = (struct weft_credential){ .cert_file = o->cert, .key_file = o->key };
}
