/* SPDX-License-Identifier: MIT */
/* Redirects and basic authentication, as handlers use them. */
#include <stdio.h>
#include <string.h>

#include "tests/support/served.h"

static struct {
	unsigned status;
	const char *text; /* location, realm */
	enum weft_status result;
	bool given;
	struct weft_http_basic basic;
} it;

static enum weft_status redirect(struct weft_stream *s, void *user)
{
	(void)user;
	it.result = weft_http_redirect(s, it.status, it.text);
	return it.result;
}

static enum weft_status demand(struct weft_stream *s, void *user)
{
	(void)user;
	it.given = weft_http_basic_auth(s, &it.basic);
	if (it.given && weft_http_same_secret(it.basic.password, "open sesame"))
		return weft_http_reply_static(s, 200, NULL, "in", 2);
	it.result = weft_http_demand_auth(s, it.text);
	return it.result;
}

static const struct weft_route routes[] = {
	{ .path = "/redirect", .on_request = redirect },
	{ .path = "/demand", .on_request = demand },
	{ .on_request = NULL },
};
static const struct weft_vhost_options vhost = { .name = "a", .routes = routes };

static unsigned ask(const char *path, const char *lines, const char *name, char value[512])
{
	char request[2048];
	struct served v;
	unsigned status;

	snprintf(request, sizeof(request),
		"GET %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n%s\r\n", path, lines);
	served_ask(&v, &vhost, request);
	status = served_status(&v);
	served_field(&v, name, value, 512);
	served_close(&v);
	return status;
}

static void redirects_go_where_they_are_told(void **state)
{
	static const unsigned good[] = { 301, 302, 303, 307, 308 },
			      bad[] = { 200, 300, 304, 305, 306, 309 };
	char value[512];

	(void)state;
	it.text = "https://example.org/a%20b?c=d#e";
	for (size_t i = 0; i < 5; i++) {
		it.status = good[i];
		assert_int_equal(ask("/redirect", "", "location", value), good[i]);
		assert_string_equal(value, it.text);
	}
	for (size_t i = 0; i < 6; i++) {
		it.status = bad[i];
		assert_int_equal(ask("/redirect", "", "location", value), 500);
		assert_int_equal(it.result, WEFT_ERR_ARGUMENT);
	}
}

static void no_location_becomes_a_field_of_its_own(void **state)
{
	static const char *const bad[] = { "", "/a b", "/a\r\nSet-Cookie: x", "/a\n", "/\x7f",
		"/\xc3\xa4", "/\"", "/<" };
	char value[512];

	(void)state;
	it.status = 302;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		it.text = bad[i];
		assert_int_equal(ask("/redirect", "", "location", value), 500);
		assert_int_equal(it.result, WEFT_ERR_ARGUMENT);
		assert_string_equal(value, "");
	}
}

static void passwords_are_asked_for_and_taken(void **state)
{
	char value[512];

	(void)state;
	it.text = "the \"inner\" \\ part";
	assert_int_equal(ask("/demand", "", "www-authenticate", value), 401);
	assert_string_equal(
		value, "Basic realm=\"the \\\"inner\\\" \\\\ part\", charset=\"UTF-8\"");
	assert_false(it.given);
	/* Aladdin:open sesame, the example of RFC 7617 */
	assert_int_equal(ask("/demand", "Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n",
				 "www-authenticate", value),
		200);
	assert_string_equal(it.basic.user, "Aladdin");
	assert_int_equal(ask("/demand", "Authorization: BASIC   QWxhZGRpbjpvcGVuIHNlc2FtZQ\r\n",
				 "www-authenticate", value),
		200);
	/* Aladdin:open sesama */
	assert_int_equal(ask("/demand", "Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtYQ==\r\n",
				 "www-authenticate", value),
		401);
	it.text = "a\nb";
	assert_int_equal(ask("/demand", "", "www-authenticate", value), 500);
}

static void what_is_no_basic_authorization(void **state)
{
	static const struct {
		const char *value;
		bool given;
	} cases[] = {
		{ "Basic Og==", true },     /* ":" */
		{ "Basic YTo6Yg==", true }, /* "a::b": the password may have colons */
		{ "Basic", false },
		{ "Basic ", false },
		{ "Bearer Og==", false },
		{ "Basic YWI=", false },     /* "ab" */
		{ "Basic YQpiOmM=", false }, /* a line feed */
		{ "Basic YToAYg==", false }, /* NUL */
		{ "Basic Og=", false },
		{ "Basic Og===", false },
		{ "Basic Oh==", false }, /* bits that mean nothing */
		{ "Basic O", false },
		{ "Basic Og== x", false },
		{ "Basic O_==", false },
	};
	char lines[128], value[512];

	(void)state;
	it.text = "r";
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		snprintf(lines, sizeof(lines), "Authorization: %s\r\n", cases[i].value);
		assert_int_equal(ask("/demand", lines, "www-authenticate", value), 401);
		if (it.given != cases[i].given)
			fail_msg("%s", cases[i].value);
	}
	assert_string_equal(it.basic.user, "");
}

static void secrets_are_compared_whole(void **state)
{
	(void)state;
	assert_true(weft_http_same_secret("", ""));
	assert_true(weft_http_same_secret("abc", "abc"));
	assert_false(weft_http_same_secret("abc", "abd"));
	assert_false(weft_http_same_secret("abc", "abcabc"));
	assert_false(weft_http_same_secret("abcabc", "abc"));
	assert_false(weft_http_same_secret("", "a"));
	assert_false(weft_http_same_secret("a", ""));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(redirects_go_where_they_are_told),
		cmocka_unit_test(no_location_becomes_a_field_of_its_own),
		cmocka_unit_test(passwords_are_asked_for_and_taken),
		cmocka_unit_test(what_is_no_basic_authorization),
		cmocka_unit_test(secrets_are_compared_whole),
	};

	return cmocka_run_group_tests_name("http helpers", tests, NULL, NULL);
}
