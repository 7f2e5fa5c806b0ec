/* SPDX-License-Identifier: MIT */
/*
 * Thousands of steps at random: streams by name that are opened, answered, cut, given up; timers that run out; policies
 * that are exchanged. After each one the vhosts of the context are those of a machine that only counts
 * (support/policy_model.h). WEFT_TEST_SEED repeats one run, WEFT_TEST_STEPS makes it shorter.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/clock.h"
#include "tests/support/heap.h"

#include "tests/support/duo.h"
#include "tests/support/policy_chance.h"
#include "tests/support/silent.h"

enum {
	EPISODES = 5,
	STEPS = 500,     /* of an episode */
	LEFT_MAX = 1024, /* bytes that an episode may leave */
	STEP_S = 60,     /* a step takes, at most */
	APART_S = 100,   /* what is due is so far away from one */
	FOR_EVER_MS = 2000000000,
};

/* ---- the client ---- */

struct call {
	struct weft_stream *stream; /* NULL once it is over */
	struct pm_stream *model;
	unsigned closes, id;
	struct weft_error why;
};

static struct {
	struct duo d;
	unsigned port;
	struct pm pm;
	struct call calls[PM_STREAMS];    /* at the same place as the model's */
	const struct weft_policy *policy; /* our reference */
	unsigned failed_makings;
} w;

static void call_closed(struct weft_stream *s, const struct weft_error *why, void *user)
{
	struct call *c = user;

	assert_ptr_equal(c->stream, s);
	c->stream = NULL;
	c->closes++;
	c->why = *why;
}

/* ---- comparing ---- */

static bool is_called(const struct pm_vhost *v, const char *name)
{
	return !strcmp(v->name, name) || (v->other_name[0] && !strcmp(v->other_name, name));
}

static bool is_same(const struct pm_vhost *v, const struct weft_vhost_info *info)
{
	return is_called(v, info->name) && info->client && info->tls &&
	       info->state == (v->lingers ? WEFT_VHOST_LINGERING : WEFT_VHOST_LIVE) &&
	       info->conns == v->refs[PM_CONNECTION] && info->streams == v->refs[PM_STREAM] &&
	       info->policies == v->refs[PM_POLICY] &&
	       info->refs == info->conns + info->streams + info->policies;
}

/* known: which it was of two names that were possible. */
static bool vhosts_agree(bool known)
{
	bool met[PM_VHOSTS] = { false };
	struct weft_vhost_info info;
	unsigned there = 0, k;
	size_t i;

	for (i = 0; weft_vhost_info(w.d.client, i, &info); i++) {
		if (info.state == WEFT_VHOST_GONE)
			continue;
		for (k = 0; k < PM_VHOSTS; k++) {
			if (w.pm.vhosts[k].there && !met[k] && is_same(&w.pm.vhosts[k], &info))
				break;
		}
		if (k == PM_VHOSTS)
			return false;
		met[k] = true;
		if (known)
			snprintf(w.pm.vhosts[k].name, sizeof(w.pm.vhosts[k].name), "%s", info.name);
	}
	for (k = 0; k < PM_VHOSTS; k++)
		there += w.pm.vhosts[k].there && !met[k];
	return !there;
}

static bool streams_agree(void)
{
	for (size_t i = 0; i < PM_STREAMS; i++) {
		const struct pm_stream *s = &w.pm.streams[i];
		const struct call *c = &w.calls[i];

		if (s->id != c->id || (c->id && s->open == !c->stream) ||
			(c->id && c->closes != !s->open))
			return false;
		if (c->closes && s->failed != (c->why.status != WEFT_OK))
			return false;
		if (s->running && (!silent_line(s->id) || !silent_line(s->id)->asked))
			return false;
	}
	return true;
}

static unsigned made(void)
{
	return (unsigned)duo_client_counts(&w.d).vhosts_created - w.failed_makings;
}

static bool all_agree(void)
{
	struct weft_counters c = duo_client_counts(&w.d);

	return c.conns_now == pm_conns(&w.pm) && c.conns_opened == w.pm.opened &&
	       made() >= w.pm.made && made() <= w.pm.made + w.pm.made_more && vhosts_agree(false) &&
	       streams_agree();
}

static void tell(void)
{
	static const char *const states[] = { "live", "dying", "lingering", "gone" };
	struct weft_counters c = duo_client_counts(&w.d);
	struct weft_vhost_info v;

	printf("connections %llu (model %u), opened %llu (%u), made %u (%u to %u)\n",
		(unsigned long long)c.conns_now, pm_conns(&w.pm),
		(unsigned long long)c.conns_opened, w.pm.opened, made(), w.pm.made,
		w.pm.made + w.pm.made_more);
	for (size_t i = 0; weft_vhost_info(w.d.client, i, &v); i++) {
		if (v.state != WEFT_VHOST_GONE)
			printf("  is      %s %s: conns %u streams %u policies %u\n", v.name,
				states[v.state], v.conns, v.streams, v.policies);
	}
	for (size_t i = 0; i < PM_VHOSTS; i++) {
		const struct pm_vhost *m = &w.pm.vhosts[i];

		if (m->there)
			printf("  must be %s %s: conns %u streams %u policies %u\n", m->name,
				m->lingers ? "lingering" : "live", m->refs[PM_CONNECTION],
				m->refs[PM_STREAM], m->refs[PM_POLICY]);
	}
	for (size_t i = 0; i < PM_STREAMS; i++) {
		const struct pm_stream *s = &w.pm.streams[i];

		printf("  stream %u of %s: %s, must be %s%s; closes %u %s\n", w.calls[i].id,
			s->wish.store, w.calls[i].stream ? "open" : "over",
			s->open     ? "open"
			: s->failed ? "failed"
				    : "over",
			s->running ? ", running" : "", w.calls[i].closes,
			w.calls[i].closes ? w.calls[i].why.text : "");
	}
}

