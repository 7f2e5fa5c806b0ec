/* SPDX-License-Identifier: MIT */
/* Who counts a loaded policy, and how it ends. */
#ifndef WEFT_CORE_POLICY_LIFE_H
#define WEFT_CORE_POLICY_LIFE_H

#include <stdatomic.h>

#include "weft/policy.h"

/* In the memory that it frees. */
struct weft_policy_life {
	atomic_uint refs;
	size_t bytes;
	void (*end)(const struct weft_policy *policy); /* frees all of it */
};

#endif
