/* SPDX-License-Identifier: MIT */
/* In place of policy_check.c where no policy is loaded (WEFT_STATIC_POLICY_ONLY): the compiler has checked them. */
#include "roles/http/policy_inside.h"

const struct weft_policy_key weft_http_policy_keys[] = { { .name = NULL } };
const struct weft_policy_key weft_http_policy_uses[] = { { .name = NULL } };

enum weft_status weft_http_policy_check(
	const struct weft_policy_stream *stream, const char **key, struct weft_error *err)
{
	(void)stream;
	(void)key;
	(void)err;
	return WEFT_OK;
}
