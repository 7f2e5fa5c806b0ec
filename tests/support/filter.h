/* SPDX-License-Identifier: MIT */
/* WEFT_TEST_FILTER picks tests by a pattern of their names: cmocka 1.1.5 has the filter, but no switch. */
#ifndef WEFT_TESTS_SUPPORT_FILTER_H
#define WEFT_TESTS_SUPPORT_FILTER_H

#include <stdlib.h>

#include <cmocka.h>

static inline void filter_tests(void)
{
	const char *pattern = getenv("WEFT_TEST_FILTER");

	if (pattern)
		cmocka_set_test_filter(pattern);
}

#endif
