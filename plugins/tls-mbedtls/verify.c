/* SPDX-License-Identifier: MIT */
/*
 * The peer's certificate. mbedTLS finds the faults of the chain, when asked after it was read, and nothing of its
 * own verdict counts; names, addresses and what issuers may speak for are compared here, because
 * version 2.28 knows no address in a certificate and no nameConstraints.
 */
#include <string.h>

#include <mbedtls/asn1.h>
#include <mbedtls/oid.h>
#include <mbedtls/sha256.h>
#include <mbedtls/ssl_internal.h>

#include "backend.h"

enum { CHAIN_MAX = MBEDTLS_X509_MAX_INTERMEDIATE_CA + 2 };

/* One look at a chain, from the root down. */
struct look {
	struct tls_session *s;
	const mbedtls_x509_crt *above[CHAIN_MAX];
	size_t depth;  /* of above */
	bool anchored; /* the leaf itself is trusted */
};

static unsigned chain_faults(uint32_t flags, bool self_signed)
{
	unsigned faults = 0;

	if (flags & MBEDTLS_X509_BADCERT_EXPIRED)
		faults |= WEFT_TLS_EXPIRED;
	if (flags & MBEDTLS_X509_BADCERT_FUTURE)
		faults |= WEFT_TLS_NOT_YET_VALID;
	if (flags & MBEDTLS_X509_BADCERT_NOT_TRUSTED)
		faults |= self_signed ? WEFT_TLS_SELF_SIGNED : WEFT_TLS_UNKNOWN_CA;
	/* a list too old to tell, or not to be believed, counts as revoked: it may well be */
	if (flags & (MBEDTLS_X509_BADCERT_REVOKED | MBEDTLS_X509_BADCRL_EXPIRED |
			    MBEDTLS_X509_BADCRL_FUTURE | MBEDTLS_X509_BADCRL_NOT_TRUSTED))
		faults |= WEFT_TLS_REVOKED;
	if (flags & (MBEDTLS_X509_BADCERT_BAD_MD | MBEDTLS_X509_BADCERT_BAD_PK |
			    MBEDTLS_X509_BADCERT_BAD_KEY | MBEDTLS_X509_BADCRL_BAD_MD |
			    MBEDTLS_X509_BADCRL_BAD_PK | MBEDTLS_X509_BADCRL_BAD_KEY))
		faults |= WEFT_TLS_WEAK;
	/* refused for a reason that has no name here */
	if (flags && !faults)
		faults |= WEFT_TLS_UNKNOWN_CA;
	return faults;
}

bool mbedtls_adapter_pin_fits(const struct tls_ctx *c, const mbedtls_x509_crt *crt)
{
	unsigned char digest[WEFT_SHA256_BYTES];

	if (!c->pin_count)
		return true;
	if (mbedtls_sha256_ret(crt->pk_raw.p, crt->pk_raw.len, digest, 0))
		return false;
	for (size_t i = 0; i < c->pin_count; i++) {
		if (!memcmp(digest, c->pins[i], sizeof(digest)))
			return true;
	}
	return false;
}

static bool self_issued(const mbedtls_x509_crt *crt)
{
	return crt->issuer_raw.len == crt->subject_raw.len &&
	       !memcmp(crt->issuer_raw.p, crt->subject_raw.p, crt->issuer_raw.len);
}

static bool purpose_fits(const struct tls_session *s, const mbedtls_x509_crt *crt)
{
	return !(s->ctx->server
			 ? mbedtls_x509_crt_check_extended_key_usage(crt, MBEDTLS_OID_CLIENT_AUTH,
				   MBEDTLS_OID_SIZE(MBEDTLS_OID_CLIENT_AUTH))
			 : mbedtls_x509_crt_check_extended_key_usage(crt, MBEDTLS_OID_SERVER_AUTH,
				   MBEDTLS_OID_SIZE(MBEDTLS_OID_SERVER_AUTH)));
}

static bool constraints_fit(const struct look *look, const mbedtls_x509_crt *crt, bool leaf)
{
	/* RFC 5280 section 6.1.4: a CA that issued to itself, as for a new key, is passed over */
	if (!leaf && self_issued(crt))
		return true;
	for (size_t i = 0; i < look->depth; i++) {
		if (!mbedtls_adapter_constraint_fits(look->above[i], crt))
			return false;
	}
	return true;
}

static unsigned leaf_faults(struct tls_session *s, const mbedtls_x509_crt *crt)
{
	unsigned faults = 0;

	if (!mbedtls_adapter_name_fits(
		    crt, s->expected->host, s->expected->ip, s->expected->ip_len))
		faults |= WEFT_TLS_WRONG_HOST;
	if (!mbedtls_adapter_pin_fits(s->ctx, crt))
		faults |= WEFT_TLS_WRONG_PIN;
	if (mbedtls_pk_can_do(&crt->pk, MBEDTLS_PK_ECKEY) &&
		mbedtls_ssl_check_curve(&s->tls, mbedtls_pk_ec(crt->pk)->grp.id))
		faults |= WEFT_TLS_WEAK;
	/* a key that is not to sign cannot have signed the handshake: that is not for a flag to allow */
	if (mbedtls_x509_crt_check_key_usage(crt, MBEDTLS_X509_KU_DIGITAL_SIGNATURE)) {
		faults |= WEFT_TLS_MALFORMED;
		s->unusable = true;
	}
	return faults;
}

