/* SPDX-License-Identifier: MIT */
/* Each thing that keeps two hosts of one server on connections of their own; and what is shared, and ends. */
#include <stdio.h>
#include <string.h>

#include "tests/support/certs.h"
#include "tests/support/hosts.h"

#define ELSEWHERE "elsewhere.test"

/* ---- not at all ---- */

static void apart(const char *second, struct weft_request first, struct weft_request r)
{
	hosts_visit(0, HOST_A, first);
	hosts_visit(1, second, r);
	assert_false(hosts_same_conn(0, 1));
	assert_int_equal(duo_client_counts(&hosts_duo).streams_coalesced, 0);
	assert_int_equal(duo_server_counts(&hosts_duo).conns_accepted, 2);
}

static void it_is_off_unless_asked_for(void **state)
{
	(void)state;
	hosts_open_one(NULL);
	apart(HOST_B, hosts_wish(true), hosts_wish(false));
	duo_close(&hosts_duo);
}

/* Of one place: who wants nobody else's connection makes one, and it does for all. */
static void who_does_not_want_it_is_served_by_its_own(void **state)
{
	(void)state;
	hosts_open_one(NULL);
	hosts_visit(0, HOST_A, hosts_wish(true));
	hosts_visit(1, HOST_B, hosts_wish(true));
	assert_true(hosts_same_conn(0, 1));
	hosts_visit(2, HOST_B, hosts_wish(false));
	assert_false(hosts_same_conn(0, 2));
	hosts_visit(3, HOST_B, hosts_wish(true));
	assert_true(hosts_same_conn(2, 3));
	assert_int_equal(duo_server_counts(&hosts_duo).conns_accepted, 2);
	duo_close(&hosts_duo);
	/* on the way, too: it waits for nobody */
	hosts_open_one(NULL);
	hosts_ask(0, HOST_A, false, hosts_wish(true));
	hosts_ask(1, HOST_B, false, hosts_wish(true));
	duo_turn(&hosts_duo);
	hosts_ask(2, HOST_B, false, hosts_wish(false));
	for (unsigned i = 0; i < 3; i++)
		hosts_check(i);
	assert_false(hosts_same_conn(0, 2));
	assert_int_equal(duo_server_counts(&hosts_duo).conns_accepted, 2);
	duo_close(&hosts_duo);
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
	hosts_open_one(NULL);
	hosts_add_vhost(&v);
	apart(ELSEWHERE, hosts_wish(true), hosts_wish(true));
	duo_close(&hosts_duo);
}

static void what_turns_out_not_to_serve_both_is_not_waited_for(void **state)
{
	static const char *const any[] = { "h2", "http/1.1", NULL };
	static const char *const h1[] = { "h1", NULL };
	const struct weft_vhost_options v = { .name = HOST_A, .roles = h1 };
	struct weft_request r;

	(void)state;
	memset(hosts_asks, 0, sizeof(hosts_asks));
	duo_open(&hosts_duo, NULL, NULL, &v, false);
	r = hosts_wish(true);
	r.stream.alpn = any;
	hosts_ask(0, HOST_A, false, r);
	hosts_ask(1, HOST_B, false, r);
	hosts_check(0);
	hosts_check(1);
	assert_false(hosts_same_conn(0, 1));
	assert_int_equal(duo_server_counts(&hosts_duo).conns_accepted, 2);
	duo_close(&hosts_duo);
}

