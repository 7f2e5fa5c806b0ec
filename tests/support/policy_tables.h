/* SPDX-License-Identifier: MIT */
/*
 * Small policies made at run time: tables such as a compiled policy has them, or such as the loader makes, which
 * are counted and end with the last who uses them.
 */
#ifndef WEFT_TESTS_SUPPORT_POLICY_TABLES_H
#define WEFT_TESTS_SUPPORT_POLICY_TABLES_H

#include "core/policy/life.h"
#include "tests/support/certs.h"
#include "weft/policy_load.h"

enum { TABLES_MAX = 520, TABLES_CERTS = 4, TABLES_NAMES = 2 * TABLES_MAX };

struct tables {
	struct weft_policy policy;
	struct weft_policy_life life;
	struct weft_policy_trust trusts[TABLES_MAX];
	struct weft_policy_stream streams[TABLES_MAX];
	struct weft_policy_credential credentials[4];
	char names[TABLES_NAMES][16]; /* for tables_text */
	size_t name_count;
	struct {
		struct weft_span ca[TABLES_CERTS];
		struct weft_span crl[1];
	} spans[TABLES_MAX]; /* of the trust of the same place */
};

/* Tables that have not ended yet. */
extern unsigned tables_live;

/* Empty ones; name must stay. */
struct tables *tables_make(const char *name);
/*
 * One more store, held by connections, with these certificates, ended by NULL. Copies of them are the tables'.
 * The fields of what is returned may be changed.
 */
struct weft_policy_trust *tables_trust(
	struct tables *t, const char *name, const struct test_cert *const *ca);
/* One more of a single certificate. */
struct weft_policy_trust *tables_trust_of(
	struct tables *t, const char *name, const struct test_cert *ca);
/* A revocation list in PEM, or whatever bytes. */
void tables_crl(struct tables *t, struct weft_policy_trust *trust, struct weft_span crl);
/* What should be a certificate, as the last one. */
void tables_junk(struct tables *t, struct weft_policy_trust *trust);
struct weft_policy_credential *tables_credential(
	struct tables *t, const char *name, const char *cert, const char *key);
/*
 * One more stream to port of 127.0.0.1, over TLS and protocol, in the pool, to /digest/1 where that is HTTP, with all
 * else as a policy has it that says nothing more. What is returned is the caller's to change until the tables are used.
 */
struct weft_policy_stream *tables_stream(struct tables *t, const char *name, const char *protocol,
	unsigned port, const struct weft_policy_trust *trust);
/* "s17": a name that is the tables'. */
const char *tables_name(struct tables *t, char letter, size_t number);
/* A copy of at most 15 letters. */
const char *tables_text(struct tables *t, const char *text);

/* As if compiled: they stay until tables_free, which must come behind all use. */
const struct weft_policy *tables_static(struct tables *t);
/* As if loaded: one reference is the caller's, the last one frees them. */
const struct weft_policy *tables_loaded(struct tables *t);
void tables_free(struct tables *t);

#endif
