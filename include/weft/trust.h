/* SPDX-License-Identifier: MIT */
/* Whom we believe and who we are: trust stores, credentials, and the checks that can be relaxed. */
#ifndef WEFT_TRUST_H
#define WEFT_TRUST_H

#include "weft/base.h"

WEFT_BEGIN

/*
 * What a client trusts. Any mix; all zero means the system's store. Files and memory hold one or more
 * certificates (CRLs) in PEM, or exactly one in DER. All is copied or read when it is passed in.
 * Two trusts with the same content are the same trust, whatever files they came from.
 */
struct weft_trust {
	const char *ca_file;
	struct weft_span ca;
	const char *crl_file;
	struct weft_span crl;
	bool system; /* the system's store, besides the above */
};

/* Who we are: a PEM chain, leaf first, and its unencrypted PEM key; each from a file or memory. */
struct weft_credential {
	const char *cert_file;
	struct weft_span cert;
	const char *key_file;
	struct weft_span key;
};

/*
 * What can be wrong with a peer's certificate. As `allow` flags each one names the check that is
 * switched off; none is by default, and each use is logged as a warning. RFC 5280, RFC 6125.
 */
enum weft_tls_fault {
	WEFT_TLS_EXPIRED = 1u << 0,
	WEFT_TLS_NOT_YET_VALID = 1u << 1,
	WEFT_TLS_WRONG_HOST = 1u << 2,  /* neither a DNS nor an IP SAN fits */
	WEFT_TLS_UNKNOWN_CA = 1u << 3,  /* no chain to a trusted certificate */
	WEFT_TLS_SELF_SIGNED = 1u << 4, /* the leaf signed itself, and is not trusted */
	WEFT_TLS_REVOKED = 1u << 5,
	WEFT_TLS_WEAK = 1u << 6,      /* signature algorithm or key too weak */
	WEFT_TLS_MALFORMED = 1u << 7, /* no certificate, or one that is not valid for servers */
};

/* All of them: --insecure. The connection is then encrypted to nobody in particular. */
#define WEFT_TLS_ALLOW_ALL 0xffu

/* "certificate expired; host name does not match". Writes into out, returns it. */
WEFT_API const char *weft_tls_faults_text(unsigned faults, char *out, size_t out_len);

WEFT_END

#endif
