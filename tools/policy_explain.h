/* SPDX-License-Identifier: MIT */
/* weft policy explain: what is told, to people and to machines. */
#ifndef WEFT_TOOLS_POLICY_EXPLAIN_H
#define WEFT_TOOLS_POLICY_EXPLAIN_H

#include "policy.h"

struct explain {
	const struct policy_options *o;
	const struct weft_policy *policy;
	struct weft_registry *registry; /* whose TLS backend reads certificates */
	struct weft_context *ctx;
	struct weft_policy_plan plan;
};

enum sharing { SHARES, SHARES_NOT, CANNOT_SAY };

/* Whether it would share a connection with the stream that is explained; why it cannot be said. */
enum sharing explain_sharing(
	const struct explain *e, const struct weft_policy_stream *other, struct weft_error *why);
/* policy_explain_json.c: one object, on a line. */
void explain_json(const struct explain *e);

#endif
