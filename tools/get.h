/* SPDX-License-Identifier: MIT */
/* weft get: its options, and the state of its requests. */
#ifndef WEFT_TOOLS_GET_H
#define WEFT_TOOLS_GET_H

#include <stdio.h>

#include "tool.h"
#include "weft/policy.h"

enum {
	URLS_MAX = 256,
	HEADERS_MAX = 64,
	METADATA_MAX = 64,
	PROVIDED_MAX = 32,
	STORES_MAX = 32,
	ERRORS_MAX = 32,
	LINGER_MS = 500, /* at the end, for a server that does not close its side */
};

/* What --provide NAME=FILE gives: a credential's app:NAME. */
struct get_provided {
	const char *name, *file;
	unsigned char *pem; /* malloc'ed, once it is read */
	size_t len;
};

struct get_options {
	const char *urls[URLS_MAX]; /* with a policy: names of its streams */
	size_t url_count, stream_count;
	struct weft_field headers[HEADERS_MAX];
	size_t header_count;
	const char *method, *data, *data_file, *cacert, *cert, *key, *output, *protocol, *proxy;
	unsigned char pins[WEFT_PINS_MAX][WEFT_SHA256_BYTES];
	size_t pin_count;
	const char *const *alpn; /* of --http; NULL: all */
	unsigned long count, parallel;
	bool insecure, coalesce, explain, json;
	const char *policy; /* a file; NULL: URLs are given */
	struct weft_policy_pair
		metadata[METADATA_MAX + 1]; /* ended by a NULL name; names malloc'ed */
	size_t metadata_count;
	struct get_provided provided[PROVIDED_MAX]; /* names malloc'ed */
	size_t provided_count;
	struct weft_context_options context;
};

/* One kind of failure, and how often. */
struct get_error {
	const char *url;
	enum weft_status status;
	char cause[244];
	unsigned long count;
};

/* A client's vhost, as it was; its info's name may be gone with it. */
struct get_store {
	char name[64];
	struct weft_vhost_info info;
};

/* Vhosts, and the heap of the whole process, at one moment. */
struct get_sample {
	bool taken;
	uint64_t live, heap_bytes;
	struct get_store stores[STORES_MAX];
	size_t store_count;
};

struct get {
	struct get_options o;
	struct weft_context *ctx;
	FILE *out;           /* bodies; NULL: dropped */
	unsigned char *body; /* a request body that can be sent again */
	size_t body_len;
	bool body_streamed;   /* from data_file, piece by piece */
	int64_t streamed_len; /* -1: not known */
	struct request *
		starved; /* waits for data_file to have more; not a regular file, so the only one */
	unsigned long started, total, running, headless, ok, failed;
	unsigned long statuses[1000]; /* how many final heads had each */
	uint64_t bytes;
	int64_t expected; /* of the response that is shown, -1: not known */
	uint64_t start_us, end_us, shown_us;
	struct get_sample before, during, after;
	const struct weft_policy *policy; /* a reference */
	char protocol[32];
	struct get_error errors[ERRORS_MAX];
	size_t error_count;
	bool verify_failed, write_failed, progress, shown;
	bool drained;
	bool given_up; /* what still runs does not matter any more */
};

/* Whom a request believes, and who it is. */
struct get_identity {
	struct weft_trust trust;
	struct weft_credential credential;
};

/* Adds sha256//BASE64; complains otherwise. */
bool get_add_pin(struct get_options *o, const char *text);
/* Whether the options say anything on it. */
bool get_has_trust(const struct get_options *o);
/* Points into o. */
void get_identify(const struct get_options *o, struct get_identity *id);

/* -1: go on; else the exit code. */
int get_parse(struct get_options *o, int argc, char **argv);

/* ---- by a policy ---- */

/* NAME=VALUE of --metadata, NAME=FILE of --provide. Complain otherwise. */
bool get_add_metadata(struct get_options *o, const char *text);
bool get_add_provided(struct get_options *o, const char *text);
/* Loads what is provided, and the policy, for the context to use. -1: go on; else the exit code, after a complaint. */
int get_use_policy(struct get *g);
/* As weft_policy_open. */
enum weft_status get_open_policy(struct get *g, const char *name, const struct weft_stream_ops *ops,
	void *user, struct weft_stream **out, struct weft_error *err);
/* What the policy makes of the response, where it says something on it. */
void get_explain_policy(const struct weft_stream *s);
void get_free_policy(struct get *g);
/* Trust stores and what became of them: on standard error, and as "stores" and "events". */
void get_explain_stores(const struct get *g);
struct json_t *get_stores_json(const struct get *g);
struct json_t *get_events_json(const struct get *g);

/* Tries each URL without sending anything. false after a complaint about the command line. */
bool get_rehearse(const struct get *g);
/* Reads --data or --data-file. false after a complaint. */
bool get_load_body(struct get *g);
/* Goes on with a body that was starved. */
void get_feed(struct get *g);
/* Opens requests until enough are running. */
void get_fill(struct get *g);
void get_count_error(struct get *g, const char *url, const struct weft_error *why);
void get_progress(struct get *g, bool last);
void get_sample_take(const struct get *g, struct get_sample *sample);
void get_report(struct get *g);
/* --explain: the story of one request; and what all of them together cost. */
void get_explain(const struct weft_stream *s, const char *url);
void get_summary(const struct get *g);

#endif
