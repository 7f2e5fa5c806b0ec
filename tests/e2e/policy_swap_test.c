/* SPDX-License-Identifier: MIT */
/*
 * Policies taken into use, exchanged and given up while streams run, wait and have just ended; what is held up
 * front; and things that are opened and closed where it hurts.
 */
#include <string.h>

#include "tests/support/named.h"

enum { LONG_MS = 3600000 };

static const struct weft_context_options warm = { .keep_warm_ms = LONG_MS, .linger_ms = 1 };

static struct tables *tables_of(struct play *p, const char *name, enum weft_hold hold)
{
	struct tables *t = tables_make(name);
	struct weft_policy_trust *trust = tables_trust_of(t, "store", test_certs_ca());

	trust->hold = hold;
	tables_stream(t, "a", "h1", p->port, trust);
	return t;
}

/* ---- taking one into use ---- */

static void a_policy_of_another_schema_is_refused(void **state)
{
	struct named n = { .user = NULL };
	struct weft_error err;
	struct tables *t;
	struct play p;

	(void)state;
	play_open(&p, NULL, NULL);
	t = tables_of(&p, "strange", WEFT_HOLD_CONNECTION);
	t->policy.schema++;
	assert_int_equal(weft_context_use_policy(p.d.client, &t->policy, NULL, &err), WEFT_ERR_ABI);
	assert_string_equal(err.text,
		"a policy of schema 2, this Weft " WEFT_VERSION " has schema 1: compile it again");
	t->policy.schema--;
	t->policy.size += 8;
	assert_int_equal(weft_context_use_policy(p.d.client, &t->policy, NULL, &err), WEFT_ERR_ABI);
	assert_non_null(strstr(err.text, "strange"));
	t->policy.size -= 8;
	assert_null(weft_context_policy(p.d.client));
	assert_int_equal(named_try(&n, p.d.client, "a", &err), WEFT_ERR_NOT_FOUND);
	play_use(&p, &t->policy);
	assert_ptr_equal(weft_context_policy(p.d.client), &t->policy);
	play_visit(&p, &n, "a");
	/* and while one is in use, that one stays */
	t->policy.schema++;
	assert_int_equal(weft_context_use_policy(p.d.client, &t->policy, NULL, &err), WEFT_ERR_ABI);
	t->policy.schema--;
	play_visit(&p, &n, "a");
	assert_int_equal(duo_client_counts(&p.d).conns_opened, 1);
	play_close(&p);
	tables_free(t);
}

static void a_context_that_goes_away_takes_none(void **state)
{
	struct weft_error err;
	struct tables *t;
	struct play p;

	(void)state;
	play_open(&p, NULL, NULL);
	t = tables_of(&p, "late", WEFT_HOLD_CONNECTION);
	weft_context_drain(p.d.client, 0, NULL, NULL);
	assert_int_equal(
		weft_context_use_policy(p.d.client, &t->policy, NULL, &err), WEFT_ERR_SHUTDOWN);
	play_close(&p);
	tables_free(t);
}

static void a_policy_can_hold_its_stores_up_front(void **state)
{
	struct named n = { .user = NULL };
	const struct weft_policy *policy;
	struct weft_vhost_info info;
	struct tables *t;
	struct play p;

	(void)state;
	play_open(&p, NULL, NULL);
	t = tables_of(&p, "holds", WEFT_HOLD_POLICY);
	(void)tables_trust_of(t, "other", test_certs_other_ca());
	t->trusts[1].hold = WEFT_HOLD_POLICY;
	tables_stream(t, "b", "h1", p.port, &t->trusts[0])->keep_warm_ms = 0;
	tables_stream(t, "c", "h1", p.port, &t->trusts[1]);
	policy = tables_loaded(t);
	play_use(&p, policy);
	weft_policy_release(policy);
	assert_int_equal(vhosts_made(&p), 2);
	vhost_check(p.d.client, "store", WEFT_VHOST_LIVE, 0, 0, 2);
	vhost_check(p.d.client, "other", WEFT_VHOST_LIVE, 0, 0, 1);
	/* nothing is made for streams */
	play_visit(&p, &n, "b");
	play_until(&p, !duo_client_counts(&p.d).conns_now);
	vhost_check(p.d.client, "store", WEFT_VHOST_LIVE, 0, 0, 2);
	assert_int_equal(vhosts_made(&p), 2);
	/* and it goes with the policy, but for what still runs */
	named_open(&n, p.d.client, "a");
	(void)play_asked(&p);
	play_use(&p, NULL);
	vhost_check(p.d.client, "store", WEFT_VHOST_LIVE, 1, 0, 0);
	assert_false(vhost_there(p.d.client, "other", &info));
	play_answer(&p, &n);
	play_until(&p, !vhosts_now(&p));
	play_until(&p, !tables_live);
	play_close(&p);
}

