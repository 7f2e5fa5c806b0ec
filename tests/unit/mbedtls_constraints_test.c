/* SPDX-License-Identifier: MIT */
/* nameConstraints as the mbedTLS adapter reads them: RFC 5280 section 4.2.1.10, and what is none of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/filter.h"

#ifdef WEFT_HAVE_TLS_MBEDTLS
#include "plugins/tls-mbedtls/backend.h"

enum { PERMITTED = 0xa0, EXCLUDED = 0xa1, MAIL = 1, DNS = 2, DIRECTORY = 4, URI = 6, IP = 7 };

/* DER, put together from the inside: each wrap puts a tag and the length in front. */
struct der {
	unsigned char bytes[200];
	size_t len;
};

static struct der raw(const void *bytes, size_t len)
{
	struct der d = { .len = len };

	memcpy(d.bytes, bytes, len);
	return d;
}

static struct der wrap(unsigned char tag, struct der in)
{
	struct der d = { .len = in.len + 2 };

	assert_true(in.len < 128);
	d.bytes[0] = tag;
	d.bytes[1] = (unsigned char)in.len;
	memcpy(d.bytes + 2, in.bytes, in.len);
	return d;
}

static struct der join(struct der a, struct der b)
{
	memcpy(a.bytes + a.len, b.bytes, b.len);
	a.len += b.len;
	return a;
}

/* The certificate's extensions with nameConstraints of this value, critical. */
static struct der extension(struct der value)
{
	return wrap(0x30,
		wrap(0x30, join(raw("\x06\x03\x55\x1d\x1e\x01\x01\xff", 8), wrap(0x04, value))));
}

static struct der subtrees(int which, int kind, const void *base, size_t len)
{
	unsigned char tag = (unsigned char)(0x80 | kind | (kind == DIRECTORY ? 0x20 : 0));

	return wrap((unsigned char)which, wrap(0x30, wrap(tag, raw(base, len))));
}

static bool allows(struct der constraints, int kind, const void *name, size_t len)
{
	struct der ext = extension(constraints);
	unsigned char copy[64];
	mbedtls_x509_crt ca, crt;
	bool fits;

	memcpy(copy, name, len);
	mbedtls_x509_crt_init(&ca);
	mbedtls_x509_crt_init(&crt);
	ca.v3_ext.p = ext.bytes;
	ca.v3_ext.len = ext.len;
	crt.subject_alt_names.buf.tag = 0x80 | kind;
	crt.subject_alt_names.buf.p = copy;
	crt.subject_alt_names.buf.len = len;
	fits = mbedtls_adapter_constraint_fits(&ca, &crt);
	/* nothing of these is the library's to free */
	return fits;
}

static bool text_allows(int which, int kind, const char *base, const char *name)
{
	return allows(
		wrap(0x30, subtrees(which, kind, base, strlen(base))), kind, name, strlen(name));
}

static void names_are_below_whole_labels(void **state)
{
	(void)state;
	assert_true(text_allows(PERMITTED, DNS, "example.test", "example.test"));
	assert_true(text_allows(PERMITTED, DNS, "example.test", "a.b.EXAMPLE.test"));
	assert_false(text_allows(PERMITTED, DNS, "example.test", "anexample.test"));
	assert_false(text_allows(PERMITTED, DNS, "example.test", "test"));
	assert_true(text_allows(PERMITTED, DNS, ".example.test", "a.example.test"));
	assert_false(text_allows(PERMITTED, DNS, ".example.test", "example.test"));
	assert_true(text_allows(PERMITTED, DNS, "", "any.test"));
	assert_false(text_allows(EXCLUDED, DNS, "", "any.test"));
	assert_false(text_allows(EXCLUDED, DNS, "example.test", "a.example.test"));
	assert_true(text_allows(EXCLUDED, DNS, "example.test", "anexample.test"));
}

static void wildcard_stands_for_what_is_excluded(void **state)
{
	(void)state;
	assert_false(text_allows(EXCLUDED, DNS, "www.example.test", "*.example.test"));
	assert_true(text_allows(EXCLUDED, DNS, "www.example.test", "*.other.test"));
	assert_true(text_allows(PERMITTED, DNS, "example.test", "*.example.test"));
	assert_false(text_allows(PERMITTED, DNS, "www.example.test", "*.example.test"));
}

