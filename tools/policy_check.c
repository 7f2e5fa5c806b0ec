/* SPDX-License-Identifier: MIT */
/* weft policy check: what the loader finds, and whether the TLS backend can build what streams trust. */
#include <stdlib.h>
#include <string.h>

#include "policy.h"

/* A policy of one stream, whose trust is held by the policy: taking that into use makes the store. */
struct trial {
	struct weft_policy_trust trust;
	struct weft_policy_stream stream;
	struct weft_policy policy;
};

/*
 * t is as long as the context, which looks into it for as long as a vhost lingers. Credentials are the application's
 * to bring, and are not there yet.
 */
static enum weft_status build(struct weft_context *ctx, const struct weft_policy *policy,
	const struct weft_policy_stream *s, const struct weft_policy_trust *trust, struct trial *t,
	struct weft_error *err)
{
	enum weft_status st;

	*t = (struct trial){ .trust = *trust, .stream = *s, .policy = *policy };
	t->trust.hold = WEFT_HOLD_POLICY;
	t->trust.linger_ms = 0; /* no more than one at a time */
	t->stream.trust = &t->trust;
	t->stream.credential = NULL;
	t->policy.streams = &t->stream;
	t->policy.stream_count = 1;
	st = weft_context_use_policy(ctx, &t->policy, NULL, err);
	if (st == WEFT_OK)
		st = weft_context_use_policy(ctx, NULL, NULL, err);
	return st;
}

/* One that believes the store; NULL: none does. */
static const struct weft_policy_stream *user_of(
	const struct weft_policy *policy, const struct weft_policy_trust *t)
{
	for (size_t i = 0; i < policy->stream_count; i++) {
		if (policy->streams[i].tls && policy->streams[i].trust == t)
			return &policy->streams[i];
	}
	return NULL;
}

static unsigned build_all(
	const struct policy_options *o, const char *file, const struct weft_policy *policy)
{
	static const struct weft_policy_stream nobody = {
		.name = "nobody",
		.endpoint = "localhost",
		.tls = true,
		.keep_warm_ms = UINT32_MAX,
	};
	struct trial *trials = calloc(policy->trust_count + 1, sizeof(*trials));
	struct weft_context *ctx = trials ? policy_context(o) : NULL;
	struct weft_error err;
	unsigned failed = 0;

	if (!ctx) {
		free(trials);
		return 1;
	}
	for (size_t i = 0; i < policy->trust_count; i++) {
		const struct weft_policy_trust *t = &policy->trusts[i];
		const struct weft_policy_stream *s = user_of(policy, t);

		if (build(ctx, policy, s ? s : &nobody, t, &trials[i], &err) == WEFT_OK)
			continue;
		fprintf(stderr, "%s: trust_stores.%s: %s\n", file, t->name, err.text);
		failed++;
	}
	weft_context_destroy(ctx, 0, NULL, NULL);
	free(trials);
	return failed;
}

static size_t count_certs(const struct weft_policy *policy)
{
	size_t n = 0;

	for (size_t i = 0; i < policy->trust_count; i++)
		n += policy->trusts[i].ca_count;
	return n;
}

static bool check_one(const struct policy_options *o, const char *file)
{
	struct policy_problems count;
	unsigned failed = 0;
	const struct weft_policy *policy = policy_read(o, file, false, &count);

	if (!policy) {
		printf("%s: %u problem%s\n", file, count.errors, count.errors == 1 ? "" : "s");
		return false;
	}
	if (!o->tls || strcmp(o->tls, "none") != 0)
		failed = build_all(o, file, policy);
	printf("%s: %zu streams, %zu trust stores with %zu certificates, %zu credentials: ", file,
		policy->stream_count, policy->trust_count, count_certs(policy),
		policy->credential_count);
	if (failed)
		printf("%u trust stores cannot be used\n", failed);
	else if (count.warnings)
		printf("fine, with %u warnings\n", count.warnings);
	else
		printf("fine\n");
	weft_policy_release(policy);
	return !failed;
}

int policy_check(const struct policy_options *o)
{
	bool fine = true;

	for (size_t i = 0; i < o->file_count; i++)
		fine &= check_one(o, o->files[i]);
	return fine ? 0 : EXIT_SOME_FAILED;
}
