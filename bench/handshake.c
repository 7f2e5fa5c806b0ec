/* SPDX-License-Identifier: MIT */
/* New connections, one after the other: a handshake, a request, its answer, the end. */
#include <stdio.h>

#include "bench.h"

void bench_handshake(struct bench_run *run)
{
	struct bench_conn c;
	size_t resumed = 0;
	double begun;

	if (!run->target.tls)
		bench_die("handshakes need --tls");
	/* the first is not measured: it brings the session that the others resume */
	bench_conn_open(&c, &run->target, false);
	bench_conn_ask(&c, &run->target);
	bench_conn_close(&c);
	bench_ready();
	begun = bench_now();
	for (size_t i = 0; i < run->requests; i++) {
		bench_conn_open(&c, &run->target, run->resume);
		resumed += SSL_session_reused(c.ssl) != 0;
		bench_conn_ask(&c, &run->target);
		bench_conn_close(&c);
	}
	printf("{\"requests\": %zu, \"seconds\": %.6f, \"resumed\": %zu}\n", run->requests,
		bench_now() - begun, resumed);
	bench_done();
}
