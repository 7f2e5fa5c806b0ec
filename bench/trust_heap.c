/* SPDX-License-Identifier: MIT */
/*
 * The heap against the number of trust stores, and how long a store takes to be built: one run of bench/trust.
 * bench-trust LOOP TLS stream|connection|policy STORES ALL ROUNDS FOLDER
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "heap.h"
#include "trust.h"

enum { WAIT_S = 60, BUILDS_MIN = 100 };

struct visit {
	struct weft_stream *stream;
	bool echoed, closed;
};

struct times {
	uint64_t *us;
	size_t count, room;
};

/* Heap bytes beyond those before the policy came into use. */
struct figures {
	long idle, one, all, after;
	long drift; /* the most that it differed from idle when a round was over */
	size_t tables;
	struct times builds;
	struct visit *visits; /* room for all */
};

_Noreturn void trust_die(const char *what, const char *why)
{
	fprintf(stderr, "bench-trust: %s: %s\n", what, why);
	exit(1);
}

/* ---- a stream ---- */

static size_t on_data(struct weft_stream *s, const void *bytes, size_t len, void *user)
{
	(void)s;
	(void)bytes;
	((struct visit *)user)->echoed = true;
	return len;
}

static void on_close(struct weft_stream *s, const struct weft_error *why, void *user)
{
	(void)s;
	if (why->status)
		trust_die("a stream", why->text);
	((struct visit *)user)->closed = true;
}

static void turn(struct weft_context *ctx)
{
	if (weft_context_turn(ctx, WAIT_S * 1000))
		trust_die("the context", "does not turn");
}

/* Until it has a connection over which something came back. */
static void begin(struct weft_context *ctx, const char *name, struct visit *v)
{
	static const struct weft_stream_ops ops = { .on_data = on_data, .on_close = on_close };
	struct weft_error err;

	*v = (struct visit){ .stream = NULL };
	if (weft_policy_open(ctx, name, NULL, NULL, &ops, v, &v->stream, &err))
		trust_die(name, err.text);
	if (weft_stream_write(v->stream, "x", 1) != 1)
		trust_die(name, "takes nothing");
	while (!v->echoed)
		turn(ctx);
}

static void end(struct weft_context *ctx, struct visit *v)
{
	weft_stream_finish(v->stream);
	while (!v->closed)
		turn(ctx);
}

/* Until connections, and vhosts that nobody holds, are gone. */
static void settle(struct weft_context *ctx, size_t held)
{
	struct weft_counters c;

	for (;;) {
		weft_context_counters(ctx, &c);
		if (!c.conns_now && c.vhosts_now == held)
			return;
		turn(ctx);
	}
}

static void use(struct weft_context *ctx, const struct weft_policy *policy)
{
	struct weft_error err;

	if (weft_context_use_policy(ctx, policy, NULL, &err))
		trust_die(policy ? policy->name : "no policy", err.text);
}

/* ---- times of building ---- */

static void note(struct times *t, const struct weft_vhost_info *v)
{
	if (t->count < t->room)
		t->us[t->count++] = v->build_us;
}

/* Of all vhosts that live, or of the one that has this name. */
static void note_builds(struct weft_context *ctx, const char *name, struct times *t)
{
	struct weft_vhost_info v;

	for (size_t i = 0; weft_vhost_info(ctx, i, &v); i++) {
		if (v.state != WEFT_VHOST_GONE && (!name || !strcmp(v.name, name)))
			note(t, &v);
	}
}

