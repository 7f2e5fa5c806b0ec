/* SPDX-License-Identifier: MIT */
/* Dates: what is read is a moment that can be written, and that is read from there again. */
#include "tests/fuzz/fuzz.h"
#include "weft/http.h"

static const int64_t clocks[] = { 0, 946684799, 1795600000, 4102444800, -1, INT64_MIN, INT64_MAX };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char text[30];
	uint8_t *copy = fuzz_bytes(data, len);
	int64_t first = 0;

	for (size_t i = 0; i < sizeof(clocks) / sizeof(*clocks); i++) {
		int64_t seconds = 42, again = 43;

		if (!weft_http_date_parse((const char *)copy, len, clocks[i], &seconds)) {
			must(seconds == 42);
			continue;
		}
		must(len >= 24 && len <= 33);
		must(seconds >= -62135596800 && seconds <= 253402300800);
		if (seconds < 0 || seconds > 253402300799)
			continue;
		weft_http_date(seconds, text);
		must(weft_http_date_parse(text, 29, clocks[i], &again) && again == seconds);
		/* a form with the whole year means the same whenever it is read */
		if (len == 29 || len == 24)
			must(!i || seconds == first);
		first = seconds;
	}
	free(copy);
	return 0;
}
