/* SPDX-License-Identifier: MIT */
/* Policies of any bytes: loaded or refused with problems that have a place within them, and nothing left. */
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "weft/policy_load.h"
#include "weft/weft.h"

struct seen {
	const uint8_t *bytes;
	size_t len;
	unsigned errors;
};

static void tell(void *user, const struct weft_policy_problem *p)
{
	struct seen *seen = user;
	unsigned lines = 1;

	for (size_t i = 0; i < seen->len; i++)
		lines += seen->bytes[i] == '\n';
	/* a place is within the text, or right behind it */
	if (!p->line || p->line > lines || !p->column || p->column > seen->len + 1 || !p->text[0])
		abort();
	seen->errors += !p->warning;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct seen seen = { bytes, len, 0 };
	const struct weft_policy_load_options options = {
		.size = sizeof(options),
		.tell = tell,
		.user = &seen,
		.now = 1800000000,
	};
	const struct weft_policy *policy;
	struct weft_error err = { .status = WEFT_OK };
	enum weft_status st = weft_policy_parse(
		"fuzz", (struct weft_span){ bytes, len }, "/nonexistent", &options, &policy, &err);

	if ((st == WEFT_OK) != !seen.errors)
		abort();
	if (st) {
		if (err.status != st || !err.text[0])
			abort();
		return 0;
	}
	for (size_t i = 0; i < policy->stream_count; i++) {
		if (weft_policy_find(policy, policy->streams[i].name) != &policy->streams[i])
			abort();
	}
	weft_policy_release(policy);
	return 0;
}
