/* SPDX-License-Identifier: MIT */
/* What is wrong with a certificate, in words: the same words for every TLS backend. */
#include "weft/trust.h"

#include <stdio.h>
#include <string.h>

static const struct {
	unsigned fault;
	const char *words;
} faults_words[] = {
	{ WEFT_TLS_EXPIRED, "certificate expired" },
	{ WEFT_TLS_NOT_YET_VALID, "certificate not yet valid" },
	{ WEFT_TLS_WRONG_HOST, "certificate is for another host" },
	{ WEFT_TLS_UNKNOWN_CA, "certificate issuer is unknown" },
	{ WEFT_TLS_SELF_SIGNED, "certificate is self-signed" },
	{ WEFT_TLS_REVOKED, "certificate revoked" },
	{ WEFT_TLS_WEAK, "certificate uses weak cryptography" },
	{ WEFT_TLS_MALFORMED, "certificate missing or not valid for a server" },
};

const char *weft_tls_faults_text(unsigned faults, char *out, size_t out_len)
{
	size_t used = 0;

	if (!out_len)
		return out;
	out[0] = '\0';
	for (size_t i = 0; i < sizeof(faults_words) / sizeof(faults_words[0]); i++) {
		if (!(faults & faults_words[i].fault) || used >= out_len)
			continue;
		used += (size_t)snprintf(out + used, out_len - used, "%s%s", used ? "; " : "",
			faults_words[i].words);
	}
	return out;
}
