/* SPDX-License-Identifier: MIT */
/* Certificates and lists read on their own: what they say is told alike by all, and what is none is refused. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gnutls/x509.h>

#include "tests/contract/tls_pair.h"

static struct weft_span span(const char *text, size_t len)
{
	return (struct weft_span){ (const unsigned char *)text, len };
}

/* From a block of its own that is gone afterwards: who reads past it, or later, is found out. */
static enum weft_status read_bytes(const struct tls_setting *setting, struct weft_span bytes,
	struct weft_tls_cert *out, struct weft_error *err)
{
	unsigned char *copy;
	enum weft_status st;

	if (!setting->client->ops->cert_read)
		skip();
	copy = malloc(bytes.len ? bytes.len : 1);
	assert_non_null(copy);
	if (bytes.len)
		memcpy(copy, bytes.ptr, bytes.len);
	weft_error_clear(err);
	st = setting->client->ops->cert_read(
		(struct weft_span){ bytes.len ? copy : NULL, bytes.len }, out, err);
	if (st)
		assert_int_equal(setting->client->ops->cert_read(
					 (struct weft_span){ copy, bytes.len }, out, NULL),
			st);
	free(copy);
	return st;
}

static struct weft_tls_cert must_read(const struct tls_setting *setting, struct weft_span bytes)
{
	struct weft_tls_cert cert;
	struct weft_error err;

	memset(&cert, 0xa5, sizeof(cert));
	if (read_bytes(setting, bytes, &cert, &err))
		fail_msg("%s", err.text);
	return cert;
}

static void refuse(
	const struct tls_setting *setting, struct weft_span bytes, bool list, const char *words)
{
	struct weft_tls_cert cert;
	struct weft_error err;

	if (read_bytes(setting, bytes, list ? NULL : &cert, &err) != WEFT_ERR_ARGUMENT)
		fail_msg("%zu bytes were not refused", bytes.len);
	assert_int_equal(err.status, WEFT_ERR_ARGUMENT);
	tls_assert_text(&err, list ? "expected one revocation list in PEM or DER: "
				   : "expected one certificate in PEM or DER: ");
	tls_assert_text(&err, words);
}

static struct weft_span pem_of(const struct test_cert *cert)
{
	return span(cert->cert, cert->cert_len);
}

/* What another reader makes of it. */
static void compare(const struct weft_tls_cert *told, const struct test_cert *cert, bool ca)
{
	gnutls_datum_t pem = { (unsigned char *)cert->cert, (unsigned)cert->cert_len };
	gnutls_x509_crt_t crt;

	assert_int_equal(gnutls_x509_crt_init(&crt), 0);
	assert_int_equal(gnutls_x509_crt_import(crt, &pem, GNUTLS_X509_FMT_PEM), 0);
	assert_int_equal(told->not_before, gnutls_x509_crt_get_activation_time(crt));
	assert_int_equal(told->not_after, gnutls_x509_crt_get_expiration_time(crt));
	assert_int_equal(told->ca, ca);
	gnutls_x509_crt_deinit(crt);
}

static void certificate_tells_of_itself(void **state)
{
	const struct test_cert *ca = test_mint(
		&(struct test_recipe){ .subject = "CN=The Root,O=Weft\\, Test,C=DE", .ca = true });
	const struct test_cert *leaf = test_mint(&(struct test_recipe){
		.subject = "CN=leaf,OU=Things", .issuer = ca, .from = -400, .to = 800 });
	struct weft_tls_cert told;
	unsigned char *der;
	size_t len;

	told = must_read(*state, pem_of(leaf));
	assert_string_equal(told.subject, "CN=leaf,OU=Things");
	assert_string_equal(told.issuer, "CN=The Root,O=Weft\\, Test,C=DE");
	compare(&told, leaf, false);
	told = must_read(*state, pem_of(ca));
	assert_string_equal(told.subject, "CN=The Root,O=Weft\\, Test,C=DE");
	compare(&told, ca, true);
	der = test_cert_der(leaf, &len);
	told = must_read(*state, (struct weft_span){ der, len });
	assert_string_equal(told.subject, "CN=leaf,OU=Things");
	compare(&told, leaf, false);
	free(der);
}

static void only_basic_constraints_make_a_ca(void **state)
{
	struct weft_tls_cert told;

	told = must_read(*state, pem_of(test_mint(&(struct test_recipe){ .v1 = true })));
	assert_false(told.ca);
	told = must_read(*state,
		pem_of(test_mint(&(struct test_recipe){ .ca = true, .no_constraints = true })));
	assert_false(told.ca);
}

