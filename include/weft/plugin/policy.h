/* SPDX-License-Identifier: MIT */
/*
 * What a role brings to policies: its own keys, what metadata can be used for, and how a stream's request is
 * made from them. The core knows the types of keys and no key of a role by name.
 */
#ifndef WEFT_PLUGIN_POLICY_H
#define WEFT_PLUGIN_POLICY_H

#include "weft/policy.h"

WEFT_BEGIN

enum weft_policy_type {
	WEFT_POLICY_TEXT = 1,
	WEFT_POLICY_TEMPLATE, /* a text with ${metadata} */
	WEFT_POLICY_CHOICE,   /* one of a few words */
	WEFT_POLICY_NUMBER,   /* whole, from min to max */
	WEFT_POLICY_FLAG,     /* true or false; number is 1 or 0 */
	WEFT_POLICY_MAP,      /* an object whose members are templates */
	/* Of the core's own keys only. */
	WEFT_POLICY_TEXTS,   /* a list of texts; with choices: of these */
	WEFT_POLICY_NUMBERS, /* a list of numbers */
	WEFT_POLICY_OBJECT,
};

/* A key as it stands in the JSON, with what documentation and editors say of it. */
struct weft_policy_key {
	const char *name;
	enum weft_policy_type type;
	int64_t min, max;           /* NUMBER(S); of TEXT(S) the longest, 0: any */
	const char *const *choices; /* CHOICE, TEXTS: NULL-terminated */
	const char *fallback; /* what holds where it is not given, in words; NULL: it must be */
	const char *what;     /* one sentence */
};

/* A stream's request, as the role makes it. Texts and fields are of weft_policy_alloc or static. */
struct weft_role_plan {
	const char *method; /* NULL: the role has none */
	const char *target; /* begins with "/"; NULL: the role has none */
	const struct weft_field *fields;
	size_t field_count;
	bool idempotent;
};

struct weft_policy_planning; /* the core's: metadata and memory */

/* What a value may bring into where it is put. */
enum weft_policy_escape {
	WEFT_POLICY_AS_IT_IS,
	WEFT_POLICY_PERCENT, /* all but unreserved characters: RFC 3986 section 2.1 */
	WEFT_POLICY_HOST,    /* letters, digits, "-", "." and "_" only, else ARGUMENT */
};

/* The template with metadata put in. Errors: ARGUMENT (a name that was not given, a value that may not go there), MEMORY. */
WEFT_API WEFT_MUST_CHECK enum weft_status weft_policy_expand(struct weft_policy_planning *p,
	const char *text, enum weft_policy_escape escape, const char **out, struct weft_error *err);
/* What was given under this name, or NULL. */
WEFT_API const char *weft_policy_given(const struct weft_policy_planning *p, const char *name);
/* Whether the stream will have a body. */
WEFT_API bool weft_policy_has_body(const struct weft_policy_planning *p);
/* Memory of the plan, aligned for any type, not zeroed; NULL: there is none. */
WEFT_API void *weft_policy_alloc(struct weft_policy_planning *p, size_t len);
/* The value of a role's key, or NULL. */
WEFT_API const struct weft_policy_value *weft_policy_value(
	const struct weft_policy_stream *stream, const char *key);

struct weft_role_policy {
	size_t size;
	/* A stream that names no protocol is opened by the first such role; others of its scheme may be agreed on. */
	bool automatic;
	bool flows; /* writes may always follow: there is no stream without a body */
	const struct weft_policy_key *keys; /* ended by a NULL name; NULL: none */
	const struct weft_policy_key *uses; /* what metadata may be used for, all TEXT; likewise */
	/*
	 * When a policy is loaded: whether the stream's values are right, beyond their types. Of a failure, *key is the
	 * key or the name of the metadata that is wrong. NULL: they are.
	 */
	enum weft_status (*check)(
		const struct weft_policy_stream *stream, const char **key, struct weft_error *err);
	/* When a stream is opened. NULL: nothing is said. */
	enum weft_status (*plan)(const struct weft_policy_stream *stream,
		struct weft_policy_planning *p, struct weft_role_plan *out, struct weft_error *err);
	/* What the response has for a use of metadata. NOT_FOUND. NULL: never anything. */
	enum weft_status (*read)(const struct weft_stream *s, const struct weft_policy_pair *use,
		struct weft_span *value);
};

WEFT_END

#endif
