/* SPDX-License-Identifier: MIT */
/*
 * When a policy's vhosts come to life and when they go, by whom they are held and who shares them: DESIGN 6, as an
 * application sees it.
 */
#include <string.h>

#include "tests/support/named.h"
#include "tests/support/visit.h"

enum { LONG_MS = 3600000 };

/* The server is believed; a is held as hold says. Streams "a" and, of the same store, "a2". */
static struct tables *tables_of(struct play *p, enum weft_hold hold)
{
	struct tables *t = tables_make("life");
	struct weft_policy_trust *trust = tables_trust_of(t, "store", test_certs_ca());

	trust->hold = hold;
	tables_stream(t, "a", "h1", p->port, trust);
	tables_stream(t, "a2", "h1", p->port, trust);
	return t;
}

static void held_by_a_stream_it_is_made_as_that_opens(void **state)
{
	struct weft_vhost_info info;
	struct named n = { .user = NULL };
	struct tables *t;
	struct play p;

	(void)state;
	play_open(&p, NULL, NULL);
	t = tables_of(&p, WEFT_HOLD_STREAM);
	t->streams[0].keep_warm_ms = 0;
	play_use(&p, tables_static(t));
	assert_false(weft_vhost_info(p.d.client, 0, &info));
	named_open(&n, p.d.client, "a");
	vhost_check(p.d.client, "store", WEFT_VHOST_LIVE, 0, 1, 0);
	(void)play_asked(&p);
	vhost_check(p.d.client, "store", WEFT_VHOST_LIVE, 1, 1, 0);
	play_answer(&p, &n);
	play_until(&p, !vhosts_now(&p));
	assert_true(vhost_gone(p.d.client, "store", &info));
	assert_int_equal(info.made, 1);
	assert_int_equal(info.refs, 0);
	vhost_events(
		p.d.client, (const char *[]){ "freed store", "shared store", "made store", NULL });
	assert_int_equal(vhosts_made(&p), 1);
	play_close(&p);
	tables_free(t);
}

static void held_by_a_connection_it_is_made_as_that_begins(void **state)
{
	struct weft_vhost_info info;
	struct named n = { .user = NULL };
	struct tables *t;
	struct play p;

	(void)state;
	play_open(&p, NULL, NULL);
	t = tables_of(&p, WEFT_HOLD_CONNECTION);
	t->streams[0].keep_warm_ms = 0;
	play_use(&p, tables_static(t));
	named_open(&n, p.d.client, "a");
	assert_int_equal(vhosts_now(&p), 0);
	assert_false(weft_vhost_info(p.d.client, 0, &info));
	(void)play_asked(&p);
	vhost_check(p.d.client, "store", WEFT_VHOST_LIVE, 1, 0, 0);
	play_answer(&p, &n);
	play_until(&p, !vhosts_now(&p));
	assert_true(vhost_gone(p.d.client, "store", &info));
	assert_int_equal(info.made, 1);
	vhost_events(p.d.client, (const char *[]){ "freed store", "made store", NULL });
	play_close(&p);
	tables_free(t);
}

static void it_goes_with_the_last_and_is_made_anew_with_the_next(void **state)
{
	struct named n[3] = { { .user = NULL } };
	struct weft_vhost_info info;
	struct tables *t;
	struct play p;

	(void)state;
	for (unsigned hold = WEFT_HOLD_CONNECTION; hold <= WEFT_HOLD_STREAM; hold++) {
		play_open(
			&p, &(struct weft_context_options){ .max_conns = 3, .linger_ms = 1 }, NULL);
		t = tables_of(&p, hold);
		t->streams[0].keep_warm_ms = 0;
		play_use(&p, tables_static(t));
		for (unsigned round = 1; round <= 3; round++) {
			for (unsigned i = 0; i < 3; i++)
				named_open(&n[i], p.d.client, "a");
			for (unsigned i = 0; i < 3; i++) {
				play_answer(&p, &n[i]);
				assert_int_equal(n[i].why.status, WEFT_OK);
			}
			play_until(&p, !vhosts_now(&p));
			assert_int_equal(vhosts_made(&p), round);
			assert_true(vhost_gone(p.d.client, "store", &info));
			assert_int_equal(info.made, round);
		}
		play_close(&p);
		tables_free(t);
	}
}

/* ---- lingering ---- */

