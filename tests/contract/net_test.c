/* SPDX-License-Identifier: MIT */
/* What a net table must do; here the POSIX one, over loopback and Unix sockets. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "weft/plugin/net.h"

static const struct weft_net_ops *const net = &weft_net_posix;

struct link {
	weft_socket listener, client, server;
	struct weft_address address, peer; /* the listener's; who it accepted */
	struct weft_error err;
};

static void ok(enum weft_status st, const struct weft_error *err)
{
	if (st)
		fail_msg("%s: %s", weft_status_name(st), err->text);
}

static void wait_for(weft_socket sock, short what)
{
	struct pollfd p = { .fd = (int)sock, .events = what };

	assert_int_equal(poll(&p, 1, 5000), 1);
}

static struct weft_address loopback(enum weft_family family)
{
	struct weft_address a = { .family = family };

	if (family == WEFT_FAMILY_UNIX)
		snprintf(a.path, sizeof(a.path), "/tmp/weft-net-test-%ld", (long)getpid());
	else
		ok(weft_address_parse(
			   family == WEFT_FAMILY_IPV4 ? "127.0.0.1" : "::1", 0, &a, NULL),
			NULL);
	return a;
}

static void listen_on(struct link *l, enum weft_family family)
{
	struct weft_address a = loopback(family);

	if (family == WEFT_FAMILY_UNIX)
		unlink(a.path);
	ok(net->socket(NULL, family, WEFT_SOCKET_STREAM, &l->listener, &l->err), &l->err);
	ok(net->bind(NULL, l->listener, &a, &l->err), &l->err);
	ok(net->listen(NULL, l->listener, 8, &l->err), &l->err);
	ok(net->names(NULL, l->listener, &l->address, NULL, &l->err), &l->err);
	assert_int_equal(l->address.family, family);
}

static void link_open(struct link *l, enum weft_family family)
{
	enum weft_status st;

	memset(l, 0, sizeof(*l));
	listen_on(l, family);
	assert_int_equal(net->accept(NULL, l->listener, &l->server, &l->peer, &l->err), WEFT_AGAIN);
	ok(net->socket(NULL, family, WEFT_SOCKET_STREAM, &l->client, &l->err), &l->err);
	st = net->connect(NULL, l->client, &l->address, &l->err);
	assert_true(st == WEFT_OK || st == WEFT_AGAIN);
	wait_for(l->client, POLLOUT);
	ok(net->error(NULL, l->client, &l->err), &l->err);
	wait_for(l->listener, POLLIN);
	ok(net->accept(NULL, l->listener, &l->server, &l->peer, &l->err), &l->err);
	assert_int_equal(l->peer.family, family);
}

static void drop(weft_socket *sock)
{
	if (*sock != WEFT_SOCKET_NONE)
		net->close(NULL, *sock, false);
	*sock = WEFT_SOCKET_NONE;
}

static void link_close(struct link *l)
{
	drop(&l->client);
	drop(&l->server);
	drop(&l->listener);
	if (l->address.family == WEFT_FAMILY_UNIX)
		unlink(l->address.path);
}

/* Reads until len bytes, the end or an error; AGAIN waits. */
static enum weft_status read_all(
	weft_socket sock, unsigned char *to, size_t len, size_t *got, struct weft_error *err)
{
	enum weft_status st = WEFT_OK;
	struct weft_span span;

	*got = 0;
	while (*got < len) {
		st = net->recv(NULL, sock, to + *got, len - *got, &span, err);
		if (st == WEFT_AGAIN) {
			wait_for(sock, POLLIN);
			continue;
		}
		if (st)
			return st;
		assert_true(span.len > 0 && span.len <= len - *got);
		if (span.ptr != to + *got)
			memcpy(to + *got, span.ptr, span.len);
		*got += span.len;
	}
	return st;
}

static bool has_ipv6(void)
{
	struct weft_address a = loopback(WEFT_FAMILY_IPV6);
	weft_socket probe;
	enum weft_status st;

	if (net->socket(NULL, WEFT_FAMILY_IPV6, WEFT_SOCKET_STREAM, &probe, NULL))
		return false;
	st = net->bind(NULL, probe, &a, NULL);
	net->close(NULL, probe, false);
	return st == WEFT_OK;
}

