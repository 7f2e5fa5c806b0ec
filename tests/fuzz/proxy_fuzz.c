/* SPDX-License-Identifier: MIT */
/* What a proxy may answer: understood alike however it is cut. The first byte says which proxy it is. */
#include <stdlib.h>
#include <string.h>

#include "core/transport/proxy.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct weft_proxy_answer whole = { .kind = WEFT_PROXY_CONNECT }, piece;
	enum weft_status st, cut = WEFT_AGAIN;
	struct weft_error err;

	if (!len)
		return 0;
	if (bytes[0] & 1)
		whole.kind = WEFT_PROXY_SOCKS5;
	whole.greeted = bytes[0] & 2;
	piece = whole;
	bytes++;
	len--;
	st = weft_proxy_understand(&whole, bytes, len, &err);
	if (st == WEFT_OK && whole.used > len)
		abort();
	for (size_t n = 0; n <= len && cut == WEFT_AGAIN; n++) {
		struct weft_proxy_answer a = piece;
		unsigned char *exact = malloc(n ? n : 1);

		memcpy(exact, bytes, n);
		cut = weft_proxy_understand(&a, exact, n, &err);
		free(exact);
		if (cut == WEFT_OK && a.used != whole.used)
			abort();
	}
	/* what is too long in one piece has its limit at another byte */
	if (cut != st && st != WEFT_ERR_LIMIT && cut != WEFT_ERR_LIMIT)
		abort();
	return 0;
}