/* An established session and the file say the same of the same certificate. */
static void names_are_those_of_a_session(void **state)
{
	static const struct {
		const char *subject, *common_name;
	} names[] = { { "CN=plain", NULL }, { "CN=a\\, b,OU=c,C=DE", NULL },
		{ "O=Weft", "#1 \"quoted\" " }, { "O=\xc3\xbc", "a\nb" } };
	struct tls_wish wish = { .no_name = true };
	struct weft_tls_cert told;
	struct tls_pair p;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		wish.shown = test_mint(&(struct test_recipe){ .subject = names[i].subject,
			.common_name = names[i].common_name,
			.named = true });
		tls_pair_open(&p, *state, &wish);
		told = must_read(*state, pem_of(wish.shown));
		assert_string_equal(told.subject, tls_info(&p.client).peer_name);
		tls_pair_destroy(&p);
	}
	told = must_read(*state, pem_of(test_mint(&(struct test_recipe){
					 .subject = "O=Weft", .common_name = "a\nb\x7f" })));
	assert_string_equal(told.subject, "CN=a\\0Ab\\7F,O=Weft");
}

static void long_names_are_cut(void **state)
{
	struct weft_tls_cert told;
	char subject[512];
	size_t len = 0;

	for (int i = 0; i < 8; i++)
		len += (size_t)snprintf(
			subject + len, sizeof(subject) - len, "%sOU=%048d", i ? "," : "", i);
	assert_true(len > 256);
	told = must_read(*state, pem_of(test_mint(&(struct test_recipe){ .subject = subject })));
	assert_int_equal(strlen(told.subject), 255);
	assert_memory_equal(told.subject, subject, 255);
}

/* The second date of a certificate's DER, which must be a GeneralizedTime, becomes another one. */
static void expires_at(const struct tls_setting *setting, const char *date, int64_t seconds)
{
	const struct test_cert *cert =
		test_mint(&(struct test_recipe){ .from = -1, .to = 100 * 366 });
	unsigned char *der, *at;
	size_t len;

	der = test_cert_der(cert, &len);
	at = memmem(der, len, "\x18\x0f", 2);
	assert_non_null(at);
	assert_int_equal(strlen(date), 15);
	memcpy(at + 2, date, 15);
	assert_int_equal(must_read(setting, (struct weft_span){ der, len }).not_after, seconds);
	free(der);
}

static void dates_are_seconds_since_1970(void **state)
{
	expires_at(*state, "20520229120000Z", INT64_C(2592820800));
	expires_at(*state, "21000228235959Z", INT64_C(4107542399));
	expires_at(*state, "21000301000000Z", INT64_C(4107542400));
	/* RFC 5280 section 4.1.2.5: never */
	expires_at(*state, "99991231235959Z", INT64_C(253402300799));
}

static void whatever_is_cut_off_is_refused(void **state)
{
	const struct test_cert *cert = test_cert(TEST_CERT_GOOD);
	size_t len, list_len;
	unsigned char *der = test_cert_der(cert, &len);
	const char *list = test_certs_crl(&list_len);

	for (size_t n = 0; n < len; n++)
		refuse(*state, (struct weft_span){ der, n }, false, n ? "" : "it is empty");
	free(der);
	/* the line's end may be missing */
	len = cert->cert_len - (cert->cert[cert->cert_len - 1] == '\n');
	must_read(*state, span(cert->cert, len));
	for (size_t n = 0; n < len; n++)
		refuse(*state, span(cert->cert, n), false, "");
	list_len -= list[list_len - 1] == '\n';
	for (size_t n = 0; n < list_len; n++)
		refuse(*state, span(list, n), true, "");
}

