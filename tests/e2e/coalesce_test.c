/* SPDX-License-Identifier: MIT */
/*
 * One connection for several hosts, where everything says that it may be: counted by the server, which knows
 * two names by one certificate. And each thing that makes it two.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/certs.h"
#include "tests/support/duo.h"

#define A "a.example.test"
#define B "b.example.test"
#define ELSEWHERE "elsewhere.test"

enum { ASKS = 32 };

static struct ask asks[ASKS];
static struct duo d;

/* ---- a server with two names ---- */

/* Its one vhost serves both: it never says that a request is misdirected. */
static void open_one(const struct weft_context_options *server)
{
	static const char *const more[] = { B, NULL };
	const struct weft_vhost_options v = { .name = A, .aliases = more };

	memset(asks, 0, sizeof(asks));
	duo_open(&d, server, NULL, &v, false);
}

static struct weft_vhost *add_vhost(const struct weft_vhost_options *options)
{
	struct weft_vhost_options v = *options;
	struct weft_vhost *vh;
	struct weft_error err;

	duo_vhost_options(&d, &v);
	v.listen = d.base;
	if (weft_vhost_create(d.server, &v, &vh, &err))
		fail_msg("%s", err.text);
	return vh;
}

/* A vhost each: one that was named when hands were shaken does not serve the other's requests. */
static void open_two(void)
{
	const struct weft_vhost_options a = { .name = A }, b = { .name = B };

	memset(asks, 0, sizeof(asks));
	duo_open(&d, NULL, NULL, &a, false);
	add_vhost(&b);
}

/* ---- a client that knows where they are ---- */

static struct weft_request wish(bool coalesce)
{
	return (struct weft_request){ .connect_to = strstr(d.base, "://") + 3,
		.stream.coalesce = coalesce };
}

static void ask(unsigned i, const char *host, bool post, struct weft_request r)
{
	char url[128];

	snprintf(url, sizeof(url), "https://%s%s/digest/%u", host, strrchr(d.base, ':'), i);
	r.url = url;
	ask_open(&asks[i], &d, i, post, &r);
}

static void check(unsigned i)
{
	duo_until(&d, asks[i].closed);
	ask_check(&asks[i]);
}

static void visit(unsigned i, const char *host, struct weft_request r)
{
	ask(i, host, false, r);
	check(i);
}

static bool same_conn(unsigned i, unsigned j)
{
	return asks[i].conn == asks[j].conn;
}

static char story[2048];

static void tell(struct weft_stream *s, const struct weft_error *why, void *user)
{
	assert_int_equal(why->status, WEFT_OK);
	weft_stream_explain(s, story, sizeof(story));
	*(bool *)user = true;
}

/* A visit whose story is kept. */
static void visit_telling(const char *host, struct weft_request r)
{
	static const struct weft_stream_ops ops = { .on_close = tell };
	struct weft_stream *s;
	struct weft_error err;
	bool closed = false;
	char url[128];

	snprintf(url, sizeof(url), "https://%s%s/digest/1", host, strrchr(d.base, ':'));
	r.url = url;
	r.share = WEFT_SHARE_POOL;
	r.trust = &d.trust;
	if (weft_http_open(d.client, &r, &ops, &closed, &s, &err))
		fail_msg("%s", err.text);
	duo_until(&d, closed);
}

static void assert_told(const char *words)
{
	if (!strstr(story, words))
		fail_msg("expected \"%s\" in:\n%s", words, story);
}

/* ---- together ---- */

static void two_names_of_one_server_share_its_connection(void **state)
{
	struct weft_counters c;

	(void)state;
	open_one(NULL);
	visit(0, A, wish(false));
	visit(1, B, wish(true));
	for (unsigned i = 2; i < 12; i++) /* all of one turn */
		ask(i, i % 2 ? A : B, i % 3 == 0, wish(true));
	for (unsigned i = 2; i < 12; i++)
		check(i);
	visit_telling(B, wish(true));
	assert_told("sent on connection 1, another host's with the same address and a certificate "
		    "for both, after ");
	c = duo_server_counts(&d);
	assert_int_equal(c.conns_accepted, 1);
	assert_int_equal(c.handshakes_full, 1);
	assert_int_equal(c.streams_incoming, 13);
	c = duo_client_counts(&d);
	assert_int_equal(c.conns_opened, 1);
	assert_int_equal(c.conns_failed, 0);
	/* also those to a itself: without the wish it is another entry */
	assert_int_equal(c.streams_coalesced, 12);
	assert_int_equal(c.streams_misdirected, 0);
	duo_close(&d);
}

