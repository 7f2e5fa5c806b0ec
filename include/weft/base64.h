/* SPDX-License-Identifier: MIT */
/* Base64, as keys, pins, passwords and certificates come in. */
#ifndef WEFT_BASE64_H
#define WEFT_BASE64_H

#include "weft/base.h"

WEFT_BEGIN

/*
 * RFC 4648 section 4. *out_len: in room, out used. white_space: is skipped, as in PEM. False: it is no base64, or
 * there is no room.
 */
WEFT_API WEFT_MUST_CHECK bool weft_base64_decode(
	const char *text, size_t len, bool white_space, unsigned char *out, size_t *out_len);

WEFT_END

#endif
