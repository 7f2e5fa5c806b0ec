/* SPDX-License-Identifier: MIT */
/* What does not go together in a policy is told: references, places, templates, what roles cannot say. */
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

static void names_that_lead_nowhere_are_told_with_the_nearest(void **state)
{
	static const struct told_case list[] = {
		{ "{\"schema_version\":1,\"retry\":{\"default\":{\"backoff_ms\":[1]}},\"trust_"
		  "stores\":{\"vendor\":{\"system\":true}},\"credentials\":{\"device\":{\"cert\":"
		  "\"app:a\",\"key\":\"app:b\"}},\n\"streams\":{\"s\":{\"endpoint\":\"h\",\"trust_"
		  "store\":\"vendr\",\"credential\":\"devise\",\"retry\":\"defalt\"}}}",
			"1:30: retry.default: warning: nobody uses this\n"
			"1:76: trust_stores.vendor: warning: nobody uses this\n"
			"1:117: credentials.device: warning: nobody uses this\n"
			"2:32: streams.s.trust_store: there is no trust store \"vendr\"; did you "
			"mean \"vendor\"?\n"
			"2:54: streams.s.credential: there is no credential \"devise\"; did you "
			"mean \"device\"?\n"
			"2:76: streams.s.retry: there is no way to retry \"defalt\"; did you mean "
			"\"default\"?\n" },
		{ STREAM(",\"trust_store\":\"x\",\"credential\":\"y\",\"retry\":\"z\""),
			"1:52: streams.s.trust_store: there is no trust store \"x\"\n"
			"1:70: streams.s.credential: there is no credential \"y\"\n"
			"1:87: streams.s.retry: there is no way to retry \"z\"\n" },
		{ TRUST("\"certs\":[\"c\"]"),
			"2:31: trust_stores.t.certs[0]: there is no certificate \"c\"\n" },
		{ "{\"schema_version\":1,\"certs\":{\"root\":{\"der_base64\":\"MIAA\"}},\n\"trust_"
		  "stores\":{\"t\":{\"certs\":[\"rot\"]}}}",
			"1:30: certs.root: warning: nobody uses this\n"
			"2:17: trust_stores.t: warning: nobody uses this\n"
			"2:31: trust_stores.t.certs[0]: there is no certificate \"rot\"; did you "
			"mean \"root\"?\n" },
	};

	(void)state;
	TOLD_CHECK(list);
}

