/* SPDX-License-Identifier: MIT */
/* Connections that rest after one request each, until a line comes. */
#include <stdio.h>
#include <stdlib.h>

#include "bench.h"

void bench_hold(struct bench_run *run)
{
	struct bench_conn *conns = calloc(run->conns, sizeof(*conns));

	if (!conns)
		bench_die("preparing");
	for (size_t i = 0; i < run->conns; i++) {
		bench_conn_open(&conns[i], &run->target, false);
		bench_conn_ask(&conns[i], &run->target);
	}
	bench_ready();
	/* none of them may have been closed meanwhile, or there was less to hold than we say */
	for (size_t i = 0; i < run->conns; i++)
		bench_conn_ask(&conns[i], &run->target);
	printf("{\"requests\": %zu, \"conns\": %zu}\n", 2 * run->conns, run->conns);
	bench_done();
	for (size_t i = 0; i < run->conns; i++)
		bench_conn_close(&conns[i]);
	free(conns);
}
