/* SPDX-License-Identifier: MIT */
/*
 * What a request costs in the steady state, counted: calls of the net table and allocations of ours.
 * DESIGN 7.
 */
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

enum { REQUESTS = 1000, WARM = 10 };

/* The POSIX table with a tally. */
static struct {
	unsigned recv, send, other, allocs;
} tally;

static enum weft_status counting_recv(void *net, weft_socket sock, void *buf, size_t len,
	struct weft_span *got, struct weft_error *err)
{
	tally.recv++;
	return weft_net_posix.recv(net, sock, buf, len, got, err);
}

static enum weft_status counting_sendv(void *net, weft_socket sock, const struct weft_segment *segs,
	size_t count, size_t *taken, struct weft_error *err)
{
	tally.send++;
	return weft_net_posix.sendv(net, sock, segs, count, taken, err);
}

static enum weft_status counting_accept(void *net, weft_socket sock, weft_socket *conn,
	struct weft_address *peer, struct weft_error *err)
{
	tally.other++;
	return weft_net_posix.accept(net, sock, conn, peer, err);
}

static enum weft_status counting_option(void *net, weft_socket sock, enum weft_socket_option option,
	int value, struct weft_error *err)
{
	tally.other++;
	return weft_net_posix.option(net, sock, option, value, err);
}

static void *counting_resize(void *user, void *ptr, size_t old_len, size_t new_len)
{
	if (new_len)
		tally.allocs++;
	return weft_allocator_system.resize(user, ptr, old_len, new_len);
}

static const struct weft_allocator counting_allocator = { .resize = counting_resize };
static struct weft_net_ops counting_net;

static struct weft_context *open_context(const char *event)
{
	const struct weft_context_options o = {
		.event = event, .tls = "none", .allocator = &counting_allocator
	};
	struct weft_context *ctx;
	struct weft_error err;

	if (weft_context_create(&o, &ctx, &err))
		fail_msg("%s", err.text);
	counting_net = weft_net_posix;
	counting_net.recv = counting_recv;
	counting_net.sendv = counting_sendv;
	counting_net.accept = counting_accept;
	counting_net.option = counting_option;
	ctx->loop.net = &counting_net;
	return ctx;
}

static enum weft_status hello(struct weft_stream *s, void *user)
{
	(void)user;
	return weft_http_reply_static(s, 200, "text/plain", "Hello, World\n", 13);
}

static const struct weft_route routes[] = {
	{ .path = "/hello", .on_request = hello },
	{ .on_request = NULL },
};

static weft_socket listen_and_dial(struct weft_context *ctx)
{
	const struct weft_vhost_options v = {
		.name = "localhost", .routes = routes, .listen = "http://127.0.0.1:0"
	};
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
	return sock;
}

static weft_socket dial_beside(weft_socket first)
{
	struct sockaddr_storage peer;
	socklen_t len = sizeof(peer);
	int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(getpeername((int)first, (struct sockaddr *)&peer, &len), 0);
	assert_int_equal(connect(s, (struct sockaddr *)&peer, len), 0);
	return s;
}

/* Sends the text and turns until an answer of len bytes is there. Returns the turns that it took. */
static unsigned exchange(struct weft_context *ctx, weft_socket sock, const char *text, size_t len)
{
	size_t got = 0, sent = 0;
	char buf[65536];
	unsigned turns = 0;
	ssize_t n;

	while (sent < strlen(text)) {
		n = send((int)sock, text + sent, strlen(text) - sent, MSG_NOSIGNAL);
		assert_true(n > 0);
		sent += (size_t)n;
	}
	while (got < len) {
		assert_true(turns++ < 1000);
		assert_int_equal(weft_context_turn(ctx, 1000), WEFT_OK);
		n = recv((int)sock, buf, sizeof(buf), MSG_DONTWAIT);
		got += n > 0 ? (size_t)n : 0;
	}
	assert_int_equal(got, len);
	return turns;
}

