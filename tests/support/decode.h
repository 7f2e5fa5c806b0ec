/* SPDX-License-Identifier: MIT */
/* Takes content codings off again, for tests that compare what was sent with what came. */
#ifndef WEFT_TESTS_SUPPORT_DECODE_H
#define WEFT_TESTS_SUPPORT_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#ifdef WEFT_WITH_GZIP
#include <zlib.h>
#endif
#ifdef WEFT_WITH_BROTLI
#include <brotli/decode.h>
#endif

/* Whether in, decoded, is exactly out_len bytes, which are put into out. False for an unknown coding. */
static inline bool test_decode(
	const char *coding, const void *in, size_t in_len, void *out, size_t out_len)
{
#ifdef WEFT_WITH_GZIP
	if (!strcmp(coding, "gzip")) {
		z_stream z = { .next_in = (Bytef *)(size_t)in, .avail_in = (uInt)in_len };
		int rc;

		z.next_out = out;
		z.avail_out = (uInt)out_len;
		if (inflateInit2(&z, 15 + 16) != Z_OK)
			return false;
		rc = inflate(&z, Z_FINISH);
		inflateEnd(&z);
		return rc == Z_STREAM_END && !z.avail_in && !z.avail_out;
	}
#endif
#ifdef WEFT_WITH_BROTLI
	if (!strcmp(coding, "br")) {
		size_t len = out_len;

		return BrotliDecoderDecompress(in_len, in, &len, out) ==
			       BROTLI_DECODER_RESULT_SUCCESS &&
		       len == out_len;
	}
#endif
	(void)in;
	(void)in_len;
	(void)out;
	(void)out_len;
	(void)coding;
	return false;
}

#endif
