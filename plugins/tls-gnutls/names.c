/* SPDX-License-Identifier: MIT */
/*
 * Whether a certificate is for a host. Not the library's own comparison, which falls back to common names and
 * takes "*" in more places than RFC 9525 has it.
 */
#include <string.h>
#include <strings.h>

#include "backend.h"

enum { NAME_MAX_LEN = 256 };

/* RFC 9525 section 6.3: "*" stands for the whole left-most label, and never right below a top level. */
static bool host_fits(const char *name, size_t len, const char *host)
{
	const char *dot;

	if (memchr(name, '\0', len))
		return false;
	if (len > 2 && name[0] == '*' && name[1] == '.') {
		dot = strchr(host, '.');
		if (!dot || dot == host || !memchr(name + 2, '.', len - 2))
			return false;
		name++;
		len--;
		host = dot;
	}
	return len == strlen(host) && !strncasecmp(name, host, len);
}

bool gnutls_adapter_name_fits(
	gnutls_x509_crt_t leaf, const char *host, const unsigned char *ip, size_t ip_len)
{
	char name[NAME_MAX_LEN];
	bool fits = !host[0] && !ip_len;

	for (unsigned i = 0; !fits; i++) {
		size_t len = sizeof(name);
		int type = gnutls_x509_crt_get_subject_alt_name(leaf, i, name, &len, NULL);

		if (type == GNUTLS_E_SHORT_MEMORY_BUFFER)
			continue; /* longer than any host */
		if (type < 0)
			break;
		if (type == GNUTLS_SAN_DNSNAME && host[0])
			fits = host_fits(name, len, host);
		if (type == GNUTLS_SAN_IPADDRESS && ip_len)
			fits = len == ip_len && !memcmp(name, ip, len);
	}
	return fits;
}

enum weft_status gnutls_adapter_cert_fits(
	struct weft_span der, const char *host, struct weft_error *err)
{
	gnutls_datum_t data = gnutls_adapter_datum(&der);
	gnutls_x509_crt_t crt;
	bool fits = false;
	int ret = gnutls_x509_crt_init(&crt);

	if (ret < 0)
		return weft_error_set(err, WEFT_ERR_MEMORY, ret, "no memory for a certificate");
	ret = gnutls_x509_crt_import(crt, &data, GNUTLS_X509_FMT_DER);
	if (ret >= 0)
		fits = host[0] && gnutls_adapter_name_fits(crt, host, NULL, 0);
	gnutls_x509_crt_deinit(crt);
	if (ret == GNUTLS_E_MEMORY_ERROR)
		return weft_error_set(err, WEFT_ERR_MEMORY, ret, "no memory for a certificate");
	if (ret < 0)
		return weft_error_set(err, WEFT_ERR_ARGUMENT, ret,
			"expected a certificate in DER: %s", gnutls_strerror(ret));
	return fits ? WEFT_OK
		    : weft_error_set(
			      err, WEFT_ERR_VERIFY, 0, "the certificate is not for %.255s", host);
}
