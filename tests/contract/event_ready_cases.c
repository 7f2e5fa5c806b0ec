/* SPDX-License-Identifier: MIT */
/* Readiness: what is reported, when, and what may be done from within a report. */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/contract/event_world.h"

enum { READ = WEFT_EVENT_READ, WRITE = WEFT_EVENT_WRITE };

static void reports_both_directions(void **state)
{
	struct event_world w;
	struct event_spot s;

	event_open(&w, *state, NULL);
	event_spot_open(&s, &w, READ);
	event_run_for(&w, 10);
	assert_int_equal(s.readies, 0);
	event_spot_poke(&s);
	event_run(&w);
	assert_int_equal(s.readies, 1);
	assert_int_equal(s.events, READ);
	s.events = 0;
	w.ops->interest(w.loop, s.watch, READ | WRITE);
	event_run(&w);
	assert_int_equal(s.readies, 2);
	assert_int_equal(s.events, READ | WRITE);
	event_spot_take(&s);
	s.events = 0;
	event_run(&w);
	assert_int_equal(s.events, WRITE);
	event_spot_close(&s);
	event_close(&w);
}

static void is_level_triggered(void **state)
{
	struct event_world w;
	struct event_spot s;

	event_open(&w, *state, NULL);
	event_spot_open(&s, &w, READ);
	event_spot_poke(&s);
	for (unsigned i = 1; i <= 5; i++) {
		event_run(&w);
		assert_int_equal(s.readies, i);
	}
	event_spot_take(&s);
	event_run_for(&w, 10);
	assert_int_equal(s.readies, 5);
	event_spot_close(&s);
	event_close(&w);
}

static void interest_can_be_changed(void **state)
{
	struct event_world w;
	struct event_spot s;

	event_open(&w, *state, NULL);
	event_spot_open(&s, &w, 0);
	event_spot_poke(&s);
	event_run_for(&w, 10);
	assert_int_equal(s.readies, 0);
	assert_int_equal(w.ops->interest(w.loop, s.watch, WRITE), WEFT_OK);
	event_run(&w);
	assert_int_equal(s.events, WRITE);
	/* back and forth before a wait: the last one counts */
	assert_int_equal(w.ops->interest(w.loop, s.watch, 0), WEFT_OK);
	assert_int_equal(w.ops->interest(w.loop, s.watch, WRITE), WEFT_OK);
	assert_int_equal(w.ops->interest(w.loop, s.watch, READ), WEFT_OK);
	assert_int_equal(w.ops->interest(w.loop, s.watch, READ), WEFT_OK);
	s.events = 0;
	event_run(&w);
	assert_int_equal(s.events, READ);
	assert_int_equal(w.ops->interest(w.loop, s.watch, 0), WEFT_OK);
	s.readies = 0;
	event_run_for(&w, 10);
	assert_int_equal(s.readies, 0);
	event_spot_close(&s);
	event_close(&w);
}

/* A peer that is gone is reported where anything is of interest, and does not wake us otherwise. */
static void hang_up_without_interest_is_quiet(void **state)
{
	struct event_world w;
	struct event_spot s;
	uint64_t before;

	event_open(&w, *state, NULL);
	event_spot_open(&s, &w, READ);
	w.ops->interest(w.loop, s.watch, 0);
	close(s.theirs);
	s.theirs = -1;
	before = event_now();
	event_run_for(&w, 40);
	assert_true(event_now() - before >= 30000);
	assert_int_equal(s.readies, 0);
	w.ops->interest(w.loop, s.watch, READ);
	event_run(&w);
	assert_int_equal(s.readies, 1);
	assert_true(s.events & (READ | WEFT_EVENT_ERROR));
	s.events = 0;
	w.ops->interest(w.loop, s.watch, WRITE);
	event_run(&w);
	assert_true(s.events & (WRITE | WEFT_EVENT_ERROR));
	event_spot_close(&s);
	event_close(&w);
}

static void refused_connect_is_reported(void **state)
{
	struct sockaddr_in sa = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(sa);
	struct event_world w;
	struct event_spot s;
	int closed = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(bind(closed, (struct sockaddr *)&sa, len), 0);
	assert_int_equal(getsockname(closed, (struct sockaddr *)&sa, &len), 0);
	event_open(&w, *state, NULL);
	event_spot_open(&s, &w, ~0u);
	close(s.ours);
	s.ours = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	assert_true(connect(s.ours, (struct sockaddr *)&sa, len) < 0);
	if (errno == EINPROGRESS) {
		event_spot_watch(&s, WRITE);
		event_run(&w);
		assert_int_equal(s.readies, 1);
		assert_true(s.events & (WRITE | WEFT_EVENT_ERROR));
	}
	close(closed);
	event_spot_close(&s);
	event_close(&w);
}

static void drop_self(struct event_spot *s)
{
	event_spot_unwatch(s);
}

static void a_report_may_unwatch_itself(void **state)
{
	struct event_world w;
	struct event_spot s, t;

	event_open(&w, *state, NULL);
	event_spot_open(&s, &w, READ | WRITE);
	event_spot_open(&t, &w, READ);
	s.on_ready = drop_self;
	event_spot_poke(&s);
	event_spot_poke(&t);
	event_run(&w);
	assert_int_equal(s.readies, 1);
	assert_int_equal(t.readies, 1);
	event_run(&w);
	assert_int_equal(s.readies, 1);
	assert_int_equal(t.readies, 2);
	event_spot_close(&s);
	event_spot_close(&t);
	event_close(&w);
}

static void drop_other(struct event_spot *s)
{
	if (s->other->watch)
		event_spot_unwatch(s->other);
}

