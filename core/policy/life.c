/* SPDX-License-Identifier: MIT */
/* Counting policies: contexts on several threads may use one. Static ones are for ever. */
#include "core/policy/life.h"

#include "weft/policy_load.h"

const struct weft_policy *weft_policy_ref(const struct weft_policy *policy)
{
	if (policy && policy->life)
		(void)atomic_fetch_add_explicit(&policy->life->refs, 1, memory_order_relaxed);
	return policy;
}

void weft_policy_release(const struct weft_policy *policy)
{
	if (policy && policy->life &&
		atomic_fetch_sub_explicit(&policy->life->refs, 1, memory_order_acq_rel) == 1)
		policy->life->end(policy);
}

size_t weft_policy_bytes(const struct weft_policy *policy)
{
	return policy->life ? policy->life->bytes : 0;
}
