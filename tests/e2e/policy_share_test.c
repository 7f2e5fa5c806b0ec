/* SPDX-License-Identifier: MIT */
/*
 * Whose vhost is whose: equal content under two names is one, different content never; and what is left of a vhost
 * that is gone, to be resumed.
 */
#include <string.h>

#include "tests/support/named.h"
#include "tests/support/visit.h"

enum { LONG_MS = 3600000 };

static const struct weft_context_options warm = {
	.keep_warm_ms = LONG_MS,
	.max_conns = 4,
	.linger_ms = 1,
};

/* One stream by each name, all at once; then how many connections and vhosts there were for them. */
static void visit_all(struct play *p, const char *const *names, unsigned conns, unsigned vhosts)
{
	struct named n[4] = { { .user = NULL } };
	unsigned count = 0;

	for (; names[count]; count++)
		named_open(&n[count], p->d.client, names[count]);
	for (unsigned i = 0; i < count; i++) {
		play_answer(p, &n[i]);
		if (n[i].why.status)
			fail_msg("%s: %s", names[i], n[i].why.text);
	}
	assert_int_equal(vhosts_now(p), vhosts);
	assert_int_equal(vhosts_made(p), vhosts);
	/* and once more, one by one: whoever may share a connection finds one */
	for (unsigned i = 0; i < count; i++)
		play_visit(p, &n[i], names[i]);
	assert_int_equal(duo_client_counts(&p->d).conns_opened, conns);
	assert_int_equal(vhosts_made(p), vhosts);
}

static void equal_content_under_two_names_is_one_vhost_and_one_connection(void **state)
{
	const struct test_cert *const one[] = { test_certs_ca(), test_certs_other_ca(), NULL };
	const struct test_cert *const two[] = { test_certs_other_ca(), test_certs_ca(), NULL };
	struct weft_context_options single = warm;
	struct weft_vhost_info info;
	struct tables *t;
	struct play p;

	(void)state;
	single.max_conns = 1;
	play_open(&p, &single, NULL);
	t = tables_make("equal");
	tables_stream(t, "a", "h1", p.port, tables_trust(t, "one", one));
	tables_stream(t, "b", "h1", p.port, tables_trust(t, "two", two));
	t->trusts[1].hold = WEFT_HOLD_STREAM;
	play_use(&p, tables_static(t));
	visit_all(&p, (const char *[]){ "a", "b", NULL }, 1, 1);
	/* it has the name that it was made by */
	assert_true(vhost_there(p.d.client, "two", &info));
	assert_false(vhost_there(p.d.client, "one", &info));
	play_close(&p);
	tables_free(t);
}

static void different_content_is_never_shared(void **state)
{
	static const unsigned char pins[1][WEFT_SHA256_BYTES];
	const struct test_cert *const more[] = { test_certs_ca(), test_certs_other_ca(), NULL };
	struct weft_policy_trust *dates;
	struct tables *t;
	struct play p;

	(void)state;
	play_open(&p, &warm, NULL);
	t = tables_make("different");
	tables_stream(t, "a", "h1", p.port, tables_trust_of(t, "one", test_certs_ca()));
	tables_stream(t, "b", "h1", p.port, tables_trust(t, "more", more));
	dates = tables_trust_of(t, "dates", test_certs_ca());
	dates->verify_dates = WEFT_DATES_ONCE_CLOCK_SET;
	tables_stream(t, "c", "h1", p.port, dates);
	play_use(&p, tables_static(t));
	visit_all(&p, (const char *[]){ "a", "b", "c", NULL }, 3, 3);
	assert_false(weft_policy_trust_equal(&t->trusts[0], &t->trusts[1]));
	assert_false(weft_policy_trust_equal(&t->trusts[0], &t->trusts[2]));
	t->trusts[2].verify_dates = WEFT_DATES_ALWAYS;
	assert_true(weft_policy_trust_equal(&t->trusts[0], &t->trusts[2]));
	t->trusts[2].pins = pins;
	t->trusts[2].pin_count = 1;
	assert_false(weft_policy_trust_equal(&t->trusts[0], &t->trusts[2]));
	t->trusts[2].pin_count = 0;
	play_close(&p);
	tables_free(t);
}

