/* SPDX-License-Identifier: MIT */
/* What is wrong with a certificate, in words: the same words for every TLS backend. */
#include "core/base/faults.h"

#include <stdbool.h>
#include <stdio.h>

#include "weft/trust.h"

static const struct {
	unsigned fault;
	const char *check; /* the one that finds it */
	const char *words;
} faults_words[] = {
	{ WEFT_TLS_EXPIRED, "expired", "certificate expired" },
	{ WEFT_TLS_NOT_YET_VALID, "not yet valid", "certificate not yet valid" },
	{ WEFT_TLS_WRONG_HOST, "wrong host", "certificate is for another host" },
	{ WEFT_TLS_UNKNOWN_CA, "unknown issuer", "certificate issuer is unknown" },
	{ WEFT_TLS_SELF_SIGNED, "self-signed", "certificate is self-signed" },
	{ WEFT_TLS_REVOKED, "revoked", "certificate revoked" },
	{ WEFT_TLS_WEAK, "weak cryptography", "certificate uses weak cryptography" },
	{ WEFT_TLS_MALFORMED, "not valid for this use",
		"certificate missing or not valid for this use" },
	{ WEFT_TLS_WRONG_PIN, "pins", "certificate has none of the pinned keys" },
};

static const char *tell(unsigned faults, bool checks, char *out, size_t out_len)
{
	size_t used = 0;

	if (!out_len)
		return out;
	out[0] = '\0';
	for (size_t i = 0; i < sizeof(faults_words) / sizeof(faults_words[0]); i++) {
		if (!(faults & faults_words[i].fault) || used >= out_len)
			continue;
		used += (size_t)snprintf(out + used, out_len - used, "%s%s",
			!used ? "" : (checks ? ", " : "; "),
			checks ? faults_words[i].check : faults_words[i].words);
	}
	return out;
}

const char *weft_tls_faults_text(unsigned faults, char *out, size_t out_len)
{
	return tell(faults, false, out, out_len);
}

const char *weft_tls_checks_text(unsigned allow, char *out, size_t out_len)
{
	return tell(allow, true, out, out_len);
}
