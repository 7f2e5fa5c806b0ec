/* SPDX-License-Identifier: MIT */
/* Streams by id: answered later from another thread, found while they live and never after. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/served.h"

enum { MANY = 300, TURNS_MAX = 100000 };

static pthread_t home; /* the context's thread */
static uint64_t asked_id;
static unsigned asked, answered, dropped, closes;
static bool gone_at_close;
static enum weft_status last_reply;

static void on_close(struct weft_stream *s, const struct weft_error *why, void *user)
{
	(void)why;
	(void)user;
	closes++;
	/* on its way out nobody finds it any more, and its id stays */
	gone_at_close = !weft_stream_by_id(weft_stream_context(s), weft_stream_id(s));
}

static const struct weft_stream_ops ops = { .on_close = on_close };

static enum weft_status later(struct weft_stream *s, void *user)
{
	(void)user;
	asked++;
	asked_id = weft_stream_id(s);
	assert_int_equal(weft_stream_id(s), asked_id);
	assert_ptr_equal(weft_stream_by_id(weft_stream_context(s), asked_id), s);
	weft_stream_set_ops(s, &ops, NULL);
	return WEFT_OK;
}

static const struct weft_route routes[] = {
	{ .path = "/later", .on_request = later },
	{ .on_request = NULL },
};
static const struct weft_vhost_options vhost = { .name = "a", .routes = routes };
static const char request[] = "GET /later HTTP/1.1\r\nHost: a\r\n\r\n";

static void reset(void)
{
	home = pthread_self();
	asked_id = 0;
	asked = answered = dropped = closes = 0;
	gone_at_close = false;
}

static void answer(struct weft_stream *s, void *arg)
{
	answered++;
	assert_true(pthread_equal(home, pthread_self()));
	last_reply = weft_http_reply(s, 200, NULL, arg, strlen(arg));
	free(arg);
}

static void drop(void *arg)
{
	dropped++;
	assert_true(pthread_equal(home, pthread_self()));
	free(arg);
}

struct job {
	uint64_t ctx, stream;
	enum weft_status status;
	atomic_bool done;
};

static void *work(void *arg)
{
	struct job *j = arg;
	char *text = strdup("from afar");

	j->status = weft_stream_post(j->ctx, j->stream, answer, text, drop);
	if (j->status)
		free(text);
	atomic_store(&j->done, true);
	return NULL;
}

