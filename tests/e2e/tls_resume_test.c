/* SPDX-License-Identifier: MIT */
/* Sessions are resumed, counted by the server; and are not where something that matters has changed. */
#include <stdio.h>
#include <string.h>

#include "tests/support/visit.h"

static const struct weft_context_options cold = { .no_keep_warm = true, .linger_ms = 1 };
/* a connection for each exchange at a time */
static const char *const one_at_a_time[] = { "h1", NULL };
static const struct weft_vhost_options plain_vhost = { .routes = visit_routes,
	.roles = one_at_a_time };

/* Full and resumed handshakes so far; the same on both sides. */
static void counts(struct duo *d, unsigned full, unsigned resumed)
{
	struct weft_counters s = duo_server_counts(d), c = duo_client_counts(d);

	assert_int_equal(s.handshakes_resumed, resumed);
	assert_int_equal(s.handshakes_full, full);
	assert_int_equal(c.handshakes_resumed, resumed);
	assert_int_equal(c.handshakes_full, full);
	assert_int_equal(s.handshakes_failed, 0);
}

static void the_next_connections_resume_the_session(void **state)
{
	struct visit v;
	struct duo d;

	(void)state;
	if (!visit_can("resume"))
		skip();
	duo_open(&d, NULL, &cold, &plain_vhost, false);
	for (unsigned i = 0; i < 5; i++) {
		visit_good(&v, &d, NULL);
		assert_int_equal(v.server.info.tls_resumed, i > 0);
		assert_int_equal(visitor.info.tls_resumed, i > 0);
		/* who it is stays known */
		assert_true(v.server.info.peer_cert);
		assert_true(v.server.info.peer_verified);
		assert_true(visit_met(&v.server, test_cert(TEST_CERT_GOOD)));
		assert_string_equal(v.server.info.alpn, "http/1.1");
		counts(&d, 1, i);
	}
	duo_close(&d);
}

static void several_connections_at_once_each_have_their_own(void **state)
{
	const struct weft_context_options many = {
		.no_keep_warm = true, .linger_ms = 1, .max_conns = 3
	};
	/* a client that may get HTTP/2 would wait for the first */
	static const char *const h1[] = { "http/1.1", NULL };
	struct weft_request r = { .share = WEFT_SHARE_POOL, .stream.alpn = h1 };
	struct visit v[3];
	struct duo d;

	(void)state;
	if (!visit_can("resume"))
		skip();
	duo_open(&d, NULL, &many, &plain_vhost, false);
	for (unsigned round = 0; round < 2; round++) {
		for (unsigned i = 0; i < 3; i++)
			visit_begin(&v[i], &d, &r);
		for (unsigned i = 0; i < 3; i++)
			duo_until(&d, v[i].closes);
		for (unsigned i = 0; i < 3; i++)
			assert_int_equal(v[i].why.status, WEFT_OK);
		duo_until(&d, !duo_client_counts(&d).conns_now);
	}
	duo_until(&d, !duo_server_counts(&d).conns_now);
	assert_int_equal(duo_server_counts(&d).conns_accepted, 6);
	counts(&d, 3, 3);
	duo_close(&d);
}

static void nobody_resumes_where_one_side_does_not_want_to(void **state)
{
	const struct weft_context_options never = {
		.no_keep_warm = true, .linger_ms = 1, .no_tickets = true
	};
	const struct weft_vhost_options without = {
		.routes = visit_routes, .roles = one_at_a_time, .no_tickets = true
	};
	struct visit v;
	struct duo d;

	(void)state;
	for (unsigned who = 0; who < 3; who++) {
		duo_open(&d, who == 0 ? &never : &cold, who == 1 ? &never : &cold,
			who == 2 ? &without : &plain_vhost, false);
		for (unsigned i = 0; i < 3; i++)
			visit_good(&v, &d, NULL);
		counts(&d, 3, 0);
		duo_close(&d);
	}
}

/* Another vhost in the place of the first. */
static void replace(struct duo *d, const struct weft_vhost_options *options)
{
	struct weft_vhost_options v = *options;
	struct weft_error err;

	weft_vhost_destroy(d->vh);
	snprintf(d->listener, sizeof(d->listener), "%s", d->base);
	duo_vhost_options(d, &v);
	if (weft_vhost_create(d->server, &v, &d->vh, &err))
		fail_msg("%s", err.text);
}

