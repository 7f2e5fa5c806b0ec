/* SPDX-License-Identifier: MIT */
/* Several contexts in one process: other loops, other TLS libraries, other threads; and how one ends. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/certs.h"
#include "tests/support/duo.h"

enum { THREADS = 4, EACH = 25 };

/* ---- one thread ---- */

static void contexts_of_two_loops_and_two_libraries_stand_side_by_side(void **state)
{
	struct duo_combo mine = duo_combo;
	struct ask a[2];
	struct duo d[2];

	(void)state;
	duo_open(&d[0], NULL, NULL, NULL, false);
	/* the same the other way round, at the same time */
	duo_combo.event = mine.server_event;
	duo_combo.server_event = mine.event;
	duo_combo.client_tls = mine.server_tls;
	duo_combo.server_tls = mine.client_tls;
	duo_open(&d[1], NULL, NULL, NULL, false);
	duo_combo = mine;
	memset(a, 0, sizeof(a));
	assert_string_equal(weft_context_event(d[0].client), mine.event);
	assert_string_equal(weft_context_event(d[1].client), mine.server_event);
	ask_open(&a[0], &d[0], 1, true, NULL);
	ask_open(&a[1], &d[1], 2, false, NULL);
	for (unsigned i = 0; i < DUO_TURNS && !(a[0].closed && a[1].closed); i++) {
		duo_turn(&d[0]);
		duo_turn(&d[1]);
	}
	ask_check(&a[0]);
	ask_check(&a[1]);
	duo_close(&d[0]);
	duo_close(&d[1]);
}

/* ---- a thread each ---- */

struct worker {
	pthread_t thread;
	unsigned number, closed, good;
	const char *event;
	struct weft_context *ctx;
	char base[64];
	char failure[244];
};

static void worker_closed(struct weft_stream *s, const struct weft_error *why, void *user)
{
	struct worker *w = user;

	(void)s;
	w->closed++;
	w->good += why->status == WEFT_OK;
	if (why->status)
		memcpy(w->failure, why->text, sizeof(w->failure));
	if (w->closed == EACH)
		weft_context_stop(w->ctx);
}

static void *work(void *arg)
{
	static const struct weft_stream_ops ops = { .on_close = worker_closed };
	struct worker *w = arg;
	const struct weft_context_options o = {
		.event = w->event,
		.tls = duo_combo.client_tls ? duo_combo.client_tls : "none",
	};
	const struct test_cert *ca = test_certs_ca();
	const struct weft_trust trust = { .ca = { (unsigned char *)ca->cert, ca->cert_len } };
	struct weft_request r = { .share = WEFT_SHARE_POOL, .total_ms = 20000 };
	struct weft_error err;
	char url[96];

	if (weft_context_create(&o, &w->ctx, &err)) {
		memcpy(w->failure, err.text, sizeof(w->failure));
		return NULL;
	}
	r.url = url;
	r.trust = &trust;
	for (unsigned i = 0; i < EACH; i++) {
		struct weft_stream *s;

		snprintf(url, sizeof(url), "%s/digest/%u", w->base, w->number * EACH + i);
		if (weft_http_open(w->ctx, &r, &ops, w, &s, &err))
			memcpy(w->failure, err.text, sizeof(w->failure));
	}
	if (!w->failure[0])
		(void)weft_context_run(w->ctx);
	weft_context_destroy(w->ctx, 0, NULL, NULL);
	return NULL;
}

static void contexts_on_threads_of_their_own_share_nothing(void **state)
{
	struct worker w[THREADS];
	struct duo d;

	(void)state;
	duo_open(&d, NULL, NULL, NULL, false);
	(void)test_certs_ca(); /* made by one thread, for all */
	memset(w, 0, sizeof(w));
	for (unsigned i = 0; i < THREADS; i++) {
		w[i].number = i;
		w[i].event = i % 2 ? duo_combo.event : duo_combo.server_event;
		strcpy(w[i].base, d.base);
		assert_int_equal(pthread_create(&w[i].thread, NULL, work, &w[i]), 0);
	}
	for (unsigned i = 0; i < DUO_TURNS && duo_server_counts(&d).streams_ok < THREADS * EACH;
		i++)
		assert_true(weft_context_turn(d.server, 10) >= 0);
	for (unsigned i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(w[i].thread, NULL), 0);
		if (w[i].good != EACH)
			fail_msg("thread %u: %u of %u: %s", i, w[i].good, (unsigned)EACH,
				w[i].failure);
	}
	assert_int_equal(duo_server_counts(&d).conns_accepted, THREADS);
	duo_close(&d);
}

/* ---- posting ---- */

struct posting {
	pthread_t thread;
	uint64_t id;
	atomic_uint called, dropped, refused;
};

static void called(void *arg)
{
	atomic_fetch_add(&((struct posting *)arg)->called, 1);
}

static void dropped(void *arg)
{
	atomic_fetch_add(&((struct posting *)arg)->dropped, 1);
}

enum { POSTS = 1000 };

static void *post_all(void *arg)
{
	struct posting *p = arg;

	for (int i = 0; i < POSTS; i++) {
		if (weft_post(p->id, called, p, dropped))
			atomic_fetch_add(&p->refused, 1);
	}
	return NULL;
}

