/* SPDX-License-Identifier: MIT */
/* weft get: whom it believes, and who it is. */
#include <stdio.h>
#include <string.h>

#include "get.h"
#include "weft/base64.h"

/* Exactly one digest. */
static bool decode(const char *text, unsigned char out[WEFT_SHA256_BYTES])
{
	size_t len = WEFT_SHA256_BYTES;

	return weft_base64_decode(text, strlen(text), false, out, &len) && len == WEFT_SHA256_BYTES;
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