static void do_in_thread(struct job *j)
{
	pthread_t thread;

	atomic_store(&j->done, false);
	assert_int_equal(pthread_create(&thread, NULL, work, j), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
}

static void turn_until(struct served *v, const unsigned *what, unsigned n)
{
	for (int i = 0; i < TURNS_MAX && *what < n; i++)
		served_turn(v);
	assert_int_equal(*what, n);
}

static void another_thread_answers(void **state)
{
	struct served v;
	struct job j;
	pthread_t thread;

	(void)state;
	reset();
	served_open(&v, &vhost);
	served_send(&v, request, strlen(request), SIZE_MAX);
	turn_until(&v, &asked, 1);
	j.ctx = weft_context_id(v.ctx);
	j.stream = asked_id;
	/* while this one turns */
	assert_int_equal(pthread_create(&thread, NULL, work, &j), 0);
	served_until(&v, "from afar");
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(j.status, WEFT_OK);
	assert_int_equal(served_status(&v), 200);
	turn_until(&v, &closes, 1);
	assert_true(gone_at_close);
	assert_int_equal(answered, 1);
	assert_int_equal(last_reply, WEFT_OK);
	assert_int_equal(dropped, 0);
	served_close(&v);
}

static void a_stream_that_is_gone_has_it_dropped(void **state)
{
	struct served v;
	struct job j;

	(void)state;
	reset();
	served_open(&v, &vhost);
	served_send(&v, request, strlen(request), SIZE_MAX);
	turn_until(&v, &asked, 1);
	j.ctx = weft_context_id(v.ctx);
	j.stream = asked_id;
	weft_stream_close(weft_stream_by_id(v.ctx, asked_id));
	turn_until(&v, &closes, 1);
	assert_null(weft_stream_by_id(v.ctx, asked_id));
	do_in_thread(&j);
	assert_int_equal(j.status, WEFT_OK);
	turn_until(&v, &dropped, 1);
	assert_int_equal(answered, 0);
	served_close(&v);
}

static void a_context_that_goes_drops_and_one_that_is_gone_says_so(void **state)
{
	struct served v;
	struct job j;

	(void)state;
	reset();
	served_open(&v, &vhost);
	served_send(&v, request, strlen(request), SIZE_MAX);
	turn_until(&v, &asked, 1);
	j.ctx = weft_context_id(v.ctx);
	j.stream = asked_id;
	do_in_thread(&j);
	assert_int_equal(j.status, WEFT_OK);
	served_close(&v);
	assert_int_equal(answered + dropped, 1);
	assert_int_equal(closes, 1);
	do_in_thread(&j);
	assert_int_equal(j.status, WEFT_EOF);
	assert_int_equal(answered + dropped, 1);
}

/* ---- many: the table grows, and each is found; an id is never given twice ---- */

static uint64_t many_ids[MANY];
static unsigned many_count;

static enum weft_status keep_one(struct weft_stream *s, void *user)
{
	(void)user;
	many_ids[many_count++] = weft_stream_id(s);
	weft_stream_set_ops(s, &ops, NULL);
	return WEFT_OK;
}

static const struct weft_route many_routes[] = {
	{ .prefix = "/", .on_request = keep_one },
	{ .on_request = NULL },
};

static void ready(void *user, unsigned events)
{
	(void)user;
	(void)events;
}

static void open_many(struct served *v, struct weft_transport **ends)
{
	const struct weft_transport_owner owner = { .ready = ready };
	struct weft_segment seg = weft_segment_static(request, sizeof(request) - 1);
	struct weft_transport *pair[2];
	struct weft_error err;
	size_t taken;

	many_count = 0;
	for (unsigned i = 0; i < MANY; i++) {
		assert_int_equal(weft_transport_memory_pair(v->ctx, 0, pair, &err), WEFT_OK);
		assert_int_equal(weft_transport_serve(v->vh, "http", pair[0], &err), WEFT_OK);
		ends[i] = pair[1];
		assert_int_equal(pair[1]->ops->start(pair[1], &owner, &err), WEFT_OK);
		assert_int_equal(pair[1]->ops->write(pair[1], &seg, 1, &taken, &err), WEFT_OK);
	}
	for (int i = 0; i < TURNS_MAX && many_count < MANY; i++)
		served_turn(v);
	assert_int_equal(many_count, MANY);
}

static void close_all(struct served *v, struct weft_transport **ends)
{
	for (unsigned i = 0; i < MANY; i++) {
		struct weft_stream *s = weft_stream_by_id(v->ctx, many_ids[i]);

		assert_non_null(s);
		assert_int_equal(weft_stream_id(s), many_ids[i]);
		weft_stream_close(s);
		if (i % 16 == 0)
			served_turn(v);
	}
	turn_until(v, &closes, MANY);
	for (unsigned i = 0; i < MANY; i++) {
		assert_null(weft_stream_by_id(v->ctx, many_ids[i]));
		weft_transport_destroy(ends[i]);
	}
}

static void many_are_found_and_no_id_comes_again(void **state)
{
	const struct weft_vhost_options many = { .name = "a", .routes = many_routes };
	struct weft_transport *ends[MANY];
	uint64_t last = 0;
	struct served v;

	(void)state;
	served_open(&v, &many);
	for (int round = 0; round < 2; round++) {
		reset();
		open_many(&v, ends);
		for (unsigned i = 0; i < MANY; i++) {
			assert_true(many_ids[i] > last);
			last = many_ids[i];
		}
		close_all(&v, ends);
	}
	assert_null(weft_stream_by_id(v.ctx, 0));
	assert_null(weft_stream_by_id(v.ctx, last + 1));
	served_close(&v);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(another_thread_answers),
		cmocka_unit_test(a_stream_that_is_gone_has_it_dropped),
		cmocka_unit_test(a_context_that_goes_drops_and_one_that_is_gone_says_so),
		cmocka_unit_test(many_are_found_and_no_id_comes_again),
	};

	return cmocka_run_group_tests_name("stream id", tests, NULL, NULL);
}