static void what_cannot_go_together_is_told(void **state)
{
	static const struct told_case list[] = {
		{ STREAM(",\"tls\":false,\"trust_store\":\"t\",\"credential\":\"c\",\"allow\":["
			 "\"weak\"],\"sni\":\"x\",\"alpn\":[\"a\"],\"handshake_ms\":1,\"warm_"
			 "holds\":true"),
			"1:64: streams.s.trust_store: there is no trust store \"t\"\n"
			"1:64: streams.s.trust_store: makes no sense without TLS (\"tls\": false)\n"
			"1:82: streams.s.credential: there is no credential \"c\"\n"
			"1:82: streams.s.credential: makes no sense without TLS (\"tls\": false)\n"
			"1:99: streams.s.allow: makes no sense without TLS (\"tls\": false)\n"
			"1:116: streams.s.sni: makes no sense without TLS (\"tls\": false)\n"
			"1:126: streams.s.alpn: makes no sense without TLS (\"tls\": false)\n"
			"1:139: streams.s.handshake_ms: makes no sense without TLS (\"tls\": "
			"false)\n"
			"1:156: streams.s.warm_holds: makes no sense without TLS (\"tls\": "
			"false)\n" },
		{ "{\"schema_version\":1,\"streams\":{\"s\":{\"endpoint\":\"unix:/"
		  "s\",\"port\":1,\"proxy\":\"http://p:1\"}}}",
			"1:58: streams.s.port: a Unix socket has no port\n"
			"1:67: streams.s.proxy: a Unix socket is not reached through a proxy\n" },
		{ STREAM(",\"share\":\"alone\",\"keep_warm_ms\":5"),
			"1:68: streams.s.keep_warm_ms: nobody would use a connection again that is "
			"not shared (\"share\": \"alone\")\n" },
		{ STREAM(",\"share\":\"alone\",\"keep_warm_ms\":0"), NULL },
		{ STREAM(",\"coalesce\":true"), NULL },
		{ STREAM(",\"coalesce\":true,\"allow\":[]"), NULL },
		{ STREAM(",\"coalesce\":false,\"share\":\"alone\",\"sni\":\"x\",\"allow\":["
			 "\"weak\"]"),
			NULL },
		{ STREAM(",\"coalesce\":true,\"share\":\"alone\",\"sni\":\"x\",\"allow\":[\"weak\"]"
			 ","
			 "\"proxy\":\"http://p:1\""),
			"1:52: streams.s.coalesce: has no effect on a connection that is not "
			"shared "
			"(\"share\": \"alone\")\n"
			"1:52: streams.s.coalesce: has no effect with allow: such a connection "
			"serves "
			"one host\n"
			"1:52: streams.s.coalesce: has no effect with sni: such a connection "
			"serves "
			"one host\n"
			"1:52: streams.s.coalesce: has no effect with proxy: such a connection "
			"serves "
			"one host\n" },
		{ STREAM(",\"tls\":false,\"coalesce\":true"),
			"1:64: streams.s.coalesce: makes no sense without TLS (\"tls\": false)\n" },
		{ TRUST("\"certs\":[]"), "2:21: trust_stores.t: believes nobody: expected certs, "
					 "or \"system\": true\n" },
		{ TRUST(""), "2:21: trust_stores.t: believes nobody: expected certs, or "
			     "\"system\": true\n" },
		{ TRUST("\"pins_sha256\":[\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\"]"),
			"2:21: trust_stores.t: believes nobody: expected certs, or \"system\": "
			"true\n" },
		{ TRUST("\"system\":true,\"hold\":\"policy\",\"linger_ms\":1"),
			"2:52: trust_stores.t.linger_ms: what the policy holds does not linger\n" },
		{ RETRY("\"backoff_ms\":[1],\"validity_ping_ms\":5,\"validity_hangup_ms\":5"),
			"2:53: retry.r.validity_hangup_ms: is 5, expected more than "
			"validity_ping_ms (5), or nobody would be asked\n" },
		{ RETRY("\"backoff_ms\":[1],\"validity_ping_ms\":5"), NULL },
		{ CERT("\"pem_file\":\"a\",\"der_base64\":\"b\""),
			"3:14: certs.c: has several of pem_file, der_file and der_base64, expected "
			"one\n" },
	};

	(void)state;
	TOLD_CHECK(list);
}

static void places_that_are_none_are_told(void **state)
{
	static const struct told_case list[] = {
		{ "{\"schema_version\":1,\"streams\":{\"a\":{\"endpoint\":\"\"},\"b\":{"
		  "\"endpoint\":\"unix:\"},\"c\":{\"endpoint\":\"h:443\"},\"d\":{\"endpoint\":"
		  "\"http://h\"},\"e\":{\"endpoint\":\"u@h\"},\"f\":{\"endpoint\":\"a "
		  "b\"},\"g\":{\"endpoint\":\"::1\"},\"h\":{\"endpoint\":\"[::1]\"}}}",
			"1:37: streams.a.endpoint: is empty: expected a host, or unix:/path\n"
			"1:57: streams.b.endpoint: is empty: expected a host, or unix:/path\n"
			"1:82: streams.c.endpoint: is \"h:443\", expected a host alone, or "
			"unix:/path\n"
			"1:107: streams.d.endpoint: is \"http://h\", expected a host alone, or "
			"unix:/path\n"
			"1:135: streams.e.endpoint: is \"u@h\", expected a host alone, or "
			"unix:/path\n"
			"1:158: streams.f.endpoint: is \"a b\", expected a host alone, or "
			"unix:/path\n" },
		{ STREAM(",\"local_address\":\"localhost\""),
			"1:52: streams.s.local_address: \"localhost\" is no address: expected one "
			"like 127.0.0.1 or ::1\n" },
		{ STREAM(",\"proxy\":\"ftp://p:1\""),
			"1:52: streams.s.proxy: is \"ftp://p:1\", expected http://HOST:PORT or "
			"socks5://HOST:PORT\n" },
		{ STREAM(",\"proxy\":\"http://p\""),
			"1:52: streams.s.proxy: is \"http://p\", expected http://HOST:PORT or "
			"socks5://HOST:PORT\n" },
		{ STREAM(",\"proxy\":\"http://p:1/x\""),
			"1:52: streams.s.proxy: is \"http://p:1/x\", expected http://HOST:PORT or "
			"socks5://HOST:PORT\n" },
		{ STREAM(",\"proxy\":\"http://:1\""),
			"1:52: streams.s.proxy: is \"http://:1\", expected http://HOST:PORT or "
			"socks5://HOST:PORT\n" },
		{ STREAM(",\"proxy\":\"socks5://p:99999\""),
			"1:52: streams.s.proxy: is \"socks5://p:99999\", expected http://HOST:PORT "
			"or socks5://HOST:PORT\n" },
		{ STREAM(",\"sni\":\"a:1\""),
			"1:52: streams.s.sni: is \"a:1\", expected a host name\n" },
		{ "{\"schema_version\":1,\"streams\":{\"\":{\"endpoint\":\"h\"}}}",
			"1:35: streams.: a stream without a name\n" },
	};

	(void)state;
	TOLD_CHECK(list);
}

