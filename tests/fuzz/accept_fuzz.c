/* SPDX-License-Identifier: MIT */
/* Accept-Encoding, and lists of entity tags, which are the other list a client may send to the file handler. */
#include "roles/http/coding.h"
#include "roles/http/validator.h"
#include "tests/fuzz/fuzz.h"

static void check_codings(const struct weft_head *head)
{
	unsigned q[WEFT_HTTP_CODINGS], but = 0, before = 1000;
	enum weft_http_coding c;

	weft_http_accepted(head, q);
	while ((c = weft_http_best_coding(q, but)) != WEFT_HTTP_CODINGS) {
		must(c < WEFT_HTTP_CODINGS && !(but & 1u << c));
		must(q[c] > 0 && q[c] <= before);
		before = q[c];
		but |= 1u << c;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint8_t *text = fuzz_bytes(data, len);
	struct weft_field field = { .name = "accept-encoding",
		.name_len = 15,
		.value = (const char *)text,
		.value_len = len };
	const struct weft_head head = { .fields = &field, .field_count = 1 };

	check_codings(&head);
	/* what matches strongly matches weakly as well */
	if (weft_http_etag_listed((const char *)text, len, "\"a\"", false))
		must(weft_http_etag_listed((const char *)text, len, "W/\"a\"", true));
	free(text);
	return 0;
}
