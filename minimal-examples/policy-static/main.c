/* SPDX-License-Identifier: MIT */
/* A policy that was compiled into the program: its streams are opened by name, and nothing is parsed at run time. */
#include <stdio.h>
#include <stdlib.h>

#include "weft/policy.h"
#include "weft/weft.h"

/* policy.json, by weft_add_policy in CMakeLists.txt */
extern const struct weft_policy weft_policy_policy;

struct state {
	bool over, failed;
};

static size_t on_data(struct weft_stream *s, const void *bytes, size_t len, void *user)
{
	(void)s;
	(void)user;
	return fwrite(bytes, 1, len, stdout);
}

static void on_end(struct weft_stream *s, void *user)
{
	const char *verdict = weft_http_expected(s);
	struct weft_span length = { NULL, 0 };

	(void)user;
	if (weft_policy_response(s, "length", &length) == WEFT_OK)
		printf("%.*s bytes, which the policy calls %s\n", (int)length.len,
			(const char *)length.ptr, verdict ? verdict : "unexpected");
}

static void on_close(struct weft_stream *s, const struct weft_error *why, void *user)
{
	struct state *state = user;

	(void)s;
	state->over = true;
	state->failed = why->status != WEFT_OK;
	if (state->failed)
		fprintf(stderr, "%s\n", why->text);
}

static const struct weft_stream_ops ops = {
	.on_data = on_data,
	.on_end = on_end,
	.on_close = on_close,
};

static void tell_vhosts(const struct weft_context *ctx, const char *when)
{
	struct weft_counters c;

	weft_context_counters(ctx, &c);
	printf("%s: %llu vhosts with parsed certificates\n", when,
		(unsigned long long)c.vhosts_now);
}

int main(int argc, char **argv)
{
	const struct weft_policy_pair metadata[] = {
		{ "host", argc > 1 ? argv[1] : NULL },
		{ "device", "thermostat-1" },
		{ NULL, NULL },
	};
	struct state state = { .over = false };
	struct weft_context *ctx;
	struct weft_stream *stream;
	struct weft_error err;

	if (argc != 2) {
		fprintf(stderr, "usage: policy-static HOST\n");
		return 2;
	}
	if (weft_context_create(NULL, &ctx, &err)) {
		fprintf(stderr, "policy-static: %s\n", err.text);
		return 1;
	}
	if (weft_context_use_policy(ctx, &weft_policy_policy, NULL, &err) ||
		weft_policy_open(ctx, "hello", metadata, NULL, &ops, &state, &stream, &err)) {
		fprintf(stderr, "policy-static: %s\n", err.text);
		weft_context_destroy(ctx, 0, NULL, NULL);
		return 1;
	}
	tell_vhosts(ctx, "before");
	while (!state.over && weft_context_turn(ctx, 200) == WEFT_OK)
		continue;
	tell_vhosts(ctx, "after");
	weft_context_destroy(ctx, 0, NULL, NULL);
	return state.failed ? 1 : 0;
}
