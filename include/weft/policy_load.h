/* SPDX-License-Identifier: MIT */
/* Policies from JSON, at run time. Not in builds with WEFT_STATIC_POLICY_ONLY. */
#ifndef WEFT_POLICY_LOAD_H
#define WEFT_POLICY_LOAD_H

#include "weft/plugins.h"
#include "weft/policy.h"

WEFT_BEGIN

/* One thing that is wrong in a file. All of a file are told in one run. */
struct weft_policy_problem {
	bool warning; /* it can be used all the same */
	const char *file;
	unsigned line, column; /* counted from 1; columns in bytes; 0: of the file as a whole */
	const char *path;      /* where in the JSON: "streams.telemetry.port"; "" for the whole */
	const char *text;      /* what is wrong and what was expected */
};

struct weft_policy_load_options {
	size_t size;
	const struct weft_allocator *allocator; /* NULL: the system's. Must outlive the policy */
	/* Whose roles' keys are known, and whose TLS backend reads certificates; NULL: what is linked in. */
	struct weft_registry *registry;
	const char *tls; /* NULL: the first there is; "none": certificates are taken as they are */
	bool for_static; /* what a compiled policy cannot have is an error: hold: policy */
	int64_t now;     /* seconds since 1970, for certificates' dates; 0: the wall clock */
	/* Hears of every problem, in the order of the file. NULL: nobody. */
	void (*tell)(void *user, const struct weft_policy_problem *problem);
	void *user;
};

/*
 * Reads a policy with all files that it names (which are looked for where the policy is), into one block of memory.
 * *out has one reference, the caller's. options may be NULL. On failure err has the first problem with its
 * place, and how many more there are. Errors: ARGUMENT (what it says), NOT_FOUND, IO, LIMIT (larger than 16 MiB), MEMORY.
 * Thread-safe as long as registry is not being loaded into.
 */
WEFT_API WEFT_MUST_CHECK enum weft_status weft_policy_load(const char *file,
	const struct weft_policy_load_options *options, const struct weft_policy **out,
	struct weft_error *err);
/* The same from memory. name is what messages call it; folder (NULL: the current one) is where its files are. */
WEFT_API WEFT_MUST_CHECK enum weft_status weft_policy_parse(const char *name, struct weft_span json,
	const char *folder, const struct weft_policy_load_options *options,
	const struct weft_policy **out, struct weft_error *err);

/* Counted, by any thread. Static ones and NULL are left alone. */
WEFT_API const struct weft_policy *weft_policy_ref(const struct weft_policy *policy);
WEFT_API void weft_policy_release(const struct weft_policy *policy);

/* Bytes that a loaded policy takes; 0 for a static one. */
WEFT_API size_t weft_policy_bytes(const struct weft_policy *policy);

/* ---- what stands in a policy, for documentation, editors and tools ---- */

/* Of a certificate in a policy's tables. */
struct weft_policy_cert {
	int64_t not_before, not_after;  /* seconds since 1970 */
	char subject[256], issuer[256]; /* RFC 4514, cut at 255 bytes */
};

/*
 * Read by a TLS backend of the registry (NULL: what is linked in); tls NULL: by the first. Errors: ARGUMENT (it is no
 * certificate), NOT_FOUND (no such backend), UNSUPPORTED (it cannot tell), MEMORY.
 */
WEFT_API WEFT_MUST_CHECK enum weft_status weft_policy_cert_read(struct weft_registry *registry,
	const char *tls, struct weft_span der, struct weft_policy_cert *out,
	struct weft_error *err);

/* A JSON Schema (2020-12) of all keys, those of the registry's roles included; a NUL-terminated text to be freed by free(). */
WEFT_API WEFT_MUST_CHECK enum weft_status weft_policy_schema(
	struct weft_registry *registry, char **out, struct weft_error *err);

WEFT_END

#endif
