/* SPDX-License-Identifier: MIT */
/* weft policy: values of tables in words. */
#include <string.h>
#include <time.h>

#include "policy.h"

const char *policy_hold_word(enum weft_hold hold)
{
	static const char *const words[] = {
		[WEFT_HOLD_CONNECTION] = "connection",
		[WEFT_HOLD_STREAM] = "stream",
		[WEFT_HOLD_POLICY] = "policy",
	};

	return words[hold];
}

const char *policy_dates_word(enum weft_verify_dates dates)
{
	return dates == WEFT_DATES_ALWAYS ? "always" : "once_clock_set";
}

const char *policy_allow_words(unsigned allow, char out[128])
{
	static const char *const words[] = { "expired", "not_yet_valid", "wrong_host", "unknown_ca",
		"self_signed", "revoked", "weak", "malformed" };
	size_t used = 0;

	snprintf(out, 128, "none");
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (allow & 1u << i)
			used += (size_t)snprintf(
				out + used, 128 - used, "%s%s", used ? " " : "", words[i]);
	}
	return out;
}

const char *policy_date_text(int64_t seconds, char out[16])
{
	time_t t = (time_t)seconds;
	struct tm parts;

	if (!gmtime_r(&t, &parts) || !strftime(out, 16, "%Y-%m-%d", &parts))
		snprintf(out, 16, "?");
	return out;
}

const char *policy_cert_text(const struct policy_options *o, struct weft_registry *registry,
	struct weft_span der, char out[POLICY_CERT_TEXT])
{
	struct weft_policy_cert cert;
	struct weft_error err;
	char date[16];

	if ((o->tls && !strcmp(o->tls, "none")) ||
		weft_policy_cert_read(registry, o->tls, der, &cert, &err))
		snprintf(out, POLICY_CERT_TEXT, "a certificate of %zu bytes", der.len);
	else
		snprintf(out, POLICY_CERT_TEXT, "%s, valid until %s", cert.subject,
			policy_date_text(cert.not_after, date));
	return out;
}

const char *policy_pin_text(const unsigned char pin[WEFT_SHA256_BYTES], char out[POLICY_PIN_TEXT])
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t n = 0;

	for (size_t i = 0; i < WEFT_SHA256_BYTES; i += 3) {
		unsigned group = (unsigned)pin[i] << 16 | (unsigned)pin[i + 1] << 8;

		if (i + 2 < WEFT_SHA256_BYTES)
			group |= pin[i + 2];
		for (int shift = 18; shift >= 0; shift -= 6)
			out[n++] = digits[group >> shift & 63];
	}
	out[n - 1] = '='; /* 32 bytes leave two for the last group */
	out[n] = '\0';
	return out;
}