static void posts_are_called_dropped_or_refused_each_once(void **state)
{
	struct posting p[2];
	unsigned sum;
	struct duo d;

	(void)state;
	/* one whose context lives, one whose context goes meanwhile */
	for (int early = 0; early < 2; early++) {
		duo_open(&d, NULL, NULL, NULL, false);
		memset(p, 0, sizeof(p));
		for (int i = 0; i < 2; i++) {
			p[i].id = weft_context_id(i ? d.server : d.client);
			assert_int_equal(pthread_create(&p[i].thread, NULL, post_all, &p[i]), 0);
		}
		for (int i = 0; early && i < 3; i++)
			duo_turn(&d);
		if (early)
			duo_close(&d);
		for (int i = 0; i < 2; i++)
			assert_int_equal(pthread_join(p[i].thread, NULL), 0);
		if (!early)
			duo_until(&d, atomic_load(&p[0].called) == POSTS &&
					      atomic_load(&p[1].called) == POSTS);
		for (int i = 0; i < 2; i++) {
			sum = p[i].called + p[i].dropped + p[i].refused;
			assert_int_equal(sum, POSTS);
		}
		duo_close(&d);
		assert_int_equal(weft_post(p[0].id, called, &p[0], dropped), WEFT_EOF);
	}
}

static void post_wakes_a_waiting_loop(void **state)
{
	struct posting p;
	struct duo d;

	(void)state;
	duo_open(&d, NULL, NULL, NULL, false);
	memset(&p, 0, sizeof(p));
	p.id = weft_context_id(d.client);
	assert_int_equal(pthread_create(&p.thread, NULL, post_all, &p), 0);
	/* each of these would wait for a minute */
	while (atomic_load(&p.called) < POSTS)
		assert_int_equal(weft_context_turn(d.client, 60000), WEFT_OK);
	assert_int_equal(pthread_join(p.thread, NULL), 0);
	duo_close(&d);
}

/* ---- the end of a context ---- */

static void set_true(void *user)
{
	*(bool *)user = true;
}

static void destroyed_context_lets_running_exchanges_finish(void **state)
{
	const struct weft_request later = { .body_later = true, .method = "POST" };
	bool done = false;
	struct ask a;
	struct duo d;

	(void)state;
	duo_open(&d, NULL, NULL, NULL, false);
	memset(&a, 0, sizeof(a));
	ask_open(&a, &d, 3, true, &later);
	duo_until(&d, duo_server_counts(&d).streams_incoming == 1);
	weft_context_destroy(d.server, 10000, set_true, &done);
	for (int i = 0; i < 50; i++)
		duo_turn(&d);
	assert_false(done);
	assert_int_equal(weft_stream_write(a.stream, a.body, strlen(a.body)), strlen(a.body));
	weft_stream_finish(a.stream);
	for (unsigned i = 0; i < DUO_TURNS && !(done && a.closed); i++) {
		if (!done && weft_context_turn(d.server, 0) == WEFT_EOF)
			d.server = NULL;
		assert_true(weft_context_turn(d.client, 0) >= 0);
	}
	assert_true(done);
	ask_check(&a);
	d.server = NULL;
	duo_close(&d);
}

static void deadline_cuts_what_does_not_finish(void **state)
{
	const struct weft_request later = { .body_later = true, .method = "POST" };
	bool done = false;
	struct ask a;
	struct duo d;

	(void)state;
	duo_open(&d, NULL, NULL, NULL, false);
	memset(&a, 0, sizeof(a));
	ask_open(&a, &d, 3, true, &later);
	duo_until(&d, duo_server_counts(&d).streams_incoming == 1);
	weft_context_destroy(d.client, 30, set_true, &done);
	for (unsigned i = 0; i < DUO_TURNS && !done; i++) {
		assert_true(weft_context_turn(d.server, 0) >= 0);
		if (weft_context_turn(d.client, 1) == WEFT_EOF)
			assert_true(done);
	}
	assert_true(done);
	assert_int_equal(a.closes, 1);
	assert_int_equal(a.why.status, WEFT_ERR_SHUTDOWN);
	d.client = NULL;
	duo_close(&d);
}

/* Whoever lost patience: the end comes earlier, and is told to the first who asked. */
static void deadline_can_be_brought_forward(void **state)
{
	const struct weft_request later = { .body_later = true, .method = "POST" };
	bool done, second = false;
	struct ask a;
	struct duo d;

	(void)state;
	for (uint32_t ms = 0; ms <= 20; ms += 20) {
		done = false;
		duo_open(&d, NULL, NULL, NULL, false);
		memset(&a, 0, sizeof(a));
		ask_open(&a, &d, 3, true, &later);
		duo_until(&d, duo_server_counts(&d).streams_incoming == 1);
		weft_context_destroy(d.client, 600000, set_true, &done);
		for (int i = 0; i < 20; i++)
			duo_turn(&d);
		assert_false(done);
		weft_context_destroy(d.client, 700000, set_true, &second);
		weft_context_destroy(d.client, ms, set_true, &second);
		for (unsigned i = 0; i < DUO_TURNS && !done; i++) {
			assert_true(weft_context_turn(d.server, 0) >= 0);
			if (weft_context_turn(d.client, 1) == WEFT_EOF)
				assert_true(done);
		}
		assert_true(done);
		assert_false(second);
		assert_int_equal(a.closes, 1);
		d.client = NULL;
		duo_close(&d);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(contexts_of_two_loops_and_two_libraries_stand_side_by_side),
		cmocka_unit_test(contexts_on_threads_of_their_own_share_nothing),
		cmocka_unit_test(posts_are_called_dropped_or_refused_each_once),
		cmocka_unit_test(post_wakes_a_waiting_loop),
		cmocka_unit_test(destroyed_context_lets_running_exchanges_finish),
		cmocka_unit_test(deadline_cuts_what_does_not_finish),
		cmocka_unit_test(deadline_can_be_brought_forward),
	};

	return duo_main("contexts", tests, sizeof(tests) / sizeof(*tests), DUO_ALL);
}
