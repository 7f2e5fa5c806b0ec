/* SPDX-License-Identifier: MIT */
/* Eight clouds, each with a trust store of its own: what the heap does while streams come and go. */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "weft/policy_load.h"
#include "weft/weft.h"

enum { CLOUDS = 8 };

struct cloud {
	char name[16];
	unsigned *running, *failed;
};

static void on_close(struct weft_stream *s, const struct weft_error *why, void *user)
{
	const struct cloud *c = user;

	(void)s;
	--*c->running;
	if (!why->status)
		return;
	++*c->failed;
	fprintf(stderr, "%s: %s\n", c->name, why->text);
}

static const struct weft_stream_ops ops = { .on_close = on_close };

static void tell(const struct weft_context *ctx, const char *when)
{
	struct weft_counters c;

	weft_context_counters(ctx, &c);
	printf("%-28s %llu vhosts, %6.1f KiB of heap\n", when, (unsigned long long)c.vhosts_now,
		(double)mallinfo2().uordblks / 1024);
}

static void open_one(struct weft_context *ctx, struct cloud *c)
{
	struct weft_stream *stream;
	struct weft_error err;

	if (weft_policy_open(ctx, c->name, NULL, NULL, &ops, c, &stream, &err)) {
		fprintf(stderr, "%s: %s\n", c->name, err.text);
		++*c->failed;
		return;
	}
	++*c->running;
}

/* Until no stream runs; then until its vhost is gone, too. */
static void finish(struct weft_context *ctx, const unsigned *running)
{
	struct weft_counters c = { .vhosts_now = 1 };

	while ((*running || c.vhosts_now) && weft_context_turn(ctx, 100) == WEFT_OK)
		weft_context_counters(ctx, &c);
}

static void visit(struct weft_context *ctx, struct cloud *clouds, unsigned *running)
{
	char when[32];

	tell(ctx, "nobody connects");
	for (unsigned i = 0; i < CLOUDS; i++) {
		snprintf(when, sizeof(when), "%s alone", clouds[i].name);
		open_one(ctx, &clouds[i]);
		tell(ctx, when);
		finish(ctx, running);
	}
	tell(ctx, "after each in turn");
	for (unsigned i = 0; i < CLOUDS; i++)
		open_one(ctx, &clouds[i]);
	tell(ctx, "all at once");
	finish(ctx, running);
	tell(ctx, "after all");
}

int main(int argc, char **argv)
{
	struct cloud clouds[CLOUDS];
	unsigned running = 0, failed = 0;
	const struct weft_policy *policy;
	struct weft_context *ctx;
	struct weft_error err;

	if (argc != 2) {
		fprintf(stderr, "usage: policy-many-clouds POLICY.json\n");
		return 2;
	}
	if (weft_policy_load(argv[1], NULL, &policy, &err)) {
		fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	if (weft_context_create(NULL, &ctx, &err)) {
		fprintf(stderr, "%s\n", err.text);
		weft_policy_release(policy);
		return 1;
	}
	for (unsigned i = 0; i < CLOUDS; i++) {
		clouds[i] = (struct cloud){ .running = &running, .failed = &failed };
		snprintf(clouds[i].name, sizeof(clouds[i].name), "cloud%u", i + 1);
	}
	if (weft_context_use_policy(ctx, policy, NULL, &err) == WEFT_OK)
		visit(ctx, clouds, &running);
	else
		fprintf(stderr, "%s\n", err.text);
	weft_context_destroy(ctx, 0, NULL, NULL);
	weft_policy_release(policy);
	return failed || running ? 1 : 0;
}
