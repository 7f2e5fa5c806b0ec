/* SPDX-License-Identifier: MIT */
/* How the mbedTLS adapter writes a peer's name: RFC 4514, whatever kind of string the certificate has. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/filter.h"

#ifdef WEFT_HAVE_TLS_MBEDTLS
#include <mbedtls/asn1.h>

#include "plugins/tls-mbedtls/backend.h"

static void set(mbedtls_x509_buf *b, int tag, const char *bytes, size_t len)
{
	*b = (mbedtls_x509_buf){ tag, len, (unsigned char *)(uintptr_t)bytes };
}

/* A session whose peer has these names, in the order of the certificate. */
static void check(mbedtls_x509_name *parts, size_t count, const char *expected)
{
	mbedtls_ssl_session session;
	struct tls_session s = { .judged = true };
	struct weft_tls_info info;
	mbedtls_x509_crt crt;

	mbedtls_x509_crt_init(&crt);
	mbedtls_ssl_session_init(&session);
	for (size_t i = 0; i + 1 < count; i++)
		parts[i].next = &parts[i + 1];
	crt.subject = parts[0];
	session.peer_cert = &crt;
	s.tls.session = &session;
	mbedtls_adapter_info(&s, &info);
	assert_true(info.peer_cert);
	assert_string_equal(info.peer_name, expected);
}

static mbedtls_x509_name part(const char *oid, int tag, const char *value, size_t len)
{
	mbedtls_x509_name n = { .next = NULL };

	set(&n.oid, MBEDTLS_ASN1_OID, oid, strlen(oid));
	set(&n.val, tag, value, len);
	return n;
}

static void most_specific_comes_first(void **state)
{
	mbedtls_x509_name parts[] = {
		part("\x55\x04\x06", MBEDTLS_ASN1_PRINTABLE_STRING, "DE", 2),
		part("\x55\x04\x0a", MBEDTLS_ASN1_UTF8_STRING, "a, b", 4),
		part("\x55\x04\x0b", MBEDTLS_ASN1_UTF8_STRING, "c", 1),
		part("\x55\x04\x03", MBEDTLS_ASN1_UTF8_STRING, "d", 1),
	};

	(void)state;
	parts[1].next_merged = 1;
	check(parts, 4, "CN=d,O=a\\, b+OU=c,C=DE");
}

static void wide_characters_become_utf8(void **state)
{
	static const char wide[] = "\0#\0\xfc\x65\xe5\0\x1b\0 ";
	mbedtls_x509_name parts[] = {
		part("\x55\x04\x03", MBEDTLS_ASN1_BMP_STRING, wide, sizeof(wide) - 1),
	};

	(void)state;
	check(parts, 1,
		"CN=\\#\xc3\xbc\xe6\x97\xa5\\1B"
		"\\ ");
}

static void what_is_no_text_is_told_in_der(void **state)
{
	mbedtls_x509_name parts[] = {
		part("\x55\x04\x03", MBEDTLS_ASN1_BMP_STRING, "\xd8\x01", 2),
		part("\x55\x04\x0a", MBEDTLS_ASN1_BMP_STRING, "odd", 3),
		part("\x2a\x03", MBEDTLS_ASN1_UTF8_STRING, "x", 1),
	};

	(void)state;
	check(parts, 3, "1.2.3=#0c0178,O=#1e036f6464,CN=#1e02d801");
}

static void name_ends_before_what_does_not_fit(void **state)
{
	static char value[300];
	mbedtls_x509_name parts[] = {
		part("\x55\x04\x03", MBEDTLS_ASN1_UTF8_STRING, value, sizeof(value)),
	};
	char expected[256] = "CN=";

	(void)state;
	memset(value, 'x', sizeof(value));
	memset(expected + 3, 'x', 252);
	check(parts, 1, expected);
	/* an escape is whole, or not there */
	value[250] = '\n';
	expected[253] = '\0';
	check(parts, 1, expected);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(most_specific_comes_first),
		cmocka_unit_test(wide_characters_become_utf8),
		cmocka_unit_test(what_is_no_text_is_told_in_der),
		cmocka_unit_test(name_ends_before_what_does_not_fit),
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
