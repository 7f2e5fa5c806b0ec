/* SPDX-License-Identifier: MIT */
/* weft policy: values of tables in words. */
#include <string.h>

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
