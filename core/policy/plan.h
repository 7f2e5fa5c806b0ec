/* SPDX-License-Identifier: MIT */
/* Where a policy's stream goes and what it says, worked out from its tables and the metadata. */
#ifndef WEFT_CORE_POLICY_PLAN_H
#define WEFT_CORE_POLICY_PLAN_H

#include "core/base/arena.h"
#include "core/vhost/trust.h"
#include "weft/plugin/policy.h"

struct weft_scheme;

/* What works on a plan has, and what it is made of. */
struct weft_policy_planning {
	struct weft_context *ctx;
	const struct weft_policy_stream *stream;
	const struct weft_policy_pair *metadata; /* ended by a NULL name, or NULL */
	bool has_body;
	bool idempotent; /* out */
	bool flows;      /* out: there is no stream without a body */
	const struct weft_scheme *scheme;
	struct weft_arena arena;
};

void weft_policy_planning_init(struct weft_policy_planning *p, struct weft_context *ctx);
void weft_policy_planning_finish(struct weft_policy_planning *p);
/* Everything in *out lives as long as p. */
enum weft_status weft_policy_plan_make(struct weft_policy_planning *p,
	const struct weft_policy *policy, const char *name, struct weft_policy_plan *out,
	struct weft_error *err);

/* The names to offer, NULL-terminated. */
enum weft_status weft_policy_alpn(struct weft_context *ctx, const struct weft_policy_stream *s,
	const char *names[WEFT_ALPN_MAX + 1], struct weft_error *err);

#endif
