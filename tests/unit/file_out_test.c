/* SPDX-License-Identifier: MIT */
/* A file on its way out of a plain connection: in how large pieces, and what a slow reader of it costs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/system/context.h"
#include "weft/weft.h"

enum { FILE_BYTES = 400000, PIECE = 8192, IDLE_MS = 5000, SECOND_US = 1000000 };

/* The POSIX table with a socket that takes little, and a clock that is set. */
static struct {
	size_t offered; /* the most at once */
	unsigned sends;
	uint64_t now_us;
} world;

static enum weft_status narrow_sendfile(void *net, weft_socket sock, int fd, uint64_t off,
	size_t len, size_t *taken, struct weft_error *err)
{
	enum weft_status st;

	if (len > world.offered)
		world.offered = len;
	world.sends++;
	st = weft_net_posix.sendfile(net, sock, fd, off, len < PIECE ? len : PIECE, taken, err);
	return st == WEFT_OK && *taken < len ? WEFT_AGAIN : st;
}

static uint64_t set_now(void *net)
{
	(void)net;
	return world.now_us;
}

static void release(struct weft_owner *owner)
{
	(void)owner;
}

static struct weft_owner nobody = { .ref = release, .release = release };
static FILE *file;

static enum weft_status send_it(struct weft_stream *s, void *user)
{
	const struct weft_head head = { .status = 200, .body_len = FILE_BYTES };
	struct weft_segment seg = {
		.kind = WEFT_SEGMENT_FILE, .fd = fileno(file), .len = FILE_BYTES, .owner = &nobody
	};

	(void)user;
	assert_int_equal(weft_stream_send_head(s, &head, WEFT_HEAD_FINAL, false, NULL), WEFT_OK);
	assert_int_equal(weft_stream_write_segment(s, &seg), WEFT_OK);
	weft_stream_finish(s);
	return WEFT_OK;
}

static int dial(struct weft_context *ctx)
{
	static const struct weft_route routes[] = { { .path = "/file", .on_request = send_it },
		{ .on_request = NULL } };
	const struct weft_vhost_options v = { .name = "localhost",
		.routes = routes,
		.listen = "http://127.0.0.1:0",
		.idle_ms = IDLE_MS };
	struct weft_address a;
	struct weft_error err;
	struct weft_vhost *vh;
	weft_socket sock;
	char url[64];

	assert_int_equal(weft_vhost_create(ctx, &v, &vh, &err), WEFT_OK);
	assert_int_equal(weft_vhost_listener(vh, 0, url, sizeof(url)), WEFT_OK);
	assert_int_equal(
		weft_address_parse("127.0.0.1", (uint16_t)atoi(strrchr(url, ':') + 1), &a, &err),
		WEFT_OK);
	assert_int_equal(
		weft_net_posix.socket(NULL, a.family, WEFT_SOCKET_STREAM, &sock, &err), WEFT_OK);
	assert_true(weft_net_posix.connect(NULL, sock, &a, &err) >= 0);
	return (int)sock;
}

/* Asks for the file, and reads until its end. A second passes with each turn. */
static void fetch(struct weft_context *ctx, int sock)
{
	static const char request[] = "GET /file HTTP/1.1\r\nHost: localhost\r\n\r\n";
	static char got[FILE_BYTES + 1024];
	size_t len = 0;
	const char *body = NULL;
	ssize_t n;

	assert_int_equal(
		send(sock, request, sizeof(request) - 1, MSG_NOSIGNAL), (int)sizeof(request) - 1);
	for (unsigned turns = 0; turns < 10000 && (!body || got + len < body + FILE_BYTES);
		turns++) {
		world.now_us += SECOND_US;
		assert_int_equal(weft_context_turn(ctx, 1000), WEFT_OK);
		n = recv(sock, got + len, sizeof(got) - 1 - len, MSG_DONTWAIT);
		assert_int_not_equal(n, 0); /* closed before all of it was there */
		len += n > 0 ? (size_t)n : 0;
		got[len] = '\0';
		body = strstr(got, "\r\n\r\n");
		body = body ? body + 4 : NULL;
	}
	assert_non_null(body);
	assert_int_equal(got + len - body, FILE_BYTES);
	for (size_t i = 0; i < FILE_BYTES; i++)
		assert_int_equal((unsigned char)body[i], i % 251);
}

static void a_file_is_offered_whole_and_keeps_the_connection_however_long_it_takes(void **state)
{
	const struct weft_context_options o = { .event = "poll", .tls = "none" };
	struct weft_net_ops net = weft_net_posix;
	struct weft_context *ctx;
	int sock;

	(void)state;
	file = tmpfile();
	assert_non_null(file);
	for (int i = 0; i < FILE_BYTES; i++)
		fputc(i % 251, file);
	fflush(file);
	world.now_us = net.now(NULL);
	net.sendfile = narrow_sendfile;
	net.now = set_now;
	assert_int_equal(weft_context_create(&o, &ctx, NULL), WEFT_OK);
	ctx->loop.net = &net;
	sock = dial(ctx);
	fetch(ctx, sock);
	assert_int_equal(world.offered, FILE_BYTES);
	assert_int_equal(world.sends, (FILE_BYTES + PIECE - 1) / PIECE);
	/* it took ten times as long as a connection may rest, and the last of it was just sent */
	fetch(ctx, sock);
	close(sock);
	weft_context_destroy(ctx, 0, NULL, NULL);
	fclose(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_file_is_offered_whole_and_keeps_the_connection_however_long_it_takes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
