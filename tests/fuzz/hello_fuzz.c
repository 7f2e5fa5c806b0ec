/* SPDX-License-Identifier: MIT */
/*
 * ClientHellos. A beginning asks for more, and never for less than there is; a verdict, once there, stays
 * the same however much follows. The first byte says by how much each look is longer.
 */
#include "core/transport/hello.h"
#include "tests/fuzz/fuzz.h"

/* Past this nobody waits: the largest hello, one byte a record. */
enum { NEED_MAX = WEFT_HELLO_MAX * 6 + 65536 };

static enum weft_status look(
	const uint8_t *data, size_t len, struct weft_hello *hello, size_t *need)
{
	uint8_t *copy = fuzz_bytes(data, len);
	enum weft_status st;

	memset(hello, 0xff, sizeof(*hello));
	st = weft_hello_parse(copy, len, hello, need);
	free(copy);
	must(st == WEFT_OK || st == WEFT_AGAIN || st == WEFT_ERR_PROTOCOL);
	must(memchr(hello->sni, 0, sizeof(hello->sni)));
	must(memchr(hello->alpn, 0, sizeof(hello->alpn)));
	for (const char *p = hello->sni; *p; p++)
		must(*p < 'A' || *p > 'Z');
	if (st == WEFT_AGAIN)
		must(*need > len && *need <= len + NEED_MAX);
	return st;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct weft_hello whole, part;
	enum weft_status st, at_end;
	size_t need, wanted = 0, step;

	if (!len)
		return 0;
	step = 1 + data[0] % 64;
	data++;
	len--;
	at_end = look(data, len, &whole, &need);
	for (size_t have = 0; have <= len; have += step) {
		st = look(data, have, &part, &need);
		if (st == WEFT_AGAIN) {
			wanted = need;
			continue;
		}
		/* whoever waited for what was asked has missed nothing */
		must(have >= wanted || st == WEFT_ERR_PROTOCOL);
		must(st == at_end);
		if (st == WEFT_OK)
			must(!strcmp(part.sni, whole.sni) && !strcmp(part.alpn, whole.alpn));
		return 0;
	}
	must(at_end != WEFT_OK || len >= wanted);
	return 0;
}
