/* SPDX-License-Identifier: MIT */
/* A connection of the load generator: plain or TLS, and just enough HTTP to know how long an answer is. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"

static _Noreturn void die_tls(const char *what)
{
	fprintf(stderr, "bench: %s:\n", what);
	ERR_print_errors_fp(stderr);
	exit(1);
}

/* The first one is kept, and resumed again and again: whether a resumed connection's ticket is good differs. */
static int keep_session(SSL *ssl, SSL_SESSION *session)
{
	struct bench_target *t = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));

	if (t->session)
		return 0;
	t->session = session; /* a reference that is ours */
	return 1;
}

static SSL_CTX *make_tls(struct bench_target *t, const char *name)
{
	int version = strcmp(name, "1.2") ? TLS1_3_VERSION : TLS1_2_VERSION;
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	/* read_ahead: a record costs one recv and not two; this side shall be quick */
	if (!ctx || !SSL_CTX_set_min_proto_version(ctx, version) ||
		!SSL_CTX_set_max_proto_version(ctx, version))
		die_tls("preparing TLS");
	SSL_CTX_set_read_ahead(ctx, 1);
	SSL_CTX_set_app_data(ctx, t);
	SSL_CTX_set_session_cache_mode(
		ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE);
	SSL_CTX_sess_set_new_cb(ctx, keep_session);
	return ctx;
}

void bench_target_init(struct bench_target *t, const char *tls)
{
	int n = snprintf(t->request, sizeof(t->request),
		"GET %s HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n\r\n", t->path);

	if (n < 0 || (size_t)n >= sizeof(t->request))
		bench_die("the path is too long");
	t->request_len = (size_t)n;
	if (*tls)
		t->tls = make_tls(t, tls);
}

void bench_target_finish(struct bench_target *t)
{
	SSL_SESSION_free(t->session);
	SSL_CTX_free(t->tls);
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

/* A copy: OpenSSL takes a TLS 1.3 session for used up after the first time. */
static void resume_session(SSL *ssl, const SSL_SESSION *session)
{
	SSL_SESSION *copy = SSL_SESSION_dup(session);

	if (!copy || !SSL_set_session(ssl, copy))
		die_tls("preparing a resumption");
	SSL_SESSION_free(copy);
}

void bench_conn_open(struct bench_conn *c, const struct bench_target *t, bool resume)
{
	c->fd = dial(t->port);
	c->ssl = NULL;
	if (!t->tls)
		return;
	c->ssl = SSL_new(t->tls);
	if (!c->ssl || !SSL_set_fd(c->ssl, c->fd) || !SSL_set_tlsext_host_name(c->ssl, "localhost"))
		die_tls("preparing a TLS connection");
	if (resume && t->session)
		resume_session(c->ssl, t->session);
	if (SSL_connect(c->ssl) != 1)
		die_tls("handshake");
}

void bench_conn_send(struct bench_conn *c, const char *bytes, size_t len)
{
	if (c->ssl ? SSL_write(c->ssl, bytes, (int)len) != (int)len
		   : send(c->fd, bytes, len, MSG_NOSIGNAL) != (ssize_t)len)
		bench_die("sending");
}

size_t bench_conn_receive(struct bench_conn *c, char *out, size_t len)
{
	ssize_t n;

	if (c->ssl) {
		n = SSL_read(c->ssl, out, (int)len);
		if (n <= 0 && SSL_get_error(c->ssl, (int)n) == SSL_ERROR_WANT_READ)
			return 0;
	} else {
		n = recv(c->fd, out, len, 0);
		if (n < 0 && errno == EAGAIN)
			return 0;
	}
	if (n <= 0)
		bench_die("an answer ends early");
	return (size_t)n;
}

/* The whole length of the answer whose head, which ends at `end`, begins here. */
static size_t answer_len(const char *head, const char *end)
{
	static const char field[] = "\r\ncontent-length:";
	const char *at = head;

	if (strncmp(head, "HTTP/1.1 200 ", 13))
		bench_die("the first answer is no 200");
	for (; at < end && strncasecmp(at, field, sizeof(field) - 1); at++)
		continue;
	if (at == end)
		bench_die("the first answer has no content-length");
	return (size_t)(end + 4 - head) + strtoul(at + sizeof(field) - 1, NULL, 10);
}

void bench_conn_ask(struct bench_conn *c, struct bench_target *t)
{
	char head[4096], rest[65536], *end = NULL;
	size_t len = 0;

	bench_conn_send(c, t->request, t->request_len);
	while (!end) {
		if (len == sizeof(head) - 1)
			bench_die("the first answer's head is too long");
		len += bench_conn_receive(c, head + len, sizeof(head) - 1 - len);
		head[len] = 0;
		end = strstr(head, "\r\n\r\n");
	}
	t->answer_len = answer_len(head, end);
	while (len < t->answer_len)
		len += bench_conn_receive(c, rest, sizeof(rest));
	if (len != t->answer_len)
		bench_die("the first answer is longer than it says");
}

void bench_conn_unblock(struct bench_conn *c)
{
	if (fcntl(c->fd, F_SETFL, O_NONBLOCK))
		bench_die("O_NONBLOCK");
}

void bench_conn_close(struct bench_conn *c)
{
	if (c->ssl) {
		/* or OpenSSL takes the session for a broken one, and 1.2 does not resume it */
		SSL_shutdown(c->ssl);
		SSL_free(c->ssl);
	}
	close(c->fd);
}
