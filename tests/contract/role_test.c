/* SPDX-License-Identifier: MIT */
/*
 * What any role must do, over the real core; each case with whole reads and with ever smaller pieces.
 * WEFT_TEST_FILTER runs just the cases that fit its pattern.
 */
#include <stdio.h>

#include "tests/contract/role_peer.h"
#include "tests/support/filter.h"

static const struct role_group *const groups[] = {
	&role_pair_group,
	&role_server_group,
	&role_refusal_group,
	&role_request_group,
	&role_response_group,
	&role_tunnel_group,
	&role_verdict_group,
	&role_rules_group,
	&role_client_rules_group,
	&role_client_group,
	&role_client_body_group,
	&role_client_bad_group,
	&role_client_reuse_group,
	&role_upload_group,
	&role_client_retry_group,
	&role_client_end_group,
	&role_client_tunnel_group,
	&role_client_stale_group,
	&role_client_limit_group,
	&role_raw_group,
	&role_raw_client_group,
};

static int run(const struct role_group *group)
{
	static const struct {
		size_t bytes;
		const char *name;
	} cuts[] = { { 0, "whole reads" }, { 7, "7-byte reads" }, { 1, "1-byte reads" } };
	char name[64];
	int failed = 0;

	for (size_t i = 0; i < sizeof(cuts) / sizeof(*cuts); i++) {
		role_fragment = cuts[i].bytes;
		snprintf(name, sizeof(name), "%s, %s", group->name, cuts[i].name);
		failed += _cmocka_run_group_tests(name, group->tests, group->count, NULL, NULL);
	}
	return failed;
}

int main(void)
{
	int failed = 0;

	filter_tests();
	for (size_t i = 0; i < sizeof(groups) / sizeof(*groups); i++)
		failed += run(groups[i]);
	return failed;
}
