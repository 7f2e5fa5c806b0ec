/* SPDX-License-Identifier: MIT */
/* What any TLS backend must do: each with each as client and server, the bytes in pieces of any size. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/contract/tls_pair.h"
#include "tests/contract/tls_verdict.h"
#include "tests/support/filter.h"
#include "weft/plugin/plugin.h"

#ifdef WEFT_HAVE_TLS_GNUTLS
extern const struct weft_plugin weft_plugin_tls_gnutls;
#endif
#ifdef WEFT_HAVE_TLS_MBEDTLS
extern const struct weft_plugin weft_plugin_tls_mbedtls;
#endif

enum { TESTS_MAX = 64 };

static int run_group(const char *what, const struct CMUnitTest *tests, size_t count,
	const struct tls_setting *setting)
{
	struct CMUnitTest copy[TESTS_MAX];
	char name[128];

	if (count > TESTS_MAX)
		return 1;
	memcpy(copy, tests, count * sizeof(*tests));
	for (size_t i = 0; i < count; i++)
		copy[i].initial_state = (void *)(uintptr_t)setting;
	snprintf(name, sizeof(name), "%s, client %s, server %s, pieces of %zu", what,
		setting->client->name, setting->server->name, setting->fragment);
	return _cmocka_run_group_tests(name, copy, count, NULL, NULL);
}

/* Each row is a test of its own. */
static int run_verdicts(const char *what, const struct tls_verdict *verdicts, size_t count,
	const struct tls_setting *setting, bool by_server)
{
	struct CMUnitTest tests[TESTS_MAX];
	struct tls_trial trials[TESTS_MAX];
	char name[128];

	if (count > TESTS_MAX)
		return 1;
	for (size_t i = 0; i < count; i++) {
		trials[i] = (struct tls_trial){ setting, &verdicts[i], by_server };
		tests[i] = (struct CMUnitTest){ .name = verdicts[i].name,
			.test_func = tls_verdict_is_right,
			.initial_state = &trials[i] };
	}
	snprintf(name, sizeof(name), "%s, by the %s, %s", what, by_server ? "server" : "client",
		setting->client->name);
	return _cmocka_run_group_tests(name, tests, count, NULL, NULL);
}

static int run_abilities(const struct tls_setting *setting)
{
	int failed = 0;

	failed += run_group("resumption", tls_resume_tests, tls_resume_count, setting);
	failed += run_group("resumption after changes", tls_resume_since_tests,
		tls_resume_since_count, setting);
	failed += run_group(
		"client certificates", tls_client_auth_tests, tls_client_auth_count, setting);
	failed += run_group("signers", tls_sign_tests, tls_sign_count, setting);
	failed += run_group("pins", tls_pin_tests, tls_pin_count, setting);
	failed += run_group("trimming", tls_trim_tests, tls_trim_count, setting);
	return failed;
}

static int run_pair(const struct tls_backend *client, const struct tls_backend *server)
{
	static const size_t fragments[] = { 1, 7, 1000, 0 };
	struct tls_setting setting = { client, server, 0 };
	int failed = 0;

	for (size_t i = 0; i < sizeof(fragments) / sizeof(*fragments); i++) {
		setting.fragment = fragments[i];
		failed += run_group("flow", tls_flow_tests, tls_flow_count, &setting);
		failed += run_group("verify", tls_verify_tests, tls_verify_count, &setting);
	}
	for (size_t i = 0; i < 2; i++) {
		setting.fragment = i;
		failed += run_abilities(&setting);
	}
	return failed;
}

/* Once a backend, which is both ends. */
static int run_alone(const struct tls_backend *backend)
{
	struct tls_setting setting = { backend, backend, 0 };
	int failed = 0;

	failed += run_group("bad peers", tls_bad_tests, tls_bad_count, &setting);
	setting.fragment = 1;
	failed += run_group("bad peers", tls_bad_tests, tls_bad_count, &setting);
	setting.fragment = 0;
	failed += run_group("contexts", tls_ctx_tests, tls_ctx_count, &setting);
	failed += run_group("stapling", tls_staple_tests, tls_staple_count, &setting);
	failed += run_group("reading", tls_cert_tests, tls_cert_count, &setting);
	failed += run_group("heap", tls_heap_tests, tls_heap_count, &setting);
	failed += run_verdicts("names", tls_name_verdicts, tls_name_verdict_count, &setting, false);
	for (int by_server = 0; by_server < 2; by_server++) {
		failed += run_verdicts(
			"chains", tls_chain_verdicts, tls_chain_verdict_count, &setting, by_server);
		failed += run_verdicts("name constraints", tls_constraint_verdicts,
			tls_constraint_verdict_count, &setting, by_server);
	}
	return failed;
}

/* What glibc keeps in its per-thread cache counts as used; without it the count is exact. */
static void count_exactly(char **argv)
{
	static const char tunables[] = "GLIBC_TUNABLES";

	if (getenv(tunables) || setenv(tunables, "glibc.malloc.tcache_count=0", 1))
		return;
	execv("/proc/self/exe", argv);
}

int main(int argc, char **argv)
{
	static const struct weft_plugin *const plugins[] = {
#ifdef WEFT_HAVE_TLS_GNUTLS
		&weft_plugin_tls_gnutls,
#endif
#ifdef WEFT_HAVE_TLS_MBEDTLS
		&weft_plugin_tls_mbedtls,
#endif
		NULL,
	};
	struct tls_backend backends[sizeof(plugins) / sizeof(*plugins)];
	size_t count = 0;
	int failed = 0;

	(void)argc;
	count_exactly(argv);
	filter_tests();
	for (; plugins[count]; count++)
		backends[count] = (struct tls_backend){ plugins[count]->name, plugins[count]->tls };
	for (size_t c = 0; c < count; c++) {
		failed += run_alone(&backends[c]);
		for (size_t s = 0; s < count; s++)
			failed += run_pair(&backends[c], &backends[s]);
	}
	test_certs_free();
	return failed;
}
