/* SPDX-License-Identifier: MIT */
/* Kept connections that are always busy, served from one thread. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "bench.h"

enum { EVENTS = 64, BUFFER = 1 << 18, WAIT_MS = 60000 };

struct busy_conn {
	struct bench_conn conn;
	size_t pending; /* bytes of answers that are still to come */
};

struct busy {
	const struct bench_run *run;
	size_t answer_len;
	int epoll;
	size_t to_send, to_get; /* requests */
	char *batch;            /* `depth` requests in a row */
	struct busy_conn *conns;
};

static void send_batch(struct busy *b, struct busy_conn *c)
{
	size_t n = b->run->depth < b->to_send ? b->run->depth : b->to_send;

	if (!n)
		return;
	bench_conn_send(&c->conn, b->batch, n * b->run->target.request_len);
	b->to_send -= n;
	c->pending = n * b->answer_len;
}

static size_t answers_in(const struct busy *b, size_t bytes)
{
	return (bytes + b->answer_len - 1) / b->answer_len;
}

static void receive(struct busy *b, struct busy_conn *c)
{
	static char buf[BUFFER];
	size_t before = answers_in(b, c->pending), n;

	while ((n = bench_conn_receive(&c->conn, buf, sizeof(buf)))) {
		if (n > c->pending)
			bench_die("an answer is not what it should be");
		c->pending -= n;
		/* a plain socket's short read says that there is no more; TLS may hold back a record */
		if (!c->pending || (!c->conn.ssl && n < sizeof(buf)))
			break;
	}
	b->to_get -= before - answers_in(b, c->pending);
	if (!c->pending)
		send_batch(b, c);
}

static void prepare(struct busy *b, struct bench_run *run)
{
	size_t len = run->target.request_len;

	b->run = run;
	b->epoll = epoll_create1(EPOLL_CLOEXEC);
	b->batch = calloc(run->depth, len);
	b->conns = calloc(run->conns, sizeof(*b->conns));
	if (!b->batch || !b->conns || b->epoll < 0)
		bench_die("preparing");
	for (size_t i = 0; i < run->depth; i++)
		memcpy(b->batch + i * len, run->target.request, len);
	for (size_t i = 0; i < run->conns; i++) {
		struct epoll_event e = { .events = EPOLLIN, .data.ptr = &b->conns[i] };

		bench_conn_open(&b->conns[i].conn, &run->target, false);
		bench_conn_ask(&b->conns[i].conn, &run->target);
		bench_conn_unblock(&b->conns[i].conn);
		if (epoll_ctl(b->epoll, EPOLL_CTL_ADD, b->conns[i].conn.fd, &e))
			bench_die("epoll_ctl");
	}
	b->answer_len = run->target.answer_len;
	b->to_send = b->to_get = run->requests;
}

static void finish(struct busy *b)
{
	for (size_t i = 0; i < b->run->conns; i++)
		bench_conn_close(&b->conns[i].conn);
	free(b->conns);
	free(b->batch);
	close(b->epoll);
}

void bench_busy(struct bench_run *run)
{
	struct busy b = { .epoll = -1 };
	struct epoll_event events[EVENTS];
	double begun;

	prepare(&b, run);
	bench_ready();
	begun = bench_now();
	for (size_t i = 0; i < run->conns; i++)
		send_batch(&b, &b.conns[i]);
	while (b.to_get) {
		int n = epoll_wait(b.epoll, events, EVENTS, WAIT_MS);

		if (n <= 0)
			bench_die("waiting for answers");
		for (int i = 0; i < n; i++)
			receive(&b, events[i].data.ptr);
	}
	printf("{\"requests\": %zu, \"seconds\": %.6f, \"answer_bytes\": %zu}\n", run->requests,
		bench_now() - begun, b.answer_len);
	bench_done();
	finish(&b);
}
