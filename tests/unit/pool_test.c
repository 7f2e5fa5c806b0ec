/* SPDX-License-Identifier: MIT */
/*
 * The pool where things go wrong: no stream waits for ever, none pays for what another connection met, and
 * no connection is made that nobody asked for.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/conn/conn.h"
#include "core/plugin/registry.h"
#include "tests/support/late_role.h"
#include "weft/plugin/transport.h"
#include "weft/weft.h"

enum { TURNS_MAX = 5000 };

/* ---- the world ---- */

struct world {
	struct weft_context *ctx;
	struct weft_registry *registry;
	int listener;
	char url[64];
	struct weft_allocator alloc;
	size_t refused_len; /* allocations of this size fail */
	unsigned closes, opens, oks;
	struct weft_error why; /* of the last that closed */
	char story[2048];      /* its story */
};

static void no_log(void *user, enum weft_log_level level, const char *line)
{
	(void)user;
	(void)level;
	(void)line;
}

static void *picky_resize(void *user, void *ptr, size_t old_len, size_t new_len)
{
	const struct world *w = user;

	if (new_len && new_len == w->refused_len)
		return NULL;
	return weft_allocator_system.resize(NULL, ptr, old_len, new_len);
}

static void open_world(
	struct world *w, const char *scheme, const struct weft_context_options *extra)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	struct weft_context_options o = *extra;
	socklen_t len = sizeof(a);

	*w = (struct world){ .listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0) };
	assert_int_equal(bind(w->listener, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(w->listener, 64), 0);
	assert_int_equal(getsockname(w->listener, (struct sockaddr *)&a, &len), 0);
	snprintf(w->url, sizeof(w->url), "%s://127.0.0.1:%u/", scheme, ntohs(a.sin_port));
	assert_int_equal(weft_registry_create(NULL, &w->registry, NULL), WEFT_OK);
	assert_int_equal(weft_registry_add(w->registry, &late_plugin, NULL, NULL), WEFT_OK);
	w->alloc = (struct weft_allocator){ .user = w, .resize = picky_resize };
	o.registry = w->registry;
	o.allocator = &w->alloc;
	o.tls = "none";
	o.log = no_log;
	o.linger_ms = 1;
	assert_int_equal(weft_context_create(&o, &w->ctx, NULL), WEFT_OK);
}

static void turn(struct world *w)
{
	assert_true(weft_context_turn(w->ctx, 2) >= 0);
}

static struct weft_counters counts(const struct world *w)
{
	struct weft_counters c;

	weft_context_counters(w->ctx, &c);
	return c;
}

static void until_closed(struct world *w)
{
	for (unsigned i = 0; i < TURNS_MAX && w->closes < w->opens; i++)
		turn(w);
	assert_int_equal(w->closes, w->opens);
}

static void close_world(struct world *w)
{
	weft_context_destroy(w->ctx, 0, NULL, NULL);
	assert_int_equal(w->closes, w->opens);
	weft_registry_release(w->registry);
	if (w->listener >= 0)
		close(w->listener);
}

static void stop_listening(struct world *w)
{
	close(w->listener);
	w->listener = -1;
}

static void closed(struct weft_stream *s, const struct weft_error *why, void *user)
{
	struct world *w = user;

	weft_stream_explain(s, w->story, sizeof(w->story));
	w->closes++;
	w->oks += why->status == WEFT_OK;
	w->why = *why;
}

static const struct weft_stream_ops ops = { .on_close = closed };

static void open_stream(struct world *w, enum weft_share share, struct weft_transport *transport)
{
	const struct weft_stream_options so = {
		.url = w->url, .method = "GET", .share = share, .transport = transport
	};
	struct weft_stream *s;

	assert_int_equal(weft_stream_open(w->ctx, &so, &ops, w, &s, NULL), WEFT_OK);
	w->opens++;
}

/* ---- a role that cannot begin ---- */

static void a_role_that_could_not_begin_costs_an_attempt(void **state)
{
	const struct weft_context_options o = { .event = NULL };
	struct world w;

	(void)state;
	open_world(&w, "late", &o);
	late_failing_attaches = 1;
	open_stream(&w, WEFT_SHARE_POOL, NULL);
	until_closed(&w);
	assert_int_equal(w.why.status, WEFT_OK);
	assert_int_equal(counts(&w).conns_tried, 2);
	close_world(&w);
}

