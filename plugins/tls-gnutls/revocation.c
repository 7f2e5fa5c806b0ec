/* SPDX-License-Identifier: MIT */
/*
 * Revocation lists, certificate by certificate along the path. The library's own look at them asks neither
 * whether a list is too old nor who signed it.
 */
#include <string.h>
#include <time.h>

#include "backend.h"

enum { PATH_MAX_LEN = 16 };

static gnutls_x509_crt_t find_issuer(
	gnutls_x509_crt_t of, const gnutls_x509_crt_t *among, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (among[i] != of && gnutls_x509_crt_check_issuer(of, among[i]))
			return among[i];
	}
	return NULL;
}

static bool is_current(gnutls_x509_crl_t list)
{
	time_t now = time(NULL), next = gnutls_x509_crl_get_next_update(list);

	return gnutls_x509_crl_get_this_update(list) <= now && (next == (time_t)-1 || next >= now);
}

bool gnutls_adapter_lists_are_current(const struct tls_ctx *c)
{
	for (size_t i = 0; i < c->crl_count; i++) {
		if (!is_current(c->crls[i]))
			return false;
	}
	return true;
}

/* A list that cannot be relied on counts as revoked: it may well be. */
static unsigned ask_list(gnutls_x509_crl_t list, gnutls_x509_crt_t crt, gnutls_x509_crt_t issuer)
{
	unsigned status = 0, faults = 0;
	int ret = gnutls_x509_crl_verify(list, &issuer, 1,
		GNUTLS_VERIFY_DISABLE_TIME_CHECKS | GNUTLS_PROFILE_TO_VFLAGS(GNUTLS_PROFILE_MEDIUM),
		&status);

	if (status & GNUTLS_CERT_INSECURE_ALGORITHM)
		faults |= WEFT_TLS_WEAK;
	else if (ret < 0 || status)
		faults |= WEFT_TLS_REVOKED;
	if (!is_current(list) || gnutls_x509_crt_check_revocation(crt, &list, 1))
		faults |= WEFT_TLS_REVOKED;
	return faults;
}

unsigned gnutls_adapter_revocation(
	const struct tls_ctx *c, const gnutls_x509_crt_t *chain, unsigned count)
{
	gnutls_x509_crt_t at = chain[0], issuer;
	unsigned faults = 0;

	for (int depth = 0; c->crl_count && depth < PATH_MAX_LEN; depth++) {
		bool trusted;

		issuer = find_issuer(at, c->cas, c->ca_count);
		trusted = issuer != NULL;
		if (!issuer)
			issuer = find_issuer(at, chain, count);
		if (!issuer)
			break;
		for (size_t i = 0; i < c->crl_count; i++) {
			if (gnutls_x509_crl_check_issuer(c->crls[i], issuer))
				faults |= ask_list(c->crls[i], at, issuer);
		}
		if (trusted)
			break;
		at = issuer;
	}
	return faults;
}
