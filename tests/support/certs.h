/* SPDX-License-Identifier: MIT */
/* A mint of certificates for tests: keys and certificates are made at run time, nothing is on disk. */
#ifndef WEFT_TESTS_SUPPORT_CERTS_H
#define WEFT_TESTS_SUPPORT_CERTS_H

#include <stdbool.h>
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

/*
 * Certificates to order. All zero: CN=localhost, no alternative name, P-256, from the CA, for servers, good.
 * What is minted lives until test_certs_free.
 */
struct test_recipe {
	const char *subject;    /* RFC 4514 */
	const char *const *dns; /* alternative names, NULL-terminated */
	const void *raw_dns;    /* instead of them one of raw_dns_len bytes, whatever they are */
	size_t raw_dns_len;
	bool named; /* localhost, 127.0.0.1, ::1 */
	const struct test_cert *issuer;
	const struct test_cert *key_of; /* has this one's key */
	bool self_signed;
	bool ca;
	unsigned path_limit; /* 1 + pathLenConstraint; 0: none */
	bool v1;             /* no extension at all */
	bool no_constraints; /* no basicConstraints */
	const char *purpose; /* an OID, "" for none */
	unsigned usage;      /* GNUTLS_KEY_...; 0: what fits */
	unsigned rsa_bits;
	int curve; /* gnutls_ecc_curve_t; 0: P-256 */
	bool sha1;
	bool strange; /* an unknown critical extension */
	bool must_staple;
	bool forged;  /* its signature is of something else */
	int from, to; /* days from now; 0 and 0: a day ago, in a month */
	const char *permit_dns, *exclude_dns, *permit_mail; /* nameConstraints */
	const unsigned char *permit_ip;                     /* address and mask, 8 bytes */
	bool constraints_critical;
};

const struct test_cert *test_mint(const struct test_recipe *recipe);
/* PEM of the one, then the other(s) up to NULL; the key is the first one's. */
const struct test_cert *test_mint_chain(const struct test_cert *const *certs);
/* A revocation list in PEM, by issuer, of revoked (or NULL); days from now. */
const struct test_cert *test_mint_crl(const struct test_cert *issuer,
	const struct test_cert *revoked, int from, int to, bool forged);

enum test_ocsp { TEST_OCSP_GOOD, TEST_OCSP_REVOKED };

/* An OCSP response on cert, signed by its issuer: DER in cert and cert_len. */
const struct test_cert *test_mint_ocsp(
	const struct test_cert *cert, const struct test_cert *issuer, enum test_ocsp status);

#endif
