/* SPDX-License-Identifier: MIT */
/* The least that a server can do: no parser, no timers, no limits. Peers are measured against it. */
#define _GNU_SOURCE 1
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"

/* As long as what Weft answers. */
static const char answer[] = "HTTP/1.1 200 OK\r\ndate: Tue, 24 Nov 2026 08:00:00 GMT\r\n"
			     "content-length: 13\r\ncontent-type: text/plain\r\n\r\nHello, World\n";

enum { EVENTS = 64, BUFFER = 65536, ANSWERS_MAX = 256 };

static int open_listener(int port_fd)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	int s = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	unsigned port;

	if (s < 0 || bind(s, (struct sockaddr *)&a, sizeof(a)) || listen(s, 1024) ||
		getsockname(s, (struct sockaddr *)&a, &len))
		bench_die("listening");
	port = ntohs(a.sin_port);
	if (write(port_fd, &port, sizeof(port)) != sizeof(port))
		bench_die("telling the port");
	return s;
}

static void watch(int epoll, int fd)
{
	struct epoll_event e = { .events = EPOLLIN, .data.fd = fd };

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e))
		bench_die("epoll_ctl");
}

static void accept_all(int epoll, int listener)
{
	int one = 1, fd;

	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		watch(epoll, fd);
	}
}

static void answer_all(int fd, const char *answers)
{
	static char in[BUFFER];
	ssize_t n = recv(fd, in, sizeof(in), 0);
	size_t requests = 0;

	if (n <= 0) {
		if (!n || errno != EAGAIN)
			close(fd);
		return;
	}
	for (char *p = in; (p = memmem(p, (size_t)(in + n - p), "\r\n\r\n", 4)); p += 4)
		requests++;
	if (requests > ANSWERS_MAX)
		requests = ANSWERS_MAX;
	if (requests && send(fd, answers, requests * (sizeof(answer) - 1), MSG_NOSIGNAL) < 0)
		close(fd);
}

void bench_floor(const char *name, int port_fd)
{
	static char answers[ANSWERS_MAX * (sizeof(answer) - 1)];
	struct epoll_event events[EVENTS];
	int listener = open_listener(port_fd), epoll = epoll_create1(EPOLL_CLOEXEC), n;

	(void)name;
	for (size_t i = 0; i < ANSWERS_MAX; i++)
		memcpy(answers + i * (sizeof(answer) - 1), answer, sizeof(answer) - 1);
	watch(epoll, listener);
	for (;;) {
		n = epoll_wait(epoll, events, EVENTS, -1);
		for (int i = 0; i < n; i++) {
			if (events[i].data.fd == listener)
				accept_all(epoll, listener);
			else
				answer_all(events[i].data.fd, answers);
		}
	}
}
