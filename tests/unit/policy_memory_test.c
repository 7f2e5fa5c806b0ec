/* SPDX-License-Identifier: MIT */
/* Policies and memory: what is loaded is one thing, counted, and nothing of it is left when memory runs out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/plugin/registry.h"
#include "weft/plugin/policy.h"
#include "weft/plugin/role.h"
#include "weft/policy_load.h"
#include "weft/weft.h"

#define ALL WEFT_TEST_SOURCE_DIR "/tests/support/policies/all.json"

static struct {
	unsigned count, fails_at;
	long live;
} heap;

static void *failing_resize(void *user, void *ptr, size_t old_len, size_t new_len)
{
	void *p;

	(void)user;
	if (new_len && ++heap.count == heap.fails_at)
		return NULL;
	p = weft_allocator_system.resize(NULL, ptr, old_len, new_len);
	if (p || !new_len)
		heap.live += (long)new_len - (long)old_len;
	return p;
}

static const struct weft_allocator failing = { .resize = failing_resize };

static enum weft_status load(const struct weft_policy **out, struct weft_error *err)
{
	const struct weft_policy_load_options options = {
		.size = sizeof(options), .allocator = &failing, .tls = "none"
	};

	return weft_policy_load(ALL, &options, out, err);
}

static void loading_without_memory_fails_and_leaves_nothing(void **state)
{
	const struct weft_policy *policy = NULL;
	struct weft_error err;
	enum weft_status st = WEFT_ERR_MEMORY;
	unsigned n = 0;

	(void)state;
	while (st) {
		heap.count = 0;
		heap.fails_at = ++n;
		assert_true(n < 10000);
		st = load(&policy, &err);
		if (st)
			assert_int_equal(heap.live, 0);
		if (st && strstr(err.text, "no memory for policy"))
			assert_int_equal(st, WEFT_ERR_MEMORY);
	}
	heap.fails_at = 0;
	assert_true(n > 2);
	assert_true(weft_policy_bytes(policy) > 4096);
	assert_int_equal(heap.live, weft_policy_bytes(policy));
	weft_policy_release(policy);
	assert_int_equal(heap.live, 0);
}

static void a_policy_ends_with_the_last_who_uses_it(void **state)
{
	const struct weft_context_options options = { .tls = "none" };
	const struct weft_policy *policy;
	struct weft_context *ctx;
	struct weft_error err;

	(void)state;
	assert_int_equal(load(&policy, &err), WEFT_OK);
	assert_int_equal(weft_context_create(&options, &ctx, &err), WEFT_OK);
	assert_int_equal(weft_context_use_policy(ctx, policy, NULL, &err), WEFT_OK);
	weft_policy_release(policy);
	assert_true(heap.live > 0);
	assert_non_null(weft_policy_find(policy, "plain"));
	assert_int_equal(weft_context_use_policy(ctx, NULL, NULL, &err), WEFT_OK);
	assert_int_equal(heap.live, 0);
	weft_context_destroy(ctx, 0, NULL, NULL);
	weft_policy_release(NULL);
}

/* Planning allocates from the context, piece by piece. */
static void planning_without_memory_fails_and_leaves_nothing(void **state)
{
	static const struct weft_policy_pair metadata[] = { { "region", "eu" }, { "device", "1" },
		{ "api_key", "k" }, { NULL, NULL } };
	const struct weft_context_options options = { .tls = "none", .allocator = &failing };
	const struct weft_policy *policy;
	struct weft_policy_plan plan;
	struct weft_context *ctx;
	struct weft_error err;
	enum weft_status st = WEFT_ERR_MEMORY;
	long before;
	unsigned n = 0;

	(void)state;
	assert_int_equal(load(&policy, &err), WEFT_OK);
	assert_int_equal(weft_context_create(&options, &ctx, &err), WEFT_OK);
	before = heap.live;
	while (st) {
		heap.count = 0;
		heap.fails_at = ++n;
		assert_true(n < 1000);
		st = weft_policy_plan(ctx, policy, "full", metadata, &plan, &err);
		if (st) {
			assert_int_equal(st, WEFT_ERR_MEMORY);
			assert_null(plan.memory);
		}
	}
	heap.fails_at = 0;
	assert_string_equal(plan.url, "https://a-eu.example.com:8443/v1/1?x=1");
	weft_policy_plan_finish(&plan);
	assert_true(heap.live - before < 16384); /* blocks that the context keeps at hand */
	weft_context_destroy(ctx, 0, NULL, NULL);
	weft_policy_release(policy);
	assert_int_equal(heap.live, 0);
}

static void first_problem(void *user, const struct weft_policy_problem *p)
{
	char *text = user;

	if (!p->warning && !text[0])
		snprintf(text, 200, "%s: %s", p->path, p->text);
}

