/* SPDX-License-Identifier: MIT */
/*
 * Streams through a scripted proxy over the memory transport: the tunnel in any fragments, what comes right
 * behind the answer, proxies that are hostile or silent, and no memory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/conn/conn.h"
#include "weft/plugin/transport.h"
#include "weft/weft.h"

enum { TURNS_MAX = 5000 };

#define CONNECT "CONNECT a.test:7 HTTP/1.1\r\nHost: a.test:7\r\n\r\n"
#define ANSWER "HTTP/1.1 200 OK\r\n\r\n"
#define HTTP_PROXY "http://p.test:3128"
#define SOCKS_PROXY "socks5://p.test:1080"

static struct {
	struct weft_context *ctx;
	struct weft_allocator alloc;
	struct weft_transport *end; /* the proxy's */
	struct weft_stream *stream;
	long heap;
	unsigned allocs, fails_at;
	char in[4096], got[4096]; /* what the proxy, and the stream, received */
	size_t in_len, got_len;
	bool fin, closed, ended; /* fin: at the proxy */
	struct weft_error why;
} w;

static void *resize(void *user, void *ptr, size_t old_len, size_t new_len)
{
	void *p;

	(void)user;
	if (new_len && ++w.allocs == w.fails_at)
		return NULL;
	p = weft_allocator_system.resize(NULL, ptr, old_len, new_len);
	if (p || !new_len)
		w.heap += (long)new_len - (long)old_len;
	return p;
}

static void no_log(void *user, enum weft_log_level level, const char *line)
{
	(void)user;
	(void)level;
	(void)line;
}

static void open_world(size_t fragment)
{
	struct weft_context_options o = {
		.event = "poll", .tls = "none", .log = no_log, .linger_ms = 1
	};

	memset(&w, 0, sizeof(w));
	w.alloc = (struct weft_allocator){ .resize = resize };
	o.allocator = &w.alloc;
	o.fragment_bytes = fragment;
	assert_int_equal(weft_context_create(&o, &w.ctx, NULL), WEFT_OK);
}

static void close_world(void)
{
	if (w.end)
		weft_transport_destroy(w.end);
	weft_context_destroy(w.ctx, 0, NULL, NULL);
	assert_int_equal(w.heap, 0);
}

static size_t on_data(struct weft_stream *s, const void *bytes, size_t len, void *user)
{
	(void)s;
	(void)user;
	assert_true(w.got_len + len < sizeof(w.got));
	memcpy(w.got + w.got_len, bytes, len);
	w.got_len += len;
	return len;
}

static void on_end(struct weft_stream *s, void *user)
{
	(void)s;
	(void)user;
	w.ended = true;
}

static void on_close(struct weft_stream *s, const struct weft_error *why, void *user)
{
	(void)s;
	(void)user;
	w.closed = true;
	w.why = *why;
}

static const struct weft_stream_ops ops = {
	.on_data = on_data, .on_end = on_end, .on_close = on_close
};

static enum weft_status try_open(const struct weft_stream_options *options, size_t capacity)
{
	struct weft_stream_options o = *options;
	struct weft_transport *ends[2];
	enum weft_status st = weft_transport_memory_pair(w.ctx, capacity, ends, &w.why);

	if (st)
		return st;
	o.transport = ends[0];
	o.body = true;
	if (!o.url)
		o.url = "tcp://a.test:7";
	st = weft_stream_open(w.ctx, &o, &ops, NULL, &w.stream, &w.why);
	if (st) {
		weft_transport_destroy(ends[0]);
		weft_transport_destroy(ends[1]);
	} else {
		w.end = ends[1];
	}
	return st;
}

static void open_through(const char *proxy, size_t capacity)
{
	const struct weft_stream_options o = { .proxy = proxy };

	if (try_open(&o, capacity))
		fail_msg("open: %s", w.why.text);
}

/* The proxy dies. */
static void die(void)
{
	w.end->ops->abort(w.end);
	weft_transport_destroy(w.end);
	w.end = NULL;
}

static void turn(void)
{
	struct weft_span got;

	assert_true(weft_context_turn(w.ctx, 1) >= 0);
	while (w.end && !w.fin) {
		enum weft_status st = w.end->ops->read(w.end, &got, NULL);

		w.fin = st == WEFT_EOF || st == WEFT_ERR_RESET;
		if (st < 0 && !w.fin)
			die();
		if (st != WEFT_OK)
			return;
		assert_true(w.in_len + got.len < sizeof(w.in));
		memcpy(w.in + w.in_len, got.ptr, got.len);
		w.in_len += got.len;
	}
}

#define UNTIL(what)                                               \
	do {                                                      \
		for (int i_ = 0; i_ < TURNS_MAX && !(what); i_++) \
			turn();                                   \
		assert_true(what);                                \
	} while (0)

static void say(const void *bytes, size_t len)
{
	struct weft_segment seg;
	enum weft_status st;
	size_t taken;

	while (len && w.end) {
		seg = weft_segment_borrowed(bytes, len);
		st = w.end->ops->write(w.end, &seg, 1, &taken, NULL);
		bytes = (const char *)bytes + taken;
		len -= taken;
		if (st < 0)
			die();
		else if (len)
			turn();
	}
}

