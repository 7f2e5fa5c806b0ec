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

struct policy_problems {
	unsigned errors, warnings;
};

/* Loads one; prints every problem on standard error, warnings where they are counted. NULL: it is wrong. */
const struct weft_policy *policy_read(const struct policy_options *o, const char *file,
	bool for_static, struct policy_problems *count);
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
enum { POLICY_CERT_TEXT = 300, POLICY_PIN_TEXT = 45 };
/* "CN=x, valid until 2030-12-31"; of one that no backend reads, its length. registry may be NULL. */
const char *policy_cert_text(const struct policy_options *o, struct weft_registry *registry,
	struct weft_span der, char out[POLICY_CERT_TEXT]);
/* Seconds since 1970 as "2030-12-31". */
const char *policy_date_text(int64_t seconds, char out[16]);
/* In base64, as it stands in a policy. */
const char *policy_pin_text(const unsigned char pin[WEFT_SHA256_BYTES], char out[POLICY_PIN_TEXT]);
const char *policy_hold_word(enum weft_hold hold);
const char *policy_dates_word(enum weft_verify_dates dates);
/* "expired not_yet_valid", or "none". */
const char *policy_allow_words(unsigned allow, char out[128]);

#endif
