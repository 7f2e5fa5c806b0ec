/* SPDX-License-Identifier: MIT */
/* The mint, by GnuTLS. */
#include "tests/support/certs.h"

#include <arpa/inet.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/support/certs_inner.h"

enum { DAY = 24 * 60 * 60 };

static struct test_cert made[TEST_CERT_COUNT], ca[2];
static char *crl;
static size_t crl_len;

void test_certs_must(int ret, const char *what)
{
	if (ret >= 0)
		return;
	fprintf(stderr, "certs: %s: %s\n", what, gnutls_strerror(ret));
	abort();
}

char *test_certs_take(gnutls_datum_t *from, size_t *len)
{
	char *text = malloc(from->size + 1);

	if (!text)
		abort();
	memcpy(text, from->data, from->size);
	text[from->size] = '\0';
	*len = from->size;
	gnutls_free(from->data);
	return text;
}

static gnutls_datum_t datum(const char *text, size_t len)
{
	return (gnutls_datum_t){ (unsigned char *)text, (unsigned)len };
}

static gnutls_x509_privkey_t new_key(unsigned rsa_bits)
{
	gnutls_x509_privkey_t key;

	test_certs_must(gnutls_x509_privkey_init(&key), "key");
	if (rsa_bits)
		test_certs_must(
			gnutls_x509_privkey_generate(key, GNUTLS_PK_RSA, rsa_bits, 0), "RSA key");
	else
		test_certs_must(gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA,
					GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0),
			"EC key");
	return key;
}

static gnutls_x509_crt_t new_cert(const char *name, gnutls_x509_privkey_t key, unsigned char serial)
{
	unsigned char bytes[4] = { 0x40, 0, 0, serial };
	gnutls_x509_crt_t crt;

	test_certs_must(gnutls_x509_crt_init(&crt), "certificate");
	test_certs_must(gnutls_x509_crt_set_version(crt, 3), "version");
	test_certs_must(gnutls_x509_crt_set_serial(crt, bytes, sizeof(bytes)), "serial");
	test_certs_must(gnutls_x509_crt_set_dn_by_oid(
				crt, GNUTLS_OID_X520_COMMON_NAME, 0, name, (unsigned)strlen(name)),
		"name");
	test_certs_must(gnutls_x509_crt_set_key(crt, key), "public key");
	test_certs_must(gnutls_x509_crt_set_activation_time(crt, time(NULL) - DAY), "activation");
	test_certs_must(
		gnutls_x509_crt_set_expiration_time(crt, time(NULL) + 30 * DAY), "expiration");
	return crt;
}

/* Ends both handles. */
static struct test_cert finish(gnutls_x509_crt_t crt, gnutls_x509_privkey_t key)
{
	struct test_cert out;
	gnutls_datum_t text;

	test_certs_must(gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &text), "export");
	out.cert = test_certs_take(&text, &out.cert_len);
	test_certs_must(gnutls_x509_privkey_export2_pkcs8(
				key, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN, &text),
		"export of the key");
	out.key = test_certs_take(&text, &out.key_len);
	gnutls_x509_crt_deinit(crt);
	gnutls_x509_privkey_deinit(key);
	return out;
}

static const struct test_cert *get_ca(bool other)
{
	gnutls_x509_privkey_t key;
	gnutls_x509_crt_t crt;

	if (ca[other].cert)
		return &ca[other];
	key = new_key(0);
	crt = new_cert(other ? "Weft other test CA" : "Weft test CA", key, other ? 201 : 200);
	test_certs_must(gnutls_x509_crt_set_basic_constraints(crt, 1, -1), "constraints");
	test_certs_must(
		gnutls_x509_crt_set_key_usage(crt, GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN),
		"usage");
	test_certs_must(gnutls_x509_crt_sign2(crt, crt, key, GNUTLS_DIG_SHA256, 0), "signature");
	ca[other] = finish(crt, key);
	return &ca[other];
}

const struct test_cert *test_certs_ca(void)
{
	return get_ca(false);
}

const struct test_cert *test_certs_other_ca(void)
{
	return get_ca(true);
}

void test_certs_load(
	const struct test_cert *from, gnutls_x509_crt_t *crt, gnutls_x509_privkey_t *key)
{
	gnutls_datum_t cert = datum(from->cert, from->cert_len);
	gnutls_datum_t secret = datum(from->key, from->key_len);

	test_certs_must(gnutls_x509_crt_init(crt), "certificate");
	test_certs_must(gnutls_x509_crt_import(*crt, &cert, GNUTLS_X509_FMT_PEM), "import");
	test_certs_must(gnutls_x509_privkey_init(key), "key");
	test_certs_must(
		gnutls_x509_privkey_import(*key, &secret, GNUTLS_X509_FMT_PEM), "import of a key");
}

static void add_names(gnutls_x509_crt_t crt)
{
	static const char *const dns[] = { "localhost", "*.example.test" };
	unsigned char ip[16];

	for (size_t i = 0; i < sizeof(dns) / sizeof(*dns); i++)
		test_certs_must(gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_DNSNAME,
					dns[i], (unsigned)strlen(dns[i]), GNUTLS_FSAN_APPEND),
			"DNS name");
	inet_pton(AF_INET, "127.0.0.1", ip);
	test_certs_must(gnutls_x509_crt_set_subject_alt_name(
				crt, GNUTLS_SAN_IPADDRESS, ip, 4, GNUTLS_FSAN_APPEND),
		"address");
	inet_pton(AF_INET6, "::1", ip);
	test_certs_must(gnutls_x509_crt_set_subject_alt_name(
				crt, GNUTLS_SAN_IPADDRESS, ip, 16, GNUTLS_FSAN_APPEND),
		"address");
}