static void a_role_that_never_begins_fails_the_stream(void **state)
{
	const struct weft_context_options o = { .event = NULL };
	struct world w;

	(void)state;
	open_world(&w, "late", &o);
	late_failing_attaches = UINT32_MAX;
	open_stream(&w, WEFT_SHARE_POOL, NULL);
	until_closed(&w);
	assert_int_equal(w.why.status, WEFT_ERR_MEMORY);
	late_failing_attaches = 0;
	close_world(&w);
}

static void draining_right_after_a_role_could_not_begin_is_safe(void **state)
{
	const struct weft_context_options o = { .event = NULL };
	struct weft_transport *ends[2];
	struct world w;

	(void)state;
	open_world(&w, "late", &o);
	assert_int_equal(weft_transport_memory_pair(w.ctx, 0, ends, NULL), WEFT_OK);
	late_failing_attaches = UINT32_MAX;
	open_stream(&w, WEFT_SHARE_ALONE, ends[0]);
	while (late_failing_attaches == UINT32_MAX)
		turn(&w);
	weft_context_drain(w.ctx, 0, NULL, NULL);
	until_closed(&w);
	late_failing_attaches = 0;
	weft_transport_destroy(ends[1]);
	close_world(&w);
}

static void no_memory_for_a_connection_fails_the_stream(void **state)
{
	const struct weft_context_options o = { .event = NULL };
	struct world w;

	(void)state;
	open_world(&w, "late", &o);
	open_stream(&w, WEFT_SHARE_POOL, NULL);
	w.refused_len = sizeof(struct weft_client_conn);
	until_closed(&w);
	assert_int_equal(w.why.status, WEFT_ERR_MEMORY);
	close_world(&w);
}

/* ---- a role that takes streams later ---- */

static void a_connection_waits_for_its_role_though_none_are_kept_warm(void **state)
{
	const struct weft_context_options o = { .no_keep_warm = true };
	struct world w;

	(void)state;
	open_world(&w, "late", &o);
	open_stream(&w, WEFT_SHARE_POOL, NULL);
	open_stream(&w, WEFT_SHARE_ALONE, NULL);
	until_closed(&w);
	assert_int_equal(w.oks, 2);
	assert_int_equal(counts(&w).streams_queued, 2);
	assert_int_equal(counts(&w).conns_tried, 2);
	for (unsigned i = 0; i < TURNS_MAX && counts(&w).conns_now; i++)
		turn(&w);
	assert_int_equal(counts(&w).conns_now, 0);
	close_world(&w);
}

static void connections_that_take_no_stream_are_failed_attempts(void **state)
{
	const struct weft_context_options o = { .event = NULL };
	struct world w;

	(void)state;
	open_world(&w, "late", &o);
	late_never_ready = true;
	open_stream(&w, WEFT_SHARE_POOL, NULL);
	open_stream(&w, WEFT_SHARE_POOL, NULL);
	until_closed(&w);
	late_never_ready = false;
	assert_int_equal(w.why.status, WEFT_ERR_RESET);
	assert_int_equal(counts(&w).conns_tried, 2);
	close_world(&w);
}

/* ---- a peer that says that it did not act on a stream ---- */

static void unprocessed_streams_are_tried_again_though_they_are_not_idempotent(void **state)
{
	const struct weft_context_options o = { .event = NULL };
	struct world w;

	(void)state;
	open_world(&w, "late", &o);
	late_unprocessed = 2;
	open_stream(&w, WEFT_SHARE_POOL, NULL);
	until_closed(&w);
	assert_int_equal(w.why.status, WEFT_OK);
	assert_int_equal(counts(&w).streams_retried, 2);
	assert_non_null(strstr(w.story, "queued again: on connection 1 the peer said that it did "
					"not process it\n"));
	/* the connection is as good as before */
	assert_int_equal(counts(&w).conns_opened, 1);
	assert_int_equal(counts(&w).conns_stale, 0);
	close_world(&w);
}