static void templates_ask_for_declared_metadata(void **state)
{
	static const struct told_case list[] = {
		{ "{\"schema_version\":1,\"streams\":{\"s\":{\"endpoint\":\"${a}.h\",\"path\":\"/"
		  "${b}/${c}\",\"headers\":{\"x\":\"${d}\"},\n\"metadata\":{\"b\":{}}}}}",
			"1:37: streams.s.endpoint: asks for ${a}, which metadata does not have\n"
			"1:57: streams.s.path: asks for ${c}, which metadata does not have\n"
			"1:88: streams.s.headers.x: asks for ${d}, which metadata does not "
			"have\n" },
		{ STREAM(",\"path\":\"/${a\""), "1:52: streams.s.path: has ${ without }\n" },
		{ STREAM(",\"path\":\"/${}\""),
			"1:52: streams.s.path: asks for ${}, which metadata does not have\n" },
		{ STREAM(",\"path\":\"/$a$\""), NULL },
		{ STREAM(",\"metadata\":{\"used\":{\"header\":\"x-a\"},\"lost\":{},\"read\":{"
			 "\"response_header\":\"server\"}}"),
			"1:88: streams.s.metadata.lost: warning: nobody uses this metadata\n" },
		{ STREAM(",\"path\":\"/"
			 "${a}\",\"headers\":{\"x\":\"${b}\"},\"metadata\":{\"a\":{},\"b\":{}}"),
			NULL },
	};

	(void)state;
	TOLD_CHECK(list);
}

static void what_http_cannot_send_is_told(void **state)
{
	static const struct told_case list[] = {
		{ STREAM(",\"method\":\"GE T\""), "1:52: streams.s.method: method \"GE T\": "
						  "expected a token of at most 64 characters\n" },
		{ STREAM(",\"method\":\"\""), "1:52: streams.s.method: method \"\": expected a "
					      "token of at most 64 characters\n" },
		{ STREAM(",\"path\":\"x\""),
			"1:52: streams.s.path: is \"x\", expected something that begins with /\n" },
		{ STREAM(",\"path\":\"${m}\",\"metadata\":{\"m\":{}}"),
			"1:52: streams.s.path: is \"x\", expected something that begins with /\n" },
		{ STREAM(",\"path\":\"/a b\""),
			"1:52: streams.s.path: request target \"/a b\": expected a path without "
			"spaces, quotes, '<', '>' and '#'\n" },
		{ STREAM(",\"path\":\"/${m} b\",\"metadata\":{\"m\":{}}"),
			"1:52: streams.s.path: request target \"/x b\": expected a path without "
			"spaces, quotes, '<', '>' and '#'\n" },
		{ STREAM(",\"headers\":{\"a b\":\"x\"}"),
			"1:52: streams.s.headers: field name \"a b\": expected letters, digits and "
			"!#$%&'*+-.^_`|~\n" },
		{ STREAM(",\"headers\":{\"host\":\"x\"}"),
			"1:52: streams.s.headers: field host may not be given here: the URL says "
			"it\n" },
		{ STREAM(",\"headers\":{\"x\":\"a\\nb\"}"),
			"1:52: streams.s.headers: field x: its value has a control character\n" },
		{ STREAM(",\"headers\":{\"content-length\":\"1\"}"),
			"1:52: streams.s.headers: field content-length may not be given here: the "
			"body's length says it\n" },
		{ STREAM(",\"metadata\":{\"m\":{\"header\":\"a b\"}}"),
			"1:64: streams.s.metadata.m: field name \"a b\": expected letters, digits "
			"and !#$%&'*+-.^_`|~\n" },
		{ STREAM(",\"metadata\":{\"m\":{\"header\":\"host\"}}"),
			"1:64: streams.s.metadata.m: field host may not be given here: the URL "
			"says it\n" },
		{ STREAM(",\"metadata\":{\"m\":{\"response_header\":\"a b\"}}"),
			"1:64: streams.s.metadata.m: response_header \"a b\" is no name of a "
			"field\n" },
	};

	(void)state;
	TOLD_CHECK(list);
}