static void streams_of_one_vhost_may_go_different_ways(void **state)
{
	struct tables *t;
	struct play p;

	(void)state;
	play_open(&p, &warm, NULL);
	t = tables_make("ways");
	(void)tables_trust_of(t, "one", test_certs_ca());
	tables_stream(t, "a", "h1", p.port, &t->trusts[0]);
	tables_stream(t, "b", "h1", p.port, &t->trusts[0])->sni = "a.example.test";
	tables_stream(t, "c", "h1", p.port, &t->trusts[0])->allow = WEFT_TLS_EXPIRED;
	play_use(&p, tables_static(t));
	visit_all(&p, (const char *[]){ "a", "b", "c", NULL }, 3, 1);
	vhost_check(p.d.client, "one", WEFT_VHOST_LIVE, 3, 0, 0);
	play_close(&p);
	tables_free(t);
}

static void a_server_of_another_store_is_refused_and_nothing_stays(void **state)
{
	struct named n = { .user = NULL };
	struct tables *t;
	struct play p;

	(void)state;
	for (unsigned hold = WEFT_HOLD_CONNECTION; hold <= WEFT_HOLD_STREAM; hold++) {
		play_open(&p, &warm, NULL);
		t = tables_make("other");
		tables_stream(t, "a", "h1", p.port, tables_trust_of(t, "x", test_certs_other_ca()));
		t->trusts[0].hold = hold;
		play_use(&p, tables_static(t));
		named_open(&n, p.d.client, "a");
		play_until(&p, n.closes);
		assert_int_equal(n.why.status, WEFT_ERR_VERIFY);
		assert_non_null(strstr(n.why.text, "certificate issuer is unknown"));
		play_until(&p, !vhosts_now(&p));
		assert_int_equal(vhosts_made(&p), 1);
		play_close(&p);
		tables_free(t);
	}
}

/* ---- tickets ---- */

static void handshakes(struct play *p, unsigned full, unsigned resumed)
{
	struct weft_counters c = duo_client_counts(&p->d);

	assert_int_equal(c.handshakes_full, full);
	assert_int_equal(c.handshakes_resumed, resumed);
}

/* A connection with the exchange that brings the tickets, and its end. */
static void go_and_come_back(struct play *p, const char *name)
{
	struct named n = { .user = NULL };

	play_visit(p, &n, name);
	play_until(p, !duo_client_counts(&p->d).conns_now && !vhosts_now(p));
}

static void tickets_outlive_the_vhost_only_where_the_policy_says_so(void **state)
{
	struct tables *t;
	struct play p;

	(void)state;
	if (!visit_can("resume"))
		skip();
	play_open(&p, NULL, NULL);
	t = tables_make("tickets");
	tables_stream(t, "a", "h1", p.port, tables_trust_of(t, "forgets", test_certs_ca()));
	tables_stream(t, "b", "h1", p.port,
		tables_trust(t, "keeps",
			(const struct test_cert *[]){
				test_certs_ca(), test_certs_other_ca(), NULL }));
	t->trusts[1].keep_tickets = 1;
	t->streams[0].keep_warm_ms = t->streams[1].keep_warm_ms = 0;
	play_use(&p, tables_static(t));
	go_and_come_back(&p, "a");
	go_and_come_back(&p, "a");
	handshakes(&p, 2, 0);
	go_and_come_back(&p, "b");
	go_and_come_back(&p, "b");
	go_and_come_back(&p, "b");
	handshakes(&p, 3, 2);
	assert_int_equal(vhosts_made(&p), 5);
	/* the same policy again is another use of it */
	play_use(&p, &t->policy);
	go_and_come_back(&p, "b");
	handshakes(&p, 4, 2);
	play_close(&p);
	tables_free(t);
}

