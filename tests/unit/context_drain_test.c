/* SPDX-License-Identifier: MIT */
/* Draining a context: what finishes, what is cut, and that its end is told once, wherever it was asked for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "weft/plugin/transport.h"
#include "weft/weft.h"

enum { TURNS_MAX = 20000 };

struct world {
	struct weft_context *ctx;
	struct weft_vhost *vh;
	struct weft_route routes[2];
	struct weft_transport *end; /* the client's */
	char got[1024];
	size_t len;
	struct weft_stream *waiting;
	unsigned requests, closes, drained, done;
	struct weft_error why; /* of the last exchange */
	void (*in_handler)(struct world *w);
	void (*in_drained)(struct world *w);
};

static void drained(void *user)
{
	struct world *w = user;

	w->drained++;
	assert_int_equal(w->done, 0);
	if (w->in_drained)
		w->in_drained(w);
}

static void not_me(void *user)
{
	(void)user;
	fail_msg("the callback of a later drain was called");
}

static void done(void *user)
{
	((struct world *)user)->done++;
}

static void closed(struct weft_stream *s, const struct weft_error *why, void *user)
{
	struct world *w = user;

	(void)s;
	w->closes++;
	w->why = *why;
	w->waiting = NULL;
}

static const struct weft_stream_ops ops = { .on_close = closed };

/* Answers later, when the test says so. */
static enum weft_status handler(struct weft_stream *s, void *user)
{
	struct world *w = user;

	w->requests++;
	w->waiting = s;
	weft_stream_set_ops(s, &ops, w);
	if (w->in_handler)
		w->in_handler(w);
	return WEFT_OK;
}

static void no_log(void *user, enum weft_log_level level, const char *line)
{
	(void)user;
	(void)level;
	(void)line;
}

static void ignore(void *user, unsigned events)
{
	(void)user;
	(void)events;
}

static void connect_one(struct world *w)
{
	static const struct weft_transport_owner owner = { .ready = ignore };
	struct weft_transport *ends[2];

	assert_int_equal(weft_transport_memory_pair(w->ctx, 0, ends, NULL), WEFT_OK);
	assert_int_equal(weft_transport_serve(w->vh, "http", ends[0], NULL), WEFT_OK);
	w->end = ends[1];
	assert_int_equal(w->end->ops->start(w->end, &owner, NULL), WEFT_OK);
}

static void open_world(struct world *w)
{
	const struct weft_context_options o = {
		.event = "poll", .tls = "none", .log = no_log, .linger_ms = 1
	};
	struct weft_vhost_options v = { .name = "a", .listen = "http://127.0.0.1:0" };

	*w = (struct world){ .routes = { { .prefix = "", .on_request = handler, .user = w } } };
	v.routes = w->routes;
	assert_int_equal(weft_context_create(&o, &w->ctx, NULL), WEFT_OK);
	assert_int_equal(weft_vhost_create(w->ctx, &v, &w->vh, NULL), WEFT_OK);
}

static void hang_up(struct world *w)
{
	weft_transport_destroy(w->end);
	w->end = NULL;
}

static void turn(struct world *w)
{
	struct weft_span got = { NULL, 0 };

	assert_true(weft_context_turn(w->ctx, 1) >= 0);
	while (w->end && !w->done && w->end->ops->read(w->end, &got, NULL) == WEFT_OK) {
		assert_true(w->len + got.len < sizeof(w->got));
		memcpy(w->got + w->len, got.ptr, got.len);
		w->len += got.len;
	}
}

#define until(w, what)                                                 \
	do {                                                           \
		for (unsigned i_ = 0; i_ < TURNS_MAX && !(what); i_++) \
			turn(w);                                       \
		assert_true(what);                                     \
	} while (0)

static void ask(struct world *w)
{
	static const char request[] = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";
	const struct weft_segment seg = weft_segment_static(request, sizeof(request) - 1);
	unsigned before = w->requests;
	size_t taken = 0;

	connect_one(w);
	assert_int_equal(w->end->ops->write(w->end, &seg, 1, &taken, NULL), WEFT_OK);
	until(w, w->requests > before);
}

static void an_empty_context_is_drained_in_its_next_turn(void **state)
{
	struct world w;
	char url[64];

	(void)state;
	open_world(&w);
	weft_context_drain(w.ctx, 0, drained, &w);
	assert_int_equal(w.drained, 0); /* never within the call */
	until(&w, w.drained);
	assert_int_equal(weft_vhost_listener(w.vh, 0, url, sizeof(url)), WEFT_ERR_NOT_FOUND);
	/* and it still runs, but begins nothing */
	for (unsigned i = 0; i < 10; i++)
		turn(&w);
	assert_int_equal(weft_vhost_listen(w.vh, "http://127.0.0.1:0", NULL), WEFT_ERR_SHUTDOWN);
	assert_int_equal(w.drained, 1);
	weft_context_destroy(w.ctx, 0, done, &w);
	assert_int_equal(w.drained + w.done, 2);
}

static void what_is_under_way_may_finish(void **state)
{
	struct world w;

	(void)state;
	open_world(&w);
	ask(&w);
	weft_context_drain(w.ctx, 0, drained, &w);
	for (unsigned i = 0; i < 20; i++)
		turn(&w);
	assert_int_equal(w.drained + w.closes, 0);
	assert_int_equal(weft_http_reply_static(w.waiting, 200, NULL, "fine", 4), WEFT_OK);
	until(&w, w.closes);
	assert_int_equal(w.why.status, WEFT_OK);
	until(&w, strstr(w.got, "fine"));
	assert_non_null(strstr(w.got, "connection: close"));
	hang_up(&w);
	until(&w, w.drained);
	weft_context_destroy(w.ctx, 0, NULL, NULL);
}

