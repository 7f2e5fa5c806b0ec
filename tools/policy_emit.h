/* SPDX-License-Identifier: MIT */
/* weft policy compile: what the parts of the emitter share. */
#ifndef WEFT_TOOLS_POLICY_EMIT_H
#define WEFT_TOOLS_POLICY_EMIT_H

#include "policy.h"

struct policy_emit {
	FILE *to;
	const struct weft_policy *policy;
	struct weft_span *ders; /* of all, sorted by content, each once */
	size_t der_count;
};

/* A literal, or NULL. */
void policy_put_text(FILE *to, const char *text);
/* The array WHAT_N, or NULL where it is not there. */
void policy_put_reference(const struct policy_emit *e, const char *what, size_t n, bool there);
/* The array WHAT_N of a NULL-terminated list. */
void policy_emit_names(
	const struct policy_emit *e, const char *what, size_t n, const char *const *names);

/* policy_emit_streams.c */
void policy_emit_streams(const struct policy_emit *e);

#endif
