/* SPDX-License-Identifier: MIT */
/* The net table over POSIX stream sockets; datagrams are in datagram.c. */
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/random.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "core/net/datagram.h"
#include "core/net/sockaddr.h"
#include "core/system/threads.h"
#include "weft/plugin/net.h"

enum { IOVECS = 64, SENDFILE_MAX = 1 << 20 };

static enum weft_status posix_socket(void *net, enum weft_family family, enum weft_socket_type type,
	weft_socket *sock, struct weft_error *err)
{
	static const int families[] = { AF_UNSPEC, AF_INET, AF_INET6, AF_UNIX };
	int kind = type == WEFT_SOCKET_STREAM ? SOCK_STREAM : SOCK_DGRAM;
	int fd = socket(families[family], kind | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	(void)net;
	if (fd < 0)
		return weft_error_errno(err, errno, "socket");
	*sock = fd;
	return WEFT_OK;
}

static enum weft_status posix_bind(
	void *net, weft_socket sock, const struct weft_address *addr, struct weft_error *err)
{
	union weft_sockaddr sa;
	socklen_t len = weft_sockaddr_from(addr, &sa);
	char text[WEFT_ADDRESS_TEXT_MAX];

	(void)net;
	if (bind((int)sock, &sa.any, len) < 0)
		return weft_error_errno(
			err, errno, "bind to %s", weft_address_format(addr, text, sizeof(text)));
	return WEFT_OK;
}

static enum weft_status posix_listen(
	void *net, weft_socket sock, int backlog, struct weft_error *err)
{
	(void)net;
	return listen((int)sock, backlog) < 0 ? weft_error_errno(err, errno, "listen") : WEFT_OK;
}

static enum weft_status posix_accept(void *net, weft_socket sock, weft_socket *conn,
	struct weft_address *peer, struct weft_error *err)
{
	union weft_sockaddr sa;
	socklen_t len;
	int fd;

	(void)net;
	do {
		len = sizeof(sa);
		fd = accept4((int)sock, &sa.any, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
	} while (fd < 0 && errno == EINTR);
	if (fd < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return WEFT_AGAIN;
	if (fd < 0)
		return weft_error_errno(err, errno, "accept");
	*conn = fd;
	weft_sockaddr_to(&sa, len, peer);
	return WEFT_OK;
}

static enum weft_status posix_connect(
	void *net, weft_socket sock, const struct weft_address *addr, struct weft_error *err)
{
	union weft_sockaddr sa;
	socklen_t len = weft_sockaddr_from(addr, &sa);

	(void)net;
	if (connect((int)sock, &sa.any, len) == 0)
		return WEFT_OK;
	/* interrupted, it goes on all the same */
	if (errno == EINPROGRESS || errno == EINTR)
		return WEFT_AGAIN;
	if (errno == EAGAIN) /* no wait would end: a Unix socket does not go on by itself */
		return weft_error_set(
			err, WEFT_ERR_LIMIT, errno, "connect: the listener's queue is full");
	return weft_error_errno(err, errno, "connect");
}

static enum weft_status posix_recv(void *net, weft_socket sock, void *buf, size_t buf_len,
	struct weft_span *got, struct weft_error *err)
{
	ssize_t n;

	(void)net;
	do
		n = recv((int)sock, buf, buf_len, 0);
	while (n < 0 && errno == EINTR);
	if (n > 0) {
		*got = (struct weft_span){ buf, (size_t)n };
		return WEFT_OK;
	}
	if (!n)
		return WEFT_EOF;
	if (errno == EAGAIN || errno == EWOULDBLOCK)
		return WEFT_AGAIN;
	return weft_error_errno(err, errno, "recv");
}

/* The usual case is one segment, which the kernel takes more quickly without a vector. */
static ssize_t send_some(int sock, struct iovec *iov, size_t count)
{
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = count };

	if (count == 1)
		return send(sock, iov->iov_base, iov->iov_len, MSG_NOSIGNAL);
	return sendmsg(sock, &msg, MSG_NOSIGNAL);
}

static enum weft_status posix_sendv(void *net, weft_socket sock, const struct weft_segment *segs,
	size_t count, size_t *taken, struct weft_error *err)
{
	struct iovec iov[IOVECS];
	size_t want = 0, used = count < IOVECS ? count : (size_t)IOVECS;
	ssize_t n;

	(void)net;
	*taken = 0;
	for (size_t i = 0; i < used; i++) {
		iov[i].iov_base = (void *)segs[i].ptr;
		iov[i].iov_len = segs[i].len;
		want += segs[i].len;
	}
	do
		n = send_some((int)sock, iov, used);
	while (n < 0 && errno == EINTR);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return WEFT_AGAIN;
	if (n < 0)
		return weft_error_errno(err, errno, "send");
	*taken = (size_t)n;
	return *taken == want && count <= IOVECS ? WEFT_OK : WEFT_AGAIN;
}

static enum weft_status send_pieces(
	int sock, int fd, off_t at, size_t len, size_t *taken, bool *broken, struct weft_error *err)
{
	ssize_t n;

	while (*taken < len) {
		size_t left = len - *taken;

		n = sendfile(sock, fd, &at, left < SENDFILE_MAX ? left : (size_t)SENDFILE_MAX);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return WEFT_AGAIN;
		*broken = n < 0 && errno == EPIPE;
		if (n < 0)
			return weft_error_errno(err, errno, "sendfile");
		if (!n)
			return weft_error_set(err, WEFT_ERR_TRUNCATED, 0,
				"a file ended %zu bytes before what was announced", left);
		*taken += (size_t)n;
	}
	return WEFT_OK;
}

/* sendfile knows no MSG_NOSIGNAL: SIGPIPE is held back, and taken away if it was ours. */
static enum weft_status posix_sendfile(void *net, weft_socket sock, int fd, uint64_t off,
	size_t len, size_t *taken, struct weft_error *err)
{
	static const struct timespec at_once = { 0, 0 };
	sigset_t pipe_only, before;
	enum weft_status st;
	bool broken = false;

	(void)net;
	*taken = 0;
	sigemptyset(&pipe_only);
	sigaddset(&pipe_only, SIGPIPE);
	weft_signal_mask(SIG_BLOCK, &pipe_only, &before);
	st = send_pieces((int)sock, fd, (off_t)off, len, taken, &broken, err);
	if (broken && !sigismember(&before, SIGPIPE))
		sigtimedwait(&pipe_only, NULL, &at_once);
	weft_signal_mask(SIG_SETMASK, &before, NULL);
	return st;
}

static enum weft_status posix_shutdown(void *net, weft_socket sock, struct weft_error *err)
{
	(void)net;
	/* the peer may have reset it already: reading tells */
	if (shutdown((int)sock, SHUT_WR) < 0 && errno != ENOTCONN)
		return weft_error_errno(err, errno, "shutdown");
	return WEFT_OK;
}

static void posix_close(void *net, weft_socket sock, bool abort)
{
	static const struct linger reset = { .l_onoff = 1, .l_linger = 0 };

	(void)net;
	if (abort)
		setsockopt((int)sock, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	close((int)sock);
}

static enum weft_status posix_error(void *net, weft_socket sock, struct weft_error *err)
{
	int value = 0;
	socklen_t len = sizeof(value);

	(void)net;
	if (getsockopt((int)sock, SOL_SOCKET, SO_ERROR, &value, &len) < 0)
		value = errno;
	return value ? weft_error_errno(err, value, "connect") : WEFT_OK;
}

static enum weft_status posix_names(void *net, weft_socket sock, struct weft_address *local,
	struct weft_address *peer, struct weft_error *err)
{
	union weft_sockaddr sa;
	socklen_t len = sizeof(sa);

	(void)net;
	if (local) {
		if (getsockname((int)sock, &sa.any, &len) < 0)
			return weft_error_errno(err, errno, "getsockname");
		weft_sockaddr_to(&sa, len, local);
	}
	len = sizeof(sa);
	if (peer) {
		if (getpeername((int)sock, &sa.any, &len) < 0)
			return weft_error_errno(err, errno, "getpeername");
		weft_sockaddr_to(&sa, len, peer);
	}
	return WEFT_OK;
}

static enum weft_status posix_option(void *net, weft_socket sock, enum weft_socket_option option,
	int value, struct weft_error *err)
{
	static const struct {
		int level, name;
		const char *word;
	} options[] = {
		[WEFT_SOCKOPT_NODELAY] = { IPPROTO_TCP, TCP_NODELAY, "TCP_NODELAY" },
		[WEFT_SOCKOPT_REUSEADDR] = { SOL_SOCKET, SO_REUSEADDR, "SO_REUSEADDR" },
		[WEFT_SOCKOPT_REUSEPORT] = { SOL_SOCKET, SO_REUSEPORT, "SO_REUSEPORT" },
		[WEFT_SOCKOPT_V6ONLY] = { IPPROTO_IPV6, IPV6_V6ONLY, "IPV6_V6ONLY" },
		[WEFT_SOCKOPT_KEEPALIVE] = { SOL_SOCKET, SO_KEEPALIVE, "SO_KEEPALIVE" },
		[WEFT_SOCKOPT_SNDBUF] = { SOL_SOCKET, SO_SNDBUF, "SO_SNDBUF" },
		[WEFT_SOCKOPT_RCVBUF] = { SOL_SOCKET, SO_RCVBUF, "SO_RCVBUF" },
	};

	(void)net;
	if (setsockopt((int)sock, options[option].level, options[option].name, &value,
		    sizeof(value)) < 0)
		return weft_error_errno(err, errno, "setting %s", options[option].word);
	return WEFT_OK;
}

static uint64_t posix_now(void *net)
{
	struct timespec ts;

	(void)net;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

static int64_t posix_wall(void *net)
{
	struct timespec ts;

	(void)net;
	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec;
}

static enum weft_status posix_random(void *net, void *buf, size_t len, struct weft_error *err)
{
	unsigned char *at = buf;
	ssize_t n;

	(void)net;
	while (len) {
		n = getrandom(at, len, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return weft_error_errno(err, errno, "getrandom");
		at += n;
		len -= (size_t)n;
	}
	return WEFT_OK;
}

const struct weft_net_ops weft_net_posix = {
	.size = sizeof(weft_net_posix),
	.socket = posix_socket,
	.bind = posix_bind,
	.listen = posix_listen,
	.accept = posix_accept,
	.connect = posix_connect,
	.recv = posix_recv,
	.sendv = posix_sendv,
	.recvmsg = weft_datagram_recv,
	.sendmsg = weft_datagram_send,
	.shutdown = posix_shutdown,
	.close = posix_close,
	.error = posix_error,
	.names = posix_names,
	.option = posix_option,
	.sendfile = posix_sendfile,
	.now = posix_now,
	.wall = posix_wall,
	.random = posix_random,
};
