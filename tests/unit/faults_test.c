/* SPDX-License-Identifier: MIT */
/* The words for what is wrong with a certificate, and for the checks that find it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/faults.h"
#include "weft/trust.h"

static void each_fault_and_each_check_has_words_of_its_own(void **state)
{
	char all[9][2][64];

	(void)state;
	for (unsigned i = 0; i < 9; i++) {
		weft_tls_faults_text(1u << i, all[i][0], sizeof(all[i][0]));
		weft_tls_checks_text(1u << i, all[i][1], sizeof(all[i][1]));
		for (unsigned kind = 0; kind < 2; kind++) {
			assert_true(strlen(all[i][kind]) > 3);
			assert_null(strpbrk(all[i][kind], ",;"));
			for (unsigned k = 0; k < i; k++)
				assert_string_not_equal(all[i][kind], all[k][kind]);
		}
	}
}

static void several_stand_in_a_row(void **state)
{
	char text[256];

	(void)state;
	assert_string_equal(
		weft_tls_faults_text(WEFT_TLS_EXPIRED | WEFT_TLS_WRONG_HOST, text, sizeof(text)),
		"certificate expired; certificate is for another host");
	assert_string_equal(
		weft_tls_checks_text(WEFT_TLS_EXPIRED | WEFT_TLS_WRONG_HOST, text, sizeof(text)),
		"expired, wrong host");
	assert_string_equal(weft_tls_checks_text(0, text, sizeof(text)), "");
	/* what a log line has room for */
	weft_tls_checks_text(WEFT_TLS_ALLOW_ALL, text, sizeof(text));
	assert_non_null(strstr(text, ", not valid for this use"));
}

static void a_short_buffer_is_filled_and_terminated(void **state)
{
	char text[16];

	(void)state;
	for (size_t len = 1; len <= sizeof(text); len++) {
		memset(text, 'x', sizeof(text));
		weft_tls_checks_text(WEFT_TLS_ALLOW_ALL, text, len);
		assert_int_equal(strlen(text), len - 1);
		if (len < sizeof(text))
			assert_int_equal(text[len], 'x');
	}
	weft_tls_faults_text(WEFT_TLS_ALLOW_ALL, text, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_fault_and_each_check_has_words_of_its_own),
		cmocka_unit_test(several_stand_in_a_row),
		cmocka_unit_test(a_short_buffer_is_filled_and_terminated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