static void a_server_with_another_secret_handshakes_in_full(void **state)
{
	static unsigned char secret[64];
	struct weft_vhost_options shared = { .routes = visit_routes,
		.roles = one_at_a_time,
		.ticket_secret = { secret, sizeof(secret) } };
	struct visit v;
	struct duo d;

	(void)state;
	if (!visit_can("resume"))
		skip();
	duo_open(&d, NULL, &cold, &plain_vhost, false);
	visit_good(&v, &d, NULL);
	/* a secret of its own */
	replace(&d, &plain_vhost);
	visit_good(&v, &d, NULL);
	counts(&d, 2, 0);
	memset(secret, 1, sizeof(secret));
	replace(&d, &shared);
	visit_good(&v, &d, NULL);
	counts(&d, 3, 0);
	/* the same one, as a second process would have it */
	replace(&d, &shared);
	visit_good(&v, &d, NULL);
	counts(&d, 3, 1);
	memset(secret, 2, sizeof(secret));
	replace(&d, &shared);
	visit_good(&v, &d, NULL);
	counts(&d, 4, 1);
	visit_good(&v, &d, NULL);
	counts(&d, 4, 2);
	duo_close(&d);
}

static void another_policy_handshakes_in_full(void **state)
{
	struct weft_request allow = { .allow = WEFT_TLS_EXPIRED };
	struct weft_request sni = { .stream.sni = "a.example.test" };
	struct weft_trust both;
	struct weft_request trust = { .trust = &both };
	struct visit v;
	struct duo d;

	(void)state;
	if (!visit_can("resume"))
		skip();
	duo_open(&d, NULL, &cold, &plain_vhost, false);
	both = d.trust;
	both.verify_dates = WEFT_DATES_ONCE_CLOCK_SET;
	visit_good(&v, &d, NULL);
	visit_good(&v, &d, &allow);
	visit_good(&v, &d, &sni);
	visit_good(&v, &d, &trust);
	counts(&d, 4, 0);
	visit_good(&v, &d, &trust);
	visit_good(&v, &d, &sni);
	visit_good(&v, &d, &allow);
	visit_good(&v, &d, NULL);
	counts(&d, 4, 4);
	duo_close(&d);
}

static void a_full_cache_forgets_the_oldest(void **state)
{
	const struct weft_context_options one = {
		.no_keep_warm = true, .linger_ms = 1, .ticket_cache = 1
	};
	struct weft_request sni = { .stream.sni = "a.example.test" };
	struct visit v;
	struct duo d;

	(void)state;
	if (!visit_can("resume"))
		skip();
	duo_open(&d, NULL, &one, &plain_vhost, false);
	visit_good(&v, &d, NULL);
	visit_good(&v, &d, &sni);
	visit_good(&v, &d, NULL);
	counts(&d, 3, 0);
	visit_good(&v, &d, NULL);
	counts(&d, 3, 1);
	duo_close(&d);
}

/* The client's vhost comes and goes with each connection: what it leaves holds no TLS context. */
static void tickets_keep_no_vhost_alive(void **state)
{
	struct visit v;
	struct duo d;

	(void)state;
	duo_open(&d, NULL, &cold, &plain_vhost, false);
	for (unsigned i = 1; i <= 3; i++) {
		visit_good(&v, &d, NULL);
		assert_int_equal(duo_client_counts(&d).vhosts_now, 0);
		assert_int_equal(duo_client_counts(&d).vhosts_created, i);
	}
	duo_close(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_next_connections_resume_the_session),
		cmocka_unit_test(several_connections_at_once_each_have_their_own),
		cmocka_unit_test(nobody_resumes_where_one_side_does_not_want_to),
		cmocka_unit_test(a_server_with_another_secret_handshakes_in_full),
		cmocka_unit_test(another_policy_handshakes_in_full),
		cmocka_unit_test(a_full_cache_forgets_the_oldest),
		cmocka_unit_test(tickets_keep_no_vhost_alive),
	};

	return duo_main("resume", tests, sizeof(tests) / sizeof(*tests), DUO_PAIRS);
}