/* Until the world is as the model has it; and it stays so. */
static void agree(const char *step)
{
	unsigned i = 0;

	for (; i < DUO_TURNS && !all_agree(); i++)
		duo_turn(&w.d);
	for (unsigned k = 0; k < 4 && i < DUO_TURNS; k++)
		duo_turn(&w.d);
	if (all_agree()) {
		(void)vhosts_agree(true);
		pm_settle(&w.pm, made());
		return;
	}
	tell();
	fail_msg("%s: the vhosts are not what they should be", step);
}

/* ---- steps ---- */

static struct pm_stream *any(bool running_only)
{
	size_t first = dice(PM_STREAMS);

	for (size_t i = 0; i < PM_STREAMS; i++) {
		struct pm_stream *s = &w.pm.streams[(first + i) % PM_STREAMS];

		if (s->open && (s->running || !running_only))
			return s;
	}
	return NULL;
}

static const char *open_one(void)
{
	static const struct weft_stream_ops ops = { .on_close = call_closed };
	char id[16], name[2] = { (char)('0' + dice(PM_NAMES)), '\0' };
	const struct weft_policy_pair metadata[] = { { "id", id }, { NULL, NULL } };
	unsigned open = 0, at;
	struct weft_error err;
	struct weft_stream *s;
	struct pm_stream *m;

	for (size_t i = 0; i < PM_STREAMS; i++)
		open += w.pm.streams[i].open;
	if (open == PM_STREAMS)
		return NULL;
	snprintf(id, sizeof(id), "%u", w.pm.next_id + 1);
	if (!w.pm.name_count) {
		assert_int_equal(
			weft_policy_open(w.d.client, name, metadata, NULL, &ops, NULL, &s, &err),
			WEFT_ERR_NOT_FOUND);
		return "open without a policy";
	}
	m = pm_open(&w.pm, (size_t)(name[0] - '0'));
	at = (unsigned)(m - w.pm.streams);
	w.calls[at] = (struct call){ .model = m, .id = m->id };
	if (weft_policy_open(w.d.client, name, metadata, NULL, &ops, &w.calls[at],
		    &w.calls[at].stream, &err))
		fail_msg("open: %s", err.text);
	return m->failed ? "open in vain" : m->running ? "open" : "queue";
}

