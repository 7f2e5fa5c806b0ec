/* SPDX-License-Identifier: MIT */
/* Bundles of certificates cut into single ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/vhost/pem.h"

#define PEM_A "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
#define PEM_B "-----BEGIN X509 CRL-----\r\nBBBB\r\n-----END X509 CRL-----\r\n"

/* The blocks of text, which lies in memory of exactly its length. */
static void check_blocks(const char *text, size_t len, const char *const *blocks)
{
	unsigned char *copy = malloc(len ? len : 1);
	struct weft_span rest = { copy, len }, block;

	assert_non_null(copy);
	memcpy(copy, text, len);
	for (; *blocks; blocks++) {
		if (!weft_pem_next(&rest, &block))
			fail_msg("\"%s\": a block is missing", text);
		assert_int_equal(block.len, strlen(*blocks));
		assert_memory_equal(block.ptr, *blocks, block.len);
		assert_true(block.ptr >= copy && block.ptr + block.len <= copy + len);
		/* the rest begins right behind */
		assert_ptr_equal(rest.ptr, block.ptr + block.len);
		assert_int_equal(rest.len, (size_t)(copy + len - rest.ptr));
	}
	assert_false(weft_pem_next(&rest, &block));
	free(copy);
}

static void blocks_come_one_by_one(void **state)
{
	static const struct {
		const char *text;
		const char *blocks[4];
	} cases[] = {
		{ PEM_A, { PEM_A } },
		{ PEM_A PEM_B PEM_A, { PEM_A, PEM_B, PEM_A } },
		{ "words before\n" PEM_A "\nwords between\n\n" PEM_B "words behind\n",
			{ PEM_A, PEM_B } },
		/* no end of line behind the last */
		{ PEM_B "-----BEGIN A-----\nx\n-----END A-----",
			{ PEM_B, "-----BEGIN A-----\nx\n-----END A-----" } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		check_blocks(cases[i].text, strlen(cases[i].text), cases[i].blocks);
}

static void nothing_is_found_where_nothing_is(void **state)
{
	static const char *const cases[] = { "", "\n", "words", "-----BEGIN", "-----BEGIN-----",
		"----BEGIN A-----", "-----END A-----\n", "-----begin a-----\n" };
	static const char *const none[] = { NULL };
	struct weft_span rest = { NULL, 0 }, block;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		check_blocks(cases[i], strlen(cases[i]), none);
	assert_false(weft_pem_next(&rest, &block));
}

/* What is cut off is handed out as it is: the backend says what is wrong with it. */
static void truncated_block_reaches_to_the_end(void **state)
{
	static const char text[] = PEM_A "-----BEGIN A-----\nx\n-----END A-----\n";
	const size_t second = strlen(PEM_A);
	char block[sizeof(text)];

	(void)state;
	for (size_t len = second; len < sizeof(text); len++) {
		const char *const blocks[] = { PEM_A, block, NULL };
		const char *const one[] = { PEM_A, NULL };

		memcpy(block, text + second, len - second);
		block[len - second] = 0;
		check_blocks(text, len, strstr(block, "-----BEGIN ") ? blocks : one);
	}
}

static void der_is_one_block(void **state)
{
	/* as certificates begin: a sequence of more than 127 bytes */
	static const char der[] = "\x30\x82\x01\x0a\x30-----BEGIN A-----\n-----END A-----\n\xff";
	static const char shorter[] = "\x30\x81\x80rest";
	const char *const blocks[] = { der, NULL };
	const char *const shorter_blocks[] = { shorter, NULL };

	(void)state;
	check_blocks(der, strlen(der), blocks);
	check_blocks(shorter, strlen(shorter), shorter_blocks);
}

/* '0' is the byte that DER begins with. */
static void words_may_begin_with_a_zero(void **state)
{
	static const char *const blocks[] = { PEM_A, PEM_B, NULL };
	static const char text[] = "0 s:CN = a\n" PEM_A "0x1f: another\n" PEM_B "0";

	(void)state;
	check_blocks(text, strlen(text), blocks);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(blocks_come_one_by_one),
		cmocka_unit_test(nothing_is_found_where_nothing_is),
		cmocka_unit_test(truncated_block_reaches_to_the_end),
		cmocka_unit_test(der_is_one_block),
		cmocka_unit_test(words_may_begin_with_a_zero),
	};

	return cmocka_run_group_tests_name("pem", tests, NULL, NULL);
}
