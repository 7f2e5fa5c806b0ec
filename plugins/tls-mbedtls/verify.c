/* SPDX-License-Identifier: MIT */
/*
 * The peer's certificate. mbedTLS finds the faults of the chain; host names and addresses are compared
 * here, because version 2.28 knows no address in a certificate.
 */
#include <string.h>
#include <strings.h>

#include <mbedtls/asn1.h>
#include <mbedtls/oid.h>

#include "backend.h"

enum { SAN_DNS = 2, SAN_IP = 7 };

static unsigned chain_faults(uint32_t flags, bool self_signed)
{
	unsigned faults = 0;

	/* the library compares with the SNI, which need not be what is to be verified */
	flags &= ~(uint32_t)MBEDTLS_X509_BADCERT_CN_MISMATCH;
	if (flags & MBEDTLS_X509_BADCERT_EXPIRED)
		faults |= WEFT_TLS_EXPIRED;
	if (flags & MBEDTLS_X509_BADCERT_FUTURE)
		faults |= WEFT_TLS_NOT_YET_VALID;
	if (flags & (MBEDTLS_X509_BADCERT_NOT_TRUSTED | MBEDTLS_X509_BADCRL_NOT_TRUSTED))
		faults |= self_signed ? WEFT_TLS_SELF_SIGNED : WEFT_TLS_UNKNOWN_CA;
	/* a list too old to tell counts as revoked: it may well be */
	if (flags & (MBEDTLS_X509_BADCERT_REVOKED | MBEDTLS_X509_BADCRL_EXPIRED |
			    MBEDTLS_X509_BADCRL_FUTURE))
		faults |= WEFT_TLS_REVOKED;
	if (flags & (MBEDTLS_X509_BADCERT_BAD_MD | MBEDTLS_X509_BADCERT_BAD_PK |
			    MBEDTLS_X509_BADCERT_BAD_KEY | MBEDTLS_X509_BADCRL_BAD_MD |
			    MBEDTLS_X509_BADCRL_BAD_PK | MBEDTLS_X509_BADCRL_BAD_KEY))
		faults |= WEFT_TLS_WEAK;
	if (flags & (MBEDTLS_X509_BADCERT_KEY_USAGE | MBEDTLS_X509_BADCERT_EXT_KEY_USAGE |
			    MBEDTLS_X509_BADCERT_NS_CERT_TYPE | MBEDTLS_X509_BADCERT_MISSING))
		faults |= WEFT_TLS_MALFORMED;
	/* refused for a reason that has no name here */
	if (flags && !faults)
		faults |= WEFT_TLS_UNKNOWN_CA;
	return faults;
}

/* RFC 6125 section 6.4.3: "*" stands for the whole left-most label. */
static bool name_fits(const unsigned char *name, size_t len, const char *host)
{
	const char *dot;

	if (len > 2 && name[0] == '*' && name[1] == '.') {
		dot = strchr(host, '.');
		/* never a wildcard right below a top level */
		if (!dot || dot == host || !memchr(name + 2, '.', len - 2))
			return false;
		name++;
		len--;
		host = dot;
	}
	return len == strlen(host) && !memchr(name, '\0', len) &&
	       !strncasecmp((const char *)name, host, len);
}

/* Only where there is no DNS name in the certificate: RFC 6125 section 6.4.4. */
static bool common_name_fits(const mbedtls_x509_crt *crt, const char *host)
{
	for (const mbedtls_x509_name *n = &crt->subject; n; n = n->next) {
		if (!MBEDTLS_OID_CMP(MBEDTLS_OID_AT_CN, &n->oid) &&
			name_fits(n->val.p, n->val.len, host))
			return true;
	}
	return false;
}

static bool host_fits(const struct tls_session *s, const mbedtls_x509_crt *crt)
{
	bool any_dns = false;

	if (!s->verify_host[0] && !s->verify_ip_len)
		return true;
	for (const mbedtls_x509_sequence *san = &crt->subject_alt_names; san && san->buf.p;
		san = san->next) {
		int tag = san->buf.tag & MBEDTLS_ASN1_TAG_VALUE_MASK;

		if (tag == SAN_DNS) {
			any_dns = true;
			if (s->verify_host[0] &&
				name_fits(san->buf.p, san->buf.len, s->verify_host))
				return true;
		}
		if (tag == SAN_IP && s->verify_ip_len && san->buf.len == s->verify_ip_len &&
			!memcmp(san->buf.p, s->verify_ip, s->verify_ip_len))
			return true;
	}
	return !any_dns && s->verify_host[0] && common_name_fits(crt, s->verify_host);
}

static bool self_signed(const mbedtls_x509_crt *crt)
{
	return crt->issuer_raw.len == crt->subject_raw.len &&
	       !memcmp(crt->issuer_raw.p, crt->subject_raw.p, crt->issuer_raw.len);
}

int mbedtls_adapter_verify_peer(void *session, mbedtls_x509_crt *crt, int depth, uint32_t *flags)
{
	struct tls_session *s = session;
	unsigned faults = chain_faults(*flags, !depth && self_signed(crt));

	if (!depth && !host_fits(s, crt))
		faults |= WEFT_TLS_WRONG_HOST;
	if (!depth && mbedtls_x509_crt_check_extended_key_usage(crt, MBEDTLS_OID_SERVER_AUTH,
			      MBEDTLS_OID_SIZE(MBEDTLS_OID_SERVER_AUTH)))
		faults |= WEFT_TLS_MALFORMED;
	s->faults |= faults;
	/* what remains set makes the handshake fail, with the alert that fits */
	if (!(faults & ~s->allow))
		*flags = 0;
	else if (faults & WEFT_TLS_WRONG_HOST & ~s->allow)
		*flags |= MBEDTLS_X509_BADCERT_CN_MISMATCH;
	else if (!*flags)
		*flags = MBEDTLS_X509_BADCERT_OTHER;
	/* the leaf comes last; where the library was told to shrug, this is what ends the handshake */
	return !depth && s->lenient && s->faults & ~s->allow ? MBEDTLS_ERR_X509_FATAL_ERROR : 0;
}