/* The library's hook, once a certificate, the leaf last. */
static int look_at(void *arg, mbedtls_x509_crt *crt, int depth, uint32_t *flags)
{
	struct look *look = arg;
	struct tls_session *s = look->s;
	bool leaf = !depth;

	if (leaf && look->anchored)
		*flags &= ~(uint32_t)MBEDTLS_X509_BADCERT_NOT_TRUSTED;
	s->faults |= chain_faults(*flags, leaf && self_issued(crt));
	if (!constraints_fit(look, crt, leaf))
		s->faults |= WEFT_TLS_UNKNOWN_CA;
	/* a root's own purposes are no matter: it is trusted for what we trust it for */
	if ((leaf || look->depth) && !purpose_fits(s, crt))
		s->faults |= WEFT_TLS_MALFORMED;
	if (leaf)
		s->faults |= leaf_faults(s, crt);
	else if (look->depth < CHAIN_MAX)
		look->above[look->depth++] = crt;
	return 0;
}

static bool is_trusted_itself(const struct tls_ctx *c, const mbedtls_x509_crt *crt)
{
	for (const mbedtls_x509_crt *ca = &c->ca; ca && ca->raw.p; ca = ca->next) {
		if (ca->raw.len == crt->raw.len && !memcmp(ca->raw.p, crt->raw.p, crt->raw.len))
			return true;
	}
	return false;
}

static int look_through(struct tls_session *s)
{
	mbedtls_x509_crt *leaf = &s->expected->chain, *rest = leaf->next;
	struct tls_ctx *c = s->ctx;
	struct look look = { .s = s, .anchored = leaf->raw.p && is_trusted_itself(c, leaf) };
	uint32_t flags;
	int ret;

	/* not taken apart here: then it is not looked at, and not good */
	if (!leaf->raw.p)
		return MBEDTLS_ERR_X509_INVALID_FORMAT;
	if (look.anchored)
		leaf->next = NULL;
	ret = mbedtls_x509_crt_verify_with_profile(leaf, &c->ca, c->crl.raw.p ? &c->crl : NULL,
		s->tls.conf->cert_profile, NULL, &flags, look_at, &look);
	leaf->next = rest;
	return ret == MBEDTLS_ERR_X509_CERT_VERIFY_FAILED ? 0 : ret;
}

/* RFC 5246 section 7.2.2, RFC 8446 section 6.2. */
static unsigned char alert_for(unsigned faults)
{
	if (faults & (WEFT_TLS_UNKNOWN_CA | WEFT_TLS_SELF_SIGNED))
		return MBEDTLS_SSL_ALERT_MSG_UNKNOWN_CA;
	if (faults & WEFT_TLS_REVOKED)
		return MBEDTLS_SSL_ALERT_MSG_CERT_REVOKED;
	if (faults & (WEFT_TLS_EXPIRED | WEFT_TLS_NOT_YET_VALID))
		return MBEDTLS_SSL_ALERT_MSG_CERT_EXPIRED;
	if (faults & (WEFT_TLS_MALFORMED | WEFT_TLS_WEAK))
		return MBEDTLS_SSL_ALERT_MSG_UNSUPPORTED_CERT;
	return MBEDTLS_SSL_ALERT_MSG_BAD_CERT;
}

static int judge_nobody(struct tls_session *s)
{
	if (s->ctx->client_auth != WEFT_TLS_CLIENT_AUTH_REQUIRED)
		return 0;
	s->faults |= WEFT_TLS_MALFORMED;
	if (s->allow & WEFT_TLS_MALFORMED)
		return 0;
	mbedtls_adapter_alert(s, MBEDTLS_SSL_ALERT_MSG_HANDSHAKE_FAILURE);
	return MBEDTLS_ERR_X509_CERT_VERIFY_FAILED;
}

int mbedtls_adapter_judge_peer(struct tls_session *s)
{
	mbedtls_ssl_session *session = s->tls.session_negotiate;
	unsigned held;
	int ret;

	s->judged = true;
	if (!session->peer_cert && s->ctx->server) {
		ret = judge_nobody(s);
	} else {
		ret = look_through(s);
		held = s->faults & ~s->allow;
		if (ret)
			mbedtls_adapter_alert(s, MBEDTLS_SSL_ALERT_MSG_INTERNAL_ERROR);
		else if (held || s->unusable)
			mbedtls_adapter_alert(s, alert_for(held ? held : WEFT_TLS_MALFORMED));
		if (!ret && (held || s->unusable))
			ret = MBEDTLS_ERR_X509_CERT_VERIFY_FAILED;
	}
	return ret;
}
