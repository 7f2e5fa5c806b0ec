/* SPDX-License-Identifier: MIT */
/* Looking into a policy's tables, and for names that were misspelt. */
#ifndef WEFT_CORE_POLICY_FIND_H
#define WEFT_CORE_POLICY_FIND_H

#include "weft/policy.h"

/* What the stream says, or the system's store. */
const struct weft_policy_trust *weft_policy_trust_of(const struct weft_policy_stream *stream);

/* Of all candidates the one that looks most like name, if one does. */
struct weft_nearest {
	const char *name;
	const char *best; /* NULL: none is near enough */
	unsigned far;
};

void weft_nearest_try(struct weft_nearest *n, const char *candidate);

#endif