static void ranges_of_statuses_are_told_that_are_none_or_overlap(void **state)
{
	static const struct told_case list[] = {
		{ STREAM(",\"expect\":{\"\":\"ok\"}"),
			"1:52: streams.s.expect: \"\": expected statuses, as \"200-299,304\"\n" },
		{ STREAM(",\"expect\":{\"2xx\":\"ok\"}"),
			"1:52: streams.s.expect: \"2xx\": expected statuses from 100 to 599, as "
			"\"200-299,304\"\n" },
		{ STREAM(",\"expect\":{\"200-\":\"ok\"}"),
			"1:52: streams.s.expect: \"200-\": expected statuses from 100 to 599, as "
			"\"200-299,304\"\n" },
		{ STREAM(",\"expect\":{\"99\":\"ok\"}"),
			"1:52: streams.s.expect: \"99\": expected statuses from 100 to 599, as "
			"\"200-299,304\"\n" },
		{ STREAM(",\"expect\":{\"600\":\"ok\"}"),
			"1:52: streams.s.expect: \"600\": expected statuses from 100 to 599, as "
			"\"200-299,304\"\n" },
		{ STREAM(",\"expect\":{\"300-200\":\"ok\"}"),
			"1:52: streams.s.expect: \"300-200\": expected statuses from 100 to 599, "
			"as \"200-299,304\"\n" },
		{ STREAM(",\"expect\":{\"200,\":\"ok\"}"),
			"1:52: streams.s.expect: \"200,\": expected statuses from 100 to 599, as "
			"\"200-299,304\"\n" },
		{ STREAM(",\"expect\":{\"200,,201\":\"ok\"}"),
			"1:52: streams.s.expect: \"200,,201\": expected statuses from 100 to 599, "
			"as \"200-299,304\"\n" },
		{ STREAM(",\"expect\":{\"200-299-300\":\"ok\"}"),
			"1:52: streams.s.expect: \"200-299-300\": expected statuses from 100 to "
			"599, as \"200-299,304\"\n" },
		{ STREAM(",\"expect\":{\"+20\":\"ok\"}"),
			"1:52: streams.s.expect: \"+20\": expected statuses from 100 to 599, as "
			"\"200-299,304\"\n" },
		{ STREAM(",\"expect\":{\" 200\":\"ok\"}"),
			"1:52: streams.s.expect: \" 200\": expected statuses from 100 to 599, as "
			"\"200-299,304\"\n" },
		{ STREAM(",\"expect\":{\"-200\":\"ok\"}"),
			"1:52: streams.s.expect: \"-200\": expected statuses from 100 to 599, as "
			"\"200-299,304\"\n" },
		{ STREAM(",\"expect\":{\"200-299\":\"ok\",\"204\":\"none\"}"),
			"1:52: streams.s.expect: status 204 is expected twice\n" },
		{ STREAM(",\"expect\":{\"200,200\":\"ok\"}"),
			"1:52: streams.s.expect: status 200 is expected twice\n" },
		{ STREAM(",\"expect\":{\"200\":\"\"}"),
			"1:52: streams.s.expect: \"200\" has no name\n" },
		{ STREAM(",\"expect\":{\"100-199,300\":\"a\",\"200-299\":\"b\"}"), NULL },
	};

	(void)state;
	TOLD_CHECK(list);
}

static void sources_of_credentials_are_told_that_are_none(void **state)
{
	static const struct told_case list[] = {
		{ CREDENTIAL("\"cert\":\"x\",\"key\":\"app:\""),
			"2:21: credentials.c.cert: is \"x\", expected app:NAME or file:PATH\n"
			"2:32: credentials.c.key: is \"app:\", expected app:NAME or file:PATH\n" },
		{ CREDENTIAL("\"cert\":\"file:\",\"key\":\"file:k\""),
			"2:21: credentials.c.cert: is \"file:\", expected app:NAME or "
			"file:PATH\n" },
		{ CREDENTIAL("\"cert\":\"app:c\",\"key\":\"file:k\""), NULL },
	};

	(void)state;
	TOLD_CHECK(list);
}