static void what_is_held_up_front_goes_with_the_context(void **state)
{
	const struct weft_policy *policy;
	struct play p;

	(void)state;
	play_open(&p, NULL, NULL);
	policy = tables_loaded(tables_of(&p, "holds", WEFT_HOLD_POLICY));
	play_use(&p, policy);
	play_use(&p, policy); /* the same again is no other */
	assert_int_equal(vhosts_made(&p), 1);
	vhost_check(p.d.client, "store", WEFT_VHOST_LIVE, 0, 0, 1);
	weft_policy_release(policy);
	assert_int_equal(tables_live, 1);
	play_close(&p);
	assert_int_equal(tables_live, 0);
}

static void a_compiled_policy_cannot_hold_up_front(void **state)
{
	struct weft_error err;
	struct tables *t;
	struct play p;

	(void)state;
	play_open(&p, NULL, NULL);
	t = tables_of(&p, "static", WEFT_HOLD_POLICY);
	assert_int_equal(
		weft_context_use_policy(p.d.client, &t->policy, NULL, &err), WEFT_ERR_ARGUMENT);
	assert_non_null(strstr(err.text, "hold: policy"));
	assert_int_equal(vhosts_made(&p), 0);
	play_close(&p);
	tables_free(t);
}

static void if_one_store_cannot_be_held_none_is(void **state)
{
	struct named n = { .user = NULL };
	const struct weft_policy *good, *bad;
	struct weft_vhost_info info;
	struct weft_error err;
	struct tables *t;
	struct play p;

	(void)state;
	play_open(&p, NULL, NULL);
	good = tables_loaded(tables_of(&p, "good", WEFT_HOLD_POLICY));
	t = tables_make("bad");
	for (unsigned i = 0; i < 3; i++) {
		(void)tables_trust_of(t, tables_name(t, 't', i), test_certs_other_ca());
		t->trusts[i].hold = WEFT_HOLD_POLICY;
		t->trusts[i].linger_ms = LONG_MS;
		t->trusts[i].verify_dates = i ? WEFT_DATES_ALWAYS : WEFT_DATES_ONCE_CLOCK_SET;
		tables_stream(t, tables_name(t, 's', i), "h1", p.port, &t->trusts[i]);
	}
	tables_junk(t, &t->trusts[2]);
	bad = tables_loaded(t);
	for (unsigned round = 0; round < 2; round++) {
		unsigned before = vhosts_made(&p);

		assert_true(weft_context_use_policy(p.d.client, bad, NULL, &err) < 0);
		/* which stream, which store, which certificate */
		assert_non_null(strstr(err.text, "stream s2"));
		assert_non_null(strstr(err.text, "trust store t2"));
		assert_non_null(strstr(err.text, "2"));
		assert_ptr_equal(weft_context_policy(p.d.client), round ? good : NULL);
		assert_int_equal(vhosts_made(&p) - before, 3);
		assert_int_equal(vhosts_now(&p), round);
		assert_false(vhost_there(p.d.client, "t0", &info));
		if (!round)
			play_use(&p, good);
	}
	vhost_check(p.d.client, "store", WEFT_VHOST_LIVE, 0, 0, 1);
	play_visit(&p, &n, "a");
	weft_policy_release(bad);
	assert_int_equal(tables_live, 1);
	weft_policy_release(good);
	play_close(&p);
	assert_int_equal(tables_live, 0);
}

static void what_lingered_lingers_on_where_a_policy_cannot_be_used(void **state)
{
	struct named n = { .user = NULL };
	const struct weft_policy *bad;
	struct tables *t, *good;
	struct weft_error err;
	struct play p;

	(void)state;
	play_open(&p, NULL, NULL);
	good = tables_of(&p, "good", WEFT_HOLD_CONNECTION);
	good->trusts[0].linger_ms = LONG_MS;
	good->streams[0].keep_warm_ms = 0;
	play_use(&p, tables_static(good));
	play_visit(&p, &n, "a");
	play_until(&p, !duo_client_counts(&p.d).conns_now);
	t = tables_of(&p, "bad", WEFT_HOLD_POLICY);
	(void)tables_trust_of(t, "junk", test_certs_other_ca());
	t->trusts[1].hold = WEFT_HOLD_POLICY;
	tables_junk(t, &t->trusts[1]);
	tables_stream(t, "b", "h1", p.port, &t->trusts[1]);
	bad = tables_loaded(t);
	assert_true(weft_context_use_policy(p.d.client, bad, NULL, &err) < 0);
	vhost_check(p.d.client, "store", WEFT_VHOST_LINGERING, 0, 0, 0);
	vhost_events(p.d.client,
		(const char *[]){ "lingers store", "failed junk", "revived store", NULL });
	weft_policy_release(bad);
	play_visit(&p, &n, "a");
	assert_int_equal(vhosts_made(&p), 2);
	play_close(&p);
	assert_int_equal(tables_live, 1);
	tables_free(good);
}

