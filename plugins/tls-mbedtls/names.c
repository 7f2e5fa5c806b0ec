/* SPDX-License-Identifier: MIT */
/* Whether a certificate is for a host. The library knows no addresses, and takes common names. */
#include <string.h>
#include <strings.h>

#include <mbedtls/asn1.h>

#include "backend.h"

enum { SAN_DNS = 2, SAN_IP = 7 };

/* RFC 9525 section 6.3: "*" stands for the whole left-most label. */
static bool host_fits(const unsigned char *name, size_t len, const char *host)
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

/* Alternative names only: what a common name means is anybody's guess. */
bool mbedtls_adapter_name_fits(const struct tls_expected *x, const mbedtls_x509_crt *crt)
{
	if (!x->host[0] && !x->ip_len)
		return true;
	for (const mbedtls_x509_sequence *san = &crt->subject_alt_names; san && san->buf.p;
		san = san->next) {
		int tag = san->buf.tag & MBEDTLS_ASN1_TAG_VALUE_MASK;

		if (tag == SAN_DNS && x->host[0] && host_fits(san->buf.p, san->buf.len, x->host))
			return true;
		if (tag == SAN_IP && x->ip_len && san->buf.len == x->ip_len &&
			!memcmp(san->buf.p, x->ip, x->ip_len))
			return true;
	}
	return false;
}
