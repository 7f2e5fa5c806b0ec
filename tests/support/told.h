/* SPDX-License-Identifier: MIT */
/* What the loader of policies tells, as text: a line a problem. */
#ifndef WEFT_TESTS_SUPPORT_TOLD_H
#define WEFT_TESTS_SUPPORT_TOLD_H

#include <stdbool.h>
#include <stddef.h>

#include "weft/policy_load.h"

struct told {
	char text[16384]; /* "LINE:COLUMN: PATH: TEXT\n", "warning: " before the text of one */
	size_t used;
	unsigned problems;
};

/* Hears what is told, from nothing on. */
void told_listen(struct told *t, struct weft_policy_load_options *options);
/* A policy from a text that is called p.json; its files are in folder. Checks that a failure is told in err, too. */
const struct weft_policy *told_parse(struct told *t, const char *json, const char *folder,
	struct weft_policy_load_options *options);

/* A policy and what is told of it; told NULL: nothing is wrong. */
struct told_case {
	const char *json, *told;
};

/* A stream with something in it, and a policy that has nothing else. */
#define STREAM(more) "{\"schema_version\":1,\"streams\":{\"s\":{\"endpoint\":\"h\"" more "}}}"
/* ... and one that uses the trust store t. */
#define TRUST(inside)                                                   \
	"{\"schema_version\":1,\"streams\":{\"s\":{\"endpoint\":\"h\"," \
	"\"trust_store\":\"t\"}},\n\"trust_stores\":{\"t\":{" inside "}}}"
#define RETRY(inside)                                                   \
	"{\"schema_version\":1,\"streams\":{\"s\":{\"endpoint\":\"h\"," \
	"\"retry\":\"r\"}},\n\"retry\":{\"r\":{" inside "}}}"
#define CREDENTIAL(inside)                                              \
	"{\"schema_version\":1,\"streams\":{\"s\":{\"endpoint\":\"h\"," \
	"\"credential\":\"c\"}},\n\"credentials\":{\"c\":{" inside "}}}"
#define CERT(inside)                                                              \
	"{\"schema_version\":1,\"streams\":{\"s\":{\"endpoint\":\"h\","           \
	"\"trust_store\":\"t\"}},\n\"trust_stores\":{\"t\":{\"certs\":[\"c\"]}}," \
	"\n\"certs\":{\"c\":{" inside "}}}"

/* Each is told so, and loads just where there are but warnings. TLS backends are not asked. */
void told_check(const struct told_case *list, size_t count, bool for_static);
#define TOLD_CHECK(list) told_check(list, sizeof(list) / sizeof((list)[0]), false)

#endif
