/* SPDX-License-Identifier: MIT */
/* weft policy: what its subcommands share. */
#ifndef WEFT_TOOLS_POLICY_H
#define WEFT_TOOLS_POLICY_H

#include <stdio.h>

#include "tool.h"
#include "weft/policy_load.h"

enum { METADATA_MAX = 64 };

struct policy_options {
	const char *files[64];
	size_t file_count;
	const char *output, *symbol, *depfile, *tls, *plugin_dir;
	struct weft_policy_pair metadata[METADATA_MAX + 1];
	size_t metadata_count;
	bool json;
};

/* Loads one; prints every problem on standard error. NULL: it is wrong. */
const struct weft_policy *policy_read(
	const struct policy_options *o, const char *file, bool for_static, unsigned *warnings);
/* A context with the options' TLS backend, to plan and build with; complains. */
struct weft_context *policy_context(const struct policy_options *o);

/* Each returns the exit code. */
int policy_check(const struct policy_options *o);
int policy_compile(const struct policy_options *o);
int policy_explain(const struct policy_options *o);
int policy_schema(const struct policy_options *o);
int policy_diff(const struct policy_options *o);

/* policy_emit.c: the C of a policy. */
void policy_emit(FILE *to, const struct weft_policy *policy, const char *symbol);
/* policy_words.c: texts for people, and their values in words. */
const char *policy_hold_word(enum weft_hold hold);
const char *policy_dates_word(enum weft_verify_dates dates);
/* "expired not_yet_valid", or "none". */
const char *policy_allow_words(unsigned allow, char out[128]);

#endif
