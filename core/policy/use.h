/* SPDX-License-Identifier: MIT */
/* The policy that a context uses, and what the application provides for it. */
#ifndef WEFT_CORE_POLICY_USE_H
#define WEFT_CORE_POLICY_USE_H

#include "weft/policy.h"

struct weft_credential_spec;
struct weft_vhost;

/* In a context. All zero: none. */
struct weft_policy_in_use {
	const struct weft_policy *tables; /* a reference */
	struct weft_policy_use use;
	uint64_t serial;          /* no other use, or try, of a policy has the same */
	struct weft_vhost **held; /* references of hold: policy */
	size_t held_count;
};

/* Loads what a credential names into *spec, which is to be finished whatever comes of it. */
enum weft_status weft_policy_credential_load(const struct weft_context *ctx,
	const struct weft_policy_credential *credential, const struct weft_policy_use *use,
	struct weft_credential_spec *spec, struct weft_error *err);
/* The context ends. */
void weft_policy_finish(struct weft_context *ctx);

#endif