/* ---- exchanging one for another ---- */

static void a_warm_connection_ends_with_its_policy(void **state)
{
	struct named n = { .user = NULL };
	const struct weft_policy *policy;
	struct play p;

	(void)state;
	for (unsigned to = 0; to < 3; to++) {
		play_open(&p, &warm, NULL);
		policy = tables_loaded(tables_of(&p, "one", WEFT_HOLD_CONNECTION));
		play_use(&p, policy);
		play_visit(&p, &n, "a");
		assert_int_equal(vhosts_now(&p), 1);
		if (to == 2) { /* the same again */
			play_use(&p, policy);
			weft_policy_release(policy);
		} else { /* nothing, or another of equal content */
			weft_policy_release(policy);
			policy = to ? tables_loaded(tables_of(&p, "two", WEFT_HOLD_CONNECTION))
				    : NULL;
			play_use(&p, policy);
			weft_policy_release(policy);
		}
		play_until(&p, !duo_client_counts(&p.d).conns_now && !vhosts_now(&p));
		play_until(&p, tables_live == (to > 0));
		if (to) {
			play_visit(&p, &n, "a");
			assert_int_equal(duo_client_counts(&p.d).conns_opened, 2);
		}
		play_close(&p);
		assert_int_equal(tables_live, 0);
	}
}

static void a_stream_that_runs_ends_well_and_one_that_waits_too(void **state)
{
	struct named n[3] = { { .user = NULL } };
	const struct weft_policy *policy;
	struct play p;

	(void)state;
	for (unsigned hold = WEFT_HOLD_CONNECTION; hold <= WEFT_HOLD_POLICY; hold++) {
		for (unsigned to = 0; to < 2; to++) {
			memset(n, 0, sizeof(n));
			play_open(&p, &warm, NULL);
			policy = tables_loaded(tables_of(&p, "one", hold));
			play_use(&p, policy);
			weft_policy_release(policy);
			named_open(&n[0], p.d.client, "a");
			named_open(&n[1], p.d.client, "a");
			(void)play_asked(&p);
			policy = to ? tables_loaded(tables_of(&p, "two", hold)) : NULL;
			play_use(&p, policy);
			weft_policy_release(policy);
			if (to)
				named_open(&n[2], p.d.client, "a");
			assert_string_equal(weft_stream_policy(n[0].stream)->name, "a");
			for (unsigned i = 0; i < 2 + to; i++) {
				play_answer(&p, &n[i]);
				assert_int_equal(n[i].why.status, WEFT_OK);
			}
			/* nothing more begins on the connection that ran; who waited shared the next */
			assert_int_equal(duo_client_counts(&p.d).conns_opened, 2);
			play_until(&p, tables_live == to);
			play_close(&p);
			assert_int_equal(tables_live, 0);
		}
	}
}

static void nothing_begins_on_a_connection_of_a_policy_before_the_last(void **state)
{
	struct named n[3] = { { .user = NULL } };
	struct tables *one, *two;
	struct play p;

	(void)state;
	play_open(&p, &warm, NULL);
	one = tables_of(&p, "one", WEFT_HOLD_CONNECTION);
	two = tables_of(&p, "two", WEFT_HOLD_CONNECTION);
	play_use(&p, tables_static(one));
	for (unsigned i = 0; i < 3; i++)
		named_open(&n[i], p.d.client, "a");
	(void)play_asked(&p);
	play_use(&p, NULL);
	play_answer(&p, &n[0]);
	(void)play_asked(&p);
	play_use(&p, tables_static(two));
	play_answer(&p, &n[1]);
	play_answer(&p, &n[2]);
	assert_int_equal(duo_client_counts(&p.d).conns_opened, 3);
	play_close(&p);
	tables_free(one);
	tables_free(two);
}