/* The one that all wait for is not wanted any more: it ends, and the other goes on. */
static void what_is_given_up_on_the_way_costs_nobody_else_anything(void **state)
{
	(void)state;
	hosts_open_one(NULL);
	hosts_ask(0, HOST_A, false, hosts_wish(true));
	hosts_ask(1, HOST_B, false, hosts_wish(true));
	duo_turn(&hosts_duo);
	weft_stream_close(hosts_asks[0].stream);
	hosts_check(1);
	assert_int_equal(duo_client_counts(&hosts_duo).conns_opened, 1);
	assert_int_equal(duo_client_counts(&hosts_duo).conns_failed, 0);
	/* it was not ended and made again */
	assert_int_equal(duo_client_counts(&hosts_duo).streams_coalesced, 1);
	assert_int_equal(duo_server_counts(&hosts_duo).conns_accepted, 1);
	duo_close(&hosts_duo);
	/* and if both are given up there is none */
	hosts_open_one(NULL);
	hosts_ask(0, HOST_A, false, hosts_wish(true));
	hosts_ask(1, HOST_B, false, hosts_wish(true));
	duo_turn(&hosts_duo);
	weft_stream_close(hosts_asks[0].stream);
	weft_stream_close(hosts_asks[1].stream);
	duo_until(&hosts_duo, !duo_client_counts(&hosts_duo).conns_now);
	assert_int_equal(duo_client_counts(&hosts_duo).conns_opened, 0);
	duo_close(&hosts_duo);
}

static void one_exchange_at_a_time_keeps_them_apart(void **state)
{
	static const char *const h1[] = { "http/1.1", NULL };
	struct weft_request r;

	(void)state;
	hosts_open_one(NULL);
	r = hosts_wish(true);
	r.stream.alpn = h1;
	apart(HOST_B, r, r);
	duo_close(&hosts_duo);
}

static void checks_that_were_switched_off_keep_them_apart(void **state)
{
	struct weft_request r;

	(void)state;
	hosts_open_one(NULL);
	r = hosts_wish(true);
	r.allow = WEFT_TLS_EXPIRED;
	apart(HOST_B, r, r);
	duo_close(&hosts_duo);
	/* nor is it anybody else's then */
	hosts_open_one(NULL);
	apart(HOST_B, r, hosts_wish(true));
	duo_close(&hosts_duo);
}

/* The same CA, but one of them wants a certain key. */
static void another_trust_keeps_them_apart(void **state)
{
	unsigned char pins[1][WEFT_SHA256_BYTES];
	struct weft_conn_info info;
	struct weft_request r;
	struct weft_trust pinned;

	(void)state;
	hosts_open_one(NULL);
	r = hosts_wish(true);
	r.body_later = true;
	hosts_ask(0, HOST_A, true, r);
	duo_until(&hosts_duo, !weft_stream_conn_info(hosts_asks[0].stream, &info));
	memcpy(pins[0], info.peer_spki, sizeof(pins[0]));
	(void)weft_stream_write(
		hosts_asks[0].stream, hosts_asks[0].body, strlen(hosts_asks[0].body));
	weft_stream_finish(hosts_asks[0].stream);
	hosts_check(0);
	pinned = hosts_duo.trust;
	pinned.pins = (const unsigned char(*)[WEFT_SHA256_BYTES])pins;
	pinned.pin_count = 1;
	hosts_duo.trust = pinned;
	r = hosts_wish(true);
	hosts_visit(1, HOST_B, r);
	assert_false(hosts_same_conn(0, 1));
	assert_int_equal(duo_client_counts(&hosts_duo).streams_coalesced, 0);
	/* with each other they share */
	hosts_visit(2, HOST_A, r);
	assert_true(hosts_same_conn(1, 2));
	duo_close(&hosts_duo);
}

static void another_name_for_the_server_keeps_them_apart(void **state)
{
	struct weft_request r;

	(void)state;
	hosts_open_one(NULL);
	r = hosts_wish(true);
	r.stream.sni = HOST_B;
	apart(HOST_B, r, hosts_wish(true));
	duo_close(&hosts_duo);
	hosts_open_one(NULL);
	r.stream.sni = HOST_A;
	apart(HOST_B, hosts_wish(true), r);
	duo_close(&hosts_duo);
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
	hosts_open_one(NULL);
	r = hosts_wish(true);
	r.credential = &who;
	apart(HOST_B, r, r);
	duo_close(&hosts_duo);
}

