/* SPDX-License-Identifier: MIT */
/*
 * The peer's certificate. GnuTLS stops at its first complaint; here the leaf's own properties are looked
 * at one by one, so that the faults are all named, and are the same for every backend.
 */
#include <string.h>
#include <time.h>

#include <gnutls/x509.h>

#include "backend.h"

static unsigned chain_faults(unsigned status, bool self_signed)
{
	unsigned faults = 0;

	if (status & GNUTLS_CERT_EXPIRED)
		faults |= WEFT_TLS_EXPIRED;
	if (status & GNUTLS_CERT_NOT_ACTIVATED)
		faults |= WEFT_TLS_NOT_YET_VALID;
	if (status &
		(GNUTLS_CERT_SIGNER_NOT_FOUND | GNUTLS_CERT_SIGNER_NOT_CA |
			GNUTLS_CERT_SIGNATURE_FAILURE | GNUTLS_CERT_SIGNER_CONSTRAINTS_FAILURE))
		faults |= self_signed ? WEFT_TLS_SELF_SIGNED : WEFT_TLS_UNKNOWN_CA;
	/* a list too old to tell counts as revoked: it may well be */
	if (status & (GNUTLS_CERT_REVOKED | GNUTLS_CERT_REVOCATION_DATA_SUPERSEDED |
			     GNUTLS_CERT_REVOCATION_DATA_ISSUED_IN_FUTURE))
		faults |= WEFT_TLS_REVOKED;
	if (status & GNUTLS_CERT_INSECURE_ALGORITHM)
		faults |= WEFT_TLS_WEAK;
	if (status & GNUTLS_CERT_PURPOSE_MISMATCH)
		faults |= WEFT_TLS_MALFORMED;
	/* refused for a reason that has no name here */
	if ((status & GNUTLS_CERT_INVALID) && !faults)
		faults |= WEFT_TLS_UNKNOWN_CA;
	return faults;
}

static unsigned leaf_faults(const struct tls_session *s, gnutls_x509_crt_t leaf)
{
	time_t now = time(NULL);
	unsigned faults = 0;

	if (gnutls_x509_crt_get_expiration_time(leaf) < now)
		faults |= WEFT_TLS_EXPIRED;
	if (gnutls_x509_crt_get_activation_time(leaf) > now)
		faults |= WEFT_TLS_NOT_YET_VALID;
	if (s->verify_host[0] && !gnutls_x509_crt_check_hostname2(leaf, s->verify_host, 0))
		faults |= WEFT_TLS_WRONG_HOST;
	if (s->verify_ip_len && !gnutls_x509_crt_check_ip(leaf, s->verify_ip, s->verify_ip_len, 0))
		faults |= WEFT_TLS_WRONG_HOST;
	return faults;
}

int gnutls_adapter_verify_peer(gnutls_session_t tls)
{
	struct tls_session *s = gnutls_session_get_ptr(tls);
	gnutls_typed_vdata_st purpose = {
		.type = GNUTLS_DT_KEY_PURPOSE_OID,
		.data = (unsigned char *)(uintptr_t)GNUTLS_KP_TLS_WWW_SERVER,
	};
	const gnutls_datum_t *certs;
	gnutls_x509_crt_t leaf;
	unsigned count, status = 0;

	s->faults = WEFT_TLS_MALFORMED;
	certs = gnutls_certificate_get_peers(tls, &count);
	if (!certs || gnutls_x509_crt_init(&leaf) < 0)
		return -1;
	if (gnutls_x509_crt_import(leaf, certs, GNUTLS_X509_FMT_DER) >= 0 &&
		gnutls_certificate_verify_peers(tls, &purpose, 1, &status) >= 0)
		s->faults = chain_faults(status, gnutls_x509_crt_check_issuer(leaf, leaf)) |
			    leaf_faults(s, leaf);
	gnutls_x509_crt_deinit(leaf);
	return s->faults & ~s->allow ? -1 : 0;
}
