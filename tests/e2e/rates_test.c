/* SPDX-License-Identifier: MIT */
/* Bodies that come slowly and all the same fast enough, and those that the application itself holds up. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/duo.h"

enum { GRACE_MS = 50, WINDOWS = 6, LONG_BODY = 400000 };

struct upload {
	struct weft_stream *stream;
	size_t taken;
	bool held; /* nothing is taken for now */
};

static struct upload upload;

static size_t upload_data(struct weft_stream *s, const void *bytes, size_t len, void *user)
{
	(void)s;
	(void)bytes;
	(void)user;
	if (upload.held)
		return 0;
	upload.taken += len;
	return len;
}

static void upload_end(struct weft_stream *s, void *user)
{
	(void)user;
	assert_int_equal(weft_http_reply_static(s, 200, NULL, "all", 3), WEFT_OK);
}

static enum weft_status handler(struct weft_stream *s, void *user)
{
	static const struct weft_stream_ops ops = { .on_data = upload_data, .on_end = upload_end };

	(void)user;
	upload.stream = s;
	weft_stream_set_ops(s, &ops, NULL);
	return WEFT_OK;
}

/* Begins a POST of so many bytes by hand, to a server that wants one byte in each GRACE_MS. */
static int begin(struct duo *d, bool held, size_t len)
{
	static const struct weft_route routes[] = { { .prefix = "/", .on_request = handler },
		{ .on_request = NULL } };
	const struct weft_context_options o = { .rate_grace_ms = GRACE_MS,
		.body_rate_min = 1000 / GRACE_MS };
	const struct weft_vhost_options v = { .routes = routes };
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	char head[128];
	int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	upload = (struct upload){ .held = held };
	duo_open(d, &o, NULL, &v, false);
	to.sin_port = htons((uint16_t)atoi(strrchr(d->base, ':') + 1));
	assert_int_equal(connect(s, (struct sockaddr *)&to, sizeof(to)), 0);
	snprintf(head, sizeof(head), "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %zu\r\n\r\n",
		len);
	assert_int_equal(send(s, head, strlen(head), MSG_NOSIGNAL), strlen(head));
	return s;
}

static void expect(struct duo *d, int s, const char *answer)
{
	char got[512];
	ssize_t n = -1;

	for (unsigned i = 0; i < DUO_TURNS && n < 0; i++) {
		duo_turn(d);
		n = recv(s, got, sizeof(got), MSG_DONTWAIT);
	}
	assert_true(n > (ssize_t)strlen(answer));
	assert_memory_equal(got, answer, strlen(answer));
	close(s);
	duo_close(d);
}

/* Turns for several of the server's times; with a byte before each, there is one in each. */
static size_t several_windows(struct duo *d, int s, bool speaks, size_t most)
{
	uint64_t until = weft_context_now(d->server) + (uint64_t)WINDOWS * GRACE_MS * 1000;
	size_t sent = 0;

	while (weft_context_now(d->server) < until) {
		if (speaks && sent < most)
			sent += send(s, "z", 1, MSG_NOSIGNAL | MSG_DONTWAIT) == 1;
		duo_turn(d);
	}
	return sent;
}

static void a_body_that_keeps_the_rate_is_taken_however_long_it_takes(void **state)
{
	struct duo d;
	int s = begin(&d, false, LONG_BODY);
	size_t sent = several_windows(&d, s, true, LONG_BODY - 1);

	(void)state;
	assert_int_equal(duo_server_counts(&d).timeouts, 0);
	while (sent < LONG_BODY) {
		static const char rest[1024];
		size_t n = LONG_BODY - sent < sizeof(rest) ? LONG_BODY - sent : sizeof(rest);
		ssize_t took = send(s, rest, n, MSG_NOSIGNAL | MSG_DONTWAIT);

		sent += took > 0 ? (size_t)took : 0;
		duo_turn(&d);
	}
	expect(&d, s, "HTTP/1.1 200 ");
	assert_int_equal(upload.taken, LONG_BODY);
}

static void a_body_that_stops_loses_its_place(void **state)
{
	struct duo d;
	int s = begin(&d, false, LONG_BODY);

	(void)state;
	several_windows(&d, s, true, 5);
	expect(&d, s, "HTTP/1.1 408 ");
}

static void the_application_may_take_its_time(void **state)
{
	static char body[LONG_BODY];
	struct duo d;
	int s = begin(&d, true, LONG_BODY);
	size_t sent = 0;

	(void)state;
	/* until nobody takes any more: the window is full, and the kernel's buffers */
	for (unsigned idle = 0; idle < 200 && sent < LONG_BODY; idle++) {
		ssize_t n = send(s, body + sent, LONG_BODY - sent, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n > 0)
			idle = 0;
		sent += n > 0 ? (size_t)n : 0;
		duo_turn(&d);
	}
	duo_until(&d, upload.stream);
	several_windows(&d, s, false, 0);
	assert_int_equal(duo_server_counts(&d).timeouts, 0);
	upload.held = false;
	weft_stream_resume(upload.stream);
	while (sent < LONG_BODY) {
		ssize_t n = send(s, body + sent, LONG_BODY - sent, MSG_NOSIGNAL | MSG_DONTWAIT);

		sent += n > 0 ? (size_t)n : 0;
		duo_turn(&d);
	}
	expect(&d, s, "HTTP/1.1 200 ");
	assert_int_equal(upload.taken, LONG_BODY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_body_that_keeps_the_rate_is_taken_however_long_it_takes),
		cmocka_unit_test(a_body_that_stops_loses_its_place),
		cmocka_unit_test(the_application_may_take_its_time),
	};

	return duo_main("rates", tests, sizeof(tests) / sizeof(*tests), DUO_PLAIN_WHOLE);
}
