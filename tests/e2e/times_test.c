/* SPDX-License-Identifier: MIT */
/* Peers that stop in the middle of everything, and peers that talk nonsense: each ends, others go on. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/duo.h"

enum { SHORT_MS = 60 };

static struct sockaddr_in server_address(const struct duo *d)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	a.sin_port = htons((uint16_t)atoi(strrchr(d->base, ':') + 1));
	return a;
}

/* A connection by hand. */
static int dial(const struct duo *d)
{
	struct sockaddr_in a = server_address(d);
	int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(s >= 0);
	assert_int_equal(connect(s, (struct sockaddr *)&a, sizeof(a)), 0);
	return s;
}

static void say(int s, const char *text)
{
	assert_int_equal(send(s, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* Turns until the server has ended the connection; returns what came before. */
static size_t until_end(struct duo *d, int s, char *got, size_t cap)
{
	size_t len = 0;
	ssize_t n;

	for (unsigned i = 0; i < DUO_TURNS; i++) {
		duo_turn(d);
		n = recv(s, got + len, cap - 1 - len, MSG_DONTWAIT);
		if (n > 0)
			len += (size_t)n;
		if (n == 0 || (n < 0 && errno != EAGAIN))
			break;
	}
	assert_true(n == 0 || errno == ECONNRESET);
	got[len] = '\0';
	close(s);
	return len;
}

/* After all that, the server serves. */
static void still_serves(struct duo *d)
{
	struct ask a;

	memset(&a, 0, sizeof(a));
	ask_open(&a, d, 7, true, NULL);
	duo_until(d, a.closed);
	ask_check(&a);
}

static void begin(struct duo *d)
{
	const struct weft_context_options o = {
		.handshake_ms = SHORT_MS,
		.header_ms = SHORT_MS,
		.idle_ms = SHORT_MS,
		.flush_ms = SHORT_MS,
		.linger_ms = SHORT_MS,
	};

	duo_open(d, &o, NULL, NULL, false);
}

static void silent_peer_is_dropped(void **state)
{
	struct duo d;
	char got[512];
	int s;

	(void)state;
	begin(&d);
	s = dial(&d);
	until_end(&d, s, got, sizeof(got));
	assert_int_equal(got[0], '\0');
	duo_until(&d, !duo_server_counts(&d).conns_now);
	still_serves(&d);
	duo_close(&d);
}

static void nonsense_ends_its_connection_and_no_other(void **state)
{
	static const char *const nonsense[] = {
		"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
		"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00", /* a hello that is too short */
		"\x16\x03\x01\xff\xff garbage", "\x15\x03\x03\x00\x02\x02\x28", "SSH-2.0-x\r\n",
		"\x80\x2e\x01\x00\x02", /* SSL 2 */
	};
	struct duo d;
	char got[4096];
	int s;

	(void)state;
	begin(&d);
	for (size_t i = 0; i < sizeof(nonsense) / sizeof(*nonsense); i++) {
		s = dial(&d);
		send(s, nonsense[i], i == 1 ? 10 : strlen(nonsense[i]), MSG_NOSIGNAL);
		for (int t = 0; t < 4; t++)
			duo_turn(&d);
		/* and more, behind its end */
		send(s, nonsense[i], 5, MSG_NOSIGNAL);
		until_end(&d, s, got, sizeof(got));
		still_serves(&d);
	}
	duo_until(&d, duo_server_counts(&d).conns_now <= 1);
	duo_close(&d);
}

static void slow_head_is_answered_with_408(void **state)
{
	struct duo d;
	char got[1024];
	int s;

	(void)state;
	begin(&d);
	s = dial(&d);
	say(s, "GET /digest/1 HTTP/1.1\r\nHost: a\r\nX-Slow: ");
	until_end(&d, s, got, sizeof(got));
	assert_int_equal(strncmp(got, "HTTP/1.1 408 ", 13), 0);
	still_serves(&d);
	duo_close(&d);
}

/* A byte now and then does not make it fast. */
static void trickled_head_is_bounded_by_the_whole_heads_time(void **state)
{
	struct duo d;
	char got[1024];
	ssize_t n = -1;
	unsigned sent = 0;
	int s;

	(void)state;
	begin(&d);
	s = dial(&d);
	say(s, "GET /digest/1 HTTP/1.1\r\nHost: a\r\nX-Slow: ");
	for (unsigned i = 0; i < DUO_TURNS && n < 0; i++) {
		duo_turn(&d);
		if (i % 16 == 0)
			sent += send(s, "z", 1, MSG_NOSIGNAL) == 1;
		n = recv(s, got, sizeof(got) - 1, MSG_DONTWAIT);
	}
	assert_true(n > 0);
	assert_in_range(sent, 2, DUO_TURNS); /* it came while the head was still growing */
	assert_int_equal(strncmp(got, "HTTP/1.1 408 ", 13), 0);
	close(s);
	duo_close(&d);
}

static void stopped_body_is_answered_with_408(void **state)
{
	struct duo d;
	char got[1024];
	int s;

	(void)state;
	begin(&d);
	s = dial(&d);
	say(s, "POST /digest/1 HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc");
	until_end(&d, s, got, sizeof(got));
	assert_int_equal(strncmp(got, "HTTP/1.1 408 ", 13), 0);
	still_serves(&d);
	duo_close(&d);
}

static void idle_keep_alive_connection_is_closed_in_order(void **state)
{
	struct duo d;
	char got[1024];
	int s;

	(void)state;
	begin(&d);
	s = dial(&d);
	say(s, "GET /digest/1 HTTP/1.1\r\nHost: a\r\n\r\n");
	until_end(&d, s, got, sizeof(got));
	assert_int_equal(strncmp(got, "HTTP/1.1 200 ", 13), 0);
	assert_null(strstr(got, "connection: close"));
	duo_close(&d);
}

static enum weft_status endless(struct weft_stream *s, void *user)
{
	static const char block[1 << 20];

	(void)user;
	return weft_http_reply_static(s, 200, NULL, block, sizeof(block));
}

static void peer_that_takes_no_output_is_dropped(void **state)
{
	static const struct weft_route routes[] = {
		{ .prefix = "/", .on_request = endless },
		{ .on_request = NULL },
	};
	const struct weft_vhost_options v = { .routes = routes, .flush_ms = SHORT_MS };
	struct duo d;
	int s, small = 4096;

	(void)state;
	duo_open(&d, NULL, NULL, &v, false);
	s = dial(&d);
	setsockopt(s, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	for (int i = 0; i < 10; i++)
		say(s, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
	duo_until(&d, duo_server_counts(&d).conns_accepted == 1);
	duo_until(&d, !duo_server_counts(&d).conns_now);
	assert_true(duo_server_counts(&d).timeouts >= 1);
	close(s);
	duo_close(&d);
}

/* ---- clients ---- */

/* A listener that never answers: plain TCP, nobody accepts. */
static int deaf_listener(char *url, size_t url_len, bool tls)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(s, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(s, 8), 0);
	assert_int_equal(getsockname(s, (struct sockaddr *)&a, &len), 0);
	snprintf(url, url_len, "%s://127.0.0.1:%u/", tls ? "https" : "http", ntohs(a.sin_port));
	return s;
}

static void client_gives_up_on_a_silent_server(void **state)
{
	struct duo d;
	struct ask a;
	struct weft_request r = { .header_ms = SHORT_MS };
	char url[96];
	int s;

	(void)state;
	duo_open(&d, NULL, &(struct weft_context_options){ .handshake_ms = SHORT_MS }, NULL, false);
	s = deaf_listener(url, sizeof(url), duo_combo.client_tls != NULL);
	r.url = url;
	memset(&a, 0, sizeof(a));
	ask_open(&a, &d, 1, false, &r);
	duo_until(&d, a.closed);
	assert_int_equal(a.why.status, WEFT_ERR_TIMEOUT);
	assert_non_null(strstr(a.why.text, duo_combo.client_tls ? "handshake" : "answer"));
	/* the total time counts from the opening, wherever the stream is */
	r.header_ms = 0;
	r.total_ms = SHORT_MS / 2;
	ask_open(&a, &d, 1, false, &r);
	duo_until(&d, a.closed);
	assert_int_equal(a.why.status, WEFT_ERR_TIMEOUT);
	assert_non_null(strstr(a.why.text, "total time"));
	close(s);
	duo_close(&d);
}

static void connect_time_is_bounded(void **state)
{
	struct duo d;
	struct ask a;
	struct weft_request r = { .stream = { .connect_ms = SHORT_MS } };
	struct sockaddr_in to = { .sin_family = AF_INET };
	char url[96];
	int s, fill[16];
	socklen_t len = sizeof(to);

	(void)state;
	duo_open(&d, NULL, NULL, NULL, false);
	/* a full backlog: the kernel drops the SYN, and the connect hangs */
	s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(s, (struct sockaddr *)&to, sizeof(to)), 0);
	assert_int_equal(listen(s, 0), 0);
	assert_int_equal(getsockname(s, (struct sockaddr *)&to, &len), 0);
	for (size_t i = 0; i < 16; i++) {
		fill[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		(void)!connect(fill[i], (struct sockaddr *)&to, sizeof(to));
	}
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/", ntohs(to.sin_port));
	r.url = url;
	memset(&a, 0, sizeof(a));
	ask_open(&a, &d, 1, false, &r);
	duo_until(&d, a.closed);
	assert_int_equal(a.why.status, WEFT_ERR_TIMEOUT);
	for (size_t i = 0; i < 16; i++)
		close(fill[i]);
	close(s);
	duo_close(&d);
}

static void warm_connection_cools_down(void **state)
{
	const struct weft_context_options o = { .keep_warm_ms = SHORT_MS };
	struct duo d;
	struct ask a;

	(void)state;
	duo_open(&d, NULL, &o, NULL, false);
	memset(&a, 0, sizeof(a));
	ask_open(&a, &d, 1, false, NULL);
	duo_until(&d, a.closed);
	assert_int_equal(duo_client_counts(&d).conns_now, 1);
	duo_until(&d, !duo_client_counts(&d).conns_now && !duo_server_counts(&d).conns_now);
	assert_int_equal(duo_client_counts(&d).vhosts_now, 0);
	duo_close(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(silent_peer_is_dropped),
		cmocka_unit_test(nonsense_ends_its_connection_and_no_other),
		cmocka_unit_test(client_gives_up_on_a_silent_server),
		cmocka_unit_test(connect_time_is_bounded),
		cmocka_unit_test(warm_connection_cools_down),
	};
	const struct CMUnitTest plain[] = {
		cmocka_unit_test(slow_head_is_answered_with_408),
		cmocka_unit_test(trickled_head_is_bounded_by_the_whole_heads_time),
		cmocka_unit_test(stopped_body_is_answered_with_408),
		cmocka_unit_test(idle_keep_alive_connection_is_closed_in_order),
		cmocka_unit_test(peer_that_takes_no_output_is_dropped),
	};

	return duo_main("times", tests, sizeof(tests) / sizeof(*tests), DUO_FEWER) +
	       duo_main("plain times", plain, sizeof(plain) / sizeof(*plain), DUO_PLAIN);
}