static void sign(gnutls_x509_crt_t crt, gnutls_x509_privkey_t own, enum test_cert_kind kind)
{
	gnutls_x509_privkey_t key;
	gnutls_x509_crt_t issuer;

	if (kind == TEST_CERT_SELF_SIGNED || kind == TEST_CERT_EXPIRED_SELF_SIGNED) {
		test_certs_must(
			gnutls_x509_crt_sign2(crt, crt, own, GNUTLS_DIG_SHA256, 0), "signature");
		return;
	}
	test_certs_load(get_ca(kind == TEST_CERT_OTHER_CA), &issuer, &key);
	test_certs_must(gnutls_x509_crt_sign2(crt, issuer, key, GNUTLS_DIG_SHA256, 0), "signature");
	gnutls_x509_crt_deinit(issuer);
	gnutls_x509_privkey_deinit(key);
}

const struct test_cert *test_cert(enum test_cert_kind kind)
{
	unsigned bits = kind == TEST_CERT_WEAK ? 1024 : kind == TEST_CERT_RSA ? 2048 : 0;
	gnutls_x509_privkey_t key;
	gnutls_x509_crt_t crt;

	if (made[kind].cert)
		return &made[kind];
	key = new_key(bits);
	crt = new_cert("localhost", key, (unsigned char)(kind + 1));
	add_names(crt);
	test_certs_must(gnutls_x509_crt_set_basic_constraints(crt, 0, -1), "constraints");
	test_certs_must(gnutls_x509_crt_set_key_usage(crt, GNUTLS_KEY_DIGITAL_SIGNATURE), "usage");
	test_certs_must(gnutls_x509_crt_set_key_purpose_oid(crt,
				kind == TEST_CERT_CLIENT ? GNUTLS_KP_TLS_WWW_CLIENT
							 : GNUTLS_KP_TLS_WWW_SERVER,
				0),
		"purpose");
	if (kind == TEST_CERT_EXPIRED || kind == TEST_CERT_EXPIRED_SELF_SIGNED) {
		test_certs_must(
			gnutls_x509_crt_set_activation_time(crt, time(NULL) - 9 * DAY), "time");
		test_certs_must(
			gnutls_x509_crt_set_expiration_time(crt, time(NULL) - 2 * DAY), "time");
	}
	if (kind == TEST_CERT_NOT_YET_VALID)
		test_certs_must(
			gnutls_x509_crt_set_activation_time(crt, time(NULL) + 2 * DAY), "time");
	sign(crt, key, kind);
	made[kind] = finish(crt, key);
	return &made[kind];
}

const char *test_certs_crl(size_t *len)
{
	static const unsigned char number[1] = { 1 };
	gnutls_x509_crt_t issuer, revoked;
	gnutls_x509_privkey_t key, none;
	gnutls_x509_crl_t list;
	gnutls_datum_t text;

	if (!crl) {
		test_certs_load(get_ca(false), &issuer, &key);
		test_certs_load(test_cert(TEST_CERT_REVOKED), &revoked, &none);
		test_certs_must(gnutls_x509_crl_init(&list), "CRL");
		test_certs_must(gnutls_x509_crl_set_version(list, 2), "CRL version");
		test_certs_must(
			gnutls_x509_crl_set_this_update(list, time(NULL) - DAY), "CRL time");
		test_certs_must(
			gnutls_x509_crl_set_next_update(list, time(NULL) + 30 * DAY), "CRL time");
		test_certs_must(
			gnutls_x509_crl_set_number(list, number, sizeof(number)), "CRL number");
		test_certs_must(
			gnutls_x509_crl_set_crt(list, revoked, time(NULL) - DAY), "CRL entry");
		test_certs_must(
			gnutls_x509_crl_sign2(list, issuer, key, GNUTLS_DIG_SHA256, 0), "CRL");
		test_certs_must(
			gnutls_x509_crl_export2(list, GNUTLS_X509_FMT_PEM, &text), "CRL export");
		crl = test_certs_take(&text, &crl_len);
		gnutls_x509_crl_deinit(list);
		gnutls_x509_crt_deinit(issuer);
		gnutls_x509_crt_deinit(revoked);
		gnutls_x509_privkey_deinit(key);
		gnutls_x509_privkey_deinit(none);
	}
	*len = crl_len;
	return crl;
}

unsigned char *test_cert_der(const struct test_cert *cert, size_t *len)
{
	gnutls_datum_t pem = datum(cert->cert, cert->cert_len), der;

	test_certs_must(gnutls_pem_base64_decode2("CERTIFICATE", &pem, &der), "base64");
	return (unsigned char *)test_certs_take(&der, len);
}

static void drop(struct test_cert *cert)
{
	free(cert->cert);
	free(cert->key);
	memset(cert, 0, sizeof(*cert));
}

void test_certs_free(void)
{
	for (size_t i = 0; i < TEST_CERT_COUNT; i++)
		drop(&made[i]);
	drop(&ca[0]);
	drop(&ca[1]);
	free(crl);
	crl = NULL;
	test_mint_free();
}
