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

bool gnutls_adapter_name_fits(gnutls_x509_crt_t leaf, const struct tls_checks *checks)
{
	char name[NAME_MAX_LEN];
	bool fits = !checks->host[0] && !checks->ip_len;

	for (unsigned i = 0; !fits; i++) {
		size_t len = sizeof(name);
		int type = gnutls_x509_crt_get_subject_alt_name(leaf, i, name, &len, NULL);

		if (type == GNUTLS_E_SHORT_MEMORY_BUFFER)
			continue; /* longer than any host */
		if (type < 0)
			break;
		if (type == GNUTLS_SAN_DNSNAME && checks->host[0])
			fits = host_fits(name, len, checks->host);
		if (type == GNUTLS_SAN_IPADDRESS && checks->ip_len)
			fits = len == checks->ip_len && !memcmp(name, checks->ip, len);
	}
	return fits;
}
