/* SPDX-License-Identifier: MIT */
/* The least that a server can do: no parser, no timers, no limits. Peers are measured against it. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* As long as what Weft answers. */
static const char answer[] = "HTTP/1.1 200 OK\r\ndate: Tue, 24 Nov 2026 08:00:00 GMT\r\n"
			     "content-length: 13\r\ncontent-type: text/plain\r\n\r\nHello, World\n";

enum { EVENTS = 64, BUFFER = 65536, ANSWERS_MAX = 256 };

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "bench-floor: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int open_listener(const char *port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int one = 1, s = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	a.sin_port = htons((uint16_t)atoi(port));
	if (s < 0 || setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
		bind(s, (struct sockaddr *)&a, sizeof(a)) || listen(s, 1024))
		die("listening");
	return s;
}

static void watch(int epoll, int fd)
{
	struct epoll_event e = { .events = EPOLLIN, .data.fd = fd };

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e))
		die("epoll_ctl");
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

int main(int argc, char **argv)
{
	static char answers[ANSWERS_MAX * (sizeof(answer) - 1)];
	struct epoll_event events[EVENTS];
	int listener, epoll = epoll_create1(EPOLL_CLOEXEC), n;

	if (argc != 2) {
		fputs("usage: bench-floor PORT\n", stderr);
		return 2;
	}
	listener = open_listener(argv[1]);
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