/* The proxy has heard just that. */
static void hears(const void *bytes, size_t len)
{
	UNTIL(w.in_len >= len || w.closed);
	assert_int_equal(w.in_len, len);
	assert_memory_equal(w.in, bytes, len);
	w.in_len = 0;
}

/* Both ways through the tunnel, to a good end. */
static void use_tunnel(void)
{
	size_t had;

	assert_int_equal(weft_stream_write(w.stream, "ping", 4), 4);
	hears("ping", 4);
	had = w.got_len;
	say("pong", 4);
	UNTIL(w.got_len == had + 4);
	assert_memory_equal(w.got + w.got_len - 4, "pong", 4);
	weft_stream_finish(w.stream);
	UNTIL(w.fin);
	assert_int_equal(w.end->ops->shutdown(w.end, NULL), WEFT_OK);
	UNTIL(w.closed);
	assert_int_equal(w.why.status, WEFT_OK);
	assert_true(w.ended);
}

static void connect_makes_a_tunnel_in_any_fragments(void **state)
{
	static const size_t fragments[] = { 0, 1, 2, 3, 7 }, capacities[] = { 0, 1, 5 };

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		for (size_t k = 0; k < 3; k++) {
			open_world(fragments[i]);
			open_through(HTTP_PROXY, capacities[k]);
			hears(CONNECT, strlen(CONNECT));
			for (const char *c = ANSWER; *c; c++) {
				say(c, 1);
				turn();
			}
			use_tunnel();
			close_world();
		}
	}
}

static void socks_makes_a_tunnel_in_any_fragments(void **state)
{
	static const size_t fragments[] = { 0, 1, 2, 3, 7 }, capacities[] = { 0, 1, 5 };

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		for (size_t k = 0; k < 3; k++) {
			open_world(fragments[i]);
			open_through(SOCKS_PROXY, capacities[k]);
			hears("\5\1\0", 3);
			say("\5", 1);
			turn();
			say("\0", 1);
			hears("\5\1\0\3\6a.test\0\7", 13);
			for (const char *c = "\5\0\0\1\0\0\0\0\0\0", *e = c + 10; c < e; c++) {
				say(c, 1);
				turn();
			}
			use_tunnel();
			close_world();
		}
	}
}

/* Nothing of the application's goes to the proxy itself. */
static void nothing_is_sent_before_the_answer(void **state)
{
	(void)state;
	open_world(0);
	open_through(HTTP_PROXY, 0);
	assert_int_equal(weft_stream_write(w.stream, "early", 5), 5);
	hears(CONNECT, strlen(CONNECT));
	for (int i = 0; i < 20; i++)
		turn();
	assert_int_equal(w.in_len, 0);
	say(ANSWER, strlen(ANSWER));
	hears("early", 5);
	use_tunnel();
	close_world();
}

static void bytes_behind_the_answer_are_the_tunnels(void **state)
{
	static const size_t fragments[] = { 0, 1, 4 };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		open_world(fragments[i]);
		open_through(HTTP_PROXY, 0);
		hears(CONNECT, strlen(CONNECT));
		say(ANSWER "a server that speaks first", strlen(ANSWER) + 26);
		UNTIL(w.got_len == 26);
		assert_memory_equal(w.got, "a server that speaks first", 26);
		use_tunnel();
		close_world();
	}
}

static void bytes_behind_the_answer_are_kept_from_an_end_right_behind_them(void **state)
{
	(void)state;
	open_world(0);
	open_through(SOCKS_PROXY, 0);
	hears("\5\1\0", 3);
	say("\5\0", 2);
	hears("\5\1\0\3\6a.test\0\7", 13);
	say("\5\0\0\1\0\0\0\0\0\0bye", 13);
	assert_int_equal(w.end->ops->shutdown(w.end, NULL), WEFT_OK);
	UNTIL(w.ended);
	assert_int_equal(w.got_len, 3);
	weft_stream_finish(w.stream);
	UNTIL(w.closed);
	assert_int_equal(w.why.status, WEFT_OK);
	close_world();
}

static void expect_failure(enum weft_status status, const char *text)
{
	UNTIL(w.closed);
	if (w.why.status != status || strncmp(w.why.text, "proxy " HTTP_PROXY ": ", 25) ||
		!strstr(w.why.text, text))
		fail_msg("%s: %s", weft_status_name(w.why.status), w.why.text);
	close_world();
}