static void addresses_are_within_nets(void **state)
{
	static const unsigned char net[] = { 10, 1, 0, 0, 255, 255, 0, 0 };
	struct der in = wrap(0x30, subtrees(PERMITTED, IP, net, 8));
	struct der out = wrap(0x30, subtrees(EXCLUDED, IP, net, 8));
	unsigned char v6[16] = { 10, 1 };

	(void)state;
	assert_true(allows(in, IP, "\x0a\x01\x02\x03", 4));
	assert_false(allows(in, IP, "\x0a\x02\x02\x03", 4));
	assert_false(allows(out, IP, "\x0a\x01\x02\x03", 4));
	assert_true(allows(out, IP, "\x0a\x02\x02\x03", 4));
	assert_false(allows(in, IP, v6, sizeof(v6)));
	assert_true(allows(out, IP, v6, sizeof(v6)));
}

static void kinds_are_apart(void **state)
{
	struct der names = wrap(0x30, subtrees(PERMITTED, DNS, "a.test", 6));

	(void)state;
	assert_true(allows(names, IP, "\x0a\x01\x02\x03", 4));
	assert_true(allows(names, URI, "https://b.test", 14));
	assert_false(allows(names, DNS, "b.test", 6));
}

/* What cannot be compared is not let through. */
static void kinds_that_are_not_known_are_refused(void **state)
{
	(void)state;
	assert_false(text_allows(PERMITTED, URI, ".test", "https://b.test"));
	assert_false(text_allows(EXCLUDED, URI, ".other", "https://b.test"));
	assert_false(text_allows(PERMITTED, MAIL, "test", "a@test"));
	assert_false(text_allows(EXCLUDED, MAIL, "other", "a@test"));
}

static void permitted_and_excluded_both_count(void **state)
{
	struct der both = wrap(0x30,
		join(subtrees(PERMITTED, DNS, "test", 4), subtrees(EXCLUDED, DNS, "b.test", 6)));

	(void)state;
	assert_true(allows(both, DNS, "a.test", 6));
	assert_false(allows(both, DNS, "b.test", 6));
	assert_false(allows(both, DNS, "a.other", 7));
}

/* Cut short at every length, and with every byte changed: never more than the whole allows. */
static void malformed_ones_allow_nothing(void **state)
{
	struct der good = subtrees(PERMITTED, DNS, "a.test", 6);

	(void)state;
	for (size_t len = 1; len < good.len; len++)
		assert_false(allows(wrap(0x30, raw(good.bytes, len)), DNS, "b.test", 6));
	assert_false(allows(wrap(0x30, join(good, raw("x", 1))), DNS, "a.test", 6));
	assert_false(allows(raw("\x04\x01x", 3), DNS, "a.test", 6));
	/* minimum is 0 by default, and nothing else is in use: RFC 5280 */
	assert_false(allows(wrap(0x30, wrap(PERMITTED, wrap(0x30, raw("\x82\x06"
								      "a.test\x80\x01\x01",
									  11)))),
		DNS, "a.test", 6));
}

static void no_constraints_allow_all(void **state)
{
	mbedtls_x509_crt ca, crt;

	(void)state;
	mbedtls_x509_crt_init(&ca);
	mbedtls_x509_crt_init(&crt);
	assert_true(mbedtls_adapter_constraint_fits(&ca, &crt));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_below_whole_labels),
		cmocka_unit_test(wildcard_stands_for_what_is_excluded),
		cmocka_unit_test(addresses_are_within_nets),
		cmocka_unit_test(kinds_are_apart),
		cmocka_unit_test(kinds_that_are_not_known_are_refused),
		cmocka_unit_test(permitted_and_excluded_both_count),
		cmocka_unit_test(malformed_ones_allow_nothing),
		cmocka_unit_test(no_constraints_allow_all),
	};

	filter_tests();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
#else
static void mbedtls_is_not_in_this_build(void **state)
{
	(void)state;
	skip();
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(mbedtls_is_not_in_this_build) };

	filter_tests();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
#endif
