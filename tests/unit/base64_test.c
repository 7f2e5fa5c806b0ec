/* SPDX-License-Identifier: MIT */
/* Base64: what it means, and all that is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "weft/base64.h"

enum { NONE = -1 };

/* The bytes that came of it, or NONE. Both ends are blocks of their own: who goes past them is found out. */
static int decode(const char *text, size_t len, bool white_space, unsigned char *out, size_t room)
{
	char *in = malloc(len ? len : 1);
	unsigned char *to = malloc(room ? room : 1);
	size_t used = room;
	int ret = NONE;

	assert_non_null(in);
	assert_non_null(to);
	if (len)
		memcpy(in, text, len);
	if (weft_base64_decode(in, len, white_space, to, &used)) {
		assert_true(used <= room);
		memcpy(out, to, used);
		ret = (int)used;
	}
	free(in);
	free(to);
	return ret;
}

static void expect(const char *text, bool white_space, const char *bytes)
{
	unsigned char out[64];
	int got = decode(text, strlen(text), white_space, out, sizeof(out));

	if (!bytes ? got != NONE
		   : got != (int)strlen(bytes) || memcmp(out, bytes, strlen(bytes)) != 0)
		fail_msg("\"%s\" gives %d bytes, expected %s", text, got, bytes ? bytes : "none");
}

/* RFC 4648 section 10. */
static void vectors_of_the_rfc(void **state)
{
	(void)state;
	expect("", false, "");
	expect("Zg==", false, "f");
	expect("Zm8=", false, "fo");
	expect("Zm9v", false, "foo");
	expect("Zm9vYg==", false, "foob");
	expect("Zm9vYmE=", false, "fooba");
	expect("Zm9vYmFy", false, "foobar");
}

static void all_digits_count(void **state)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	unsigned char out[48];

	(void)state;
	assert_int_equal(decode(digits, 64, false, out, sizeof(out)), 48);
	for (unsigned i = 0; i < 64; i++) {
		unsigned at = i * 6, pair = (unsigned)out[at / 8] << 8;

		if (at / 8 + 1 < sizeof(out))
			pair |= out[at / 8 + 1];
		assert_int_equal(pair >> (10 - at % 8) & 63, i);
	}
}

static void padding_must_be_there_and_right(void **state)
{
	(void)state;
	expect("Zg", false, NULL);
	expect("Zg=", false, NULL);
	expect("Zg===", false, NULL);
	expect("Zm8", false, NULL);
	expect("Zm8==", false, NULL);
	expect("Zm9v=", false, NULL);
	expect("Zm9v==", false, NULL);
	expect("Zm9v====", false, NULL);
	expect("Z", false, NULL);
	expect("Z===", false, NULL);
	expect("=", false, NULL);
	expect("====", false, NULL);
	expect("=Zg=", false, NULL);
	expect("Zg==Zg==", false, NULL);
	expect("Z=g=", false, NULL);
}

static void bits_that_mean_nothing_are_zero(void **state)
{
	(void)state;
	expect("Zh==", false, NULL);
	expect("Zv==", false, NULL);
	expect("Zm9=", false, NULL);
	expect("Zm+=", false, NULL);
}

static void nothing_else_is_a_digit(void **state)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	unsigned char out[4];

	(void)state;
	for (int c = 0; c < 256; c++) {
		const char text[4] = { (char)c, 'A', 'A', 'A' };
		bool is_digit = c && strchr(digits, c);

		if (decode(text, 4, false, out, sizeof(out)) != (is_digit ? 3 : NONE))
			fail_msg("byte %d", c);
	}
}

static void white_space_is_skipped_only_where_it_may_be(void **state)
{
	(void)state;
	expect(" Z\tm\r\n9\fv\v", true, "foo");
	expect("Zg=\n=\n", true, "f");
	expect(" \n", true, "");
	expect("Z m9v", false, NULL);
	expect("Zm9v\n", false, NULL);
	expect("Z\xa0m9v", true, NULL);
}

static void room_is_kept_to(void **state)
{
	unsigned char out[8];

	(void)state;
	for (size_t room = 0; room < 8; room++)
		assert_int_equal(decode("Zm9vYmE=", 8, false, out, room), room < 5 ? NONE : 5);
	assert_int_equal(decode("", 0, false, out, 0), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors_of_the_rfc),
		cmocka_unit_test(all_digits_count),
		cmocka_unit_test(padding_must_be_there_and_right),
		cmocka_unit_test(bits_that_mean_nothing_are_zero),
		cmocka_unit_test(nothing_else_is_a_digit),
		cmocka_unit_test(white_space_is_skipped_only_where_it_may_be),
		cmocka_unit_test(room_is_kept_to),
	};

	return cmocka_run_group_tests_name("base64", tests, NULL, NULL);
}