static void connections_of_one_stream_are_left_alone(void **state)
{
	static const struct weft_stream_ops quiet = { .on_head = NULL };
	struct weft_stream *s;
	struct weft_request r;
	struct weft_error err;
	char url[128];

	(void)state;
	hosts_open_one(NULL);
	snprintf(url, sizeof(url), "https://" HOST_A "%s/digest/1", strrchr(hosts_duo.base, ':'));
	r = hosts_wish(true);
	r.url = url;
	r.trust = &hosts_duo.trust;
	r.share = WEFT_SHARE_ALONE;
	r.body_later = true; /* it stays open */
	assert_int_equal(weft_http_open(hosts_duo.client, &r, &quiet, NULL, &s, &err), WEFT_OK);
	duo_until(&hosts_duo, duo_server_counts(&hosts_duo).streams_incoming == 1);
	hosts_visit(1, HOST_B, hosts_wish(true));
	assert_int_equal(duo_server_counts(&hosts_duo).conns_accepted, 2);
	assert_int_equal(duo_client_counts(&hosts_duo).streams_coalesced, 0);
	weft_stream_close(s);
	duo_close(&hosts_duo);
}

/* ---- and what becomes of it ---- */

/* The server goes away under both: those of the borrower find a connection of their own. */
static void what_was_borrowed_may_go(void **state)
{
	struct weft_vhost *vh;
	const struct weft_vhost_options v = { .name = HOST_B };

	(void)state;
	hosts_open_one(NULL);
	hosts_visit(0, HOST_A, hosts_wish(true));
	hosts_visit(1, HOST_B, hosts_wish(true));
	assert_true(hosts_same_conn(0, 1));
	/* the first vhost is gone, and with it its connections; another one serves b */
	vh = hosts_add_vhost(&v);
	weft_vhost_destroy(hosts_duo.vh);
	hosts_duo.vh = vh;
	duo_until(&hosts_duo, !duo_client_counts(&hosts_duo).conns_now);
	for (unsigned i = 2; i < 6; i++)
		hosts_ask(i, HOST_B, false, hosts_wish(true));
	for (unsigned i = 2; i < 6; i++)
		hosts_check(i);
	assert_false(hosts_same_conn(1, 2));
	assert_int_equal(duo_server_counts(&hosts_duo).conns_accepted, 2);
	duo_close(&hosts_duo);
}

/* As many as the peer lets be open: the others are not made to wait for it. */
static void who_finds_no_room_makes_its_own(void **state)
{
	const struct weft_context_options few = { .streams = 2 };

	(void)state;
	hosts_open_one(&few);
	hosts_visit(0, HOST_A, hosts_wish(true));
	for (unsigned i = 1; i < 9; i++)
		hosts_ask(i, HOST_B, true, hosts_wish(true));
	for (unsigned i = 1; i < 9; i++)
		hosts_check(i);
	assert_int_equal(duo_server_counts(&hosts_duo).conns_accepted, 2);
	assert_true(duo_client_counts(&hosts_duo).streams_coalesced >= 2);
	duo_close(&hosts_duo);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_off_unless_asked_for),
		cmocka_unit_test(who_does_not_want_it_is_served_by_its_own),
		cmocka_unit_test(a_certificate_for_one_keeps_them_apart),
		cmocka_unit_test(what_turns_out_not_to_serve_both_is_not_waited_for),
		cmocka_unit_test(what_is_given_up_on_the_way_costs_nobody_else_anything),
		cmocka_unit_test(one_exchange_at_a_time_keeps_them_apart),
		cmocka_unit_test(checks_that_were_switched_off_keep_them_apart),
		cmocka_unit_test(another_trust_keeps_them_apart),
		cmocka_unit_test(another_name_for_the_server_keeps_them_apart),
		cmocka_unit_test(a_certificate_of_its_own_keeps_them_apart),
		cmocka_unit_test(connections_of_one_stream_are_left_alone),
		cmocka_unit_test(what_was_borrowed_may_go),
		cmocka_unit_test(who_finds_no_room_makes_its_own),
	};

	return duo_main("coalesce apart", tests, sizeof(tests) / sizeof(*tests), DUO_PAIRS);
}
