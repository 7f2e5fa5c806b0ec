/* SPDX-License-Identifier: MIT */
/* Everything that can be wrong in a policy is told, each with its place. Files and certificates: policy_load_certs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/filter.h"
#include "tests/support/told.h"
#include "weft/policy_load.h"

static void what_is_no_json_is_told_with_its_place(void **state)
{
	static const struct told_case list[] = {
		{ "", "1:1: '[' or '{' expected near end of file\n" },
		{ "{", "1:1: string or '}' expected near end of file\n" },
		{ "{\"a\":1}x", "1:8: end of file expected near 'x'\n" },
		{ "[1,\n 2", "2:2: ']' expected near end of file\n" },
		{ "{\n \"schema_version\": oops }", "2:23: invalid token near 'oops'\n" },
		{ "{\"a\":1,\"a\":2}", "1:10: duplicate object key near '\"a\"'\n" },
		{ "\"text\"", "1:6: '[' or '{' expected near '\"text\"'\n" },
		{ "{\"Ã¤Ã¤\": bad}", "1:16: invalid token near 'bad'\n" },
		{ "{\"a\": 99999999999999999999}",
			"1:26: too big integer near '99999999999999999999'\n" },
		{ "{\"a\" 1}", "1:6: ':' expected near '1'\n" },
		{ "{\"a\": \"\\u0000\"}", "1:14: \\u0000 is not allowed without JSON_ALLOW_NUL "
					  "near '\"\\u0000\"'\n" },
	};

	(void)state;
	TOLD_CHECK(list);
}

static void keys_that_nobody_knows_are_told_with_the_nearest(void **state)
{
	static const struct told_case list[] = {
		{ "{\"schema_version\":1,\"stream\":{}}",
			"1:21: stream: nobody knows this key; did you mean \"streams\"?\n" },
		{ "{\"schema_version\":1,\"$schema\":\"x\"}", NULL },
		{ STREAM(",\"prot\":1"),
			"1:52: streams.s.prot: nobody knows this key; did you mean \"port\"?\n" },
		{ STREAM(",\"zzzzzzzz\":1"), "1:52: streams.s.zzzzzzzz: nobody knows this key\n" },
		{ STREAM(",\"End Point\":1"), "1:52: streams.s.End Point: nobody knows this key; "
					      "did you mean \"endpoint\"?\n" },
		{ TRUST("\"system\":true,\"hodl\":\"stream\""),
			"2:36: trust_stores.t.hodl: nobody knows this key; did you mean "
			"\"hold\"?\n" },
		{ RETRY("\"backoff_ms\":[1],\"jitter\":1"),
			"2:32: retry.r.jitter: nobody knows this key\n" },
		{ CREDENTIAL("\"cert\":\"app:a\",\"key\":\"app:b\",\"pem\":\"x\""),
			"2:50: credentials.c.pem: nobody knows this key\n" },
		{ CERT("\"pem\":\"x\""), "3:14: certs.c: has none of pem_file, der_file and "
					 "der_base64, expected one\n"
					 "3:15: certs.c.pem: nobody knows this key\n" },
		{ STREAM(",\"e\\u006edpoint2\":1"), "1:52: streams.s.endpoint2: nobody knows this "
						    "key; did you mean \"endpoint\"?\n" },
		{ STREAM(",\"metadata\":{\"m\":{\"headr\":\"x\"}}"),
			"1:69: streams.s.metadata.m.headr: nobody knows this key; did you mean "
			"\"header\"?\n" },
	};

	(void)state;
	TOLD_CHECK(list);
}

#ifdef WEFT_HAVE_ROLE_RAW
static void what_a_role_does_not_know_is_told(void **state)
{
	static const struct told_case list[] = {
		{ STREAM(",\"protocol\":\"raw\",\"port\":1,\"path\":\"/\""),
			"1:78: streams.s.path: role h1 knows this key, and the stream's role is "
			"raw\n" },
		{ STREAM(",\"protocol\":\"raw\",\"port\":1,\"metadata\":{\"m\":{\"header\":\"x\"}"
			 "}"),
			"1:95: streams.s.metadata.m.header: nobody knows this key\n" },
		{ STREAM(",\"protocol\":\"raw\""),
			"1:36: streams.s: \"port\" is missing: role raw has no default\n" },
		{ STREAM(",\"protocol\":\"raw\",\"port\":1,\"tls\":false"), NULL },
	};

	(void)state;
	TOLD_CHECK(list);
}
#endif

static void values_of_another_type_are_told(void **state)
{
	static const struct told_case list[] = {
		{ "{\"schema_version\":\"1\",\"product\":1,\"release\":[],\"retry\":[],\"certs\":1,"
		  "\"trust_stores\":\"t\",\"credentials\":true,\"streams\":null}",
			"1:19: schema_version: expected a whole number\n"
			"1:33: product: expected a text\n"
			"1:45: release: expected a text\n"
			"1:56: retry: expected an object\n"
			"1:67: certs: expected an object\n"
			"1:84: trust_stores: expected an object\n"
			"1:102: credentials: expected an object\n"
			"1:117: streams: expected an object\n" },
		{ "{\"schema_version\":1.0}", "1:19: schema_version: expected a whole number\n" },
		{ "[1]", "1:1: expected an object\n" },
		{ "{\"schema_version\":1,\"streams\":{\"s\":1}}",
			"1:36: streams.s: expected an object\n" },
		{ STREAM(",\"port\":\"443\",\"tls\":1,\"trust_store\":{},\"credential\":1,"
			 "\"retry\":[],\"share\":1,\"alpn\":\"x\",\"allow\":1,\"metadata\":[]"),
			"1:59: streams.s.port: expected a whole number\n"
			"1:71: streams.s.tls: expected true or false\n"
			"1:87: streams.s.trust_store: expected a text\n"
			"1:103: streams.s.credential: expected a text\n"
			"1:113: streams.s.retry: expected a text\n"
			"1:124: streams.s.share: expected a text\n"
			"1:133: streams.s.alpn: expected a list of texts\n"
			"1:145: streams.s.allow: expected a list of texts\n"
			"1:158: streams.s.metadata: expected an object\n" },
		{ STREAM(",\"alpn\":[\"a\",1],\"allow\":[\"weak\",2]"),
			"1:64: streams.s.alpn[1]: expected a text\n"
			"1:83: streams.s.allow[1]: expected a text\n" },
		{ STREAM(",\"method\":1,\"path\":2,\"headers\":[],\"expect\":1,\"redirects\":"
			 "\"x\""),
			"1:61: streams.s.method: expected a text\n"
			"1:70: streams.s.path: expected a text\n"
			"1:82: streams.s.headers: expected an object of texts\n"
			"1:94: streams.s.expect: expected an object of texts\n"
			"1:108: streams.s.redirects: expected a whole number\n" },
		{ STREAM(",\"headers\":{\"a\":1,\"b\":\"ok\"},\"expect\":{\"200\":2}"),
			"1:67: streams.s.headers.a: expected a text\n"
			"1:95: streams.s.expect.200: expected a text\n" },
		{ STREAM(",\"metadata\":{\"m\":1,\"n\":{\"header\":1}}"),
			"1:64: streams.s.metadata.m: warning: nobody uses this metadata\n"
			"1:68: streams.s.metadata.m: expected an object\n"
			"1:84: streams.s.metadata.n.header: expected a text\n" },
		{ "{\"schema_version\":1,\"streams\":{\"s\":{\"endpoint\":1}}}",
			"1:48: streams.s.endpoint: expected a text\n" },
		{ STREAM(",\"nailed_up\":\"yes\",\"opportunistic\":1,\"warm_holds\":0"),
			"1:64: streams.s.nailed_up: expected true or false\n"
			"1:86: streams.s.opportunistic: expected true or false\n"
			"1:101: streams.s.warm_holds: expected true or false\n" },
		{ TRUST("\"certs\":\"x\",\"system\":1,\"pins_sha256\":{},\"hold\":1,\"crl_file\":"
			"1"),
			"2:30: trust_stores.t.certs: expected a list of texts\n"
			"2:43: trust_stores.t.system: expected true or false\n"
			"2:59: trust_stores.t.pins_sha256: expected a list of texts\n"
			"2:69: trust_stores.t.hold: expected a text\n"
			"2:82: trust_stores.t.crl_file: expected a text\n" },
		{ TRUST("\"certs\":[1],\"system\":true,\"pins_sha256\":[1]"),
			"2:31: trust_stores.t.certs[0]: expected a text\n"
			"2:63: trust_stores.t.pins_sha256[0]: expected a text\n" },
		{ RETRY("\"backoff_ms\":5"),
			"2:28: retry.r.backoff_ms: expected a list of whole numbers\n" },
		{ RETRY("\"backoff_ms\":[\"a\"]"),
			"2:29: retry.r.backoff_ms[0]: expected a whole number\n" },
		{ RETRY("\"backoff_ms\":[1],\"conceal\":\"x\""),
			"2:42: retry.r.conceal: expected a whole number\n" },
		{ CREDENTIAL("\"cert\":1,\"key\":2"),
			"2:28: credentials.c.cert: expected a text\n"
			"2:36: credentials.c.key: expected a text\n" },
		{ CERT("\"pem_file\":1"), "3:26: certs.c.pem_file: expected a text\n" },
		{ "{\"schema_version\":1,\"retry\":{\"r\":1},\"certs\":{\"c\":1},\"trust_stores\":{"
		  "\"t\":1},\"credentials\":{\"c\":1}}",
			"1:30: retry.r: warning: nobody uses this\n"
			"1:34: retry.r: expected an object\n"
			"1:46: certs.c: warning: nobody uses this\n"
			"1:50: certs.c: expected an object\n"
			"1:69: trust_stores.t: warning: nobody uses this\n"
			"1:73: trust_stores.t: expected an object\n"
			"1:91: credentials.c: warning: nobody uses this\n"
			"1:95: credentials.c: expected an object\n" },
	};

	(void)state;
	TOLD_CHECK(list);
}

static void numbers_out_of_range_are_told(void **state)
{
	static const struct told_case list[] = {
		{ "{\"schema_version\":2}", "1:19: schema_version: is 2, expected 1\n" },
		{ STREAM(",\"port\":0"), "1:59: streams.s.port: is 0, expected 1 to 65535\n" },
		{ STREAM(",\"port\":65536"),
			"1:59: streams.s.port: is 65536, expected 1 to 65535\n" },
		{ STREAM(",\"port\":-1"), "1:59: streams.s.port: is -1, expected 1 to 65535\n" },
		{ STREAM(",\"keep_warm_ms\":86400001,\"connect_ms\":-1,\"handshake_ms\":86400001,"
			 "\"header_ms\":-1,\"idle_ms\":-1,\"flush_ms\":-1,\"queue_ms\":-1,"
			 "\"timeout_ms\":-1"),
			"1:67: streams.s.keep_warm_ms: is 86400001, expected 0 to 86400000\n"
			"1:89: streams.s.connect_ms: is -1, expected 0 to 86400000\n"
			"1:107: streams.s.handshake_ms: is 86400001, expected 0 to 86400000\n"
			"1:128: streams.s.header_ms: is -1, expected 0 to 86400000\n"
			"1:141: streams.s.idle_ms: is -1, expected 0 to 86400000\n"
			"1:155: streams.s.flush_ms: is -1, expected 0 to 86400000\n"
			"1:169: streams.s.queue_ms: is -1, expected 0 to 86400000\n"
			"1:185: streams.s.timeout_ms: is -1, expected 0 to 86400000\n" },
		{ STREAM(",\"window_bytes\":1073741825,\"write_high_bytes\":-1,\"max_in_flight_"
			 "bytes\":-1"),
			"1:67: streams.s.window_bytes: is 1073741825, expected 0 to 1073741824\n"
			"1:97: streams.s.write_high_bytes: is -1, expected 0 to 1073741824\n"
			"1:122: streams.s.max_in_flight_bytes: is -1, expected 0 to 1073741824\n" },
		{ STREAM(",\"redirects\":21"),
			"1:64: streams.s.redirects: is 21, expected 0 to 20\n" },
		{ TRUST("\"system\":true,\"linger_ms\":-1,\"keep_tickets\":65"),
			"2:48: trust_stores.t.linger_ms: is -1, expected 0 to 86400000\n"
			"2:66: trust_stores.t.keep_tickets: is 65, expected 0 to 64\n" },
		{ RETRY("\"backoff_ms\":[1,-1,86400001],\"conceal\":1001,\"jitter_percent\":101,"
			"\"validity_ping_ms\":-1,\"validity_hangup_ms\":-1"),
			"2:31: retry.r.backoff_ms[1]: is -1, expected 0 to 86400000\n"
			"2:34: retry.r.backoff_ms[2]: is 86400001, expected 0 to 86400000\n"
			"2:54: retry.r.conceal: is 1001, expected 0 to 1000\n"
			"2:76: retry.r.jitter_percent: is 101, expected 0 to 100\n"
			"2:99: retry.r.validity_ping_ms: is -1, expected 0 to 86400000\n"
			"2:123: retry.r.validity_hangup_ms: is -1, expected 0 to 86400000\n" },
		{ RETRY("\"backoff_ms\":[]"),
			"2:15: retry.r.backoff_ms: is empty, expected at least one time\n" },
		{ STREAM(",\"alpn\":[\"\"]"),
			"1:60: streams.s.alpn[0]: has 0 bytes, expected 1 to 32\n" },
		{ STREAM(",\"alpn\":[\"123456789012345678901234567890123\"]"),
			"1:60: streams.s.alpn[0]: has 33 bytes, expected 1 to 32\n" },
		{ STREAM(",\"alpn\":[]"), "1:52: streams.s.alpn: has 0 names, expected 1 to 8\n" },
		{ STREAM(",\"alpn\":[\"a\",\"b\",\"c\",\"d\",\"e\",\"f\",\"g\",\"h\",\"i\"]"),
			"1:52: streams.s.alpn: has 9 names, expected 1 to 8\n" },
		{ STREAM(",\"alpn\":[\"12345678901234567890123456789012\","
			 "\"12345678901234567890123456789012\"]"),
			"1:52: streams.s.alpn: has too many bytes in all, expected at most 56\n" },
	};

	(void)state;
	TOLD_CHECK(list);
}

static void words_that_are_none_of_the_choices_are_told(void **state)
{
	static const struct told_case list[] = {
		{ STREAM(",\"share\":\"pol\""), "1:60: streams.s.share: is \"pol\", expected one "
						"of alone, pool; did you mean \"pool\"?\n" },
		{ STREAM(",\"share\":\"xxxxxxxxx\""),
			"1:60: streams.s.share: is \"xxxxxxxxx\", expected one of alone, pool\n" },
		{ TRUST("\"system\":true,\"hold\":\"steam\",\"verify_dates\":\"never\""),
			"2:43: trust_stores.t.hold: is \"steam\", expected one of connection, "
			"stream, policy; did you mean \"stream\"?\n"
			"2:66: trust_stores.t.verify_dates: is \"never\", expected one of always, "
			"once_clock_set\n" },
		{ STREAM(",\"allow\":[\"expird\",\"weak\"]"),
			"1:61: streams.s.allow[0]: is \"expird\", expected one of expired, "
			"not_yet_valid, wrong_host, unknown_ca, self_signed, revoked, weak, "
			"malformed; did you mean \"expired\"?\n" },
	};

	(void)state;
	TOLD_CHECK(list);
}

static void what_must_be_there_is_told_where_it_is_missing(void **state)
{
	static const struct told_case list[] = {
		{ "{}", "1:1: \"schema_version\" is missing\n" },
		{ "{\"schema_version\":1,\"streams\":{\"s\":{}}}",
			"1:36: streams.s: \"endpoint\" is missing\n" },
		{ RETRY(""), "2:14: retry.r: \"backoff_ms\" is missing\n" },
		{ CREDENTIAL(""), "2:20: credentials.c: \"cert\" is missing\n"
				  "2:20: credentials.c: \"key\" is missing\n" },
		{ CREDENTIAL("\"key\":\"app:k\""), "2:20: credentials.c: \"cert\" is missing\n" },
		{ CERT(""), "3:14: certs.c: has none of pem_file, der_file and der_base64, "
			    "expected one\n" },
	};

	(void)state;
	TOLD_CHECK(list);
}

static void first_problem_is_the_error(void **state)
{
	static const char json[] =
		"{\n \"schema_version\": 1, \"trust_stores\": { \"t\": { \"system\": true } },\n"
		" \"streams\": { \"s\": { \"endpoint\": \"h\", \"share\": \"alon\",\n"
		"  \"port\": 0, \"idle_ms\": -1 } }\n}\n";
	struct weft_span text = { (const unsigned char *)json, strlen(json) };
	const struct weft_policy *policy = NULL;
	struct weft_error err;

	(void)state;
	assert_int_equal(weft_policy_parse("folder/p.json", text, NULL, NULL, &policy, &err),
		WEFT_ERR_ARGUMENT);
	assert_null(policy);
	assert_int_equal(err.status, WEFT_ERR_ARGUMENT);
	assert_string_equal(err.text, "folder/p.json:3:48: streams.s.share: is \"alon\", expected "
				      "one of alone, pool; did "
				      "you mean \"alone\"? (and 2 more)");
	assert_int_equal(
		weft_policy_parse("p", text, NULL, NULL, &policy, NULL), WEFT_ERR_ARGUMENT);
}

static void long_names_are_cut_in_the_error(void **state)
{
	struct weft_policy_load_options o = { .size = sizeof(o), .tls = "none" };
	char name[401], json[2000];
	struct weft_span text = { (const unsigned char *)json, 0 };
	const struct weft_policy *policy;
	struct weft_error err;
	static struct told t;

	(void)state;
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	text.len = (size_t)snprintf(json, sizeof(json),
		"{\"schema_version\":1,\"streams\":{\"%s\":{\"endpoint\":\"h\",\"share\":\"%s\","
		"\"protocol\":\"%s\",\"retry\":\"%s\"}}}",
		name, name, name, name);
	assert_null(told_parse(&t, json, NULL, &o));
	assert_int_equal(t.problems, 3);
	o.tell = NULL;
	assert_int_equal(weft_policy_parse(name, text, NULL, &o, &policy, &err), WEFT_ERR_ARGUMENT);
	assert_int_equal(strncmp(err.text, "nnnnnnnnnn", 10), 0);
	assert_non_null(strstr(err.text, ":1:"));
	assert_non_null(strstr(err.text, " (and 2 more)"));
}

static void nothing_is_no_json(void **state)
{
	const struct weft_policy *policy;
	struct weft_error err;

	(void)state;
	assert_int_equal(
		weft_policy_parse("p", (struct weft_span){ NULL, 0 }, NULL, NULL, &policy, &err),
		WEFT_ERR_ARGUMENT);
	assert_int_equal(strncmp(err.text, "p:1:1: ", 7), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_no_json_is_told_with_its_place),
		cmocka_unit_test(keys_that_nobody_knows_are_told_with_the_nearest),
#ifdef WEFT_HAVE_ROLE_RAW
		cmocka_unit_test(what_a_role_does_not_know_is_told),
#endif
		cmocka_unit_test(values_of_another_type_are_told),
		cmocka_unit_test(numbers_out_of_range_are_told),
		cmocka_unit_test(words_that_are_none_of_the_choices_are_told),
		cmocka_unit_test(what_must_be_there_is_told_where_it_is_missing),
		cmocka_unit_test(first_problem_is_the_error),
		cmocka_unit_test(long_names_are_cut_in_the_error),
		cmocka_unit_test(nothing_is_no_json),
	};

	filter_tests();
	return cmocka_run_group_tests_name("policy_load_problems", tests, NULL, NULL);
}
