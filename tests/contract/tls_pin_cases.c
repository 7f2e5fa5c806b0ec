/* SPDX-License-Identifier: MIT */
/* Pins: one of several keys must be the peer's, and nothing that is allowed changes that. */
#include <gnutls/x509.h>
#include <string.h>

#include "tests/contract/tls_pair.h"

/* SHA-256 of a certificate's SubjectPublicKeyInfo, as GnuTLS makes it. */
static void pin_of(const struct test_cert *cert, unsigned char out[WEFT_SHA256_BYTES])
{
	gnutls_datum_t pem = { (unsigned char *)cert->cert, (unsigned)cert->cert_len };
	size_t len = WEFT_SHA256_BYTES;
	gnutls_x509_crt_t crt;

	assert_int_equal(gnutls_x509_crt_init(&crt), 0);
	assert_int_equal(gnutls_x509_crt_import(crt, &pem, GNUTLS_X509_FMT_PEM), 0);
	assert_int_equal(gnutls_x509_crt_get_key_id(crt, GNUTLS_KEYID_USE_SHA256, out, &len), 0);
	gnutls_x509_crt_deinit(crt);
}

struct pins {
	unsigned char of[3][WEFT_SHA256_BYTES];
};

static struct tls_wish pinned(struct pins *pins, size_t count, enum test_cert_kind cert)
{
	pin_of(test_cert(TEST_CERT_REVOKED), pins->of[0]);
	pin_of(test_certs_ca(), pins->of[1]);
	pin_of(test_cert(cert), pins->of[2]);
	return (struct tls_wish){ .cert = cert,
		.pins = (const unsigned char(*)[WEFT_SHA256_BYTES])pins->of + 3 - count,
		.pin_count = count };
}

static void accept(const struct tls_setting *setting, const struct tls_wish *wish)
{
	struct tls_pair p;

	tls_pair_open(&p, setting, wish);
	assert_memory_equal(
		tls_info(&p.client).peer_spki, wish->pins[wish->pin_count - 1], WEFT_SHA256_BYTES);
	tls_pair_destroy(&p);
}

static void fitting_pin_is_accepted(void **state)
{
	struct tls_wish wish;
	struct pins pins;

	tls_need(*state, WEFT_TLS_CAN_PIN, 0);
	wish = pinned(&pins, 1, TEST_CERT_GOOD);
	accept(*state, &wish);
	wish = pinned(&pins, 1, TEST_CERT_RSA);
	accept(*state, &wish);
}

static void one_of_several_is_enough(void **state)
{
	struct tls_wish wish;
	struct pins pins;

	tls_need(*state, WEFT_TLS_CAN_PIN, 0);
	wish = pinned(&pins, 3, TEST_CERT_GOOD);
	accept(*state, &wish);
}

static void refuse(const struct tls_setting *setting, const struct tls_wish *wish, unsigned faults,
	unsigned named)
{
	char words[200];
	struct tls_pair p;

	tls_pair_create(&p, setting, wish);
	tls_pair_handshake(&p);
	assert_int_equal(p.client.status, WEFT_ERR_VERIFY);
	assert_int_equal(tls_info(&p.client).faults, faults);
	assert_false(tls_info(&p.client).peer_verified);
	assert_string_equal(p.client.err.text, weft_tls_faults_text(named, words, sizeof(words)));
	tls_pair_destroy(&p);
}

/* Keys of other certificates, the CA's among them: it is the leaf's that counts. */
static void no_fitting_pin_is_refused(void **state)
{
	struct tls_wish wish;
	struct pins pins;

	tls_need(*state, WEFT_TLS_CAN_PIN, 0);
	wish = pinned(&pins, 3, TEST_CERT_GOOD);
	wish.pin_count = 2;
	refuse(*state, &wish, WEFT_TLS_WRONG_PIN, WEFT_TLS_WRONG_PIN);
	pins.of[2][31] ^= 1;
	wish.pin_count = 3;
	refuse(*state, &wish, WEFT_TLS_WRONG_PIN, WEFT_TLS_WRONG_PIN);
}

static void wrong_pin_cannot_be_allowed(void **state)
{
	struct tls_wish wish;
	struct pins pins;

	tls_need(*state, WEFT_TLS_CAN_PIN, 0);
	wish = pinned(&pins, 3, TEST_CERT_GOOD);
	wish.pin_count = 2;
	wish.allow = WEFT_TLS_ALLOW_ALL;
	refuse(*state, &wish, WEFT_TLS_WRONG_PIN, WEFT_TLS_WRONG_PIN);
	wish.allow = ~0u;
	refuse(*state, &wish, WEFT_TLS_WRONG_PIN, WEFT_TLS_WRONG_PIN);
	wish.cert = TEST_CERT_EXPIRED;
	refuse(*state, &wish, WEFT_TLS_WRONG_PIN | WEFT_TLS_EXPIRED, WEFT_TLS_WRONG_PIN);
	wish.cert = TEST_CERT_CLIENT; /* for this, libraries have other ways of their own */
	if (strcmp(((const struct tls_setting *)*state)->server->name, "mbedtls"))
		refuse(*state, &wish, WEFT_TLS_WRONG_PIN | WEFT_TLS_MALFORMED, WEFT_TLS_WRONG_PIN);
}

/* A pin is no trust: the chain is looked at all the same. */
static void fitting_pin_excuses_nothing(void **state)
{
	struct tls_wish wish;
	struct pins pins;

	tls_need(*state, WEFT_TLS_CAN_PIN, 0);
	wish = pinned(&pins, 1, TEST_CERT_OTHER_CA);
	refuse(*state, &wish, WEFT_TLS_UNKNOWN_CA, WEFT_TLS_UNKNOWN_CA);
	wish.allow = WEFT_TLS_UNKNOWN_CA;
	accept(*state, &wish);
}

static void clients_can_be_pinned(void **state)
{
	const struct test_cert *cert = test_cert(TEST_CERT_CLIENT);
	struct tls_wish wish = { .client_auth = WEFT_TLS_CLIENT_AUTH_REQUIRED,
		.client_cert = cert };
	unsigned char pin[1][WEFT_SHA256_BYTES];
	struct tls_pair p;

	tls_need(*state, 0, WEFT_TLS_CAN_PIN | WEFT_TLS_CAN_CLIENT_AUTH);
	pin_of(cert, pin[0]);
	wish.server_pins = (const unsigned char(*)[WEFT_SHA256_BYTES])pin;
	tls_pair_open(&p, *state, &wish);
	assert_true(tls_info(&p.server).peer_verified);
	tls_pair_destroy(&p);
	pin[0][0] ^= 1;
	tls_pair_create(&p, *state, &wish);
	tls_pair_handshake(&p);
	assert_int_equal(p.server.status, WEFT_ERR_VERIFY);
	assert_int_equal(tls_info(&p.server).faults, WEFT_TLS_WRONG_PIN);
	tls_pair_destroy(&p);
}

const struct CMUnitTest tls_pin_tests[] = {
	cmocka_unit_test(fitting_pin_is_accepted),
	cmocka_unit_test(one_of_several_is_enough),
	cmocka_unit_test(no_fitting_pin_is_refused),
	cmocka_unit_test(wrong_pin_cannot_be_allowed),
	cmocka_unit_test(fitting_pin_excuses_nothing),
	cmocka_unit_test(clients_can_be_pinned),
};
const size_t tls_pin_count = sizeof(tls_pin_tests) / sizeof(*tls_pin_tests);
