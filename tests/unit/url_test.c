/* SPDX-License-Identifier: MIT */
/* Splitting URLs and endpoints. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/net/url.h"

static void urls_are_split(void **state)
{
	static const struct {
		const char *text, *scheme, *host, *authority, *target;
		int port; /* -1: none */
		bool v6;
	} cases[] = {
		{ "http://a", "http", "a", "a", "", -1, false },
		{ "http://a/", "http", "a", "a", "/", -1, false },
		{ "https://a.b-c_d:8443/x?y#z", "https", "a.b-c_d", "a.b-c_d:8443", "/x?y", 8443,
			false },
		{ "http://a?q", "http", "a", "a", "?q", -1, false },
		{ "http://a#f", "http", "a", "a", "", -1, false },
		{ "http://a:/", "http", "a", "a:", "/", -1, false },
		{ "http://a:0", "http", "a", "a:0", "", 0, false },
		{ "http://a:65535", "http", "a", "a:65535", "", 65535, false },
		{ "http://a:00080/", "http", "a", "a:00080", "/", 80, false },
		{ "http://[::1]:80/p", "http", "::1", "[::1]:80", "/p", 80, true },
		{ "http://[::1]", "http", "::1", "[::1]", "", -1, true },
		{ "raw+tls://h:1", "raw+tls", "h", "h:1", "", 1, false },
		{ "HTTP://A/@", "HTTP", "A", "A", "/@", -1, false },
		{ "http://a//b/../c%20", "http", "a", "a", "//b/../c%20", -1, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct weft_url url;
		struct weft_error err;

		if (weft_url_parse(cases[i].text, &url, &err))
			fail_msg("%s", err.text);
		if (!weft_span_is(url.scheme, cases[i].scheme) ||
			!weft_span_is(url.host, cases[i].host) ||
			!weft_span_is(url.authority, cases[i].authority) ||
			!weft_span_is(url.target, cases[i].target) ||
			url.has_port != (cases[i].port >= 0) || url.is_ipv6 != cases[i].v6 ||
			url.is_unix || url.port != (cases[i].port < 0 ? 0 : cases[i].port))
			fail_msg("%s is split wrongly", cases[i].text);
	}
}

static void sockets_have_paths(void **state)
{
	struct weft_url url;

	(void)state;
	assert_int_equal(weft_url_parse("http+unix:/run/x.sock", &url, NULL), WEFT_OK);
	assert_true(url.is_unix);
	assert_true(weft_span_is(url.scheme, "http"));
	assert_true(weft_span_is(url.path, "/run/x.sock"));
	assert_int_equal(weft_url_parse("http+unix:", &url, NULL), WEFT_ERR_ARGUMENT);
	assert_int_equal(weft_url_parse("+unix:/x", &url, NULL), WEFT_ERR_ARGUMENT);
}

static void bad_urls_are_told_where(void **state)
{
	static const struct {
		const char *text, *words;
	} cases[] = {
		{ "", "column 1: expected SCHEME://HOST" },
		{ "a", "column 2: expected SCHEME://HOST" },
		{ "1http://a", "expected SCHEME://HOST" },
		{ "://a", "column 1: expected SCHEME://HOST" },
		{ "http:a", "column 6: expected \"//\"" },
		{ "http:/a", "column 6: expected \"//\"" },
		{ "http://", "column 8: expected a host" },
		{ "http:///x", "column 8: expected a host" },
		{ "http://:80", "column 8: expected a host" },
		{ "http://[]", "expected a host" },
		{ "http://[::1", "column 8: expected a closing bracket" },
		{ "http://[localhost]", "column 9: expected an IPv6 address" },
		{ "http://[1.2.3.4]", "column 9: expected an IPv6 address" },
		{ "http://[::1]x", "column 13: expected ':' or '/'" },
		{ "http://user@a", "column 8: expected no user information" },
		{ "http://user:pw@a", "expected no user information" },
		{ "http://a%20b", "column 9: expected ':' or '/'" },
		{ "http://a:65536", "column 14: expected a port number" },
		{ "http://a:99999999999999999999", "expected a port number" },
		{ "http://a:8o", "column 11: expected a port number" },
		{ "http://a:-1", "column 10: expected a port number" },
		{ "http://a /", "column 9: expected visible ASCII" },
		{ "http://a/\r\nX: y", "column 10: expected visible ASCII" },
		{ "http://\xc3\xa4", "column 8: expected visible ASCII" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct weft_error err = { .status = WEFT_OK };
		struct weft_url url;

		if (weft_url_parse(cases[i].text, &url, &err) != WEFT_ERR_ARGUMENT)
			fail_msg("\"%s\" was taken", cases[i].text);
		if (!strstr(err.text, cases[i].words))
			fail_msg("\"%s\" is not in \"%s\"", cases[i].words, err.text);
	}
}

static void endpoints(void **state)
{
	static const struct {
		const char *text, *formatted;
	} good[] = {
		{ "127.0.0.1:80", "127.0.0.1:80" },
		{ "127.0.0.1", "127.0.0.1:0" },
		{ "[::1]:443", "[::1]:443" },
		{ "unix:/run/weft.sock", "unix:/run/weft.sock" },
	};
	static const char *const bad[] = { "", ":80", "localhost:80", "::1", "[::1", "127.0.0.1:x",
		"[127.0.0.1]:80", "unix:", "1.2.3.4:80/", "a@1.2.3.4:80", "[]:80" };
	char text[WEFT_ADDRESS_TEXT_MAX], path[200] = "unix:";
	struct weft_address a;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		assert_int_equal(weft_endpoint_parse(good[i].text, &a, NULL), WEFT_OK);
		assert_string_equal(weft_address_format(&a, text, sizeof(text)), good[i].formatted);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (weft_endpoint_parse(bad[i], &a, NULL) != WEFT_ERR_ARGUMENT)
			fail_msg("\"%s\" was taken", bad[i]);
	memset(path + 5, 'p', 107);
	assert_int_equal(weft_endpoint_parse(path, &a, NULL), WEFT_OK);
	path[112] = 'p';
	assert_int_equal(weft_endpoint_parse(path, &a, NULL), WEFT_ERR_ARGUMENT);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(urls_are_split),
		cmocka_unit_test(sockets_have_paths),
		cmocka_unit_test(bad_urls_are_told_where),
		cmocka_unit_test(endpoints),
	};

	return cmocka_run_group_tests_name("url", tests, NULL, NULL);
}
