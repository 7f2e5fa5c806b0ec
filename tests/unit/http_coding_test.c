/* SPDX-License-Identifier: MIT */
/* Accept-Encoding: RFC 9110 section 12.5.3. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "roles/http/coding.h"

static void accepted(const char *const *values, size_t count, unsigned q[WEFT_HTTP_CODINGS])
{
	struct weft_field fields[4];
	struct weft_head head = { .fields = fields, .field_count = count };

	for (size_t i = 0; i < count; i++)
		fields[i] = weft_field("accept-encoding", values[i]);
	weft_http_accepted(&head, q);
}

static void weights(void **state)
{
	static const struct {
		const char *value;
		unsigned br, gzip, identity;
	} cases[] = {
		{ "", 0, 0, 1 },
		{ "gzip", 0, 1000, 1 },
		{ "GZip, BR", 1000, 1000, 1 },
		{ "x-gzip", 0, 1000, 1 },
		{ "gzip, deflate, br, zstd", 1000, 1000, 1 },
		{ "gzip;q=0.5, br ; q=0.25", 250, 500, 1 },
		{ "gzip;Q=0.123", 0, 123, 1 },
		{ "gzip;q=1.000, br;q=0.", 0, 1000, 1 },
		{ "gzip;q=0", 0, 0, 1 },
		{ "*", 1000, 1000, 1 },
		{ "*;q=0.5, gzip;q=0.1", 500, 100, 1 },
		{ "*;q=0", 0, 0, 0 },
		{ "gzip, *;q=0", 0, 1000, 0 },
		{ "identity;q=0, gzip", 0, 1000, 0 },
		{ "identity, gzip;q=0.5", 0, 500, 1000 },
		{ "identity;q=0.2, *;q=0", 0, 0, 200 },
		{ ",, gzip ,,", 0, 1000, 1 },
		/* no elements */
		{ "gzip;q=2", 0, 0, 1 },
		{ "gzip;q=1.001", 0, 0, 1 },
		{ "gzip;q=0.1234", 0, 0, 1 },
		{ "gzip;q=-1", 0, 0, 1 },
		{ "gzip;q=", 0, 0, 1 },
		{ "gzip;q", 0, 0, 1 },
		{ "gzip;level=5", 0, 0, 1 },
		{ "gzip q=1", 0, 0, 1 },
		{ "gzip;;q=1", 0, 0, 1 },
		{ ";q=1, br", 1000, 0, 1 },
		{ "gzipped, bro, identit", 0, 0, 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		unsigned q[WEFT_HTTP_CODINGS];

		accepted(&cases[i].value, 1, q);
		if (q[WEFT_HTTP_BROTLI] != cases[i].br || q[WEFT_HTTP_GZIP] != cases[i].gzip ||
			q[WEFT_HTTP_IDENTITY] != cases[i].identity)
			fail_msg("\"%s\": br %u, gzip %u, identity %u", cases[i].value,
				q[WEFT_HTTP_BROTLI], q[WEFT_HTTP_GZIP], q[WEFT_HTTP_IDENTITY]);
	}
}

static void several_fields_are_one_list(void **state)
{
	static const char *const values[] = { "gzip;q=0.5", "identity;q=0", "br" };
	unsigned q[WEFT_HTTP_CODINGS];

	(void)state;
	accepted(values, 3, q);
	assert_int_equal(q[WEFT_HTTP_BROTLI], 1000);
	assert_int_equal(q[WEFT_HTTP_GZIP], 500);
	assert_int_equal(q[WEFT_HTTP_IDENTITY], 0);
	accepted(values, 0, q);
	assert_int_equal(q[WEFT_HTTP_GZIP], 0);
	assert_int_equal(q[WEFT_HTTP_IDENTITY], 1);
}

static void the_best_is_by_weight_then_by_size(void **state)
{
	unsigned q[WEFT_HTTP_CODINGS] = {
		[WEFT_HTTP_BROTLI] = 500, [WEFT_HTTP_GZIP] = 900, [WEFT_HTTP_IDENTITY] = 1
	};
	unsigned but = 0;

	(void)state;
	assert_int_equal(weft_http_best_coding(q, but), WEFT_HTTP_GZIP);
	but |= 1u << WEFT_HTTP_GZIP;
	assert_int_equal(weft_http_best_coding(q, but), WEFT_HTTP_BROTLI);
	but |= 1u << WEFT_HTTP_BROTLI;
	assert_int_equal(weft_http_best_coding(q, but), WEFT_HTTP_IDENTITY);
	q[WEFT_HTTP_IDENTITY] = 0;
	assert_int_equal(weft_http_best_coding(q, but), WEFT_HTTP_CODINGS);
	q[WEFT_HTTP_BROTLI] = q[WEFT_HTTP_IDENTITY] = 900;
	assert_int_equal(weft_http_best_coding(q, 0), WEFT_HTTP_BROTLI);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(weights),
		cmocka_unit_test(several_fields_are_one_list),
		cmocka_unit_test(the_best_is_by_weight_then_by_size),
	};

	return cmocka_run_group_tests_name("http coding", tests, NULL, NULL);
}
