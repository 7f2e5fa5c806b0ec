/* SPDX-License-Identifier: MIT */
/* What the files of the mint share. */
#ifndef WEFT_TESTS_SUPPORT_CERTS_INNER_H
#define WEFT_TESTS_SUPPORT_CERTS_INNER_H

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include "tests/support/certs.h"

/* Prints and aborts on failure. */
void test_certs_must(int ret, const char *what);
/* A copy from malloc(3), with a NUL; frees what the library made. */
char *test_certs_take(gnutls_datum_t *from, size_t *len);
void test_certs_load(
	const struct test_cert *from, gnutls_x509_crt_t *crt, gnutls_x509_privkey_t *key);
/* Zeroed; lives until test_mint_free, which test_certs_free calls. */
struct test_cert *test_mint_keep(void);
void test_mint_free(void);

#endif
