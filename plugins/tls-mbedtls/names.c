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
bool mbedtls_adapter_name_fits(
	const mbedtls_x509_crt *crt, const char *host, const unsigned char *ip, size_t ip_len)
{
	if (!host[0] && !ip_len)
		return true;
	for (const mbedtls_x509_sequence *san = &crt->subject_alt_names; san && san->buf.p;
		san = san->next) {
		int tag = san->buf.tag & MBEDTLS_ASN1_TAG_VALUE_MASK;

		if (tag == SAN_DNS && host[0] && host_fits(san->buf.p, san->buf.len, host))
			return true;
		if (tag == SAN_IP && ip_len && san->buf.len == ip_len &&
			!memcmp(san->buf.p, ip, ip_len))
			return true;
	}
	return false;
}

enum weft_status mbedtls_adapter_cert_fits(
	struct weft_span der, const char *host, struct weft_error *err)
{
	mbedtls_x509_crt crt;
	bool fits = false;
	int ret;

	mbedtls_x509_crt_init(&crt);
	ret = mbedtls_adapter_parse_crt(&crt, der.ptr, der.len);
	if (!ret)
		fits = host[0] && mbedtls_adapter_name_fits(&crt, host, NULL, 0);
	mbedtls_x509_crt_free(&crt);
	if (ret == MBEDTLS_ERR_X509_ALLOC_FAILED || ret == MBEDTLS_ERR_PK_ALLOC_FAILED)
		return weft_error_set(err, WEFT_ERR_MEMORY, ret, "no memory for a certificate");
	if (ret)
		return weft_error_set(err, WEFT_ERR_ARGUMENT, ret,
			"expected a certificate in DER (-0x%04x)", (unsigned)-ret);
	return fits ? WEFT_OK
		    : weft_error_set(
			      err, WEFT_ERR_VERIFY, 0, "the certificate is not for %.255s", host);
}
