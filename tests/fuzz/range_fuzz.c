/* SPDX-License-Identifier: MIT */
/* Range fields: what comes of them lies within the file, apart from each other, and is bounded. */
#include "roles/http/range.h"
#include "tests/fuzz/fuzz.h"

/* The first byte picks a size. */
static uint64_t size_of(uint8_t byte)
{
	static const uint64_t sizes[] = { 0, 1, 2, 100, 1000, 65536, 1u << 31, INT64_MAX };

	return sizes[byte % (sizeof(sizes) / sizeof(*sizes))];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct weft_http_range r[WEFT_HTTP_RANGES_MAX];
	enum weft_http_ranges verdict;
	uint64_t size;
	uint8_t *text;
	size_t count;

	if (!len)
		return 0;
	size = size_of(data[0]);
	text = fuzz_bytes(data + 1, len - 1);
	verdict = weft_http_ranges((const char *)text, len - 1, size, r, &count);
	must((verdict == WEFT_HTTP_RANGES_SOME) == (count > 0));
	must(count <= WEFT_HTTP_RANGES_MAX);
	for (size_t i = 0; i < count; i++) {
		must(r[i].len > 0 && r[i].first < size && r[i].len <= size - r[i].first);
		for (size_t j = 0; j < i; j++)
			must(r[i].first + r[i].len < r[j].first ||
				r[j].first + r[j].len < r[i].first);
	}
	free(text);
	return 0;
}
