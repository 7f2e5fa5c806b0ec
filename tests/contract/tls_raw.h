/* SPDX-License-Identifier: MIT */
/* A peer that is bare GnuTLS and no backend: it shows what it is told, and speaks the version it is told. */
#ifndef WEFT_TESTS_CONTRACT_TLS_RAW_H
#define WEFT_TESTS_CONTRACT_TLS_RAW_H

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include "tests/contract/tls_pair.h"

struct tls_raw {
	gnutls_session_t tls;
	gnutls_certificate_credentials_t cred;
	struct tls_end *other;
	unsigned alert; /* the last one that came; 256: none */
};

/* Trusts anybody. cert may be NULL for a client. */
void tls_raw_create(struct tls_raw *r, struct tls_end *other, bool server, const char *priorities,
	const struct test_cert *cert);
/* With more of gnutls_init's flags. */
void tls_raw_create_flags(struct tls_raw *r, struct tls_end *other, unsigned flags,
	const char *priorities, const struct test_cert *cert);
void tls_raw_destroy(struct tls_raw *r);
/* Until both are done or one has failed; returns what the raw peer's handshake did. */
int tls_raw_handshake(struct tls_raw *r, struct tls_end *e);

#endif