/* The vhost goes on, because its content is the same; the tables that it was made of do not. */
static void tables_end_though_their_vhost_is_held_on(void **state)
{
	const struct weft_policy *policy;
	struct named n = { .user = NULL };
	struct play p;

	(void)state;
	play_open(&p, &warm, NULL);
	for (unsigned i = 0; i < 3; i++) {
		policy = tables_loaded(tables_of(&p, "next", WEFT_HOLD_POLICY));
		play_use(&p, policy);
		weft_policy_release(policy);
		play_until(&p, tables_live == 1);
		play_visit(&p, &n, "a");
		assert_int_equal(duo_client_counts(&p.d).conns_opened, i + 1);
	}
	assert_int_equal(vhosts_made(&p), 1);
	/* what runs keeps its own */
	named_open(&n, p.d.client, "a");
	(void)play_asked(&p);
	policy = tables_loaded(tables_of(&p, "last", WEFT_HOLD_POLICY));
	play_use(&p, policy);
	weft_policy_release(policy);
	assert_int_equal(tables_live, 2);
	play_answer(&p, &n);
	play_until(&p, tables_live == 1);
	play_close(&p);
	assert_int_equal(tables_live, 0);
}

static void a_store_of_another_policy_lingers_to_its_end(void **state)
{
	struct named n = { .user = NULL };
	struct tables *t;
	struct play p;

	(void)state;
	play_open(&p, NULL, NULL);
	t = tables_of(&p, "one", WEFT_HOLD_CONNECTION);
	t->trusts[0].linger_ms = LONG_MS;
	t->streams[0].keep_warm_ms = 0;
	play_use(&p, tables_static(t));
	play_visit(&p, &n, "a");
	play_until(&p, !duo_client_counts(&p.d).conns_now);
	play_use(&p, NULL);
	vhost_check(p.d.client, "store", WEFT_VHOST_LINGERING, 0, 0, 0);
	/* whoever believes the same finds it */
	play_use(&p, &t->policy);
	play_visit(&p, &n, "a");
	assert_int_equal(vhosts_made(&p), 1);
	play_close(&p);
	tables_free(t);
}

/* ---- within callbacks, and half-way ---- */

struct again {
	struct named next;
	bool close;
};

static void open_again(struct named *n)
{
	struct again *a = n->user;

	if (a->next.ctx)
		return;
	if (a->close && n->stream)
		weft_stream_close(n->stream);
	named_open(&a->next, n->ctx, "a");
}

static void one_is_opened_in_the_callbacks_of_another(void **state)
{
	struct again a;
	struct named n;
	struct tables *t;
	struct play p;

	(void)state;
	for (unsigned i = 0; i < 2 * 3 * 2; i++) {
		enum weft_hold hold = i % 2 ? WEFT_HOLD_STREAM : WEFT_HOLD_CONNECTION;
		unsigned where = i / 2 % 3;

		memset(&a, 0, sizeof(a));
		a.close = i / 6;
		n = (struct named){ .user = &a };
		n.in_head = where == 0 ? open_again : NULL;
		n.in_data = where == 1 ? open_again : NULL;
		n.in_close = where == 2 ? open_again : NULL;
		play_open(&p, NULL, NULL);
		t = tables_of(&p, "again", hold);
		t->streams[0].keep_warm_ms = 0;
		play_use(&p, tables_static(t));
		named_open(&n, p.d.client, "a");
		play_answer(&p, &n);
		assert_int_equal(n.why.status, a.close && where < 2 ? WEFT_ERR_CANCELLED : WEFT_OK);
		play_answer(&p, &a.next);
		assert_int_equal(a.next.why.status, WEFT_OK);
		play_until(&p, !vhosts_now(&p));
		play_close(&p);
		tables_free(t);
	}
}

static void use_another(struct named *n)
{
	struct play *p = n->user;
	const struct weft_policy *policy = tables_loaded(tables_of(p, "within", WEFT_HOLD_POLICY));

	play_use(p, policy);
	weft_policy_release(policy);
}