static void what_stands_behind_is_refused(void **state)
{
	static const char *const tails[] = { "x", "\n\n  -----BEGIN", "0", "\n\xff" };
	const struct test_cert *cert = test_cert(TEST_CERT_GOOD);
	const struct test_cert *two[] = { cert, test_certs_ca(), NULL };
	char text[16384];
	size_t len;
	unsigned char *der = test_cert_der(cert, &len), *longer = malloc(len + 1);

	assert_non_null(longer);
	memcpy(longer, der, len);
	for (int last = 0; last < 256; last += 51) {
		longer[len] = (unsigned char)last;
		refuse(*state, (struct weft_span){ longer, len + 1 }, false, "");
	}
	free(longer);
	free(der);
	for (size_t i = 0; i < sizeof(tails) / sizeof(*tails); i++) {
		len = (size_t)snprintf(text, sizeof(text), "%s%s", cert->cert, tails[i]);
		refuse(*state, span(text, len), false, "more stands behind it");
	}
	refuse(*state, pem_of(test_mint_chain(two)), false, "more stands behind it");
	len = (size_t)snprintf(text, sizeof(text), "%s \r\n\t\n", cert->cert);
	must_read(*state, span(text, len));
	/* a NUL is no white space */
	refuse(*state, span(cert->cert, cert->cert_len + 1), false, "more stands behind it");
}

/* Bytes behind the certificate, but inside of its base64. */
static void longer_der_in_pem_is_refused(void **state)
{
	size_t len;
	unsigned char *der = test_cert_der(test_cert(TEST_CERT_GOOD), &len);
	unsigned char *longer = calloc(1, len + 3);
	gnutls_datum_t data = { longer, (unsigned)len }, pem;

	assert_non_null(longer);
	memcpy(longer, der, len);
	for (unsigned more = 0; more < 4; more++) {
		data.size = (unsigned)len + more;
		assert_int_equal(gnutls_pem_base64_encode2("CERTIFICATE", &data, &pem), 0);
		if (more)
			refuse(*state, (struct weft_span){ pem.data, pem.size }, false, "");
		else
			must_read(*state, (struct weft_span){ pem.data, pem.size });
		gnutls_free(pem.data);
	}
	free(longer);
	free(der);
}

static void what_is_something_else_is_refused(void **state)
{
	const struct test_cert *cert = test_cert(TEST_CERT_GOOD);
	size_t len;
	const char *list = test_certs_crl(&len);
	gnutls_datum_t pem = { (unsigned char *)(uintptr_t)list, (unsigned)len }, der;

	refuse(*state, span("junk", 4), false, "");
	refuse(*state, span("junk", 4), true, "");
	refuse(*state, span(NULL, 0), true, "it is empty");
	refuse(*state, span(cert->key, cert->key_len), false, "it is PEM of something else");
	refuse(*state, span(list, len), false, "it is PEM of something else");
	refuse(*state, pem_of(cert), true, "it is PEM of something else");
	assert_int_equal(gnutls_pem_base64_decode2("X509 CRL", &pem, &der), 0);
	refuse(*state, (struct weft_span){ der.data, der.size }, false, "");
	gnutls_free(der.data);
}

static void revocation_list_is_known(void **state)
{
	size_t len;
	const char *list = test_certs_crl(&len);
	gnutls_datum_t pem = { (unsigned char *)(uintptr_t)list, (unsigned)len }, der;
	struct weft_error err;

	if (read_bytes(*state, span(list, len), NULL, &err))
		fail_msg("%s", err.text);
	assert_int_equal(gnutls_pem_base64_decode2("X509 CRL", &pem, &der), 0);
	if (read_bytes(*state, (struct weft_span){ der.data, der.size }, NULL, &err))
		fail_msg("%s", err.text);
	for (unsigned n = 0; n < der.size; n++)
		refuse(*state, (struct weft_span){ der.data, n }, true, "");
	gnutls_free(der.data);
}

/* Each byte spoilt in turn: understood or refused, and nothing else. */
static void damage_is_survived(void **state)
{
	struct weft_tls_cert cert;
	struct weft_error err;
	size_t len;
	unsigned char *der = test_cert_der(test_cert(TEST_CERT_GOOD), &len);

	for (size_t i = 0; i < len; i++) {
		for (unsigned bit = 1; bit < 256; bit <<= 1) {
			enum weft_status st;

			der[i] ^= (unsigned char)bit;
			st = read_bytes(*state, (struct weft_span){ der, len }, &cert, &err);
			if (st && st != WEFT_ERR_ARGUMENT)
				fail_msg("byte %zu, bit %u: %s", i, bit, err.text);
			if (st == WEFT_OK)
				assert_non_null(memchr(cert.subject, 0, sizeof(cert.subject)));
			der[i] ^= (unsigned char)bit;
		}
	}
	free(der);
}

/* ---- whether it is for another host, too ---- */