/* A stranger's role that speaks over TLS only. */
static void a_role_without_the_scheme_that_is_asked_for_is_told(void **state)
{
	static const char json[] = "{\"schema_version\":1,\"streams\":{\"s\":{\"endpoint\":\"x\","
				   "\"protocol\":\"quiet\",\"tls\":false}}}";
	static const struct weft_scheme schemes[] = { { .name = "quiets", .port = 7, .tls = true },
		{ 0 } };
	struct weft_policy_load_options options = { .size = sizeof(options), .tls = "none" };
	const struct weft_policy *policy;
	const struct weft_plugin *h1;
	struct weft_role role;
	struct weft_plugin plugin;
	struct weft_error err;
	char told[200] = "";

	(void)state;
	assert_int_equal(weft_registry_create(NULL, &options.registry, &err), WEFT_OK);
	assert_int_equal(
		weft_registry_find(options.registry, WEFT_PLUGIN_ROLE, NULL, &h1, &err), WEFT_OK);
	plugin = *h1;
	role = *h1->role;
	role.schemes = schemes;
	role.policy = NULL;
	plugin.name = "quiet";
	plugin.role = &role;
	assert_int_equal(weft_registry_add(options.registry, &plugin, NULL, &err), WEFT_OK);
	options.tell = first_problem;
	options.user = told;
	assert_int_equal(weft_policy_parse("p",
				 (struct weft_span){ (const unsigned char *)json, strlen(json) },
				 NULL, &options, &policy, &err),
		WEFT_ERR_ARGUMENT);
	assert_string_equal(told, "streams.s.tls: role quiet does not speak without TLS");
	weft_registry_release(options.registry);
}

/* What decides whom we talk to keeps streams apart; what does not, does not. */
static void planned_streams_share_as_law_1_says(void **state)
{
	static const struct {
		const char *keys;
		bool shares;
	} rows[] = {
		{ "\"path\": \"/b\", \"method\": \"PUT\", \"timeout_ms\": 5", true },
		{ "\"keep_warm_ms\": 1, \"warm_holds\": false, \"window_bytes\": 9", true },
		{ "\"port\": 444", false },
		{ "\"share\": \"alone\"", false },
		{ "\"tls\": false, \"port\": 443", false },
		{ "\"sni\": \"y.example\"", false },
		{ "\"alpn\": [\"x\"]", false },
		{ "\"allow\": [\"weak\"]", false },
		{ "\"local_address\": \"127.0.0.1\"", false },
		{ "\"proxy\": \"http://p:1\"", false },
		{ "\"credential\": \"c\"", false },
		{ "\"trust_store\": \"same\"", true },
		{ "\"trust_store\": \"late\"", false },
	};
	const struct weft_context_options options = { .log_level = WEFT_LOG_ERROR };
	const struct weft_policy_load_options load_options = { .size = sizeof(load_options),
		.tls = "none" };
	const struct weft_policy *policy;
	struct weft_policy_plan a, b;
	struct weft_context *ctx;
	struct weft_error err;
	char json[1024];

	(void)state;
	assert_int_equal(weft_context_create(&options, &ctx, &err), WEFT_OK);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int n = snprintf(json, sizeof(json),
			"{\"schema_version\":1,\"credentials\":{\"c\":{\"cert\":\"app:c\",\"key\":"
			"\"app:k\"}},"
			"\"trust_stores\":{\"same\":{\"system\":true},"
			"\"late\":{\"system\":true,\"verify_dates\":\"once_clock_set\"}},"
			"\"streams\":{"
			"\"a\":{\"endpoint\":\"x.example\"},\"b\":{\"endpoint\":\"X.example\",%s}}"
			"}",
			rows[i].keys);

		if (weft_policy_parse("p",
			    (struct weft_span){ (const unsigned char *)json, (size_t)n }, NULL,
			    &load_options, &policy, &err))
			fail_msg("%s: %s", rows[i].keys, err.text);
		assert_int_equal(weft_policy_plan(ctx, policy, "a", NULL, &a, &err), WEFT_OK);
		assert_int_equal(weft_policy_plan(ctx, policy, "b", NULL, &b, &err), WEFT_OK);
		if (weft_policy_plan_shares(&a, &b) != rows[i].shares)
			fail_msg("%s: shares %d", rows[i].keys, !rows[i].shares);
		weft_policy_plan_finish(&a);
		weft_policy_plan_finish(&b);
		weft_policy_release(policy);
	}
	weft_context_destroy(ctx, 0, NULL, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(loading_without_memory_fails_and_leaves_nothing),
		cmocka_unit_test(a_policy_ends_with_the_last_who_uses_it),
		cmocka_unit_test(planning_without_memory_fails_and_leaves_nothing),
		cmocka_unit_test(a_role_without_the_scheme_that_is_asked_for_is_told),
		cmocka_unit_test(planned_streams_share_as_law_1_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
