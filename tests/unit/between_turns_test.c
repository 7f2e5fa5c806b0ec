/* SPDX-License-Identifier: MIT */
/*
 * What an application does between turns of a loop, its own or one that was adopted: it sees the time as it
 * is, and a context that it destroys there is gone on return.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "weft/plugin/net.h"
#include "weft/weft.h"

static void no_log(void *user, enum weft_log_level level, const char *line)
{
	(void)user;
	(void)level;
	(void)line;
}

static void let_time_pass(uint64_t us)
{
	uint64_t until = weft_net_posix.now(NULL) + us;

	while (weft_net_posix.now(NULL) < until) {
	}
}

static void never(struct weft_timer *timer, void *user)
{
	(void)timer;
	(void)user;
	fail_msg("a timer came before its time");
}

static void the_time_is_not_that_of_an_earlier_question(void **state)
{
	const struct weft_context_options o = { .tls = "none", .log = no_log };
	struct weft_timer timer = { .queued = false };
	struct weft_context *ctx;
	uint64_t before;

	(void)state;
	assert_int_equal(weft_context_create(&o, &ctx, NULL), WEFT_OK);
	assert_int_equal(weft_context_turn(ctx, 0), WEFT_OK);
	before = weft_context_now(ctx);
	let_time_pass(20000);
	assert_true(weft_context_now(ctx) >= before + 20000);
	let_time_pass(20000);
	weft_timer_set(ctx, &timer, 10000000, never, NULL);
	assert_true(timer.due_us >= before + 10040000);
	weft_timer_cancel(ctx, &timer);
	weft_context_destroy(ctx, 0, NULL, NULL);
}

#ifdef WEFT_HAVE_EVENT_LIBEVENT

#include <arpa/inet.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static void set_true(void *user)
{
	*(bool *)user = true;
}

struct adopted {
	struct event_base *base;
	unsigned closes;
	bool told;
};

static size_t leave_loop(struct weft_stream *s, const void *bytes, size_t len, void *user)
{
	struct adopted *a = user;

	(void)s;
	(void)bytes;
	a->told = true;
	event_base_loopbreak(a->base);
	return len;
}

static void closed(struct weft_stream *s, const struct weft_error *why, void *user)
{
	(void)s;
	(void)why;
	((struct adopted *)user)->closes++;
}

static const struct weft_stream_ops ops = { .on_data = leave_loop, .on_close = closed };

static enum weft_status handler(struct weft_stream *s, void *user)
{
	weft_stream_set_ops(s, &ops, user);
	return WEFT_OK;
}

static int dial(const struct weft_vhost *vh)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	char url[80];

	assert_true(fd >= 0);
	assert_int_equal(weft_vhost_listener(vh, 0, url, sizeof(url)), WEFT_OK);
	to.sin_port = htons((uint16_t)atoi(strrchr(url, ':') + 1));
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

/* The loop was left between a socket's report and the end of that turn. */
static void a_context_ends_at_once_after_the_adopted_loop_was_left_in_a_callback(void **state)
{
	struct adopted a = { .base = event_base_new() };
	const struct weft_route routes[] = { { .prefix = "", .on_request = handler, .user = &a },
		{ .prefix = NULL } };
	const struct weft_context_options o = {
		.event = "libevent", .tls = "none", .log = no_log, .foreign_loop = a.base
	};
	const struct weft_vhost_options v = {
		.name = "a", .listen = "tcp://127.0.0.1:0", .routes = routes
	};
	struct weft_context *ctx;
	struct weft_vhost *vh;
	bool done = false;
	int fd;

	(void)state;
	assert_int_equal(weft_context_create(&o, &ctx, NULL), WEFT_OK);
	assert_int_equal(weft_vhost_create(ctx, &v, &vh, NULL), WEFT_OK);
	fd = dial(vh);
	assert_int_equal(send(fd, "x", 1, 0), 1);
	for (unsigned i = 0; i < 5000 && !a.told; i++)
		event_base_loop(a.base, EVLOOP_ONCE);
	assert_true(a.told);
	weft_context_destroy(ctx, 0, set_true, &done);
	assert_true(done);
	assert_int_equal(a.closes, 1);
	assert_int_equal(event_base_get_num_events(a.base, EVENT_BASE_COUNT_ADDED), 0);
	event_base_free(a.base);
	close(fd);
}

#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_time_is_not_that_of_an_earlier_question),
#ifdef WEFT_HAVE_EVENT_LIBEVENT
		cmocka_unit_test(
			a_context_ends_at_once_after_the_adopted_loop_was_left_in_a_callback),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
