/* SPDX-License-Identifier: MIT */
/* Streams by the names of a policy, against a scripted server; and what their context tells of its vhosts. */
#ifndef WEFT_TESTS_SUPPORT_NAMED_H
#define WEFT_TESTS_SUPPORT_NAMED_H

#include "tests/support/policy_tables.h"
#include "tests/support/script.h"

/* A stream, as its owner sees it. */
struct named {
	struct weft_stream *stream; /* NULL once it is over */
	struct weft_context *ctx;
	unsigned closes, status;
	size_t got;
	struct weft_error why;
	/* called within the callbacks, if not NULL */
	void (*in_head)(struct named *n);
	void (*in_data)(struct named *n);
	void (*in_close)(struct named *n);
	void *user;
};

/* Opens what the context's policy calls name; what in_... and user say stays. */
enum weft_status named_try(
	struct named *n, struct weft_context *ctx, const char *name, struct weft_error *err);
/* ... which must succeed. */
void named_open(struct named *n, struct weft_context *ctx, const char *name);

/* Two contexts, the scripted server, a policy. */
struct play {
	struct duo d;
	struct script script;
	unsigned port; /* of the server */
};

/* options and the server's vhost may be NULL. The server's certificate is of the test CA. */
void play_open(struct play *p, const struct weft_context_options *client,
	const struct weft_vhost_options *vhost);
void play_close(struct play *p);
void play_use(struct play *p, const struct weft_policy *policy);
/* Until the server has a whole request that it did not answer; that line. */
struct script_line *play_asked(struct play *p);
/* Opens name, and has it answered. */
void play_visit(struct play *p, struct named *n, const char *name);
/* The answer to what waits for it; until its stream is over. */
void play_answer(struct play *p, struct named *n);
#define play_until(p, what)                                            \
	do {                                                           \
		for (unsigned i_ = 0; i_ < DUO_TURNS && !(what); i_++) \
			script_turn(&(p)->script);                     \
		assert_true(what);                                     \
	} while (0)
/* A few turns, in which nothing is to change. */
void play_idle(struct play *p);

/* ---- vhosts ---- */

/* The vhost of this name that is there; false: none is. Fails if there are two. */
bool vhost_there(const struct weft_context *ctx, const char *name, struct weft_vhost_info *info);
/* ... that is gone, but remembered. */
bool vhost_gone(const struct weft_context *ctx, const char *name, struct weft_vhost_info *info);
/* It is there, in this state, with references of conns, streams and policies, as told. */
void vhost_check(const struct weft_context *ctx, const char *name, enum weft_vhost_state state,
	unsigned conns, unsigned streams, unsigned policies);
/* The latest events, the last one first, are these: "freed a", "lingers a", ..., ended by NULL. */
void vhost_events(const struct weft_context *ctx, const char *const *events);
unsigned vhosts_now(const struct play *p);
unsigned vhosts_made(const struct play *p);

#endif
