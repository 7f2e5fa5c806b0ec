/* SPDX-License-Identifier: MIT */
/* Which vhost a name means, and which route a target. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/vhost/vhost.h"

static void hosts_are_matched(void **state)
{
	static const struct {
		const char *name, *host;
		bool fits;
	} cases[] = {
		{ "example.test", "example.test", true },
		{ "example.test", "EXAMPLE.Test", true },
		{ "Example.TEST", "example.test", true },
		{ "example.test", "example.test:8443", true },
		{ "example.test", "example.test:", true },
		{ "example.test", "example.test.", true },
		{ "example.test", "example.test.:443", true },
		{ "example.test", "example.test..", false },
		{ "example.test", "example.tes", false },
		{ "example.test", "example.testx", false },
		{ "example.test", "www.example.test", false },
		{ "example.test", "", false },
		{ "example.test", ".", false },
		{ "example.test", ":443", false },
		{ "", "", true },
		/* addresses */
		{ "127.0.0.1", "127.0.0.1:80", true },
		{ "::1", "[::1]", true },
		{ "::1", "[::1]:80", true },
		{ "::1", "[::1", true },
		{ "::1", "[::2]:80", false },
		{ "::1", "[]:80", false },
		{ "::1", "[", false },
		{ "fe80::A", "[FE80::a]:1", true },
		/* a wildcard is exactly one label, and the leftmost */
		{ "*.example.test", "a.example.test", true },
		{ "*.Example.test", "A.EXAMPLE.TEST:443", true },
		{ "*.example.test", "a.example.test.", true },
		{ "*.example.test", "example.test", false },
		{ "*.example.test", ".example.test", false },
		{ "*.example.test", "a.b.example.test", false },
		{ "*.example.test", "a.example.testx", false },
		{ "*.example.test", "aexample.test", false },
		{ "*.example.test", "*.example.test", true },
		{ "*.example.test", "", false },
		{ "*.example.test", "a", false },
		{ "*.", "a", false },
		{ "*", "a", false },
		{ "a.*.test", "a.b.test", false },
		{ "a*.test", "ab.test", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char *name = strdup(cases[i].name), *host = strdup(cases[i].host);
		struct weft_vhost vh = { .name = name };

		if (!weft_vhost_matches(&vh, host) == cases[i].fits)
			fail_msg("vhost \"%s\", host \"%s\"", name, host);
		free(name);
		free(host);
	}
}

static void aliases_count_as_names(void **state)
{
	char first[] = "b.test", second[] = "*.c.test", *aliases[] = { first, second, NULL };
	char name[] = "a.test";
	const struct weft_vhost vh = { .name = name, .aliases = aliases };

	(void)state;
	assert_true(weft_vhost_matches(&vh, "a.test"));
	assert_true(weft_vhost_matches(&vh, "B.test:80"));
	assert_true(weft_vhost_matches(&vh, "x.c.test"));
	assert_false(weft_vhost_matches(&vh, "c.test"));
	assert_false(weft_vhost_matches(&vh, "x.b.test"));
}

static enum weft_status handler(struct weft_stream *s, void *user)
{
	(void)s;
	(void)user;
	return WEFT_OK;
}

/* Which route of the table answers; -1: none. */
static int route_of(const struct weft_route *routes, const char *target)
{
	const struct weft_vhost vh = { .routes = routes };
	char *copy = strdup(target);
	const struct weft_route *r = weft_vhost_route(&vh, copy);

	free(copy);
	return r ? (int)(r - routes) : -1;
}

static void best_route_answers(void **state)
{
	static const struct weft_route routes[] = {
		{ .prefix = "/", .on_request = handler },
		{ .prefix = "/a", .on_request = handler },
		{ .path = "/a/b", .on_request = handler },
		{ .prefix = "/a/b", .on_request = handler },
		{ .prefix = "/a/", .on_request = handler },
		{ .path = "/a", .on_request = handler },
		{ .prefix = "/a/", .on_request = handler }, /* the same again: never reached */
		{ .path = "*", .on_request = handler },
		{ .path = NULL },
	};
	static const struct {
		const char *target;
		int route;
	} cases[] = {
		{ "/", 0 },
		{ "/x", 0 },
		{ "/a", 5 },    /* exact before any prefix, wherever it stands */
		{ "/a?x", 5 },  /* a query does not count */
		{ "/a?/b", 5 }, /* nor what looks like a path in it */
		{ "/ab", 1 },   /* a prefix is one of characters */
		{ "/a/", 4 },   /* the first of two equal ones */
		{ "/a/x", 4 },  /* the longest prefix */
		{ "/a/b", 2 },
		{ "/a/b?c", 2 },
		{ "/a/bc", 3 },
		{ "/a/b/", 3 },
		{ "/A/b", 0 }, /* paths have case */
		{ "/?", 0 },
		{ "*", 7 },
		{ "**", -1 },
		{ "a", -1 },
		{ "", -1 },
		{ "?/a", -1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		int route = route_of(routes, cases[i].target);

		if (route != cases[i].route)
			fail_msg("\"%s\" goes to %d", cases[i].target, route);
	}
}

static void empty_prefix_fits_everything(void **state)
{
	static const struct weft_route routes[] = {
		{ .prefix = "", .on_request = handler },
		{ .prefix = "/a", .on_request = handler },
		{ .path = NULL },
	};
	static const struct weft_route neither[] = {
		{ .on_request = handler },
		{ .path = NULL },
	};
	static const struct weft_route none[] = { { .path = NULL } };

	(void)state;
	assert_int_equal(route_of(routes, ""), 0);
	assert_int_equal(route_of(routes, "*"), 0);
	assert_int_equal(route_of(routes, "host:443"), 0);
	assert_int_equal(route_of(routes, "/b"), 0);
	assert_int_equal(route_of(routes, "/ab"), 1);
	assert_int_equal(route_of(neither, "/x"), 0);
	assert_int_equal(route_of(none, "/"), -1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(hosts_are_matched),
		cmocka_unit_test(aliases_count_as_names),
		cmocka_unit_test(best_route_answers),
		cmocka_unit_test(empty_prefix_fits_everything),
	};

	return cmocka_run_group_tests_name("match", tests, NULL, NULL);
}