static void it_lingers_and_another_stream_finds_it_there(void **state)
{
	struct named n = { .user = NULL };
	struct tables *t;
	struct play p;

	(void)state;
	for (unsigned hold = WEFT_HOLD_CONNECTION; hold <= WEFT_HOLD_STREAM; hold++) {
		play_open(&p, NULL, NULL);
		t = tables_of(&p, hold);
		t->trusts[0].linger_ms = LONG_MS;
		t->streams[0].keep_warm_ms = 0;
		play_use(&p, tables_static(t));
		for (unsigned round = 1; round <= 3; round++) {
			play_visit(&p, &n, "a");
			play_until(&p, !duo_client_counts(&p.d).conns_now);
			vhost_check(p.d.client, "store", WEFT_VHOST_LINGERING, 0, 0, 0);
			vhost_events(p.d.client, (const char *[]){ "lingers store", NULL });
			assert_int_equal(vhosts_made(&p), 1);
		}
		named_open(&n, p.d.client, "a");
		(void)play_asked(&p);
		vhost_check(p.d.client, "store", WEFT_VHOST_LIVE, 1, hold == WEFT_HOLD_STREAM, 0);
		vhost_events(p.d.client,
			hold == WEFT_HOLD_STREAM
				? (const char *[]){ "shared store", "revived store",
					  "lingers store", NULL }
				: (const char *[]){ "revived store", "lingers store", NULL });
		/* an hour is not waited for: the context's end is its end */
		play_close(&p);
		tables_free(t);
	}
}

static void it_lingers_no_longer_than_it_should(void **state)
{
	struct named n = { .user = NULL };
	struct tables *t;
	struct play p;

	(void)state;
	play_open(&p, NULL, NULL);
	t = tables_of(&p, WEFT_HOLD_CONNECTION);
	t->trusts[0].linger_ms = 1;
	t->streams[0].keep_warm_ms = 0;
	play_use(&p, tables_static(t));
	for (unsigned round = 1; round <= 3; round++) {
		play_visit(&p, &n, "a");
		play_until(&p, !vhosts_now(&p));
		vhost_events(p.d.client, (const char *[]){ "freed store", "lingers store", NULL });
		assert_int_equal(vhosts_made(&p), round);
	}
	play_close(&p);
	tables_free(t);
}

static void a_context_that_drains_lets_nothing_linger(void **state)
{
	struct named n = { .user = NULL };
	struct tables *t;
	struct play p;

	(void)state;
	play_open(&p, NULL, NULL);
	t = tables_of(&p, WEFT_HOLD_CONNECTION);
	t->trusts[0].linger_ms = LONG_MS;
	t->streams[0].keep_warm_ms = 0;
	play_use(&p, tables_static(t));
	play_visit(&p, &n, "a");
	play_until(&p, !duo_client_counts(&p.d).conns_now);
	assert_int_equal(vhosts_now(&p), 1);
	weft_context_drain(p.d.client, 0, NULL, NULL);
	assert_int_equal(vhosts_now(&p), 0);
	play_close(&p);
	tables_free(t);

	/* one that goes while it drains */
	play_open(&p, NULL, NULL);
	t = tables_of(&p, WEFT_HOLD_CONNECTION);
	t->trusts[0].linger_ms = LONG_MS;
	play_use(&p, tables_static(t));
	named_open(&n, p.d.client, "a");
	(void)play_asked(&p);
	weft_context_drain(p.d.client, 0, NULL, NULL);
	play_answer(&p, &n);
	assert_int_equal(n.why.status, WEFT_OK);
	play_until(&p, !vhosts_now(&p));
	play_close(&p);
	tables_free(t);
}

/* Two names for one content: whoever used it last, the wish for more counts. */
static void of_two_names_that_share_it_the_longer_linger_counts(void **state)
{
	struct named n[2] = { { .user = NULL } };
	struct weft_policy_trust *b;
	struct tables *t;
	struct play p;

	(void)state;
	for (unsigned first = 0; first < 2; first++) {
		play_open(&p, NULL, NULL);
		t = tables_of(&p, WEFT_HOLD_CONNECTION);
		b = tables_trust_of(t, "other name", test_certs_ca());
		b->linger_ms = LONG_MS;
		tables_stream(t, "b", "h1", p.port, b)->keep_warm_ms = 0;
		t->streams[0].keep_warm_ms = 0;
		play_use(&p, tables_static(t));
		/* on one connection, one behind the other */
		named_open(&n[0], p.d.client, first ? "b" : "a");
		named_open(&n[1], p.d.client, first ? "a" : "b");
		play_answer(&p, &n[0]);
		play_answer(&p, &n[1]);
		play_until(&p, !duo_client_counts(&p.d).conns_now);
		assert_int_equal(duo_client_counts(&p.d).conns_opened, 1);
		vhost_check(
			p.d.client, first ? "other name" : "store", WEFT_VHOST_LINGERING, 0, 0, 0);
		play_close(&p);
		tables_free(t);
	}
}

/* ---- warm connections ---- */