static const char *answer_one(void)
{
	struct pm_stream *s = any(true);
	struct silent_line *l;

	if (!s)
		return NULL;
	l = silent_line(s->id);
	silent_say(l, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
	pm_answer(&w.pm, s->entry);
	return "answer";
}

static const char *cut_one(void)
{
	struct pm_stream *s = any(true);
	bool answering = dice(2);
	struct silent_line *l;

	if (!s)
		return NULL;
	l = silent_line(s->id);
	if (answering)
		silent_say(l, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no");
	silent_end(l);
	pm_cut(&w.pm, s->entry, answering);
	return answering ? "cut within an answer" : "cut before an answer";
}

static const char *cancel_one(void)
{
	struct pm_stream *s = any(false);
	struct call *c;

	if (!s)
		return NULL;
	c = &w.calls[s - w.pm.streams];
	weft_stream_close(c->stream);
	pm_cancel(&w.pm, s);
	return "cancel";
}

static const char *drop_warm(void)
{
	size_t first = dice(PM_ENTRIES);

	for (size_t i = 0; i < PM_ENTRIES; i++) {
		struct pm_entry *e = &w.pm.entries[(first + i) % PM_ENTRIES];
		struct silent_line *l =
			e->used && e->conn == PM_WARM ? silent_line(e->served_by) : NULL;

		if (!l)
			continue;
		silent_end(l);
		pm_cut(&w.pm, e, false);
		return "drop a warm connection";
	}
	return NULL;
}

/* Things happen within a step, though nobody knows when. */
static void set_time(void)
{
	w.pm.now.from_s = clock_now_s();
	w.pm.now.to_s = w.pm.now.from_s + STEP_S;
}

/* Nothing is to be due while a step is taken. Whether something was. */
static bool keep_apart(void)
{
	uint64_t now = clock_now_s(), when;
	bool any_due = false;

	while (pm_due(&w.pm, now + APART_S, &when)) {
		any_due = true;
		if (when + 2 > now)
			clock_skip(when + 2 - now);
		set_time();
		now = w.pm.now.from_s;
		pm_tick(&w.pm);
	}
	return any_due;
}

static const char *wait_long(void)
{
	clock_skip(500 + dice(3) * 1200);
	(void)keep_apart();
	return "wait";
}

static const char *exchange(void)
{
	struct pm_wish all[PM_NAMES];
	const struct weft_policy *next = NULL;
	unsigned what = dice(6);
	struct weft_error err;

	if (what == 0) {
		assert_int_equal(weft_context_use_policy(w.d.client, NULL, NULL, &err), WEFT_OK);
		pm_use(&w.pm, NULL, 0);
	} else if (what == 1 && w.pm.name_count) {
		assert_int_equal(
			weft_context_use_policy(w.d.client, w.policy, &chance_use, &err), WEFT_OK);
		pm_use(&w.pm, w.pm.names, w.pm.name_count);
		return "use the same again";
	} else {
		chance_invent(all);
		next = chance_write(all, w.port, what == 2);
		if (what == 2) {
			assert_true(
				weft_context_use_policy(w.d.client, next, &chance_use, &err) < 0);
			w.failed_makings += pm_use_fails(&w.pm, all, PM_NAMES) + 1;
			weft_policy_release(next);
			return "use one that cannot be";
		}
		if (weft_context_use_policy(w.d.client, next, &chance_use, &err))
			fail_msg("use: %s", err.text);
		pm_use(&w.pm, all, PM_NAMES);
	}
	weft_policy_release(w.policy);
	w.policy = next;
	return next ? "use another" : "use none";
}

static void step(void)
{
	static const char *(*const all[])(void) = { open_one, open_one, open_one, answer_one,
		answer_one, cut_one, cancel_one, drop_warm, wait_long, exchange };
	enum { COUNT = sizeof(all) / sizeof(*all) };
	const char *what = NULL;

	if (keep_apart())
		agree("time goes on");
	set_time();
	while (!what) {
		unsigned k = dice(COUNT);

		if (all[k] != exchange || !dice(3))
			what = all[k]();
	}
	if (getenv("WEFT_TEST_LOG"))
		printf("step: %s\n", what);
	agree(what);
}

static void begin(void)
{
	const struct weft_vhost_options v = { .routes = silent_routes() };
	const struct weft_context_options server = { .idle_ms = FOR_EVER_MS, .linger_ms = 1 };
	const struct weft_context_options client = {
		.idle_ms = FOR_EVER_MS,
		.linger_ms = 1,
		.keep_warm_ms = CHANCE_WARM_S * 1000,
		.retry_percent = 100000,
		.no_tickets = true,
	};

	tables_live = 0; /* whatever a run that failed left */
	memset(&w, 0, sizeof(w));
	duo_open(&w.d, &server, &client, &v, true);
	w.port = (unsigned)strtoul(strrchr(w.d.base, ':') + 1, NULL, 10);
}

/* Everything ends, in order or at once. */
static void finish(void)
{
	if (dice(2)) {
		do {
			if (keep_apart())
				agree("time goes on at the end");
			set_time();
		} while (cancel_one() && (agree("cancel at the end"), true));
		pm_use(&w.pm, NULL, 0);
		assert_int_equal(weft_context_use_policy(w.d.client, NULL, NULL, NULL), WEFT_OK);
		agree("the end");
		clock_skip(10000);
		duo_until(&w.d, !duo_client_counts(&w.d).vhosts_now);
		assert_int_equal(duo_client_counts(&w.d).conns_now, 0);
	}
	weft_policy_release(w.policy);
	duo_close(&w.d);
	for (size_t i = 0; i < PM_STREAMS; i++)
		assert_true(!w.calls[i].id || w.calls[i].closes == 1);
	assert_int_equal(tables_live, 0);
}

static unsigned steps(void)
{
	const char *given = getenv("WEFT_TEST_STEPS");

	return given ? (unsigned)strtoul(given, NULL, 10) : STEPS;
}

static uint64_t seed_of(uint64_t otherwise)
{
	const char *given = getenv("WEFT_TEST_SEED");

	return given ? strtoull(given, NULL, 10) : otherwise;
}

static void play(uint64_t seed)
{
	long before = 0, left;

	printf("seed %llu\n", (unsigned long long)seed);
	dice_state = seed;
	for (unsigned episode = 0; episode < EPISODES; episode++) {
		begin();
		for (unsigned i = 0; i < steps(); i++)
			step();
		finish();
		/* the first one sets up what libraries keep */
		left = heap_now() - before;
		if (episode && left > LEFT_MAX)
			fail_msg("seed %llu, episode %u left %ld bytes", (unsigned long long)seed,
				episode, left);
		before = heap_now();
	}
}

static void vhosts_are_what_the_law_says(void **state)
{
	(void)state;
	play(seed_of(1));
	play(seed_of((uint64_t)time(NULL)));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(vhosts_are_what_the_law_says) };

	return duo_main("policy, at random", tests, 1, DUO_TLS);
}