/* The second one waits for what the first one's connection turns out to be. */
static void who_comes_while_it_is_made_waits_for_it(void **state)
{
	struct weft_counters c;

	(void)state;
	open_one(NULL);
	for (unsigned i = 0; i < 8; i++)
		ask(i, i % 2 ? A : B, false, wish(true));
	for (unsigned i = 0; i < 8; i++)
		check(i);
	c = duo_client_counts(&d);
	assert_int_equal(c.conns_opened, 1);
	assert_int_equal(c.conns_failed, 0);
	assert_int_equal(c.streams_retried, 0);
	assert_int_equal(c.streams_coalesced, 4);
	assert_int_equal(duo_server_counts(&d).conns_accepted, 1);
	duo_close(&d);
}

static void the_certificate_of_a_resumed_session_counts(void **state)
{
	struct weft_request r;

	(void)state;
	open_one(NULL);
	r = wish(true);
	r.stream.keep_warm_ms = UINT32_MAX;
	visit(0, A, r);
	duo_until(&d, !duo_client_counts(&d).conns_now);
	visit(1, A, wish(true));
	if (!duo_server_counts(&d).handshakes_resumed) {
		duo_close(&d);
		skip();
	}
	visit(2, B, wish(true));
	assert_true(same_conn(1, 2));
	assert_int_equal(duo_client_counts(&d).streams_coalesced, 1);
	duo_close(&d);
}

static unsigned places;

static bool count_place(const struct weft_queue_view *queue, void *user)
{
	(void)user;
	places += !strcmp(queue->host, B);
	return true;
}

static bool is_remembered(void)
{
	places = 0;
	weft_context_queues(d.client, count_place, NULL);
	return places > 0;
}

/* A place that only borrows is remembered as long as a connection of its own would stay open. */
static void who_borrows_no_more_is_forgotten(void **state)
{
	static const char *const more[] = { B, NULL };
	const struct weft_vhost_options v = { .name = A, .aliases = more };
	const struct weft_context_options brief = { .keep_warm_ms = 20 };
	struct weft_request r;

	(void)state;
	memset(asks, 0, sizeof(asks));
	duo_open(&d, NULL, &brief, &v, false);
	r = wish(true);
	r.stream.keep_warm_ms = 60000;
	visit(0, A, r);
	visit(1, B, r);
	assert_true(is_remembered());
	duo_until(&d, !is_remembered());
	assert_int_equal(duo_client_counts(&d).conns_now, 1);
	visit(2, B, r);
	assert_true(same_conn(0, 2));
	duo_close(&d);
}

/* ---- undone ---- */

static void a_421_sends_it_to_a_connection_of_its_own(void **state)
{
	struct weft_counters c;

	(void)state;
	open_two();
	visit(0, A, wish(true));
	visit_telling(B, wish(true));
	assert_told("sent on connection 1, another host's");
	assert_told("queued again: connection 1 does not serve this host (421); it gets one of its "
		    "own");
	assert_told("made for this");
	/* it is not tried again, whoever comes */
	visit(1, B, wish(true));
	visit(2, A, wish(true));
	assert_false(same_conn(1, 2));
	assert_true(same_conn(0, 2));
	c = duo_client_counts(&d);
	assert_int_equal(c.streams_coalesced, 1);
	assert_int_equal(c.streams_misdirected, 1);
	assert_int_equal(c.streams_retried, 1);
	assert_int_equal(duo_server_counts(&d).conns_accepted, 2);
	duo_close(&d);
}

static void a_body_is_sent_again_behind_a_421(void **state)
{
	(void)state;
	open_two();
	visit(0, A, wish(true));
	for (unsigned i = 1; i < 6; i++) /* not idempotent: nobody has acted on it */
		ask(i, B, true, wish(true));
	for (unsigned i = 1; i < 6; i++) {
		check(i);
		assert_false(same_conn(0, i));
	}
	assert_int_equal(duo_client_counts(&d).streams_misdirected, 5);
	assert_int_equal(duo_server_counts(&d).conns_accepted, 2);
	duo_close(&d);
}

static void a_421_on_its_own_connection_is_the_answer(void **state)
{
	struct weft_request r;

	(void)state;
	open_two();
	r = wish(true);
	r.stream.sni = A;
	ask(0, B, false, r);
	duo_until(&d, asks[0].closed);
	assert_int_equal(asks[0].status, 421);
	assert_int_equal(duo_client_counts(&d).streams_misdirected, 0);
	duo_close(&d);
}