static void unprocessed_streams_are_given_up_in_the_end(void **state)
{
	const struct weft_context_options o = { .event = NULL };
	struct world w;

	(void)state;
	open_world(&w, "late", &o);
	late_unprocessed = UINT32_MAX;
	open_stream(&w, WEFT_SHARE_POOL, NULL);
	until_closed(&w);
	assert_int_equal(w.why.status, WEFT_ERR_TRUNCATED);
	assert_int_equal(counts(&w).streams_retried, 4);
	assert_non_null(strstr(w.story, "too many connections ended under it\n"));
	/* and they are paid for */
	open_stream(&w, WEFT_SHARE_POOL, NULL);
	open_stream(&w, WEFT_SHARE_POOL, NULL);
	until_closed(&w);
	assert_int_equal(counts(&w).retries_refused, 1);
	assert_non_null(strstr(w.story, "the budget of retries to this place is used up\n"));
	late_unprocessed = 0;
	close_world(&w);
}

/* ---- a transport that was given ---- */

static void a_given_transport_is_never_replaced_by_dialling(void **state)
{
	const struct weft_context_options o = { .event = NULL };
	struct weft_transport *ends[2];
	struct world w;

	(void)state;
	open_world(&w, "tcp", &o);
	assert_int_equal(weft_transport_memory_pair(w.ctx, 0, ends, NULL), WEFT_OK);
	open_stream(&w, WEFT_SHARE_ALONE, ends[0]);
	turn(&w);
	ends[1]->ops->abort(ends[1]);
	weft_transport_destroy(ends[1]);
	until_closed(&w);
	assert_int_equal(w.why.status, WEFT_ERR_RESET);
	assert_int_equal(counts(&w).conns_tried, 1);
	assert_true(accept(w.listener, NULL, NULL) < 0);
	close_world(&w);
}

/* ---- several connections at once ---- */

static void streams_wait_for_a_live_connection_though_no_more_are_accepted(void **state)
{
	static const char answer[] = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
	const struct weft_context_options o = { .max_conns = 2 };
	char bytes[512];
	struct world w;
	int fd = -1;

	(void)state;
	open_world(&w, "http", &o);
	open_stream(&w, WEFT_SHARE_POOL, NULL);
	for (unsigned i = 0; i < TURNS_MAX && fd < 0; i++) {
		turn(&w);
		fd = accept4(w.listener, NULL, NULL, SOCK_NONBLOCK);
	}
	assert_true(fd >= 0);
	stop_listening(&w);
	open_stream(&w, WEFT_SHARE_POOL, NULL);
	for (unsigned i = 0; i < TURNS_MAX && counts(&w).conns_failed < 2; i++)
		turn(&w);
	turn(&w);
	assert_int_equal(w.closes, 0);
	for (unsigned i = 0; i < 2; i++) {
		for (unsigned k = 0; k < TURNS_MAX && recv(fd, bytes, sizeof(bytes), 0) <= 0; k++)
			turn(&w);
		assert_int_equal(send(fd, answer, sizeof(answer) - 1, 0), sizeof(answer) - 1);
	}
	until_closed(&w);
	assert_int_equal(w.oks, 2);
	assert_int_equal(counts(&w).conns_failed, 2);
	close(fd);
	close_world(&w);
}

static void attempts_side_by_side_count_as_one(void **state)
{
	const struct weft_context_options o = { .max_conns = 4 };
	struct world w;

	(void)state;
	open_world(&w, "http", &o);
	stop_listening(&w);
	for (unsigned i = 0; i < 4; i++)
		open_stream(&w, WEFT_SHARE_POOL, NULL);
	until_closed(&w);
	assert_int_equal(w.oks, 0);
	assert_int_equal(w.why.status, WEFT_ERR_REFUSED);
	/* law 5: one fresh attempt for the queue, then all fail */
	assert_int_equal(counts(&w).conns_tried, 5);
	close_world(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_role_that_could_not_begin_costs_an_attempt),
		cmocka_unit_test(a_role_that_never_begins_fails_the_stream),
		cmocka_unit_test(draining_right_after_a_role_could_not_begin_is_safe),
		cmocka_unit_test(no_memory_for_a_connection_fails_the_stream),
		cmocka_unit_test(a_connection_waits_for_its_role_though_none_are_kept_warm),
		cmocka_unit_test(connections_that_take_no_stream_are_failed_attempts),
		cmocka_unit_test(
			unprocessed_streams_are_tried_again_though_they_are_not_idempotent),
		cmocka_unit_test(unprocessed_streams_are_given_up_in_the_end),
		cmocka_unit_test(a_given_transport_is_never_replaced_by_dialling),
		cmocka_unit_test(streams_wait_for_a_live_connection_though_no_more_are_accepted),
		cmocka_unit_test(attempts_side_by_side_count_as_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