static void digests_that_are_none_are_told(void **state)
{
	static const struct told_case list[] = {
		{ TRUST("\"system\":true,\"pins_sha256\":[\"AAAA\",\"****\","
			"\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\","
			"\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\"]"),
			"2:51: trust_stores.t.pins_sha256[0]: expected 32 bytes in base64, of the "
			"server's public key\n"
			"2:58: trust_stores.t.pins_sha256[1]: expected 32 bytes in base64, of the "
			"server's public key\n"
			"2:65: trust_stores.t.pins_sha256[2]: expected 32 bytes in base64, of the "
			"server's public key\n" },
		{ TRUST("\"system\":true,\"pins_sha256\":["
			"\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\","
			"\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\","
			"\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\","
			"\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\","
			"\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\","
			"\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\","
			"\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\","
			"\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\","
			"\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\","
			"\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\","
			"\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\","
			"\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\","
			"\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\","
			"\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\","
			"\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\","
			"\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\","
			"\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\"]"),
			"2:36: trust_stores.t.pins_sha256: has 17 pins, expected at most 16\n" },
	};

	(void)state;
	TOLD_CHECK(list);
}

static void what_nobody_uses_is_a_warning(void **state)
{
	static const struct told_case list[] = {
		{ "{\"schema_version\":1,\n\"retry\":{\"r\":{\"backoff_ms\":[1]}},\n\"certs\":{"
		  "\"c\":{\"der_base64\":\"MIAA\"}},\n\"trust_stores\":{\"t\":{\"system\":true}},"
		  "\n\"credentials\":{\"d\":{\"cert\":\"app:a\",\"key\":\"app:b\"}}}",
			"2:10: retry.r: warning: nobody uses this\n"
			"3:10: certs.c: warning: nobody uses this\n"
			"4:17: trust_stores.t: warning: nobody uses this\n"
			"5:16: credentials.d: warning: nobody uses this\n" },
	};

	(void)state;
	TOLD_CHECK(list);
}

static void compiled_policies_hold_nothing_themselves(void **state)
{
	static const struct told_case list[] = {
		{ TRUST("\"system\":true,\"hold\":\"policy\""),
			"2:36: trust_stores.t.hold: a compiled policy makes nothing up front: "
			"expected connection or stream\n" },
		{ TRUST("\"system\":true,\"hold\":\"stream\""), NULL },
	};

	(void)state;
	told_check(list, 2, true);
	told_check(&(struct told_case){ list[0].json, NULL }, 1, false);
}

static void other_protocols_are_told_with_those_there_are(void **state)
{
	struct weft_policy_load_options o = { .size = sizeof(o), .tls = "none" };
	static struct told t;

	(void)state;
	assert_null(told_parse(&t, STREAM(",\"protocol\":\"h11\",\"zzz\":1"), NULL, &o));
	assert_non_null(strstr(
		t.text, "1:52: streams.s.protocol: there is no role \"h11\", expected auto, "));
	assert_non_null(strstr(t.text, ", h1"));
	assert_non_null(strstr(t.text, "; did you mean \"h1\"?\n"));
	assert_non_null(strstr(t.text, "streams.s.zzz: nobody knows this key\n"));
	assert_int_equal(t.problems, 2);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_that_lead_nowhere_are_told_with_the_nearest),
		cmocka_unit_test(what_cannot_go_together_is_told),
		cmocka_unit_test(places_that_are_none_are_told),
		cmocka_unit_test(templates_ask_for_declared_metadata),
		cmocka_unit_test(what_http_cannot_send_is_told),
		cmocka_unit_test(ranges_of_statuses_are_told_that_are_none_or_overlap),
		cmocka_unit_test(sources_of_credentials_are_told_that_are_none),
		cmocka_unit_test(digests_that_are_none_are_told),
		cmocka_unit_test(what_nobody_uses_is_a_warning),
		cmocka_unit_test(compiled_policies_hold_nothing_themselves),
		cmocka_unit_test(other_protocols_are_told_with_those_there_are),
	};

	filter_tests();
	return cmocka_run_group_tests_name("policy_load_together", tests, NULL, NULL);
}
