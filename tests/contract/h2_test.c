/* SPDX-License-Identifier: MIT */
/* HTTP/2 from the inside: what the role does by its limits, times and priorities, to the frame. */
#include "tests/contract/h2_line.h"
#include "tests/support/filter.h"

static const struct role_group *const groups[] = {
	&h2_abuse_group,
	&h2_server_group,
	&h2_priority_group,
	&h2_client_group,
};

int main(void)
{
	int failed = 0;

	filter_tests();
	for (size_t i = 0; i < sizeof(groups) / sizeof(*groups); i++)
		failed += _cmocka_run_group_tests(
			groups[i]->name, groups[i]->tests, groups[i]->count, NULL, NULL);
	return failed;
}