static void talks(void **state)
{
	const enum weft_family family = *(enum weft_family *)*state;
	struct weft_segment segs[] = { weft_segment_static("one ", 4),
		weft_segment_borrowed("two ", 4), weft_segment_static("three", 5) };
	struct weft_address local, peer;
	unsigned char bytes[32];
	struct weft_span span;
	struct link l;
	size_t taken, got;

	if (family == WEFT_FAMILY_IPV6 && !has_ipv6())
		skip();
	link_open(&l, family);
	assert_true(fcntl((int)l.client, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl((int)l.server, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl((int)l.client, F_GETFD) & FD_CLOEXEC);
	assert_true(fcntl((int)l.server, F_GETFD) & FD_CLOEXEC);
	ok(net->names(NULL, l.client, &local, &peer, &l.err), &l.err);
	assert_true(weft_address_equal(&peer, &l.address));
	if (family != WEFT_FAMILY_UNIX)
		assert_true(weft_address_equal(&local, &l.peer));
	assert_int_equal(
		net->recv(NULL, l.server, bytes, sizeof(bytes), &span, &l.err), WEFT_AGAIN);
	ok(net->sendv(NULL, l.client, segs, 3, &taken, &l.err), &l.err);
	assert_int_equal(taken, 13);
	ok(read_all(l.server, bytes, 13, &got, &l.err), &l.err);
	assert_memory_equal(bytes, "one two three", 13);
	/* half closed: the other direction lives */
	ok(net->shutdown(NULL, l.client, &l.err), &l.err);
	assert_int_equal(read_all(l.server, bytes, 1, &got, &l.err), WEFT_EOF);
	ok(net->sendv(NULL, l.server, segs, 1, &taken, &l.err), &l.err);
	ok(read_all(l.client, bytes, 4, &got, &l.err), &l.err);
	drop(&l.server);
	assert_int_equal(read_all(l.client, bytes, 1, &got, &l.err), WEFT_EOF);
	link_close(&l);
}

static void refused_connects_say_so(void **state)
{
	struct link l = { .listener = WEFT_SOCKET_NONE };
	enum weft_status st;

	(void)state;
	listen_on(&l, WEFT_FAMILY_IPV4);
	drop(&l.listener);
	ok(net->socket(NULL, WEFT_FAMILY_IPV4, WEFT_SOCKET_STREAM, &l.client, &l.err), &l.err);
	st = net->connect(NULL, l.client, &l.address, &l.err);
	if (st == WEFT_AGAIN) {
		wait_for(l.client, POLLOUT);
		st = net->error(NULL, l.client, &l.err);
	}
	assert_int_equal(st, WEFT_ERR_REFUSED);
	assert_int_equal(l.err.native, ECONNREFUSED);
	drop(&l.client);
	/* nobody there */
	l.address = loopback(WEFT_FAMILY_UNIX);
	unlink(l.address.path);
	ok(net->socket(NULL, WEFT_FAMILY_UNIX, WEFT_SOCKET_STREAM, &l.client, &l.err), &l.err);
	assert_true(net->connect(NULL, l.client, &l.address, &l.err) < 0);
	drop(&l.client);
}

static void abort_is_a_reset(void **state)
{
	unsigned char byte;
	struct link l;
	size_t got;

	(void)state;
	link_open(&l, WEFT_FAMILY_IPV4);
	net->close(NULL, l.server, true);
	l.server = WEFT_SOCKET_NONE;
	wait_for(l.client, POLLIN);
	assert_int_equal(read_all(l.client, &byte, 1, &got, &l.err), WEFT_ERR_RESET);
	assert_int_equal(l.err.native, ECONNRESET);
	link_close(&l);
}

/* With SIGPIPE deadly, as it is by default. */
static void writing_to_nobody_is_an_error(void **state)
{
	struct weft_segment seg = weft_segment_static("x", 1);
	struct link l;
	size_t taken;
	enum weft_status st = WEFT_OK;

	(void)state;
	signal(SIGPIPE, SIG_DFL);
	link_open(&l, WEFT_FAMILY_IPV4);
	net->close(NULL, l.server, true);
	l.server = WEFT_SOCKET_NONE;
	wait_for(l.client, POLLIN);
	for (int i = 0; i < 3; i++)
		st = net->sendv(NULL, l.client, &seg, 1, &taken, &l.err);
	assert_int_equal(st, WEFT_ERR_RESET);
	assert_int_equal(l.err.native, EPIPE);
	link_close(&l);
}

static int file_of(size_t len)
{
	char name[] = "/tmp/weft-net-file-XXXXXX";
	int fd = mkstemp(name);

	assert_true(fd >= 0);
	unlink(name);
	for (size_t i = 0; i < len; i += 8) {
		char text[24];

		snprintf(text, sizeof(text), "%08zu", i);
		assert_int_equal(
			write(fd, text, len - i < 8 ? len - i : 8), len - i < 8 ? len - i : 8);
	}
	return fd;
}

static void files_are_sent(void **state)
{
	enum { LEN = 400000, OFF = 80 };
	unsigned char *bytes = malloc(LEN);
	struct link l;
	size_t sent = 0, got = 0, taken, n;
	int fd = file_of(LEN);
	enum weft_status st = WEFT_AGAIN;

	(void)state;
	assert_non_null(bytes);
	link_open(&l, WEFT_FAMILY_IPV4);
	while (got < LEN - OFF) {
		struct weft_span span;

		if (st == WEFT_AGAIN) {
			st = net->sendfile(
				NULL, l.client, fd, OFF + sent, LEN - OFF - sent, &taken, &l.err);
			assert_true(st == WEFT_OK || st == WEFT_AGAIN);
			sent += taken;
			assert_true((st == WEFT_OK) == (sent == LEN - OFF));
		}
		if (net->recv(NULL, l.server, bytes + got, LEN - got, &span, &l.err) == WEFT_OK)
			got += span.len;
	}
	assert_int_equal(got, LEN - OFF);
	for (n = 0; n < got; n += 8) {
		char text[24];

		snprintf(text, sizeof(text), "%08zu", n + OFF);
		assert_memory_equal(bytes + n, text, 8);
	}
	assert_int_equal(lseek(fd, 0, SEEK_CUR), LEN);
	free(bytes);
	close(fd);
	link_close(&l);
}

static void short_files_are_truncated(void **state)
{
	unsigned char bytes[100];
	struct link l;
	size_t taken, got;
	int fd = file_of(100);

	(void)state;
	link_open(&l, WEFT_FAMILY_IPV4);
	assert_int_equal(
		net->sendfile(NULL, l.client, fd, 20, 100, &taken, &l.err), WEFT_ERR_TRUNCATED);
	assert_int_equal(l.err.status, WEFT_ERR_TRUNCATED);
	assert_int_equal(taken, 80);
	ok(read_all(l.server, bytes, 80, &got, &l.err), &l.err);
	/* no SIGPIPE from this call either, and none left pending */
	net->close(NULL, l.server, true);
	l.server = WEFT_SOCKET_NONE;
	wait_for(l.client, POLLIN);
	for (int i = 0; i < 3; i++)
		assert_true(net->sendfile(NULL, l.client, fd, 0, 100, &taken, &l.err) < 0 || !i);
	close(fd);
	link_close(&l);
}

/* A socket takes what it can; many segments need more than one call. */
static void full_sockets_take_a_part(void **state)
{
	enum { MANY = 300, LEN = 1000, ALL = MANY * LEN };
	static unsigned char out[LEN];
	struct weft_segment segs[MANY];
	unsigned char *in = malloc(ALL);
	struct link l;
	size_t taken, sent = 0, got = 0;
	bool full = false;

	(void)state;
	assert_non_null(in);
	for (size_t i = 0; i < LEN; i++)
		out[i] = (unsigned char)(i * 7);
	link_open(&l, WEFT_FAMILY_IPV4);
	ok(net->option(NULL, l.client, WEFT_SOCKOPT_SNDBUF, 4096, &l.err), &l.err);
	while (got < ALL) {
		struct weft_span span;
		size_t at = sent % LEN, count = 0;
		enum weft_status st;

		for (size_t done = sent; done < ALL; count++) {
			segs[count] = weft_segment_static(out + at, LEN - at);
			done += LEN - at;
			at = 0;
		}
		if (count) {
			st = net->sendv(NULL, l.client, segs, count, &taken, &l.err);
			assert_true(st == WEFT_OK || st == WEFT_AGAIN);
			sent += taken;
			assert_true((st == WEFT_OK) == (sent == ALL));
			full |= st == WEFT_AGAIN;
		}
		if (net->recv(NULL, l.server, in + got, ALL - got, &span, &l.err) == WEFT_OK)
			got += span.len;
	}
	assert_true(full);
	for (size_t i = 0; i < ALL; i++)
		assert_int_equal(in[i], out[i % LEN]);
	free(in);
	link_close(&l);
}

static void datagrams(void **state)
{
	weft_socket a, b;
	struct weft_address any = loopback(WEFT_FAMILY_IPV4), at_a, at_b;
	struct weft_datagram msg = { .bytes = { (const unsigned char *)"query", 5 } }, got;
	unsigned char bytes[64];
	struct weft_error err;

	(void)state;
	ok(net->socket(NULL, WEFT_FAMILY_IPV4, WEFT_SOCKET_DATAGRAM, &a, &err), &err);
	ok(net->socket(NULL, WEFT_FAMILY_IPV4, WEFT_SOCKET_DATAGRAM, &b, &err), &err);
	ok(net->bind(NULL, a, &any, &err), &err);
	ok(net->bind(NULL, b, &any, &err), &err);
	ok(net->names(NULL, a, &at_a, NULL, &err), &err);
	ok(net->names(NULL, b, &at_b, NULL, &err), &err);
	assert_int_equal(net->recvmsg(NULL, b, bytes, sizeof(bytes), &got, &err), WEFT_AGAIN);
	msg.peer = at_b;
	ok(net->sendmsg(NULL, a, &msg, &err), &err);
	msg.bytes.len = 0; /* empty ones are datagrams, too */
	ok(net->sendmsg(NULL, a, &msg, &err), &err);
	wait_for(b, POLLIN);
	ok(net->recvmsg(NULL, b, bytes, sizeof(bytes), &got, &err), &err);
	assert_int_equal(got.bytes.len, 5);
	assert_memory_equal(got.bytes.ptr, "query", 5);
	assert_true(weft_address_equal(&got.peer, &at_a));
	assert_true(weft_address_equal(&got.local, &at_b));
	wait_for(b, POLLIN);
	ok(net->recvmsg(NULL, b, bytes, sizeof(bytes), &got, &err), &err);
	assert_int_equal(got.bytes.len, 0);
	net->close(NULL, a, false);
	net->close(NULL, b, false);
}

static void options_and_errors(void **state)
{
	struct link l;
	weft_socket second;
	char text[WEFT_ADDRESS_TEXT_MAX];

	(void)state;
	link_open(&l, WEFT_FAMILY_IPV4);
	ok(net->option(NULL, l.client, WEFT_SOCKOPT_NODELAY, 1, &l.err), &l.err);
	ok(net->option(NULL, l.client, WEFT_SOCKOPT_KEEPALIVE, 1, &l.err), &l.err);
	ok(net->option(NULL, l.client, WEFT_SOCKOPT_RCVBUF, 8192, &l.err), &l.err);
	assert_true(net->option(NULL, l.client, WEFT_SOCKOPT_V6ONLY, 1, &l.err) < 0);
	assert_non_null(strstr(l.err.text, "IPV6_V6ONLY"));
	ok(net->socket(NULL, WEFT_FAMILY_IPV4, WEFT_SOCKET_STREAM, &second, &l.err), &l.err);
	assert_true(net->bind(NULL, second, &l.address, &l.err) < 0);
	assert_int_equal(l.err.native, EADDRINUSE);
	assert_non_null(strstr(l.err.text, weft_address_format(&l.address, text, sizeof(text))));
	net->close(NULL, second, false);
	link_close(&l);
}

static void clock_and_randomness(void **state)
{
	unsigned char a[64] = { 0 }, b[64] = { 0 };
	uint64_t now = net->now(NULL);
	struct weft_error err;

	(void)state;
	usleep(2000);
	assert_true(net->now(NULL) - now >= 2000);
	assert_true(net->wall(NULL) > 1700000000);
	ok(net->random(NULL, a, sizeof(a), &err), &err);
	ok(net->random(NULL, b, sizeof(b), &err), &err);
	assert_memory_not_equal(a, b, sizeof(a));
}

int main(void)
{
	static enum weft_family families[] = { WEFT_FAMILY_IPV4, WEFT_FAMILY_IPV6,
		WEFT_FAMILY_UNIX };
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_prestate(talks, &families[0]),
		cmocka_unit_test_prestate(talks, &families[1]),
		cmocka_unit_test_prestate(talks, &families[2]),
		cmocka_unit_test(refused_connects_say_so),
		cmocka_unit_test(abort_is_a_reset),
		cmocka_unit_test(writing_to_nobody_is_an_error),
		cmocka_unit_test(files_are_sent),
		cmocka_unit_test(short_files_are_truncated),
		cmocka_unit_test(full_sockets_take_a_part),
		cmocka_unit_test(datagrams),
		cmocka_unit_test(options_and_errors),
		cmocka_unit_test(clock_and_randomness),
	};

	return cmocka_run_group_tests_name("net", tests, NULL, NULL);
}
