/* SPDX-License-Identifier: MIT */
/* Addresses as text and as the system has them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/net/sockaddr.h"

static void literals_round_trip(void **state)
{
	static const struct {
		const char *text;
		uint16_t port;
		const char *formatted;
	} cases[] = {
		{ "127.0.0.1", 80, "127.0.0.1:80" },
		{ "0.0.0.0", 0, "0.0.0.0:0" },
		{ "255.255.255.255", 65535, "255.255.255.255:65535" },
		{ "::1", 443, "[::1]:443" },
		{ "::", 1, "[::]:1" },
		{ "2001:DB8::0:1", 1, "[2001:db8::1]:1" },
		{ "fe80::1%3", 1, "[fe80::1%3]:1" },
		{ "fe80::1%lo", 1, "[fe80::1%1]:1" },
		{ "::ffff:1.2.3.4", 1, "[::ffff:1.2.3.4]:1" },
	};
	char text[WEFT_ADDRESS_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct weft_address a, b;
		union weft_sockaddr sa;
		struct weft_error err;

		if (weft_address_parse(cases[i].text, cases[i].port, &a, &err))
			fail_msg("%s: %s", cases[i].text, err.text);
		assert_string_equal(
			weft_address_format(&a, text, sizeof(text)), cases[i].formatted);
		weft_sockaddr_to(&sa, weft_sockaddr_from(&a, &sa), &b);
		assert_true(weft_address_equal(&a, &b));
	}
}

static void anything_else_is_refused(void **state)
{
	static const char *const cases[] = { "", "localhost", "1.2.3", "1.2.3.4.5", "1.2.3.256",
		"[::1]", ":::", "::1%", "::1%nosuchinterface", "::1%0", "::1%-1", "::1% 1",
		"::1%+1", "1.2.3.4%1", "%1", "::1 ", " ::1", "1.2.3.4:80",
		"1111:2222:3333:4444:5555:6666:7777:8888:9999:1111:2222:3333:4444" };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct weft_error err = { .status = WEFT_OK };
		struct weft_address a;

		if (weft_address_parse(cases[i], 0, &a, &err) != WEFT_ERR_ARGUMENT)
			fail_msg("\"%s\" was taken", cases[i]);
		assert_int_equal(err.status, WEFT_ERR_ARGUMENT);
		assert_non_null(strstr(err.text, cases[i]));
	}
}

static void unix_paths(void **state)
{
	struct weft_address a = { .family = WEFT_FAMILY_UNIX, .path = "/run/weft.sock" }, b;
	union weft_sockaddr sa;
	char text[WEFT_ADDRESS_TEXT_MAX];

	(void)state;
	assert_string_equal(weft_address_format(&a, text, sizeof(text)), "unix:/run/weft.sock");
	weft_sockaddr_to(&sa, weft_sockaddr_from(&a, &sa), &b);
	assert_true(weft_address_equal(&a, &b));
	/* the longest there is */
	memset(a.path, 'p', sizeof(a.path) - 1);
	weft_sockaddr_to(&sa, weft_sockaddr_from(&a, &sa), &b);
	assert_true(weft_address_equal(&a, &b));
	weft_address_format(&a, text, sizeof(text));
	assert_int_equal(strlen(text), 5 + sizeof(a.path) - 1);
	/* an unnamed peer */
	sa.un.sun_family = AF_UNIX;
	weft_sockaddr_to(&sa, sizeof(sa.un.sun_family), &b);
	assert_int_equal(b.family, WEFT_FAMILY_UNIX);
	assert_string_equal(b.path, "");
}

static void differences_count(void **state)
{
	struct weft_address a, b;

	(void)state;
	assert_int_equal(weft_address_parse("fe80::1%1", 80, &a, NULL), WEFT_OK);
	b = a;
	assert_true(weft_address_equal(&a, &b));
	b.port = 81;
	assert_false(weft_address_equal(&a, &b));
	b = a;
	b.scope = 2;
	assert_false(weft_address_equal(&a, &b));
	b = a;
	b.ip[15] = 2;
	assert_false(weft_address_equal(&a, &b));
	assert_int_equal(weft_address_parse("1.2.3.4", 80, &b, NULL), WEFT_OK);
	assert_false(weft_address_equal(&a, &b));
	a = b;
	a.ip[4] = 9; /* no part of an IPv4 address */
	assert_true(weft_address_equal(&a, &b));
	a = b = (struct weft_address){ .family = WEFT_FAMILY_NONE };
	assert_true(weft_address_equal(&a, &b));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(literals_round_trip),
		cmocka_unit_test(anything_else_is_refused),
		cmocka_unit_test(unix_paths),
		cmocka_unit_test(differences_count),
	};

	return cmocka_run_group_tests_name("address", tests, NULL, NULL);
}
