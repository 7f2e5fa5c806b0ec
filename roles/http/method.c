/* SPDX-License-Identifier: MIT */
/* Methods: RFC 9110 section 9. */
#include <string.h>

#include "weft/http.h"

bool weft_http_idempotent(const char *method)
{
	static const char *const known[] = { "GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE" };

	for (size_t i = 0; method && i < sizeof(known) / sizeof(*known); i++) {
		if (!strcmp(method, known[i]))
			return true;
	}
	return false;
}