static void how_long_a_connection_is_kept_warm_is_the_streams_wish(void **state)
{
	const struct weft_context_options cold = { .no_keep_warm = true, .linger_ms = 1 };
	struct named n = { .user = NULL };
	struct tables *t;
	struct play p;

	(void)state;
	/* the context's */
	play_open(&p, &cold, NULL);
	t = tables_of(&p, WEFT_HOLD_CONNECTION);
	t->streams[1].keep_warm_ms = LONG_MS;
	play_use(&p, tables_static(t));
	play_visit(&p, &n, "a");
	play_until(&p, !duo_client_counts(&p.d).conns_now && !vhosts_now(&p));
	/* its own */
	play_visit(&p, &n, "a2");
	play_idle(&p);
	vhost_check(p.d.client, "store", WEFT_VHOST_LIVE, 1, 0, 0);
	/* of one after the other the last one's counts */
	play_visit(&p, &n, "a");
	play_until(&p, !duo_client_counts(&p.d).conns_now && !vhosts_now(&p));
	assert_int_equal(duo_client_counts(&p.d).conns_opened, 2);
	play_close(&p);
	tables_free(t);

	/* none, where the context keeps them; and a short time */
	for (unsigned ms = 0; ms < 2; ms++) {
		play_open(&p, &(struct weft_context_options){ .keep_warm_ms = LONG_MS }, NULL);
		t = tables_of(&p, WEFT_HOLD_CONNECTION);
		t->streams[1].keep_warm_ms = ms;
		play_use(&p, tables_static(t));
		play_visit(&p, &n, "a");
		play_idle(&p);
		assert_int_equal(vhosts_now(&p), 1);
		play_visit(&p, &n, "a2");
		play_until(&p, !duo_client_counts(&p.d).conns_now && !vhosts_now(&p));
		assert_int_equal(duo_client_counts(&p.d).conns_opened, 1);
		play_close(&p);
		tables_free(t);
	}
}

static void a_warm_connection_that_does_not_hold_lets_the_vhost_go(void **state)
{
	struct named n = { .user = NULL };
	struct weft_vhost_info info;
	struct tables *t;
	struct play p;

	(void)state;
	for (unsigned hold = WEFT_HOLD_CONNECTION; hold <= WEFT_HOLD_STREAM; hold++) {
		play_open(&p, &(struct weft_context_options){ .keep_warm_ms = LONG_MS }, NULL);
		t = tables_of(&p, hold);
		t->streams[0].warm_holds = false;
		play_use(&p, tables_static(t));
		play_visit(&p, &n, "a");
		play_until(&p, !vhosts_now(&p));
		assert_int_equal(duo_client_counts(&p.d).conns_now, 1);
		assert_true(vhost_gone(p.d.client, "store", &info));
		/* the connection serves on, and what is not needed is not made */
		for (unsigned i = 1; i <= 3; i++) {
			play_visit(&p, &n, i < 3 ? "a" : "a2");
			assert_int_equal(duo_client_counts(&p.d).conns_reused, i);
		}
		assert_int_equal(duo_client_counts(&p.d).conns_opened, 1);
		assert_int_equal(vhosts_made(&p), hold == WEFT_HOLD_STREAM ? 4 : 1);
		play_close(&p);
		tables_free(t);
	}
}

static void a_connection_that_is_used_again_holds_the_vhost_that_is_there(void **state)
{
	struct named n[2] = { { .user = NULL } };
	struct tables *t;
	struct play p;

	(void)state;
	play_open(&p, &(struct weft_context_options){ .keep_warm_ms = LONG_MS, .max_conns = 2 },
		NULL);
	t = tables_of(&p, WEFT_HOLD_CONNECTION);
	t->streams[0].warm_holds = false;
	play_use(&p, tables_static(t));
	/* the one connection holds, the other one does not */
	named_open(&n[0], p.d.client, "a");
	named_open(&n[1], p.d.client, "a2");
	play_answer(&p, &n[0]);
	play_answer(&p, &n[1]);
	play_until(&p, duo_client_counts(&p.d).conns_opened == 2);
	vhost_check(p.d.client, "store", WEFT_VHOST_LIVE, 1, 0, 0);
	/* both are used by one that holds */
	named_open(&n[0], p.d.client, "a2");
	named_open(&n[1], p.d.client, "a2");
	play_until(&p, duo_client_counts(&p.d).conns_reused == 2);
	vhost_check(p.d.client, "store", WEFT_VHOST_LIVE, 2, 0, 0);
	play_answer(&p, &n[0]);
	play_answer(&p, &n[1]);
	assert_int_equal(duo_client_counts(&p.d).conns_opened, 2);
	assert_int_equal(vhosts_made(&p), 1);
	play_close(&p);
	tables_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(held_by_a_stream_it_is_made_as_that_opens),
		cmocka_unit_test(held_by_a_connection_it_is_made_as_that_begins),
		cmocka_unit_test(it_goes_with_the_last_and_is_made_anew_with_the_next),
		cmocka_unit_test(it_lingers_and_another_stream_finds_it_there),
		cmocka_unit_test(it_lingers_no_longer_than_it_should),
		cmocka_unit_test(a_context_that_drains_lets_nothing_linger),
		cmocka_unit_test(of_two_names_that_share_it_the_longer_linger_counts),
		cmocka_unit_test(how_long_a_connection_is_kept_warm_is_the_streams_wish),
		cmocka_unit_test(a_warm_connection_that_does_not_hold_lets_the_vhost_go),
		cmocka_unit_test(a_connection_that_is_used_again_holds_the_vhost_that_is_there),
	};

	return duo_main("policy, life", tests, sizeof(tests) / sizeof(*tests), DUO_PAIRS);
}
