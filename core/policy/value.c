/* SPDX-License-Identifier: MIT */
/* What a stream says under a role's key. */
#include <string.h>

#include "weft/plugin/policy.h"

const struct weft_policy_value *weft_policy_value(
	const struct weft_policy_stream *stream, const char *key)
{
	for (size_t i = 0; i < stream->value_count; i++) {
		if (!strcmp(stream->values[i].key, key))
			return &stream->values[i];
	}
	return NULL;
}
