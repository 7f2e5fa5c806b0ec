/* SPDX-License-Identifier: MIT */
/*
 * Policies: tables that say how a named stream connects, whom it believes and who it is. A static policy is
 * compiled into the program (weft policy compile) and costs nothing while nobody connects; a dynamic one
 * is loaded from JSON into the same tables (weft/policy_load.h). docs/policy.md has the meaning of each field.
 */
#ifndef WEFT_POLICY_H
#define WEFT_POLICY_H

#include "weft/context.h"
#include "weft/stream.h"
#include "weft/trust.h"

WEFT_BEGIN

/* Goes up whenever a table changes its meaning or layout; a compiled policy of another one is refused. */
#define WEFT_POLICY_SCHEMA 1

/* ---- the tables; const, linked by pointers, never written by anybody ---- */

struct weft_policy_pair {
	const char *name;
	const char *value;
};

/* What a role makes of one of its own keys; which member counts is the key's type. */
struct weft_policy_value {
	const char *key;
	const char *text;                     /* TEXT, TEMPLATE, CHOICE */
	int64_t number;                       /* NUMBER, FLAG */
	const struct weft_policy_pair *pairs; /* MAP */
	size_t pair_count;
};

struct weft_policy_retry {
	const char *name;
	const uint32_t *backoff_ms;
	size_t backoff_count;
	uint32_t conceal, jitter_percent, validity_ping_ms, validity_hangup_ms;
};

struct weft_policy_trust {
	const char *name;
	const char *const *certs; /* the names of what is in ca, NULL-terminated */
	/* In DER, sorted by content (length first, then bytes), each once: equal stores have equal tables. */
	const struct weft_span *ca;
	size_t ca_count;
	const struct weft_span *crl; /* the same */
	size_t crl_count;
	const unsigned char (*pins)[WEFT_SHA256_BYTES]; /* sorted, each once */
	size_t pin_count;
	bool system; /* the system's store, besides ca */
	enum weft_verify_dates verify_dates;
	enum weft_hold hold;
	uint32_t linger_ms;    /* how long its vhost stays when nobody holds it any more */
	uint32_t keep_tickets; /* sessions that may still be resumed when the vhost is gone */
};

/* "app:NAME": the application provides it; "file:PATH": read when it is needed. PEM. */
struct weft_policy_credential {
	const char *name;
	const char *cert, *key;
};

struct weft_policy_metadata {
	const char *name;
	const struct weft_policy_pair *uses; /* the role's: { "header", "x-api-key" } */
	size_t use_count;
};

struct weft_policy_stream {
	const char *name;
	const char *endpoint; /* a host, or "unix:/path"; may have ${metadata} */
	uint16_t port;        /* 0: the role's default */
	const char *protocol; /* a role, or NULL: whichever the server agrees to */
	bool tls;
	const struct weft_policy_trust *trust; /* NULL: the system's store, held by connections */
	const struct weft_policy_credential *credential; /* NULL: none */
	const struct weft_policy_retry *retry;           /* NULL: none */
	enum weft_share share;
	unsigned allow;            /* enum weft_tls_fault: checks to switch off */
	const char *sni;           /* NULL: the endpoint */
	const char *const *alpn;   /* NULL-terminated; NULL: what the roles offer */
	const char *local_address; /* NULL: any */
	const char *proxy;         /* "http://host:port", "socks5://host:port", or NULL */
	uint32_t keep_warm_ms;     /* UINT32_MAX: the context's; 0: not at all */
	bool warm_holds;           /* an idle connection keeps the vhost with its TLS context */
	bool coalesce; /* another host's connection will do, as in weft_stream_options */
	/* As in weft_stream_options; 0: the default there. */
	uint32_t connect_ms, handshake_ms, header_ms, idle_ms, flush_ms, queue_ms, timeout_ms;
	uint32_t window_bytes; /* received and not yet taken by the application; 0: the context's */
	uint32_t write_high_bytes; /* written and not yet sent; 0: the context's */
	uint32_t
		max_in_flight_bytes; /* the same, of all streams of this name together; 0: no limit */
	bool nailed_up, opportunistic; /* for secure streams */
	const struct weft_policy_metadata *metadata;
	size_t metadata_count;
	const struct weft_policy_value *values; /* of the role's keys */
	size_t value_count;
};

struct weft_policy_life; /* of a loaded one */

struct weft_policy {
	uint32_t schema;                      /* WEFT_POLICY_SCHEMA */
	uint32_t size;                        /* sizeof(struct weft_policy) */
	const char *name, *product, *release; /* name: of the file that it was made from */
	const struct weft_policy_retry *retries;
	size_t retry_count;
	const struct weft_policy_trust *trusts;
	size_t trust_count;
	const struct weft_policy_credential *credentials;
	size_t credential_count;
	const struct weft_policy_stream *streams; /* sorted by name */
	size_t stream_count;
	struct weft_policy_life *life; /* NULL: static */
};

/* ---- using one ---- */

