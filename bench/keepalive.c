/* SPDX-License-Identifier: MIT */
/*
 * Server CPU per request on kept connections: Weft on each event loop beside the floor, in rounds that
 * alternate. Prints the median of the rounds and the ratio to the floor's.
 */
#define _GNU_SOURCE 1
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "weft/weft.h"

enum { SERVERS_MAX = 8, ROUNDS = 5, CONNS = 50, REQUESTS = 100000 };

struct server {
	const char *name;
	bench_server run;
	double cpu_us[ROUNDS], rate[ROUNDS];
};

void bench_die(const char *what)
{
	fprintf(stderr, "bench: %s: %s\n", what, strerror(errno));
	exit(1);
}

static enum weft_status hello(struct weft_stream *s, void *user)
{
	(void)user;
	return weft_http_reply_static(s, 200, "text/plain", "Hello, World\n", 13);
}

void bench_weft(const char *name, int port_fd)
{
	static const struct weft_route routes[] = {
		{ .path = "/hello", .on_request = hello },
		{ .on_request = NULL },
	};
	const struct weft_context_options o = { .event = name, .tls = "none" };
	const struct weft_vhost_options v = {
		.name = "localhost", .listen = "http://127.0.0.1:0", .routes = routes
	};
	struct weft_context *ctx;
	struct weft_vhost *vh;
	struct weft_error err;
	unsigned port;
	char url[64];

	if (weft_context_create(&o, &ctx, &err) || weft_vhost_create(ctx, &v, &vh, &err) ||
		weft_vhost_listener(vh, 0, url, sizeof(url))) {
		weft_error_print(stderr, &err);
		exit(1);
	}
	port = (unsigned)atoi(strrchr(url, ':') + 1);
	if (write(port_fd, &port, sizeof(port)) != sizeof(port))
		bench_die("telling the port");
	(void)weft_context_run(ctx);
}

/* The last core for the server, the others for the load, where there are two. */
static void pin(bool server)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	cpu_set_t set;

	if (cores < 2)
		return;
	CPU_ZERO(&set);
	for (long i = 0; i < cores; i++) {
		if ((i == cores - 1) == server)
			CPU_SET((size_t)i, &set);
	}
	(void)sched_setaffinity(0, sizeof(set), &set);
}

static void measure(struct server *s, int round, size_t depth)
{
	struct rusage usage;
	unsigned port;
	double seconds;
	int fds[2];
	pid_t pid = -1;

	if (pipe(fds) || (pid = fork()) < 0)
		bench_die("starting a server");
	if (!pid) {
		pin(true);
		s->run(s->name, fds[1]);
		_exit(1);
	}
	close(fds[1]);
	if (read(fds[0], &port, sizeof(port)) != sizeof(port))
		bench_die("a server did not start");
	close(fds[0]);
	seconds = bench_load(port, REQUESTS, CONNS, depth);
	kill(pid, SIGKILL);
	if (wait4(pid, NULL, 0, &usage) != pid)
		bench_die("waiting for a server");
	s->cpu_us[round] = ((double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 +
				   (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec)) /
			   REQUESTS;
	s->rate[round] = REQUESTS / seconds;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values)
{
	qsort(values, ROUNDS, sizeof(*values), by_value);
	return values[ROUNDS / 2];
}

static size_t find_servers(struct server *servers)
{
	struct weft_registry *registry;
	struct weft_plugin_info info;
	struct weft_error err;
	size_t n = 0;

	servers[n++] = (struct server){ .name = "floor", .run = bench_floor };
	if (weft_registry_create(NULL, &registry, &err)) {
		weft_error_print(stderr, &err);
		exit(1);
	}
	(void)weft_registry_scan(registry, NULL, NULL);
	for (size_t i = 0; weft_registry_info(registry, i, &info) && n < SERVERS_MAX; i++) {
		/* the names outlive the registry's last reference only as copies */
		if (!strcmp(info.kind, "event"))
			servers[n++] =
				(struct server){ .name = strdup(info.name), .run = bench_weft };
	}
	weft_registry_release(registry);
	return n;
}

int main(void)
{
	static const size_t depths[] = { 1, 16 };
	struct server servers[SERVERS_MAX];
	size_t count = find_servers(servers);

	pin(false);
	printf("%d requests for 13 bytes over %d kept connections, median of %d rounds\n", REQUESTS,
		CONNS, ROUNDS);
	for (size_t d = 0; d < sizeof(depths) / sizeof(*depths); d++) {
		double least = 0;

		for (int round = 0; round < ROUNDS; round++) {
			for (size_t i = 0; i < count; i++)
				measure(&servers[i], round, depths[d]);
		}
		printf("%-10s %8s %16s %8s %12s\n", depths[d] > 1 ? "pipelined" : "server", "deep",
			"CPU us/request", "ratio", "requests/s");
		for (size_t i = 0; i < count; i++) {
			double cpu = median(servers[i].cpu_us);

			if (!i)
				least = cpu;
			printf("%-10s %8zu %16.2f %8.2f %12.0f\n", servers[i].name, depths[d], cpu,
				cpu / least, median(servers[i].rate));
		}
	}
	return 0;
}