/* A body of which bytes are gone for good: what its application is told is the server's answer. */
static void a_body_that_is_lost_is_answered_421(void **state)
{
	static const char piece[] = "a piece that nobody keeps";
	struct weft_request r;

	(void)state;
	open_two();
	visit(0, A, wish(true));
	r = wish(true);
	r.body_later = true;
	ask(1, B, true, r);
	assert_int_equal(weft_stream_write(asks[1].stream, piece, sizeof(piece)), sizeof(piece));
	duo_until(&d, asks[1].head || asks[1].closed);
	assert_int_equal(asks[1].status, 421);
	if (asks[1].stream)
		weft_stream_close(asks[1].stream);
	duo_until(&d, asks[1].closed);
	visit(2, B, wish(true));
	assert_int_equal(duo_client_counts(&d).streams_misdirected, 0);
	assert_int_equal(duo_client_counts(&d).streams_coalesced, 1);
	duo_close(&d);
}

/* ---- not at all ---- */

static void apart(const char *second, struct weft_request first, struct weft_request r)
{
	visit(0, A, first);
	visit(1, second, r);
	assert_false(same_conn(0, 1));
	assert_int_equal(duo_client_counts(&d).streams_coalesced, 0);
	assert_int_equal(duo_server_counts(&d).conns_accepted, 2);
}

static void it_is_off_unless_asked_for(void **state)
{
	(void)state;
	open_one(NULL);
	apart(B, wish(true), wish(false));
	duo_close(&d);
}

static void a_certificate_for_one_keeps_them_apart(void **state)
{
	static const char *const names[] = { ELSEWHERE, NULL };
	const struct test_cert *cert = test_mint(&(struct test_recipe){ .dns = names });
	const struct weft_vhost_options v = { .name = ELSEWHERE,
		.credential = {
			.cert = { (const unsigned char *)cert->cert, cert->cert_len },
			.key = { (const unsigned char *)cert->key, cert->key_len },
		} };

	(void)state;
	open_one(NULL);
	add_vhost(&v);
	apart(ELSEWHERE, wish(true), wish(true));
	duo_close(&d);
}

static void what_turns_out_not_to_serve_both_is_not_waited_for(void **state)
{
	static const char *const any[] = { "h2", "http/1.1", NULL };
	static const char *const h1[] = { "h1", NULL };
	const struct weft_vhost_options v = { .name = A, .roles = h1 };
	struct weft_request r;

	(void)state;
	memset(asks, 0, sizeof(asks));
	duo_open(&d, NULL, NULL, &v, false);
	r = wish(true);
	r.stream.alpn = any;
	ask(0, A, false, r);
	ask(1, B, false, r);
	check(0);
	check(1);
	assert_false(same_conn(0, 1));
	assert_int_equal(duo_server_counts(&d).conns_accepted, 2);
	duo_close(&d);
}

/* The one that all wait for is not wanted any more: it ends, and the other goes on. */
static void what_is_given_up_on_the_way_costs_nobody_else_anything(void **state)
{
	(void)state;
	open_one(NULL);
	ask(0, A, false, wish(true));
	ask(1, B, false, wish(true));
	duo_turn(&d);
	weft_stream_close(asks[0].stream);
	check(1);
	assert_int_equal(duo_client_counts(&d).conns_opened, 1);
	assert_int_equal(duo_client_counts(&d).conns_failed, 0);
	/* it was not ended and made again */
	assert_int_equal(duo_client_counts(&d).streams_coalesced, 1);
	assert_int_equal(duo_server_counts(&d).conns_accepted, 1);
	duo_close(&d);
	/* and if both are given up there is none */
	open_one(NULL);
	ask(0, A, false, wish(true));
	ask(1, B, false, wish(true));
	duo_turn(&d);
	weft_stream_close(asks[0].stream);
	weft_stream_close(asks[1].stream);
	duo_until(&d, !duo_client_counts(&d).conns_now);
	assert_int_equal(duo_client_counts(&d).conns_opened, 0);
	duo_close(&d);
}

static void one_exchange_at_a_time_keeps_them_apart(void **state)
{
	static const char *const h1[] = { "http/1.1", NULL };
	struct weft_request r;

	(void)state;
	open_one(NULL);
	r = wish(true);
	r.stream.alpn = h1;
	apart(B, r, r);
	duo_close(&d);
}

static void checks_that_were_switched_off_keep_them_apart(void **state)
{
	struct weft_request r;

	(void)state;
	open_one(NULL);
	r = wish(true);
	r.allow = WEFT_TLS_EXPIRED;
	apart(B, r, r);
	duo_close(&d);
}

static void another_name_for_the_server_keeps_them_apart(void **state)
{
	struct weft_request r;

	(void)state;
	open_one(NULL);
	r = wish(true);
	r.stream.sni = B;
	apart(B, r, wish(true));
	duo_close(&d);
	open_one(NULL);
	r.stream.sni = A;
	apart(B, wish(true), r);
	duo_close(&d);
}

