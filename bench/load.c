/* SPDX-License-Identifier: MIT */
/*
 * The load generator: bench-load busy|handshake|hold|hold-h2 --port N [...]. It prints "ready" when its connections are
 * up, waits for a line, and ends with a line of JSON.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench.h"

static const struct option options[] = {
	{ "port", required_argument, NULL, 'p' },
	{ "path", required_argument, NULL, 'f' },
	{ "tls", required_argument, NULL, 't' },
	{ "conns", required_argument, NULL, 'c' },
	{ "depth", required_argument, NULL, 'd' },
	{ "requests", required_argument, NULL, 'n' },
	{ "resume", no_argument, NULL, 'r' },
	{ NULL, 0, NULL, 0 },
};

static const struct {
	const char *name;
	void (*run)(struct bench_run *run);
} modes[] = {
	{ "busy", bench_busy },
	{ "handshake", bench_handshake },
	{ "hold", bench_hold },
	{ "hold-h2", bench_hold_h2 },
};

void bench_die(const char *what)
{
	fprintf(stderr, "bench: %s: %s\n", what, strerror(errno));
	exit(1);
}

double bench_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

void bench_ready(void)
{
	int c;

	puts("ready");
	fflush(stdout);
	while ((c = getchar()) != '\n') {
		if (c == EOF)
			exit(1);
	}
}

void bench_done(void)
{
	fflush(stdout);
	while (getchar() != EOF)
		continue;
}

static _Noreturn void usage(void)
{
	fputs("usage: bench-load busy|handshake|hold|hold-h2 --port N [--path /PATH] [--tls "
	      "1.2|1.3]\n"
	      "       [--conns N] [--depth N] [--requests N] [--resume]\n",
		stderr);
	exit(2);
}

static size_t number(const char *text)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*end || !n)
		usage();
	return n;
}

int main(int argc, char **argv)
{
	struct bench_run run = { .conns = 50, .depth = 1, .requests = 1 };
	const char *tls = "";
	int option;

	run.target.path = "/hello";
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'p':
			run.target.port = (unsigned)number(optarg);
			break;
		case 'f':
			run.target.path = optarg;
			break;
		case 't':
			tls = optarg;
			if (strcmp(tls, "1.2") && strcmp(tls, "1.3"))
				usage();
			break;
		case 'c':
			run.conns = number(optarg);
			break;
		case 'd':
			run.depth = number(optarg);
			break;
		case 'n':
			run.requests = number(optarg);
			break;
		case 'r':
			run.resume = true;
			break;
		default:
			usage();
		}
	}
	if (optind != argc - 1 || !run.target.port)
		usage();
	bench_target_init(&run.target, tls);
	for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++) {
		if (!strcmp(argv[optind], modes[i].name)) {
			modes[i].run(&run);
			bench_target_finish(&run.target);
			return 0;
		}
	}
	usage();
}
