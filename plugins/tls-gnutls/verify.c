/* SPDX-License-Identifier: MIT */
/* The peer's certificate: GnuTLS finds the faults of the chain, what is named here is the core's words. */
#include <string.h>
#include <time.h>

#include "backend.h"

enum { CHAIN_MAX = 16 };

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
	/* what a staple does not tell, or not for sure, counts as revoked: it may well be */
	if (status & (GNUTLS_CERT_REVOKED | GNUTLS_CERT_REVOCATION_DATA_SUPERSEDED |
			     GNUTLS_CERT_REVOCATION_DATA_ISSUED_IN_FUTURE |
			     GNUTLS_CERT_MISSING_OCSP_STATUS | GNUTLS_CERT_INVALID_OCSP_STATUS))
		faults |= WEFT_TLS_REVOKED;
	if (status & GNUTLS_CERT_INSECURE_ALGORITHM)
		faults |= WEFT_TLS_WEAK;
	if (status & (GNUTLS_CERT_PURPOSE_MISMATCH | GNUTLS_CERT_UNKNOWN_CRIT_EXTENSIONS))
		faults |= WEFT_TLS_MALFORMED;
	/* refused for a reason that has no name here */
	if ((status & GNUTLS_CERT_INVALID) && !faults)
		faults |= WEFT_TLS_UNKNOWN_CA;
	return faults;
}

bool gnutls_adapter_pin_fits(const struct tls_ctx *c, const unsigned char id[WEFT_SHA256_BYTES])
{
	for (size_t i = 0; i < c->pin_count; i++) {
		if (!memcmp(id, c->pins[i], WEFT_SHA256_BYTES))
			return true;
	}
	return !c->pin_count;
}

static bool pinned(const struct tls_ctx *c, gnutls_x509_crt_t leaf)
{
	unsigned char id[WEFT_SHA256_BYTES];
	size_t len = sizeof(id);

	if (gnutls_x509_crt_get_key_id(leaf, GNUTLS_KEYID_USE_SHA256, id, &len) < 0)
		return false;
	return gnutls_adapter_pin_fits(c, id);
}

static unsigned leaf_faults(const struct tls_session *s, gnutls_x509_crt_t leaf)
{
	time_t now = time(NULL);
	unsigned faults = 0;

	if (gnutls_x509_crt_get_expiration_time(leaf) < now)
		faults |= WEFT_TLS_EXPIRED;
	if (gnutls_x509_crt_get_activation_time(leaf) > now)
		faults |= WEFT_TLS_NOT_YET_VALID;
	if (s->checks &&
		!gnutls_adapter_name_fits(leaf, s->checks->host, s->checks->ip, s->checks->ip_len))
		faults |= WEFT_TLS_WRONG_HOST;
	if (s->ctx->pin_count && !pinned(s->ctx, leaf))
		faults |= WEFT_TLS_WRONG_PIN;
	return faults;
}

/* As many as can be parsed; returns their number. */
static unsigned parse(const gnutls_datum_t *certs, unsigned count, gnutls_x509_crt_t *chain)
{
	unsigned made = 0;

	while (made < count && made < CHAIN_MAX && gnutls_x509_crt_init(&chain[made]) >= 0) {
		made++;
		if (gnutls_x509_crt_import(chain[made - 1], &certs[made - 1], GNUTLS_X509_FMT_DER) <
			0) {
			gnutls_x509_crt_deinit(chain[--made]);
			break;
		}
	}
	return made;
}

static unsigned find_faults(struct tls_session *s, const gnutls_datum_t *certs, unsigned count)
{
	gnutls_typed_vdata_st purpose = {
		.type = GNUTLS_DT_KEY_PURPOSE_OID,
		.data = (unsigned char *)(uintptr_t)(s->ctx->server ? GNUTLS_KP_TLS_WWW_CLIENT
								    : GNUTLS_KP_TLS_WWW_SERVER),
	};
	unsigned parsed, status = 0, faults = WEFT_TLS_MALFORMED;
	gnutls_x509_crt_t chain[CHAIN_MAX];

	/* the rest of the chain is of interest to nobody without lists */
	parsed = parse(certs, s->ctx->crl_count ? count : 1, chain);
	if (parsed && gnutls_certificate_verify_peers(s->tls, &purpose, 1, &status) >= 0)
		faults = chain_faults(status, gnutls_x509_crt_check_issuer(chain[0], chain[0])) |
			 leaf_faults(s, chain[0]) |
			 gnutls_adapter_revocation(s->ctx, chain, parsed);
	while (parsed)
		gnutls_x509_crt_deinit(chain[--parsed]);
	return faults;
}

int gnutls_adapter_verify_peer(gnutls_session_t tls)
{
	struct tls_session *s = gnutls_session_get_ptr(tls);
	const gnutls_datum_t *certs;
	unsigned count;

	certs = gnutls_certificate_get_peers(tls, &count);
	if (certs && count)
		s->faults = find_faults(s, certs, count);
	else /* the library asks for one where one is required */
		s->faults = s->ctx->server ? 0 : WEFT_TLS_MALFORMED;
	return s->faults & ~s->allow ? -1 : 0;
}

/* RFC 8446 section 6.2. */
gnutls_alert_description_t gnutls_adapter_alert(unsigned faults)
{
	if (faults & (WEFT_TLS_UNKNOWN_CA | WEFT_TLS_SELF_SIGNED))
		return GNUTLS_A_UNKNOWN_CA;
	if (faults & WEFT_TLS_REVOKED)
		return GNUTLS_A_CERTIFICATE_REVOKED;
	if (faults & (WEFT_TLS_EXPIRED | WEFT_TLS_NOT_YET_VALID))
		return GNUTLS_A_CERTIFICATE_EXPIRED;
	if (faults & WEFT_TLS_MALFORMED)
		return GNUTLS_A_UNSUPPORTED_CERTIFICATE;
	return GNUTLS_A_BAD_CERTIFICATE;
}
