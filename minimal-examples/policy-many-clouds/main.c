/* SPDX-License-Identifier: MIT */
/* Many clouds, each with a trust store of its own: what they cost while streams come and go. */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

#include "weft/policy_load.h"
#include "weft/weft.h"

struct cloud {
	const char *name;
	struct weft_stream *stream;
	bool here, over, failed; /* its response began; it ended */
};

static void on_head(
	struct weft_stream *s, const struct weft_head *head, enum weft_head_kind kind, void *user)
{
	struct cloud *c = user;

	if (kind != WEFT_HEAD_FINAL)
		return;
	c->here = true;
	c->failed = head->status != 200;
	weft_stream_pause(s); /* it stays until somebody wants its body */
}

static void on_close(struct weft_stream *s, const struct weft_error *why, void *user)
{
	struct cloud *c = user;

	(void)s;
	c->over = true;
	c->failed |= why->status != WEFT_OK;
	if (why->status)
		fprintf(stderr, "%s: %s\n", c->name, why->text);
}

static const struct weft_stream_ops ops = { .on_head = on_head, .on_close = on_close };

static unsigned long long vhosts(const struct weft_context *ctx)
{
	struct weft_counters counters;

	weft_context_counters(ctx, &counters);
	return counters.vhosts_now;
}

static void tell(const struct weft_context *ctx, const char *name, const char *what)
{
	const struct mallinfo2 heap = mallinfo2();

	printf("%-10s %-6s %8zu bytes of heap, %llu vhosts\n", name, what,
		heap.uordblks + heap.hblkhd, vhosts(ctx));
}

static bool come(struct weft_context *ctx, struct cloud *c)
{
	struct weft_error err;

	*c = (struct cloud){ .name = c->name };
	if (weft_policy_open(ctx, c->name, NULL, NULL, &ops, c, &c->stream, &err)) {
		fprintf(stderr, "%s: %s\n", c->name, err.text);
		return false;
	}
	while (!c->here && !c->over && weft_context_turn(ctx, 200) == WEFT_OK)
		continue;
	tell(ctx, c->name, "comes");
	return c->here && !c->failed;
}

/* left: how many others are here. Its vhost goes with its connection, once that is closed on both sides. */
static bool go(struct weft_context *ctx, struct cloud *c, size_t left)
{
	weft_stream_resume(c->stream);
	while ((!c->over || vhosts(ctx) > left) && weft_context_turn(ctx, 200) == WEFT_OK)
		continue;
	tell(ctx, c->name, "goes");
	return !c->failed;
}

static bool visit(struct weft_context *ctx, struct cloud *clouds, size_t count)
{
	bool fine = true;

	tell(ctx, "nobody", "yet");
	for (size_t i = 0; fine && i < count; i++)
		fine = come(ctx, &clouds[i]) && go(ctx, &clouds[i], 0);
	for (size_t i = 0; fine && i < count; i++)
		fine = come(ctx, &clouds[i]);
	for (size_t i = 0; fine && i < count; i++)
		fine = go(ctx, &clouds[i], count - i - 1);
	return fine;
}

int main(int argc, char **argv)
{
	const struct weft_context_options options = { .tls = argc > 2 ? argv[2] : NULL };
	const struct weft_policy *policy = NULL;
	struct weft_context *ctx = NULL;
	struct cloud *clouds = NULL;
	struct weft_error err;
	bool fine = false;

	if (argc < 2 || argc > 3)
		return fprintf(stderr, "usage: policy-many-clouds POLICY.json [TLS]\n"), 2;
	if (weft_policy_load(argv[1], NULL, &policy, &err) ||
		weft_context_create(&options, &ctx, &err) ||
		weft_context_use_policy(ctx, policy, NULL, &err)) {
		fprintf(stderr, "policy-many-clouds: %s\n", err.text);
	} else if ((clouds = calloc(policy->stream_count + 1, sizeof(*clouds)))) {
		for (size_t i = 0; i < policy->stream_count; i++)
			clouds[i].name = policy->streams[i].name;
		fine = visit(ctx, clouds, policy->stream_count);
	}
	weft_context_destroy(ctx, 0, NULL, NULL);
	weft_policy_release(policy);
	free(clouds);
	return fine ? 0 : 1;
}
