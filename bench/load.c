/* SPDX-License-Identifier: MIT */
/* The load: a few connections that are kept busy from one thread. */
#define _GNU_SOURCE 1
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

static const char request[] = "GET /hello HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: */*\r\n\r\n";

enum { CONNS_MAX = 1000, DEPTH_MAX = 64 };

struct load {
	int epoll, fds[CONNS_MAX];
	size_t pending[CONNS_MAX]; /* bytes of answers that are still to come */
	size_t answer_len;
	size_t to_send, to_get; /* requests */
	char batch[DEPTH_MAX * (sizeof(request) - 1)];
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int dial(unsigned port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int one = 1, s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	a.sin_port = htons((uint16_t)port);
	if (s < 0 || connect(s, (struct sockaddr *)&a, sizeof(a)))
		bench_die("connecting");
	setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return s;
}

static void send_batch(struct load *l, size_t i, size_t depth)
{
	size_t n = depth < l->to_send ? depth : l->to_send, len = n * (sizeof(request) - 1);

	if (!n)
		return;
	if (send(l->fds[i], l->batch, len, MSG_NOSIGNAL) != (ssize_t)len)
		bench_die("sending");
	l->to_send -= n;
	l->pending[i] = n * l->answer_len;
}

/* One request ahead of the measurement, which tells how long the answers are. */
static size_t learn_answer(int fd)
{
	static const char end[] = "Hello, World\n";
	char buf[4096];
	size_t len = 0;
	ssize_t n;

	if (send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL) < 0)
		bench_die("sending");
	do {
		n = recv(fd, buf + len, sizeof(buf) - len, 0);
		if (n <= 0)
			bench_die("the first answer");
		len += (size_t)n;
	} while (!memmem(buf, len, end, sizeof(end) - 1));
	if (memcmp(buf, "HTTP/1.1 200 ", 13))
		bench_die("the first answer is not 200");
	return len;
}

static void receive(struct load *l, size_t i, size_t depth)
{
	static char buf[65536];
	ssize_t n = recv(l->fds[i], buf, sizeof(buf), MSG_DONTWAIT);

	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0 || (size_t)n > l->pending[i])
		bench_die("an answer is not what it should be");
	l->to_get -= (l->pending[i] + l->answer_len - 1) / l->answer_len;
	l->pending[i] -= (size_t)n;
	l->to_get += (l->pending[i] + l->answer_len - 1) / l->answer_len;
	if (!l->pending[i])
		send_batch(l, i, depth);
}

double bench_load(unsigned port, size_t requests, size_t conns, size_t depth)
{
	struct load *l = calloc(1, sizeof(*l));
	struct epoll_event events[64], e = { .events = EPOLLIN };
	double begun;
	int n;

	if (!l || conns > CONNS_MAX || depth > DEPTH_MAX)
		bench_die("too many connections, or too deep");
	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	for (size_t i = 0; i < depth; i++)
		memcpy(l->batch + i * (sizeof(request) - 1), request, sizeof(request) - 1);
	for (size_t i = 0; i < conns; i++) {
		l->fds[i] = dial(port);
		l->answer_len = learn_answer(l->fds[i]);
		e.data.u64 = i;
		epoll_ctl(l->epoll, EPOLL_CTL_ADD, l->fds[i], &e);
	}
	l->to_send = l->to_get = requests;
	begun = now();
	for (size_t i = 0; i < conns; i++)
		send_batch(l, i, depth);
	while (l->to_get) {
		n = epoll_wait(l->epoll, events, 64, 10000);
		if (n <= 0)
			bench_die("waiting for answers");
		for (int i = 0; i < n; i++)
			receive(l, (size_t)events[i].data.u64, depth);
	}
	begun = now() - begun;
	for (size_t i = 0; i < conns; i++)
		close(l->fds[i]);
	close(l->epoll);
	free(l);
	return begun;
}
