/* SPDX-License-Identifier: MIT */
/* What may be said of frames without knowing what is in them. RFC 9113 section 4. */
#ifndef WEFT_TESTS_FUZZ_H2_FRAMES_H
#define WEFT_TESTS_FUZZ_H2_FRAMES_H

#include "tests/fuzz/fuzz.h"

enum { H2_FRAME_MAX = 16384 };

/* All are whole, but for the last, which the end may have cut; none is longer than allowed, or of another type. */
static inline void h2_frames_check(const uint8_t *bytes, size_t len, unsigned types)
{
	while (len >= 9) {
		size_t n = (size_t)bytes[0] << 16 | (size_t)bytes[1] << 8 | bytes[2];

		must(n <= H2_FRAME_MAX);
		must(bytes[3] < 32 && types >> bytes[3] & 1);
		must(!(bytes[5] & 0x80));
		if (n > len - 9)
			return;
		bytes += 9 + n;
		len -= 9 + n;
	}
}

#endif
