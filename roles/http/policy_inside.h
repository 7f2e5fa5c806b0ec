/* SPDX-License-Identifier: MIT */
/* What the parts of HTTP's policy know of each other. */
#ifndef WEFT_ROLES_HTTP_POLICY_INSIDE_H
#define WEFT_ROLES_HTTP_POLICY_INSIDE_H

#include "roles/http/policy.h"

/* ---- policy.c ---- */

/* The text of a key; otherwise, where it was not given. */
const char *weft_http_policy_text(
	const struct weft_policy_stream *stream, const char *key, const char *otherwise);
/* One of "200-299,304": whether status is in it. Moves *at behind it; false and *at at the fault: it is none. */
bool weft_http_next_range(const char **at, unsigned long *from, unsigned long *to);

/* ---- policy_check.c; policy_no_check.c where a build loads no policies ---- */

extern const struct weft_policy_key weft_http_policy_keys[], weft_http_policy_uses[];
enum weft_status weft_http_policy_check(
	const struct weft_policy_stream *stream, const char **key, struct weft_error *err);

#endif