static void a_vhost_that_lingers_keeps_its_tickets(void **state)
{
	struct named n = { .user = NULL };
	struct tables *t;
	struct play p;

	(void)state;
	if (!visit_can("resume"))
		skip();
	play_open(&p, NULL, NULL);
	t = tables_make("tickets");
	tables_stream(t, "a", "h1", p.port, tables_trust_of(t, "lingers", test_certs_ca()));
	t->trusts[0].linger_ms = LONG_MS;
	t->streams[0].keep_warm_ms = 0;
	play_use(&p, tables_static(t));
	for (unsigned i = 0; i < 3; i++) {
		play_visit(&p, &n, "a");
		play_until(&p, !duo_client_counts(&p.d).conns_now);
		handshakes(&p, 1, i);
	}
	play_close(&p);
	tables_free(t);
}

/* Of several connections at once, each with its tickets: how many can be resumed behind the vhost's end. */
static void no_more_tickets_are_kept_than_said(void **state)
{
	struct named n[4] = { { .user = NULL } };
	struct tables *t;
	struct play p;

	(void)state;
	if (!visit_can("resume"))
		skip();
	for (unsigned keep = 0; keep < 4; keep++) {
		play_open(&p, &warm, NULL);
		t = tables_make("tickets");
		tables_stream(t, "a", "h1", p.port, tables_trust_of(t, "x", test_certs_ca()));
		t->trusts[0].keep_tickets = keep;
		t->streams[0].keep_warm_ms = 0;
		play_use(&p, tables_static(t));
		for (unsigned round = 0; round < 2; round++) {
			for (unsigned i = 0; i < 4; i++)
				named_open(&n[i], p.d.client, "a");
			/* all shake hands before the first is answered, which is when tickets come */
			play_until(&p, duo_client_counts(&p.d).conns_opened == 4 * (round + 1));
			for (unsigned i = 0; i < 4; i++)
				play_answer(&p, &n[i]);
			play_until(&p, !duo_client_counts(&p.d).conns_now && !vhosts_now(&p));
		}
		handshakes(&p, 8 - keep, keep);
		play_close(&p);
		tables_free(t);
	}
}

/* Its vhost is gone when the connection brings tickets: the same bound. */
static void tickets_of_a_connection_without_vhost_are_bounded_too(void **state)
{
	struct named n = { .user = NULL };
	struct tables *t;
	struct play p;

	(void)state;
	if (!visit_can("resume"))
		skip();
	for (unsigned keep = 0; keep < 2; keep++) {
		play_open(&p, &warm, NULL);
		t = tables_make("tickets");
		tables_stream(t, "a", "h1", p.port, tables_trust_of(t, "x", test_certs_ca()));
		t->trusts[0].keep_tickets = keep;
		t->streams[0].warm_holds = false;
		play_use(&p, tables_static(t));
		play_visit(&p, &n, "a");
		play_visit(&p, &n, "a");
		play_until(&p, !vhosts_now(&p));
		script_finish(&p.script.lines[0]);
		play_until(&p, !duo_client_counts(&p.d).conns_now);
		play_visit(&p, &n, "a");
		handshakes(&p, 2 - keep, keep);
		play_close(&p);
		tables_free(t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_content_under_two_names_is_one_vhost_and_one_connection),
		cmocka_unit_test(different_content_is_never_shared),
		cmocka_unit_test(streams_of_one_vhost_may_go_different_ways),
		cmocka_unit_test(a_server_of_another_store_is_refused_and_nothing_stays),
		cmocka_unit_test(tickets_outlive_the_vhost_only_where_the_policy_says_so),
		cmocka_unit_test(a_vhost_that_lingers_keeps_its_tickets),
		cmocka_unit_test(no_more_tickets_are_kept_than_said),
		cmocka_unit_test(tickets_of_a_connection_without_vhost_are_bounded_too),
	};

	return duo_main("policy, shared", tests, sizeof(tests) / sizeof(*tests), DUO_PAIRS);
}
