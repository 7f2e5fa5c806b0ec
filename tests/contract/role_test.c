/* SPDX-License-Identifier: MIT */
/* What any role must do, over the real core; each case with whole reads and with ever smaller pieces. */
#include <stdio.h>

#include "tests/contract/role_peer.h"

static int run(const char *what, const struct CMUnitTest *tests, size_t count)
{
	static const struct {
		size_t bytes;
		const char *name;
	} cuts[] = { { 0, "whole reads" }, { 7, "7-byte reads" }, { 1, "1-byte reads" } };
	char name[64];
	int failed = 0;

	for (size_t i = 0; i < sizeof(cuts) / sizeof(*cuts); i++) {
		role_fragment = cuts[i].bytes;
		snprintf(name, sizeof(name), "%s, %s", what, cuts[i].name);
		failed += _cmocka_run_group_tests(name, tests, count, NULL, NULL);
	}
	return failed;
}

int main(void)
{
	int failed = 0;

	failed += run("h1 server", role_server_tests, role_server_count);
	failed += run("h1 bodies", role_body_tests, role_body_count);
	failed += run("h1 client", role_client_tests, role_client_count);
	failed += run("raw", role_raw_tests, role_raw_count);
	return failed;
}
