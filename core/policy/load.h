/* SPDX-License-Identifier: MIT */
/* What the parts of the loader share: memory of the tables, where in the JSON we are, and problems. */
#ifndef WEFT_CORE_POLICY_LOAD_H
#define WEFT_CORE_POLICY_LOAD_H

#include <jansson.h>

#include "weft/alloc.h"
#include "weft/buffer.h"
#include "weft/plugin/policy.h"
#include "weft/plugin/tls.h"
#include "weft/policy_load.h"

enum { WEFT_LOAD_DEPTH = 8, WEFT_LOAD_FILE_MAX = 16 << 20 };

/* One step down: a member, or an element where key is NULL. */
struct weft_load_step {
	const char *key;
	size_t index;
};

struct weft_load_problem {
	bool warning;
	unsigned line, column;
	size_t offset, order;
	char *path, *text;
};

struct weft_load_block;

/* A certificate entry: what is in it, and whether anybody asks for it. */
struct weft_load_cert {
	const char *name;
	struct weft_span *der;
	size_t count;
	bool used;
};

struct weft_loading {
	const struct weft_policy_load_options *options;
	const struct weft_allocator *alloc;
	struct weft_registry *registry;
	const struct weft_tls_ops *tls; /* NULL: nobody reads certificates */
	const char *file, *folder;
	struct weft_span text;
	int64_t now;

	struct weft_load_step steps[WEFT_LOAD_DEPTH];
	size_t depth;
	struct weft_load_problem *problems; /* malloc's */
	size_t problem_count, error_count;
	bool no_memory;

	struct weft_load_block *blocks; /* the tables' memory */
	size_t bytes;
	struct weft_load_cert *certs;
	size_t cert_count;
	bool *trust_used, *credential_used, *retry_used;
	struct weft_policy *policy;
};

/* ---- load_memory.c: in the tables' memory, zeroed; NULL (and no_memory): there is none ---- */
void *weft_load_alloc(struct weft_loading *l, size_t len);
const char *weft_load_text(struct weft_loading *l, const char *text, size_t len);
/* What was given last, from here on, is not needed after all. */
void weft_load_take_back(struct weft_loading *l, const void *from);
/* Frees all that were made. */
void weft_load_free(const struct weft_allocator *alloc, struct weft_load_block *blocks);

/* ---- load_problem.c ---- */
void weft_load_push(struct weft_loading *l, const char *key, size_t index);
void weft_load_pop(struct weft_loading *l);
/* At the present place, or at a member of it where key is not NULL (at its name). */
void weft_load_wrong(struct weft_loading *l, const char *key, const char *fmt, ...)
	WEFT_PRINTF(3, 4);
void weft_load_warn(struct weft_loading *l, const char *key, const char *fmt, ...)
	WEFT_PRINTF(3, 4);
/* Of a text that is no JSON: what was found at this byte. */
void weft_load_wrong_at(struct weft_loading *l, size_t offset, const char *text);
/* Tells all, in the order of the file; the first is in err. Frees them. */
void weft_load_tell(struct weft_loading *l, struct weft_error *err);

/* ---- load_place.c ---- */
/* Where in valid JSON the value is that steps lead to; or, of_name, the name of the last step. */
size_t weft_load_place(
	struct weft_span json, const struct weft_load_step *steps, size_t depth, bool of_name);

/* ---- load_value.c ---- */

/* A key of the core's, and where its value goes. */
struct weft_load_key {
	struct weft_policy_key key;
	size_t offset; /* in the table's struct */
	size_t size;   /* of the member: NUMBER */
};

/* Reads the keys of an object that are simple: TEXT, TEMPLATE, CHOICE, NUMBER, FLAG. false: it is no object. */
bool weft_load_object(
	struct weft_loading *l, json_t *object, const struct weft_load_key *keys, void *to);
/* Whether value has the key's type and range; complains. */
bool weft_load_check(struct weft_loading *l, json_t *value, const struct weft_policy_key *key);
/* Complains of a member that nobody knows, with the nearest of keys and more (either may be NULL). */
void weft_load_unknown(struct weft_loading *l, const char *name, const struct weft_load_key *keys,
	const struct weft_policy_key *more);
/* ... of all members that are none of keys. */
void weft_load_known(struct weft_loading *l, json_t *object, const struct weft_load_key *keys);
/* NULL-terminated texts of an array whose elements were checked. */
const char *const *weft_load_texts(struct weft_loading *l, json_t *array);

/* ---- load_keys.c: all that the core knows; each ended by a NULL name ---- */
extern const struct weft_load_key weft_load_top_keys[], weft_load_retry_keys[],
	weft_load_cert_keys[], weft_load_trust_keys[], weft_load_credential_keys[],
	weft_load_stream_keys[];
extern const char *const weft_load_fault_words[];

/* ---- load_files.c ---- */
/* A file that the policy names, beside it. Complains at key. */
bool weft_load_file(
	struct weft_loading *l, const char *key, const char *name, struct weft_buffer *to);
/* Certificates or CRLs (what says which) of PEM or DER, as DER. Complains at key. */
bool weft_load_der(struct weft_loading *l, const char *key, struct weft_span bytes,
	const char *what, struct weft_span **der, size_t *count);
/* By length, then by content; each once. */
size_t weft_load_sort(struct weft_span *spans, size_t count);

/* ---- load_certs.c, load_trust.c, load_streams.c: a section each ---- */
void weft_load_certs(struct weft_loading *l, json_t *section);
void weft_load_trusts(struct weft_loading *l, json_t *section);
void weft_load_credentials(struct weft_loading *l, json_t *section);
void weft_load_retries(struct weft_loading *l, json_t *section);
void weft_load_streams(struct weft_loading *l, json_t *section);

#endif
