/* SPDX-License-Identifier: MIT */
/* Taking a policy into use: what it holds up front is made, what the one before left behind goes. */
#include "core/policy/use.h"

#include <string.h>

#include "core/client/pool.h"
#include "core/client/tickets.h"
#include "core/plugin/roles.h"
#include "core/policy/find.h"
#include "core/policy/plan.h"
#include "core/vhost/vhost.h"
#include "weft/policy_load.h"

static void release_held(
	struct weft_context *ctx, struct weft_vhost **held, size_t count, size_t room)
{
	for (size_t i = 0; i < count; i++)
		weft_vhost_unhold(held[i]);
	weft_free(&ctx->memory.alloc, held, room * sizeof(*held));
}

/* What was made for nothing does not linger either; what had lingered goes on so. */
static void drop_held(struct weft_context *ctx, const struct weft_policy_in_use *in, size_t room)
{
	for (size_t i = 0; i < in->held_count; i++) {
		if (in->held[i]->made_for == in->serial)
			in->held[i]->linger_ms = 0;
		weft_vhost_unhold(in->held[i]);
	}
	weft_free(&ctx->memory.alloc, in->held, room * sizeof(*in->held));
}

static bool is_held(const struct weft_policy_stream *s)
{
	return s->tls && weft_policy_trust_of(s)->hold == WEFT_HOLD_POLICY;
}

static size_t count_held(const struct weft_policy *policy)
{
	size_t n = 0;

	for (size_t i = 0; i < policy->stream_count; i++)
		n += is_held(&policy->streams[i]);
	return n;
}

static enum weft_status hold_one(struct weft_context *ctx, const struct weft_policy *policy,
	const struct weft_policy_stream *s, struct weft_policy_in_use *in, struct weft_error *err)
{
	struct weft_trust_spec *spec;
	struct weft_vhost *vh;
	const char *alpn[WEFT_ALPN_MAX + 1];
	enum weft_status st = weft_policy_alpn(ctx, s, alpn, err);

	if (st == WEFT_OK)
		st = weft_trust_of_policy(ctx, policy, s, in, alpn, &spec, err);
	if (st)
		return st;
	st = weft_vhost_client(ctx, spec, &vh, err);
	weft_trust_release(spec);
	if (st)
		return weft_error_prefix(err, "stream %s", s->name), st;
	weft_vhost_hold(vh);
	in->held[in->held_count++] = vh;
	return WEFT_OK;
}

/* All or nothing. */
static enum weft_status hold_all(struct weft_context *ctx, const struct weft_policy *policy,
	struct weft_policy_in_use *in, struct weft_error *err)
{
	size_t count = count_held(policy);
	enum weft_status st = WEFT_OK;

	if (!count)
		return WEFT_OK;
	if (!policy->life)
		return weft_error_set(err, WEFT_ERR_ARGUMENT, 0,
			"policy %s is compiled, and cannot hold trust stores up front (hold: "
			"policy)",
			policy->name);
	in->held = weft_zalloc(&ctx->memory.alloc, count * sizeof(*in->held));
	if (!in->held)
		return weft_error_set(err, WEFT_ERR_MEMORY, 0, "no memory to hold trust stores");
	for (size_t i = 0; i < policy->stream_count && st == WEFT_OK; i++) {
		if (is_held(&policy->streams[i]))
			st = hold_one(ctx, policy, &policy->streams[i], in, err);
	}
	if (st)
		drop_held(ctx, in, count);
	return st;
}

static enum weft_status check_tables(const struct weft_policy *policy, struct weft_error *err)
{
	if (policy->schema != WEFT_POLICY_SCHEMA)
		return weft_error_set(err, WEFT_ERR_ABI, 0,
			"a policy of schema %u, this Weft %s has schema %u: compile it again",
			policy->schema, WEFT_VERSION, WEFT_POLICY_SCHEMA);
	if (policy->size != sizeof(*policy))
		return weft_error_set(err, WEFT_ERR_ABI, 0,
			"policy %s has a table of %u bytes, expected %zu: compile it again",
			policy->name, policy->size, sizeof(*policy));
	return WEFT_OK;
}

/* What the one before left goes, as soon as nothing runs on it. */
static void leave_behind(struct weft_context *ctx, struct weft_policy_in_use *before)
{
	/* if it was none: one before that may still have left something */
	weft_pool_forget_policy(ctx);
	weft_tickets_forget_policy(ctx);
	if (!before->tables)
		return;
	if (before->held)
		release_held(ctx, before->held, before->held_count, count_held(before->tables));
	weft_policy_release(before->tables);
}

enum weft_status weft_context_use_policy(struct weft_context *ctx, const struct weft_policy *policy,
	const struct weft_policy_use *use, struct weft_error *err)
{
	struct weft_policy_in_use next = { .serial = ++ctx->policy_uses }, before;
	enum weft_status st = WEFT_OK;

	if (ctx->life != WEFT_LIFE_RUNNING)
		return weft_error_set(err, WEFT_ERR_SHUTDOWN, 0, "the context is going away");
	if (use)
		next.use = *use;
	if (policy)
		st = check_tables(policy, err);
	if (st == WEFT_OK && policy)
		st = hold_all(ctx, policy, &next, err);
	if (st)
		return st;
	next.tables = weft_policy_ref(policy);
	before = ctx->policy;
	ctx->policy = next;
	leave_behind(ctx, &before);
	return WEFT_OK;
}

const struct weft_policy *weft_context_policy(const struct weft_context *ctx)
{
	return ctx->policy.tables;
}

void weft_policy_finish(struct weft_context *ctx)
{
	struct weft_policy_in_use before = ctx->policy;

	ctx->policy = (struct weft_policy_in_use){ .tables = NULL };
	leave_behind(ctx, &before);
}