static void failures_name_the_proxy(void **state)
{
	char block[1000];

	(void)state;
	memset(block, 'x', sizeof(block));
	open_world(0);
	open_through(HTTP_PROXY, 0);
	say("HTTP/1.1 403 No way\r\n\r\n", 23);
	expect_failure(WEFT_ERR_REFUSED, "answered 403 No way to CONNECT a.test:7");

	open_world(1);
	open_through(HTTP_PROXY, 0);
	say("\x15\3\3\0\2\2\x28", 7); /* it wants TLS */
	expect_failure(WEFT_ERR_PROTOCOL, "else than HTTP/1.1");

	open_world(0);
	open_through(HTTP_PROXY, 0);
	say("HTTP/1.1 200 OK\r\nx: ", 20);
	for (int i = 0; i < 20; i++)
		say(block, sizeof(block));
	expect_failure(WEFT_ERR_LIMIT, "more than 16384 bytes");

	open_world(0);
	open_through(HTTP_PROXY, 0);
	say("HTTP/1.1 200 OK\r\n\r", 18);
	assert_int_equal(w.end->ops->shutdown(w.end, NULL), WEFT_OK);
	expect_failure(WEFT_ERR_TRUNCATED, "closed the connection before it had answered");

	open_world(0);
	open_through(HTTP_PROXY, 0);
	turn();
	die();
	expect_failure(WEFT_ERR_RESET, "reset");
}

static void silent_proxy_is_given_up_in_time(void **state)
{
	const struct weft_stream_options o = { .proxy = HTTP_PROXY, .handshake_ms = 20 };
	struct weft_counters c;

	(void)state;
	open_world(0);
	assert_int_equal(try_open(&o, 0), WEFT_OK);
	UNTIL(w.closed);
	weft_context_counters(w.ctx, &c);
	assert_int_equal(c.timeouts, 1);
	expect_failure(WEFT_ERR_TIMEOUT, "20 ms (handshake_ms)");
}

static void time_limit_ends_with_the_answer(void **state)
{
	const struct weft_conn *conn;

	(void)state;
	open_world(0);
	open_through(HTTP_PROXY, 0);
	hears(CONNECT, strlen(CONNECT));
	conn = weft_container_of(w.ctx->conns.next, struct weft_conn, node);
	assert_true(conn->state_due_us < WEFT_NEVER);
	say(ANSWER "hi", strlen(ANSWER) + 2);
	UNTIL(w.got_len == 2);
	assert_true(conn->state_due_us == WEFT_NEVER);
	use_tunnel();
	close_world();
}

static void stream_may_be_closed_while_the_proxy_is_asked(void **state)
{
	(void)state;
	open_world(0);
	open_through(HTTP_PROXY, 0);
	hears(CONNECT, strlen(CONNECT));
	weft_stream_close(w.stream);
	UNTIL(w.closed && w.fin);
	assert_int_equal(w.why.status, WEFT_ERR_CANCELLED);
	assert_int_equal(w.in_len, 0);
	close_world();
}

static void bad_options_are_refused(void **state)
{
	static const struct {
		struct weft_stream_options o;
		const char *told;
	} bad[] = {
		{ { .proxy = "" }, "of no kind" },
		{ { .proxy = "http://p.test" }, "no port" },
		{ { .proxy = "http://u:p@p.test:1" }, "user and password" },
		{ { .proxy = HTTP_PROXY, .connect_to = "unix:/tmp/x" }, "no socket of this" },
		{ { .proxy = HTTP_PROXY, .url = "tcp://[fe80::1%lo]:7" }, "zone" },
	};

	(void)state;
	open_world(0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(try_open(&bad[i].o, 0), WEFT_ERR_ARGUMENT);
		if (!strstr(w.why.text, bad[i].told))
			fail_msg("%zu: %s", i, w.why.text);
	}
	close_world();
}

static void no_memory_leaves_nothing_behind(void **state)
{
	unsigned failures = 0, n;
	bool through = false;

	(void)state;
	for (n = 1; !through; n++) {
		const struct weft_stream_options o = { .proxy = SOCKS_PROXY };

		open_world(0);
		w.allocs = 0;
		w.fails_at = n;
		if (try_open(&o, 0)) {
			failures++;
			close_world();
			continue;
		}
		for (int i = 0; i < TURNS_MAX && !w.closed && !w.got_len; i++) {
			turn();
			if (w.in_len == 3) {
				say("\5\0", 2);
				w.in_len = 0;
			} else if (w.in_len == 13) {
				say("\5\0\0\1\0\0\0\0\0\0hi", 12);
				w.in_len = 0;
			}
		}
		assert_true(w.closed || w.got_len == 2);
		failures += w.closed;
		through = w.allocs < n;
		w.fails_at = 0;
		close_world();
	}
	assert_true(failures > 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(connect_makes_a_tunnel_in_any_fragments),
		cmocka_unit_test(socks_makes_a_tunnel_in_any_fragments),
		cmocka_unit_test(nothing_is_sent_before_the_answer),
		cmocka_unit_test(bytes_behind_the_answer_are_the_tunnels),
		cmocka_unit_test(bytes_behind_the_answer_are_kept_from_an_end_right_behind_them),
		cmocka_unit_test(failures_name_the_proxy),
		cmocka_unit_test(silent_proxy_is_given_up_in_time),
		cmocka_unit_test(time_limit_ends_with_the_answer),
		cmocka_unit_test(stream_may_be_closed_while_the_proxy_is_asked),
		cmocka_unit_test(bad_options_are_refused),
		cmocka_unit_test(no_memory_leaves_nothing_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