static size_t answer_len(void)
{
	/* "date" and all: the length does not vary */
	return strlen("HTTP/1.1 200 OK\r\ndate: Tue, 24 Nov 2026 08:00:00 GMT\r\n"
		      "content-length: 13\r\ncontent-type: text/plain\r\n\r\nHello, World\n");
}

static const char request[] = "GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n";

static void keep_alive_request_is_one_recv_one_send_one_wait_and_no_allocation(void **state)
{
	struct weft_context *ctx = open_context(*state);
	weft_socket sock = listen_and_dial(ctx);
	struct weft_counters before, after;
	unsigned turns = 0;

	for (int i = 0; i < WARM; i++)
		exchange(ctx, sock, request, answer_len());
	memset(&tally, 0, sizeof(tally));
	weft_context_counters(ctx, &before);
	for (int i = 0; i < REQUESTS; i++)
		turns += exchange(ctx, sock, request, answer_len());
	weft_context_counters(ctx, &after);
	assert_int_equal(tally.recv, REQUESTS);
	assert_int_equal(tally.send, REQUESTS);
	assert_int_equal(tally.other, 0);
	assert_int_equal(tally.allocs, 0);
	assert_int_equal(turns, REQUESTS);
	/* our own counters say the same */
	assert_int_equal(after.net_recv - before.net_recv, REQUESTS);
	assert_int_equal(after.net_send - before.net_send, REQUESTS);
	assert_int_equal(after.net_wait - before.net_wait, REQUESTS);
	assert_int_equal(after.heap_allocs - before.heap_allocs, 0);
	close((int)sock);
	weft_context_destroy(ctx, 0, NULL, NULL);
}

static void pipelined_requests_are_answered_in_one_send(void **state)
{
	struct weft_context *ctx = open_context(*state);
	weft_socket sock = listen_and_dial(ctx);
	char batch[16 * sizeof(request)] = "";

	for (int i = 0; i < 16; i++)
		strcat(batch, request);
	for (int i = 0; i < WARM; i++)
		exchange(ctx, sock, batch, 16 * answer_len());
	memset(&tally, 0, sizeof(tally));
	for (int i = 0; i < 100; i++)
		exchange(ctx, sock, batch, 16 * answer_len());
	assert_int_equal(tally.recv, 100);
	assert_int_equal(tally.send, 100);
	/* what was read ahead, and a longer ring for the answers: per batch, not per request */
	assert_in_range(tally.allocs, 0, 2 * 100);
	close((int)sock);
	weft_context_destroy(ctx, 0, NULL, NULL);
}

/* Many at once need many blocks, but those of the turn before serve again. */
static void busy_turns_allocate_no_blocks(void **state)
{
	enum { CONNS = 40, DEEP = 16 };
	struct weft_context *ctx = open_context(*state);
	weft_socket socks[CONNS];
	char batch[DEEP * sizeof(request)] = "", buf[65536];
	size_t want = CONNS * DEEP * answer_len(), got;
	ssize_t n;

	for (int i = 0; i < DEEP; i++)
		strcat(batch, request);
	socks[0] = listen_and_dial(ctx);
	for (int i = 1; i < CONNS; i++)
		socks[i] = dial_beside(socks[0]);
	for (int turn = 0; turn < WARM + 20; turn++) {
		if (turn == WARM)
			memset(&tally, 0, sizeof(tally));
		for (int i = 0; i < CONNS; i++)
			assert_int_equal(send((int)socks[i], batch, strlen(batch), MSG_NOSIGNAL),
				strlen(batch));
		got = 0;
		for (int turns = 0; turns < 1000 && got < want; turns++) {
			assert_int_equal(weft_context_turn(ctx, 1000), WEFT_OK);
			for (int i = 0; i < CONNS; i++) {
				n = recv((int)socks[i], buf, sizeof(buf), MSG_DONTWAIT);
				got += n > 0 ? (size_t)n : 0;
			}
		}
		assert_int_equal(got, want);
	}
	/* a longer ring and what was read ahead, as above; without the blocks it would be twenty times that */
	assert_in_range(tally.allocs, 0, 2 * 20 * CONNS + 20 * CONNS);
	for (int i = 0; i < CONNS; i++)
		close((int)socks[i]);
	weft_context_destroy(ctx, 0, NULL, NULL);
}

