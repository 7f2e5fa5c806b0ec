/* SPDX-License-Identifier: MIT */
/* A mint of certificates for tests: keys and certificates are made at run time, nothing is on disk. */
#ifndef WEFT_TESTS_SUPPORT_CERTS_H
#define WEFT_TESTS_SUPPORT_CERTS_H

#include <stddef.h>

/* PEM, with a NUL behind it that no length counts. */
struct test_cert {
	char *cert, *key;
	size_t cert_len, key_len;
};

enum test_cert_kind {
	/* what a server should have: DNS localhost, *.example.test; IP 127.0.0.1, ::1; from the CA */
	TEST_CERT_GOOD,
	TEST_CERT_EXPIRED,
	TEST_CERT_NOT_YET_VALID,
	TEST_CERT_SELF_SIGNED,
	TEST_CERT_OTHER_CA, /* good but for who signed it */
	TEST_CERT_REVOKED,  /* its serial is in test_certs_crl */
	TEST_CERT_WEAK,     /* RSA 1024 */
	TEST_CERT_CLIENT,   /* extended key usage: clientAuth only */
	TEST_CERT_RSA,      /* good, RSA 2048 */
	TEST_CERT_EXPIRED_SELF_SIGNED,
	TEST_CERT_COUNT,
};

/* All of these are made on first use, live until test_certs_free, and abort on failure. */
const struct test_cert *test_cert(enum test_cert_kind kind);
const struct test_cert *test_certs_ca(void);
const struct test_cert *test_certs_other_ca(void);
/* The CA's revocation list, and its length. */
const char *test_certs_crl(size_t *len);
/* DER of the same certificate; free(3) it. */
unsigned char *test_cert_der(const struct test_cert *cert, size_t *len);
void test_certs_free(void);

#endif