static void a_certificate_of_its_own_keeps_them_apart(void **state)
{
	const struct test_cert *me = test_cert(TEST_CERT_CLIENT);
	const struct weft_credential who = {
		.cert = { (const unsigned char *)me->cert, me->cert_len },
		.key = { (const unsigned char *)me->key, me->key_len },
	};
	struct weft_request r;

	(void)state;
	open_one(NULL);
	r = wish(true);
	r.credential = &who;
	apart(B, r, r);
	duo_close(&d);
}

static void connections_of_one_stream_are_left_alone(void **state)
{
	static const struct weft_stream_ops quiet = { .on_head = NULL };
	struct weft_stream *s;
	struct weft_request r;
	struct weft_error err;
	char url[128];

	(void)state;
	open_one(NULL);
	snprintf(url, sizeof(url), "https://" A "%s/digest/1", strrchr(d.base, ':'));
	r = wish(true);
	r.url = url;
	r.trust = &d.trust;
	r.share = WEFT_SHARE_ALONE;
	r.body_later = true; /* it stays open */
	assert_int_equal(weft_http_open(d.client, &r, &quiet, NULL, &s, &err), WEFT_OK);
	duo_until(&d, duo_server_counts(&d).streams_incoming == 1);
	visit(1, B, wish(true));
	assert_int_equal(duo_server_counts(&d).conns_accepted, 2);
	assert_int_equal(duo_client_counts(&d).streams_coalesced, 0);
	weft_stream_close(s);
	duo_close(&d);
}

/* ---- and what becomes of it ---- */

/* The server goes away under both: those of the borrower find a connection of their own. */
static void what_was_borrowed_may_go(void **state)
{
	struct weft_vhost *vh;
	const struct weft_vhost_options v = { .name = B };

	(void)state;
	open_one(NULL);
	visit(0, A, wish(true));
	visit(1, B, wish(true));
	assert_true(same_conn(0, 1));
	/* the first vhost is gone, and with it its connections; another one serves b */
	vh = add_vhost(&v);
	weft_vhost_destroy(d.vh);
	d.vh = vh;
	duo_until(&d, !duo_client_counts(&d).conns_now);
	for (unsigned i = 2; i < 6; i++)
		ask(i, B, false, wish(true));
	for (unsigned i = 2; i < 6; i++)
		check(i);
	assert_false(same_conn(1, 2));
	assert_int_equal(duo_server_counts(&d).conns_accepted, 2);
	duo_close(&d);
}

/* As many as the peer lets be open: the others are not made to wait for it. */
static void who_finds_no_room_makes_its_own(void **state)
{
	const struct weft_context_options few = { .streams = 2 };

	(void)state;
	open_one(&few);
	visit(0, A, wish(true));
	for (unsigned i = 1; i < 9; i++)
		ask(i, B, true, wish(true));
	for (unsigned i = 1; i < 9; i++)
		check(i);
	assert_int_equal(duo_server_counts(&d).conns_accepted, 2);
	assert_true(duo_client_counts(&d).streams_coalesced >= 2);
	duo_close(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_names_of_one_server_share_its_connection),
		cmocka_unit_test(who_comes_while_it_is_made_waits_for_it),
		cmocka_unit_test(the_certificate_of_a_resumed_session_counts),
		cmocka_unit_test(who_borrows_no_more_is_forgotten),
		cmocka_unit_test(a_421_sends_it_to_a_connection_of_its_own),
		cmocka_unit_test(a_body_is_sent_again_behind_a_421),
		cmocka_unit_test(a_421_on_its_own_connection_is_the_answer),
		cmocka_unit_test(a_body_that_is_lost_is_answered_421),
		cmocka_unit_test(it_is_off_unless_asked_for),
		cmocka_unit_test(a_certificate_for_one_keeps_them_apart),
		cmocka_unit_test(what_turns_out_not_to_serve_both_is_not_waited_for),
		cmocka_unit_test(what_is_given_up_on_the_way_costs_nobody_else_anything),
		cmocka_unit_test(one_exchange_at_a_time_keeps_them_apart),
		cmocka_unit_test(checks_that_were_switched_off_keep_them_apart),
		cmocka_unit_test(another_name_for_the_server_keeps_them_apart),
		cmocka_unit_test(a_certificate_of_its_own_keeps_them_apart),
		cmocka_unit_test(connections_of_one_stream_are_left_alone),
		cmocka_unit_test(what_was_borrowed_may_go),
		cmocka_unit_test(who_finds_no_room_makes_its_own),
	};

	return duo_main("coalesce", tests, sizeof(tests) / sizeof(*tests), DUO_PAIRS);
}