static void a_policy_is_exchanged_in_callbacks(void **state)
{
	const struct weft_policy *policy;
	struct named n;
	struct play p;

	(void)state;
	for (unsigned where = 0; where < 3; where++) {
		n = (struct named){ .user = &p };
		n.in_head = where == 0 ? use_another : NULL;
		n.in_data = where == 1 ? use_another : NULL;
		n.in_close = where == 2 ? use_another : NULL;
		play_open(&p, &warm, NULL);
		policy = tables_loaded(tables_of(&p, "first", WEFT_HOLD_POLICY));
		play_use(&p, policy);
		weft_policy_release(policy);
		named_open(&n, p.d.client, "a");
		play_answer(&p, &n);
		assert_int_equal(n.why.status, WEFT_OK);
		play_until(&p, !duo_client_counts(&p.d).conns_now && tables_live == 1);
		vhost_check(p.d.client, "store", WEFT_VHOST_LIVE, 0, 0, 1);
		assert_int_equal(vhosts_made(&p), 1);
		play_close(&p);
		assert_int_equal(tables_live, 0);
	}
}

static void one_is_given_up_while_it_shakes_hands(void **state)
{
	struct named n = { .user = NULL };
	struct tables *t;
	struct play p;

	(void)state;
	for (unsigned hold = WEFT_HOLD_CONNECTION; hold <= WEFT_HOLD_STREAM; hold++) {
		play_open(&p, NULL, NULL);
		t = tables_of(&p, "shakes", hold);
		play_use(&p, tables_static(t));
		for (unsigned turns = 0; turns < 6; turns++) {
			named_open(&n, p.d.client, "a");
			/* the server says nothing */
			for (unsigned i = 0; i < turns; i++)
				assert_true(weft_context_turn(p.d.client, 1) >= 0);
			weft_stream_close(n.stream);
			assert_int_equal(n.closes, 0);
			assert_true(weft_context_turn(p.d.client, 0) >= 0);
			play_until(&p, n.closes && !vhosts_now(&p));
			assert_int_equal(n.closes, 1);
			assert_int_equal(n.why.status, WEFT_ERR_CANCELLED);
			play_until(&p, !duo_client_counts(&p.d).conns_now);
		}
		assert_int_equal(duo_client_counts(&p.d).conns_opened, 0);
		named_open(&n, p.d.client, "a");
		play_answer(&p, &n);
		assert_int_equal(n.why.status, WEFT_OK);
		play_close(&p);
		tables_free(t);
	}
}

static void one_that_waits_is_given_up(void **state)
{
	struct named n[2] = { { .user = NULL } };
	struct tables *t;
	struct play p;

	(void)state;
	for (unsigned hold = WEFT_HOLD_CONNECTION; hold <= WEFT_HOLD_STREAM; hold++) {
		bool streams = hold == WEFT_HOLD_STREAM;

		play_open(&p, NULL, NULL);
		t = tables_of(&p, "waits", hold);
		t->streams[0].keep_warm_ms = 0;
		play_use(&p, tables_static(t));
		named_open(&n[0], p.d.client, "a");
		named_open(&n[1], p.d.client, "a");
		(void)play_asked(&p);
		vhost_check(p.d.client, "store", WEFT_VHOST_LIVE, 1, streams ? 2 : 0, 0);
		weft_stream_close(n[1].stream);
		play_until(&p, n[1].closes);
		vhost_check(p.d.client, "store", WEFT_VHOST_LIVE, 1, streams, 0);
		play_answer(&p, &n[0]);
		play_until(&p, !vhosts_now(&p));
		assert_int_equal(vhosts_made(&p), 1);
		play_close(&p);
		tables_free(t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_policy_of_another_schema_is_refused),
		cmocka_unit_test(a_context_that_goes_away_takes_none),
		cmocka_unit_test(a_policy_can_hold_its_stores_up_front),
		cmocka_unit_test(what_is_held_up_front_goes_with_the_context),
		cmocka_unit_test(a_compiled_policy_cannot_hold_up_front),
		cmocka_unit_test(if_one_store_cannot_be_held_none_is),
		cmocka_unit_test(what_lingered_lingers_on_where_a_policy_cannot_be_used),
		cmocka_unit_test(a_warm_connection_ends_with_its_policy),
		cmocka_unit_test(a_stream_that_runs_ends_well_and_one_that_waits_too),
		cmocka_unit_test(nothing_begins_on_a_connection_of_a_policy_before_the_last),
		cmocka_unit_test(tables_end_though_their_vhost_is_held_on),
		cmocka_unit_test(a_store_of_another_policy_lingers_to_its_end),
		cmocka_unit_test(one_is_opened_in_the_callbacks_of_another),
		cmocka_unit_test(a_policy_is_exchanged_in_callbacks),
		cmocka_unit_test(one_is_given_up_while_it_shakes_hands),
		cmocka_unit_test(one_that_waits_is_given_up),
	};

	return duo_main("policy, exchanged", tests, sizeof(tests) / sizeof(*tests), DUO_PAIRS);
}