/* ---- the client's side, against our own server ---- */

static void closed(struct weft_stream *s, const struct weft_error *why, void *user)
{
	(void)s;
	assert_int_equal(why->status, WEFT_OK);
	*(bool *)user = true;
}

static void client_request_on_a_warm_connection_allocates_nothing(void **state)
{
	static const struct weft_stream_ops ops = { .on_close = closed };
	struct weft_context *ctx = open_context(*state);
	const struct weft_vhost_options v = {
		.name = "localhost", .routes = routes, .listen = "http://127.0.0.1:0"
	};
	struct weft_request r = { .share = WEFT_SHARE_POOL };
	struct weft_stream *s;
	struct weft_vhost *vh;
	struct weft_error err;
	unsigned turns;
	bool done;
	char url[96];

	assert_int_equal(weft_vhost_create(ctx, &v, &vh, &err), WEFT_OK);
	assert_int_equal(weft_vhost_listener(vh, 0, url, sizeof(url)), WEFT_OK);
	strcat(url, "/hello");
	r.url = url;
	for (unsigned i = 0; i < REQUESTS + WARM; i++) {
		if (i == WARM)
			memset(&tally, 0, sizeof(tally));
		done = false;
		assert_int_equal(weft_http_open(ctx, &r, &ops, &done, &s, &err), WEFT_OK);
		for (turns = 0; turns < 1000 && !done; turns++)
			assert_int_equal(weft_context_turn(ctx, 1000), WEFT_OK);
		assert_true(done);
	}
	/* each side: one recv, one send */
	assert_int_equal(tally.recv, 2 * REQUESTS);
	assert_int_equal(tally.send, 2 * REQUESTS);
	assert_int_equal(tally.allocs, 0);
	weft_context_destroy(ctx, 0, NULL, NULL);
}

/* An idle connection holds no buffer: what it costs is its own structs. */
static void idle_connections_hold_no_buffers(void **state)
{
	enum { CONNS = 100 };
	struct weft_context *ctx = open_context(*state);
	weft_socket first = listen_and_dial(ctx), socks[CONNS];
	struct weft_counters before, after;

	exchange(ctx, first, request, answer_len());
	weft_context_counters(ctx, &before);
	for (int i = 0; i < CONNS; i++) {
		socks[i] = dial_beside(first);
		exchange(ctx, socks[i], request, answer_len());
	}
	weft_context_counters(ctx, &after);
	assert_int_equal(after.conns_now, CONNS + 1);
	/* the backend's watch is in it, too */
	assert_in_range((after.heap_now - before.heap_now) / CONNS, 1, 1536);
	for (int i = 0; i < CONNS; i++)
		close((int)socks[i]);
	close((int)first);
	weft_context_destroy(ctx, 0, NULL, NULL);
}

int main(void)
{
	static char poll_name[] = "poll", libevent_name[] = "libevent";
	char *const loops[] = {
#ifdef WEFT_HAVE_EVENT_POLL
		poll_name,
#endif
#ifdef WEFT_HAVE_EVENT_LIBEVENT
		libevent_name,
#endif
	};
	int failed = 0;

	(void)poll_name;
	(void)libevent_name;
	for (size_t i = 0; i < sizeof(loops) / sizeof(*loops); i++) {
		const struct CMUnitTest tests[] = {
			cmocka_unit_test_prestate(
				keep_alive_request_is_one_recv_one_send_one_wait_and_no_allocation,
				loops[i]),
			cmocka_unit_test_prestate(
				pipelined_requests_are_answered_in_one_send, loops[i]),
			cmocka_unit_test_prestate(busy_turns_allocate_no_blocks, loops[i]),
			cmocka_unit_test_prestate(
				client_request_on_a_warm_connection_allocates_nothing, loops[i]),
			cmocka_unit_test_prestate(idle_connections_hold_no_buffers, loops[i]),
		};

		failed += cmocka_run_group_tests_name(loops[i], tests, NULL, NULL);
	}
	return failed;
}
