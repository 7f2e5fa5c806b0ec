/* SPDX-License-Identifier: MIT */
/* Whom we believe and who we are: trust stores, credentials, and the checks that can be relaxed. */
#ifndef WEFT_TRUST_H
#define WEFT_TRUST_H

#include "weft/base.h"
#include "weft/status.h"

WEFT_BEGIN

/* A digest of a SubjectPublicKeyInfo, or of a certificate. */
enum { WEFT_SHA256_BYTES = 32 };

/* When notBefore and notAfter count. */
enum weft_verify_dates {
	WEFT_DATES_ALWAYS,
	/*
	 * Not while the wall clock is before 2024, as on a device that has not been told the time yet:
	 * such a clock says nothing about a certificate. Logged as a warning at each use.
	 */
	WEFT_DATES_ONCE_CLOCK_SET,
};

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
	/*
	 * Besides a valid chain, the peer's own certificate must carry one of these keys: SHA-256 of its
	 * DER SubjectPublicKeyInfo (RFC 7469 section 2.4). No pins: any key. `allow` does not reach them.
	 */
	const unsigned char (*pins)[WEFT_SHA256_BYTES];
	size_t pin_count; /* at most WEFT_PINS_MAX */
	enum weft_verify_dates verify_dates;
};

enum { WEFT_PINS_MAX = 16 };

/*
 * A private key that lives elsewhere: in a token, a secure element, another process. Only its
 * certificate is given; signatures are asked for here.
 */
struct weft_signer {
	/*
	 * Signs a digest. scheme: a SignatureScheme of RFC 8446 section 4.2.3 (0x0403
	 * ecdsa_secp256r1_sha256, 0x0804 rsa_pss_rsae_sha256, 0x0401 rsa_pkcs1_sha256, ...), which says padding
	 * and hash; digest is already made with that hash. Writes the signature into out, *len: in room,
	 * out used; ECDSA as a DER Ecdsa-Sig-Value (RFC 3279 section 2.2.3). Called on the context's thread,
	 * within the handshake, and must not call Weft. A failure fails the handshake.
	 */
	enum weft_status (*sign)(void *user, unsigned scheme, const unsigned char *digest,
		size_t digest_len, unsigned char *out, size_t *len);
	void *user;
};

/* Who we are: a PEM chain, leaf first, and its unencrypted PEM key; each from a file or memory. */
struct weft_credential {
	const char *cert_file;
	struct weft_span cert;
	const char *key_file;
	struct weft_span key;
	const struct weft_signer *signer; /* instead of a key; must outlive its user */
	/* Servers: an OCSP response in DER, stapled to handshakes where the backend can (RFC 6066 section 8). */
	const char *ocsp_file;
	struct weft_span ocsp;
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
	WEFT_TLS_MALFORMED = 1u << 7, /* no certificate, or one that is not valid for this use */
	WEFT_TLS_WRONG_PIN = 1u << 8, /* its key is none of the pinned ones; can not be allowed */
};

/* All that can be: --insecure. The connection is then encrypted to nobody in particular. */
#define WEFT_TLS_ALLOW_ALL 0xffu

/* "certificate expired; host name does not match". Writes into out, returns it. */
WEFT_API const char *weft_tls_faults_text(unsigned faults, char *out, size_t out_len);

WEFT_END

#endif