static enum weft_status fits(const struct tls_setting *setting, const struct test_cert *cert,
	const char *host, struct weft_error *err)
{
	enum weft_status st;
	unsigned char *der;
	size_t len;

	if (!setting->client->ops->cert_fits)
		skip();
	der = test_cert_der(cert, &len);
	weft_error_clear(err);
	st = setting->client->ops->cert_fits((struct weft_span){ der, len }, host, err);
	assert_int_equal(
		setting->client->ops->cert_fits((struct weft_span){ der, len }, host, NULL), st);
	free(der);
	return st;
}

/* By the rules that a session checks its own host by, which have tests of their own. */
static void it_fits_the_hosts_that_it_names(void **state)
{
	static const char *const dns[] = { "a.example.test", "*.b.example.test", NULL };
	static const char *const good[] = { "a.example.test", "A.example.TEST",
		"x.b.example.test" };
	static const char *const bad[] = { "b.example.test", "x.y.b.example.test", "example.test",
		"aa.example.test", "a.example.tes", "*.b.example.test.", "127.0.0.1", "localhost",
		"" };
	const struct test_cert *cert =
		test_mint(&(struct test_recipe){ .subject = "CN=localhost", .dns = dns });
	struct weft_error err;

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		if (fits(*state, cert, good[i], &err))
			fail_msg("%s", err.text);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		assert_int_equal(fits(*state, cert, bad[i], &err), WEFT_ERR_VERIFY);
		tls_assert_text(&err, "the certificate is not for ");
		tls_assert_text(&err, bad[i]);
	}
	/* a name is no address, and a common name is none at all */
	assert_int_equal(
		fits(*state, test_mint(&(struct test_recipe){ .named = true }), "127.0.0.1", &err),
		WEFT_ERR_VERIFY);
	assert_int_equal(fits(*state, test_mint(&(struct test_recipe){ .subject = "CN=localhost" }),
				 "localhost", &err),
		WEFT_ERR_VERIFY);
}

static void what_a_session_was_shown_can_be_asked(void **state)
{
	const struct tls_setting *setting = *state;
	struct tls_wish wish = { .no_name = false };
	struct weft_span der;
	struct tls_pair p;

	if (!setting->client->ops->cert_fits)
		skip();
	tls_pair_open(&p, setting, &wish);
	assert_int_equal(setting->client->ops->peer_cert(p.client.session, &der), WEFT_OK);
	assert_int_equal(setting->client->ops->cert_fits(der, "localhost", NULL), WEFT_OK);
	assert_int_equal(setting->client->ops->cert_fits(der, "x.example.test", NULL), WEFT_OK);
	assert_int_equal(
		setting->client->ops->cert_fits(der, "example.org", NULL), WEFT_ERR_VERIFY);
	tls_pair_destroy(&p);
}

static void what_is_no_certificate_fits_nobody(void **state)
{
	const struct tls_setting *setting = *state;
	struct weft_error err;
	unsigned char *der;
	size_t len;

	if (!setting->client->ops->cert_fits)
		skip();
	der = test_cert_der(test_cert(TEST_CERT_GOOD), &len);
	for (size_t n = 0; n < len; n++) {
		unsigned char *copy = malloc(n ? n : 1);

		assert_non_null(copy);
		memcpy(copy, der, n);
		assert_int_equal(setting->client->ops->cert_fits(
					 (struct weft_span){ copy, n }, "localhost", &err),
			WEFT_ERR_ARGUMENT);
		tls_assert_text(&err, "expected a certificate in DER");
		free(copy);
	}
	free(der);
}

const struct CMUnitTest tls_cert_tests[] = {
	cmocka_unit_test(it_fits_the_hosts_that_it_names),
	cmocka_unit_test(what_a_session_was_shown_can_be_asked),
	cmocka_unit_test(what_is_no_certificate_fits_nobody),
	cmocka_unit_test(certificate_tells_of_itself),
	cmocka_unit_test(only_basic_constraints_make_a_ca),
	cmocka_unit_test(names_are_those_of_a_session),
	cmocka_unit_test(long_names_are_cut),
	cmocka_unit_test(dates_are_seconds_since_1970),
	cmocka_unit_test(whatever_is_cut_off_is_refused),
	cmocka_unit_test(what_stands_behind_is_refused),
	cmocka_unit_test(longer_der_in_pem_is_refused),
	cmocka_unit_test(what_is_something_else_is_refused),
	cmocka_unit_test(revocation_list_is_known),
	cmocka_unit_test(damage_is_survived),
};
const size_t tls_cert_count = sizeof(tls_cert_tests) / sizeof(*tls_cert_tests);