static void the_deadline_cuts_and_says_so(void **state)
{
	struct world w;

	(void)state;
	open_world(&w);
	ask(&w);
	weft_context_drain(w.ctx, 5, drained, &w);
	until(&w, w.drained);
	assert_int_equal(w.closes, 1);
	assert_int_equal(w.why.status, WEFT_ERR_SHUTDOWN);
	assert_string_equal(w.why.text, "the drain's deadline came");
	hang_up(&w);
	weft_context_destroy(w.ctx, 0, NULL, NULL);
}

static void a_later_drain_can_only_hurry(void **state)
{
	struct world w;

	(void)state;
	open_world(&w);
	ask(&w);
	weft_context_drain(w.ctx, 0, drained, &w);
	weft_context_drain(w.ctx, 3600000, not_me, NULL);
	weft_context_drain(w.ctx, 5, not_me, NULL);
	weft_context_drain(w.ctx, 3600000, not_me, NULL);
	weft_context_drain(w.ctx, 0, not_me, NULL);
	until(&w, w.drained);
	assert_int_equal(w.closes, 1);
	hang_up(&w);
	weft_context_drain(w.ctx, 5, not_me, NULL);
	for (unsigned i = 0; i < 20; i++)
		turn(&w);
	weft_context_destroy(w.ctx, 0, NULL, NULL);
	assert_int_equal(w.drained, 1);
}

static void a_destroy_keeps_the_drains_deadline(void **state)
{
	struct world w;

	(void)state;
	open_world(&w);
	ask(&w);
	weft_context_drain(w.ctx, 5, drained, &w);
	weft_context_destroy(w.ctx, 3600000, done, &w);
	hang_up(&w);
	for (unsigned i = 0; i < TURNS_MAX && !w.done; i++)
		assert_true(weft_context_turn(w.ctx, 1) >= 0);
	assert_int_equal(w.drained + w.done, 2);
	assert_int_equal(w.closes, 1);
}

static void drain_here(struct world *w)
{
	weft_context_drain(w->ctx, 0, drained, w);
	weft_http_reply_static(w->waiting, 200, NULL, "fine", 4);
}

static void destroy_here(struct world *w)
{
	weft_context_destroy(w->ctx, 0, done, w);
	assert_int_equal(w->done, 0);
}

static void a_handler_may_drain_and_the_end_of_it_destroy(void **state)
{
	struct world w;

	(void)state;
	open_world(&w);
	w.in_handler = drain_here;
	w.in_drained = destroy_here;
	ask(&w);
	until(&w, strstr(w.got, "fine"));
	hang_up(&w);
	for (unsigned i = 0; i < TURNS_MAX && !w.done; i++)
		assert_true(weft_context_turn(w.ctx, 1) >= 0);
	assert_int_equal(w.drained + w.done, 2);
	assert_int_equal(w.why.status, WEFT_OK);
}

static void a_destroy_that_cannot_wait_tells_of_the_drain_as_well(void **state)
{
	struct world w;

	(void)state;
	for (unsigned busy = 0; busy < 2; busy++) {
		open_world(&w);
		if (busy) {
			ask(&w);
			weft_transport_destroy(w.end);
		}
		weft_context_drain(w.ctx, 0, drained, &w);
		weft_context_destroy(w.ctx, 0, done, &w);
		assert_int_equal(w.drained + w.done, 2);
		assert_int_equal(w.closes, busy);
	}
}

static void destroy_again(struct world *w)
{
	weft_context_destroy(w->ctx, 0, not_me, NULL);
}

static void within_a_destroy_that_cannot_wait_another_does_no_harm(void **state)
{
	struct world w;

	(void)state;
	open_world(&w);
	ask(&w);
	weft_transport_destroy(w.end);
	w.in_drained = destroy_again;
	weft_context_drain(w.ctx, 0, drained, &w);
	weft_context_destroy(w.ctx, 0, done, &w);
	assert_int_equal(w.drained + w.done, 2);
}

static void serve_here(struct world *w)
{
	connect_one(w);
	hang_up(w); /* ours; the server's does not know yet */
}

static void a_connection_begun_while_the_end_is_told_is_ended_too(void **state)
{
	struct world w;

	(void)state;
	for (unsigned destroy = 0; destroy < 2; destroy++) {
		open_world(&w);
		w.in_drained = serve_here;
		weft_context_drain(w.ctx, 0, drained, &w);
		if (!destroy)
			until(&w, w.drained);
		weft_context_destroy(w.ctx, 0, done, &w);
		assert_int_equal(w.drained + w.done, 2);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_context_is_drained_in_its_next_turn),
		cmocka_unit_test(what_is_under_way_may_finish),
		cmocka_unit_test(the_deadline_cuts_and_says_so),
		cmocka_unit_test(a_later_drain_can_only_hurry),
		cmocka_unit_test(a_destroy_keeps_the_drains_deadline),
		cmocka_unit_test(a_handler_may_drain_and_the_end_of_it_destroy),
		cmocka_unit_test(a_destroy_that_cannot_wait_tells_of_the_drain_as_well),
		cmocka_unit_test(within_a_destroy_that_cannot_wait_another_does_no_harm),
		cmocka_unit_test(a_connection_begun_while_the_end_is_told_is_ended_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
