/* SPDX-License-Identifier: MIT */
/* weft get: runs the requests. */
#include "get.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t interrupted;

static void on_signal(int sig)
{
	(void)sig;
	interrupted = 1;
}

static bool open_output(struct get *g)
{
	static char buffer[65536]; /* the library's own would count as heap */

	if (g->o.output)
		g->out = fopen(g->o.output, "wb");
	else if (!g->o.json)
		g->out = stdout;
	if (g->o.output && !g->out) {
		fprintf(stderr, "weft get: -o %s: %s\n", g->o.output, strerror(errno));
		return false;
	}
	if (g->out && !isatty(fileno(g->out)))
		setvbuf(g->out, buffer, _IOFBF, sizeof(buffer));
	return true;
}

static int finish(struct get *g)
{
	bool written = true;

	if (g->out && g->out != stdout)
		written = !fclose(g->out);
	else if (g->out)
		written = !fflush(stdout);
	if (!written || g->write_failed) {
		fprintf(stderr, "weft get: writing the output failed\n");
		return EXIT_SOME_FAILED;
	}
	if (interrupted)
		return 130;
	if (g->verify_failed)
		return EXIT_VERIFY;
	return g->failed ? EXIT_SOME_FAILED : 0;
}

static void run(struct get *g)
{
	get_fill(g);
	while (g->running && !interrupted && !g->write_failed) {
		/* nobody tells when there is more of a starved body */
		if (weft_context_turn(g->ctx, g->starved ? 10 : 200) < 0)
			break;
		/* what has arrived is seen at once */
		if (g->out && fflush(g->out))
			g->write_failed = true;
		get_feed(g);
		get_fill(g);
		get_progress(g, false);
	}
	get_progress(g, true);
	g->end_us = weft_context_now(g->ctx);
}

static void on_drained(void *user)
{
	struct get *g = user;

	g->drained = true;
	get_sample_take(g, &g->after);
}

/* Says goodbye on every connection; but who interrupts wants no more waiting. */
static void drain(struct get *g)
{
	g->given_up = g->running > 0;
	if (g->given_up)
		return;
	weft_context_drain(g->ctx, 0, on_drained, g);
	while (!g->drained && !interrupted && weft_context_turn(g->ctx, 200) == WEFT_OK)
		;
}

static void fetch(struct get *g)
{
	get_sample_take(g, &g->before);
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	g->start_us = weft_context_now(g->ctx);
	g->progress = isatty(STDERR_FILENO) && !(g->out == stdout && isatty(STDOUT_FILENO));
	run(g);
	drain(g);
	if (g->o.explain)
		get_summary(g);
	if (g->o.json)
		get_report(g);
}

/* -1: all went as it should, or as the figures say; else the exit code after a complaint. */
static int try(struct get *g)
{
	struct weft_error err;
	int rc;

	if ((!g->o.policy && !get_rehearse(g)) || !get_load_body(g) || !open_output(g))
		return EXIT_USAGE;
	if (weft_context_create(&g->o.context, &g->ctx, &err)) {
		fprintf(stderr, "weft get: %s\n", err.text);
		return EXIT_SOME_FAILED;
	}
	rc = get_use_policy(g);
	if (rc < 0)
		fetch(g);
	weft_context_destroy(g->ctx, 0, NULL, NULL);
	return rc;
}

int get_main(int argc, char **argv)
{
	struct get g = { .expected = -1 };
	int rc = get_parse(&g.o, argc, argv);

	g.total = g.o.url_count * g.o.count;
	if (rc < 0)
		rc = try(&g);
	get_free_policy(&g);
	free(g.body);
	return rc < 0 ? finish(&g) : rc;
}