/* What the application knows under a name that a credential gives as app:NAME. */
struct weft_policy_secret {
	struct weft_span pem;             /* a chain, leaf first, or an unencrypted key; copied */
	const struct weft_signer *signer; /* for a key: instead of pem; outlives the policy's use */
};

struct weft_policy_use {
	size_t size;
	/*
	 * Fills *out for app:NAME. Called on the context's thread whenever a vhost is made that needs it; must not
	 * call Weft. A failure fails the connection, or the stream where its trust is held by streams. NULL: there
	 * are none.
	 */
	enum weft_status (*provide)(void *user, const char *name, struct weft_policy_secret *out,
		struct weft_error *err);
	void *user;
};

/*
 * The context's policy from now on; NULL: none. A static one must stay for ever, a loaded one is counted: the
 * caller may release its own reference. Streams, connections and vhosts of the policy before live on by that one
 * until they end; warm connections end, and tickets are forgotten, so that whatever the application provides
 * is asked for anew. What `hold: policy` names is made here: on failure nothing has changed. Errors: ABI (made
 * for another schema), UNSUPPORTED (the build has no such role, or its TLS backend cannot do what a trust store asks
 * for), and those of making a vhost. use may be NULL.
 */
WEFT_API WEFT_MUST_CHECK enum weft_status weft_context_use_policy(struct weft_context *ctx,
	const struct weft_policy *policy, const struct weft_policy_use *use,
	struct weft_error *err);
WEFT_API const struct weft_policy *weft_context_policy(const struct weft_context *ctx);

/* By its name; NULL: there is none. */
WEFT_API const struct weft_policy_stream *weft_policy_find(
	const struct weft_policy *policy, const char *name);
/* The name in the policy that looks most like this one, for messages; NULL: none does. */
WEFT_API const char *weft_policy_nearest(const struct weft_policy *policy, const char *name);
/* Whether two trust stores hold the same, whatever they are called; either may be NULL: the system's. */
WEFT_API bool weft_policy_trust_equal(
	const struct weft_policy_trust *a, const struct weft_policy_trust *b);

/* A body that goes with the opening; all zero: none. */
struct weft_policy_body {
	/* Not copied: stays until on_close, and is sent again if the request moves. */
	struct weft_span whole;
	bool later;        /* weft_stream_write follows, ended by weft_stream_finish */
	int64_t later_len; /* 0 or -1: not known */
};

/*
 * Opens the stream that the context's policy calls name. metadata: what ${} and metadata of the policy
 * ask for, ended by a NULL name; NULL: none. Copied. A stream without a body says so by NULL or an empty body (raw
 * streams always write). Errors: NOT_FOUND (no policy, no such stream: the nearest name is told), ARGUMENT (metadata
 * that is missing, unknown, or not allowed where it goes), and all of weft_stream_open.
 */
WEFT_API WEFT_MUST_CHECK enum weft_status weft_policy_open(struct weft_context *ctx,
	const char *name, const struct weft_policy_pair *metadata,
	const struct weft_policy_body *body, const struct weft_stream_ops *ops, void *user,
	struct weft_stream **out, struct weft_error *err);

/* What a stream was opened by; NULL: by no policy. */
WEFT_API const struct weft_policy_stream *weft_stream_policy(const struct weft_stream *s);
/*
 * Metadata that the server sends: what the response has where the policy says (metadata's response_header).
 * NOT_FOUND: it has none, or the policy does not know the name; STATE: no response yet. As long as the stream.
 */
WEFT_API WEFT_MUST_CHECK enum weft_status weft_policy_response(
	const struct weft_stream *s, const char *name, struct weft_span *value);

/* ---- what would happen ---- */

/* Where a stream would go and what it would say. The opening is made from this, too. */
struct weft_policy_plan {
	const struct weft_policy_stream *stream;
	const char
		*role; /* who opens it; with TLS another one of the same scheme may be agreed on */
	const char *url;  /* with path and query, where the role has such */
	const char *host; /* of the endpoint; "" for a Unix socket */
	uint16_t port;
	const char *connect_to;  /* "unix:/path", or NULL */
	const char *sni;         /* "" for none */
	const char *const *alpn; /* NULL-terminated, or NULL */
	const char *method;      /* NULL: the role has none */
	const struct weft_field *fields;
	size_t field_count;
	void *memory; /* where all this is */
};

/* As weft_policy_open, but for the opening. On success weft_policy_plan_finish frees what is in *out. */
WEFT_API WEFT_MUST_CHECK enum weft_status weft_policy_plan(struct weft_context *ctx,
	const struct weft_policy *policy, const char *name, const struct weft_policy_pair *metadata,
	struct weft_policy_plan *out, struct weft_error *err);
WEFT_API void weft_policy_plan_finish(struct weft_policy_plan *plan);
/* Whether two such streams would share a connection: DESIGN 5, law 1. */
WEFT_API bool weft_policy_plan_shares(
	const struct weft_policy_plan *a, const struct weft_policy_plan *b);

WEFT_END

#endif