static int by_value(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static unsigned long long percentile(const struct times *t, size_t percent)
{
	return t->us[(t->count - 1) * percent / 100];
}

/* ---- measuring ---- */

static const struct weft_policy *load(struct weft_context *ctx, const struct trust_args *args)
{
	struct weft_policy_load_options options = {
		.registry = weft_context_registry(ctx),
		.tls = "none", /* a real bundle has certificates that are past their dates */
	};
	const struct weft_policy *policy;
	struct weft_error err;
	char path[512];

	snprintf(path, sizeof(path), "%s/policy.json", args->folder);
	if (weft_policy_load(path, &options, &policy, &err))
		trust_die(path, err.text);
	return policy;
}

/*
 * As many connections at once as there will be, all by one store: libraries, loop and caches have by then what so
 * many connections make them keep. What is measured is what stores cost.
 */
static void warm_up(struct weft_context *ctx, const struct trust_args *args, struct figures *f)
{
	struct trust_args first = *args;
	const struct weft_policy *policy;

	first.stores = 1;
	first.hold = WEFT_HOLD_CONNECTION;
	policy = trust_tables(&first, WEFT_SHARE_ALONE);
	use(ctx, policy);
	for (size_t i = 0; i < args->all; i++)
		begin(ctx, policy->streams[0].name, &f->visits[i]);
	for (size_t i = 0; i < args->all; i++)
		end(ctx, &f->visits[i]);
	settle(ctx, 0);
	use(ctx, NULL);
}

static void run_rounds(struct weft_context *ctx, const struct trust_args *args,
	const struct weft_policy *policy, size_t held, long base, struct figures *f)
{
	struct visit v;
	long off;

	for (size_t i = 0; i < args->rounds; i++) {
		const char *name = policy->streams[i % args->stores].name;

		begin(ctx, name, &v);
		if (!held)
			note_builds(ctx, name, &f->builds);
		end(ctx, &v);
		settle(ctx, held);
		off = labs(bench_heap_now() - base - f->idle);
		f->drift = off > f->drift ? off : f->drift;
	}
}

static void run_all(struct weft_context *ctx, const struct trust_args *args,
	const struct weft_policy *policy, size_t held, long base, struct figures *f)
{
	for (size_t i = 0; i < args->all; i++) {
		begin(ctx, policy->streams[i].name, &f->visits[i]);
		if (!i)
			f->one = bench_heap_now() - base;
	}
	f->all = bench_heap_now() - base;
	for (size_t i = 0; i < args->all; i++)
		end(ctx, &f->visits[i]);
	settle(ctx, held);
	f->after = bench_heap_now() - base;
}

static void measure(struct weft_context *ctx, const struct trust_args *args, struct figures *f)
{
	bool holds = args->hold == WEFT_HOLD_POLICY;
	const struct weft_policy *policy =
		holds ? load(ctx, args) : trust_tables(args, WEFT_SHARE_POOL);
	size_t held = holds ? args->stores : 0;
	long base;

	warm_up(ctx, args, f);
	f->tables = weft_policy_bytes(policy);
	base = bench_heap_now();
	use(ctx, policy);
	f->idle = bench_heap_now() - base;
	run_all(ctx, args, policy, held, base, f);
	run_rounds(ctx, args, policy, held, base, f);
	while (holds && f->builds.count < BUILDS_MIN) {
		note_builds(ctx, NULL, &f->builds);
		use(ctx, NULL);
		use(ctx, policy);
	}
	use(ctx, NULL);
	weft_policy_release(policy);
	qsort(f->builds.us, f->builds.count, sizeof(f->builds.us[0]), by_value);
}

static void print(const struct trust_args *args, const char *hold, const struct figures *f)
{
	printf("{\"backend\": \"%s\", \"hold\": \"%s\", \"stores\": %zu, \"idle\": %ld, \"one\": "
	       "%ld, "
	       "\"all\": %ld, \"after\": %ld, \"build_us_median\": %llu, \"build_us_p99\": %llu, "
	       "\"all_stores\": %zu, \"rounds\": %zu, \"drift\": %ld, \"builds\": %zu, \"tables\": "
	       "%zu}\n",
		args->tls, hold, args->stores, f->idle, f->one, f->all, f->after,
		percentile(&f->builds, 50), percentile(&f->builds, 99), args->all, args->rounds,
		f->drift, f->builds.count, f->tables);
}

/* ---- the program ---- */

static size_t number(const char *text, size_t most)
{
	char *rest;
	unsigned long n = strtoul(text, &rest, 10);

	if (*rest || !n || n > most)
		trust_die(text, "expected a number, not as large");
	return n;
}

static enum weft_hold hold_of(const char *word)
{
	if (!strcmp(word, "stream"))
		return WEFT_HOLD_STREAM;
	if (!strcmp(word, "connection"))
		return WEFT_HOLD_CONNECTION;
	if (!strcmp(word, "policy"))
		return WEFT_HOLD_POLICY;
	trust_die(word, "expected stream, connection or policy");
}

static struct trust_args parse(char **argv)
{
	struct trust_args args = { .event = argv[1], .tls = argv[2], .folder = argv[7] };

	args.hold = hold_of(argv[3]);
	args.stores = number(argv[4], TRUST_STORES_MAX);
	args.all = number(argv[5], args.stores);
	args.rounds = number(argv[6], 1000000);
	return args;
}

static void raise_limit(void)
{
	struct rlimit limit;

	if (!getrlimit(RLIMIT_NOFILE, &limit)) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static void prepare(const struct trust_args *args, struct figures *f)
{
	f->builds.room = args->rounds + args->stores + BUILDS_MIN;
	f->builds.us = calloc(f->builds.room, sizeof(f->builds.us[0]));
	f->visits = calloc(args->all, sizeof(f->visits[0]));
	if (!f->builds.us || !f->visits)
		trust_die("preparing", "no memory");
}

int main(int argc, char **argv)
{
	struct weft_context_options options = { .idle_ms = 3600 * 1000 };
	struct figures f = { .idle = 0 };
	struct trust_args args;
	struct weft_context *ctx;
	struct weft_error err;
	pid_t server;

	if (argc != 8) {
		fputs("usage: bench-trust LOOP TLS stream|connection|policy STORES ALL ROUNDS "
		      "FOLDER\n",
			stderr);
		return 2;
	}
	args = parse(argv);
	raise_limit();
	server = trust_server(&args);
	options.event = args.event;
	options.tls = args.tls;
	prepare(&args, &f);
	if (weft_context_create(&options, &ctx, &err))
		trust_die("the context", err.text);
	measure(ctx, &args, &f);
	print(&args, argv[3], &f);
	weft_context_destroy(ctx, 0, NULL, NULL);
	trust_forget();
	free(f.visits);
	free(f.builds.us);
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
	return 0;
}