/* Both are ready; whoever comes first takes the other out. */
static void a_report_may_unwatch_another(void **state)
{
	struct event_world w;
	struct event_spot s, t, u;

	event_open(&w, *state, NULL);
	event_spot_open(&s, &w, READ);
	event_spot_open(&u, &w, READ);
	event_spot_open(&t, &w, READ);
	s.other = &t;
	t.other = &s;
	s.on_ready = t.on_ready = drop_other;
	event_spot_poke(&s);
	event_spot_poke(&t);
	event_spot_poke(&u);
	event_run(&w);
	assert_int_equal(s.readies + t.readies, 1);
	assert_int_equal(u.readies, 1);
	event_spot_close(&s);
	event_spot_close(&t);
	event_spot_close(&u);
	event_close(&w);
}

static void silence_other(struct event_spot *s)
{
	s->world->ops->interest(s->world->loop, s->other->watch, 0);
}

static void a_report_may_change_interests(void **state)
{
	struct event_world w;
	struct event_spot s, t;

	event_open(&w, *state, NULL);
	event_spot_open(&s, &w, READ);
	event_spot_open(&t, &w, READ);
	s.other = &t;
	t.other = &s;
	s.on_ready = t.on_ready = silence_other;
	event_spot_poke(&s);
	event_spot_poke(&t);
	event_run(&w);
	assert_int_equal(s.readies + t.readies, 1);
	event_spot_close(&s);
	event_spot_close(&t);
	event_close(&w);
}

static void watch_other(struct event_spot *s)
{
	if (!s->other->watch)
		event_spot_watch(s->other, READ);
}

static void a_report_may_watch(void **state)
{
	struct event_world w;
	struct event_spot s, t;

	event_open(&w, *state, NULL);
	event_spot_open(&s, &w, READ);
	event_spot_open(&t, &w, ~0u);
	s.other = &t;
	s.on_ready = watch_other;
	event_spot_poke(&s);
	event_spot_poke(&t);
	event_run(&w);
	assert_int_equal(s.readies, 1);
	event_run(&w);
	assert_int_equal(s.readies, 2);
	assert_true(t.readies >= 1);
	event_spot_close(&s);
	event_spot_close(&t);
	event_close(&w);
}

/* The socket of another ready watch is closed, and its number is used again at once. */
static void replace_other(struct event_spot *s)
{
	struct event_spot *o = s->other;
	int fds[2], old = o->ours;

	s->on_ready = o->on_ready = NULL;
	event_spot_unwatch(o);
	close(o->ours);
	close(o->theirs);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	if (fds[0] != old) {
		assert_int_equal(dup2(fds[0], old), old);
		close(fds[0]);
	}
	o->ours = old;
	o->theirs = fds[1] == old ? fds[0] : fds[1];
	o->readies = 0;
	event_spot_watch(o, READ);
}

static void a_number_may_be_used_again(void **state)
{
	struct event_world w;
	struct event_spot s, t;

	event_open(&w, *state, NULL);
	event_spot_open(&s, &w, READ);
	event_spot_open(&t, &w, READ);
	s.other = &t;
	t.other = &s;
	s.on_ready = t.on_ready = replace_other;
	event_spot_poke(&s);
	event_spot_poke(&t);
	event_run(&w);
	/* what the old socket had is not the new one's */
	assert_int_equal(s.readies + t.readies, 1);
	event_spot_take(&s);
	event_spot_take(&t);
	s.readies = t.readies = 0;
	event_spot_poke(&s);
	event_spot_poke(&t);
	event_run(&w);
	assert_int_equal(s.readies, 1);
	assert_int_equal(t.readies, 1);
	event_spot_close(&s);
	event_spot_close(&t);
	event_close(&w);
}

static void many_watches(void **state)
{
	enum { MANY = 2000 };
	struct event_spot *spots = calloc(MANY, sizeof(*spots));
	struct rlimit limit;
	struct event_world w;
	unsigned seen = 0;

	assert_non_null(spots);
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_cur < 2 * MANY + 64) {
		free(spots);
		skip();
	}
	event_open(&w, *state, NULL);
	for (int i = 0; i < MANY; i++)
		event_spot_open(&spots[i], &w, READ);
	for (int i = 0; i < MANY; i += 2)
		event_spot_poke(&spots[i]);
	/* a backend may report as many as it likes in a turn */
	for (int turn = 0; turn < MANY && seen < MANY / 2; turn++) {
		event_run(&w);
		seen = 0;
		for (int i = 0; i < MANY; i++)
			seen += spots[i].readies > 0;
	}
	assert_int_equal(seen, MANY / 2);
	for (int i = 1; i < MANY; i += 2)
		assert_int_equal(spots[i].readies, 0);
	for (int i = 0; i < MANY; i++)
		event_spot_close(&spots[i]);
	free(spots);
	event_close(&w);
}

const struct CMUnitTest event_ready_tests[] = {
	cmocka_unit_test(reports_both_directions),
	cmocka_unit_test(is_level_triggered),
	cmocka_unit_test(interest_can_be_changed),
	cmocka_unit_test(hang_up_without_interest_is_quiet),
	cmocka_unit_test(refused_connect_is_reported),
	cmocka_unit_test(a_report_may_unwatch_itself),
	cmocka_unit_test(a_report_may_unwatch_another),
	cmocka_unit_test(a_report_may_change_interests),
	cmocka_unit_test(a_report_may_watch),
	cmocka_unit_test(a_number_may_be_used_again),
	cmocka_unit_test(many_watches),
};
const size_t event_ready_count = sizeof(event_ready_tests) / sizeof(*event_ready_tests);
