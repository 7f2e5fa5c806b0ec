/* SPDX-License-Identifier: MIT */
/*
 * Coalescing over a network that is made up: which addresses count, who is waited for and for how long, and what happens
 * when memory runs out.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/world.h"

enum { PATIENCE_MS = 250 };

static const struct world together;

static int64_t no_clock(void *state)
{
	(void)state;
	return 0;
}

/* ---- which addresses ---- */

static void a_host_at_the_same_address_comes_along(void **state)
{
	(void)state;
	world_open(together);
	world_ask(0, WORLD_A, true);
	world_check(0);
	world_ask(1, WORLD_B, true);
	world_check(1);
	world_counts(1, 1);
	assert_int_equal(world_net.dialled, 1);
	world_close();
}

static void one_of_several_addresses_is_enough(void **state)
{
	(void)state;
	world_open(together);
	world_net.b[0] = "127.0.0.2";
	world_net.b[1] = "127.0.0.1";
	world_ask(0, WORLD_A, true);
	world_check(0);
	world_ask(1, WORLD_B, true);
	world_check(1);
	world_counts(1, 1);
	world_close();
}

/* The certificate alone does not do: whoever has one for both names may be at either place. */
static void a_host_elsewhere_gets_a_connection_of_its_own(void **state)
{
	(void)state;
	world_open(together);
	world_net.b[0] = "127.0.0.2";
	world_ask(0, WORLD_A, true);
	world_check(0);
	world_ask(1, WORLD_B, true);
	world_check(1);
	world_counts(2, 0);
	assert_int_not_equal(world_asks[0].conn, world_asks[1].conn);
	world_close();
	/* and does not wait, either */
	world_open(together);
	world_net.b[0] = "127.0.0.2";
	world_net.stands_at = weft_net_posix.now(NULL);
	world_net.stands = true;
	world_ask(0, WORLD_A, true);
	world_ask(1, WORLD_B, true);
	world_check(0);
	world_check(1);
	world_counts(2, 0);
	world_close();
}

/* It was accepted for want of a clock: that is enough for whom it was asked for, and for nobody else. */
static void a_certificate_that_could_not_be_judged_is_for_one(void **state)
{
	(void)state;
	world_open((struct world){ .cert = TEST_CERT_EXPIRED });
	world_net.ops.wall = no_clock;
	world_duo.trust.verify_dates = WEFT_DATES_ONCE_CLOCK_SET;
	world_ask(0, WORLD_A, true);
	world_check(0);
	world_ask(1, WORLD_B, true);
	world_check(1);
	world_counts(2, 0);
	world_close();
}

/* ---- who is waited for ---- */

/* ... and who waited for it then has it come along. */
static void who_hangs_is_waited_for_only_a_while(void **state)
{
	(void)state;
	world_stand_still(together, WEFT_AGAIN);
	world_ask(0, WORLD_A, true);
	world_ask(1, WORLD_B, true);
	world_turns();
	assert_int_equal(world_net.dialled, 1);
	world_net.stands_at += (PATIENCE_MS - 1) * 1000;
	world_turns();
	assert_int_equal(world_net.dialled, 1);
	assert_false(world_asks[0].closed || world_asks[1].closed);
	world_net.stands_at += 2000;
	world_check(1);
	assert_int_equal(world_net.dialled, 2);
	world_check(0);
	assert_int_equal(world_asks[0].conn, world_asks[1].conn);
	assert_int_equal(duo_client_counts(&world_duo).conns_opened, 1);
	assert_int_equal(duo_client_counts(&world_duo).conns_failed, 0);
	world_close();
}

/* At a time that stands still: nobody waits for what has failed, whether it is tried again or not. */
static void who_fails_is_not_waited_for_at_all(void **state)
{
	(void)state;
	world_stand_still(together, WEFT_ERR_RESET);
	world_ask(0, WORLD_A, true);
	world_ask(1, WORLD_B, true);
	world_check(0);
	world_check(1);
	assert_int_equal(duo_client_counts(&world_duo).conns_failed, 1);
	world_close();
	world_stand_still(together, WEFT_ERR_UNSUPPORTED);
	world_ask(0, WORLD_A, true);
	world_ask(1, WORLD_B, true);
	world_check(1);
	duo_until(&world_duo, world_asks[0].closed);
	assert_int_equal(world_asks[0].why.status, WEFT_ERR_UNSUPPORTED);
	world_close();
}

static void who_has_to_have_its_own_waits_for_nobody(void **state)
{
	(void)state;
	world_stand_still(together, WEFT_AGAIN);
	world_ask(0, WORLD_A, true);
	world_ask(1, WORLD_B, true);
	world_ask(2, WORLD_B, false);
	world_check(1);
	world_check(2);
	world_close();
	/* also if that turns out later */
	world_stand_still(together, WEFT_AGAIN);
	world_ask(0, WORLD_A, true);
	world_ask(1, WORLD_B, true);
	world_turns();
	assert_int_equal(world_net.dialled, 1);
	world_ask(2, WORLD_B, false);
	world_check(1);
	world_check(2);
	world_close();
}

/* The one that is waited for comes up, and is full before anybody else gets a place. */
static void who_is_full_is_not_waited_for(void **state)
{
	static const struct weft_stream_ops quiet = { .on_close = NULL };
	const struct weft_context_options one = { .streams = 1 };
	struct weft_request r = {
		.share = WEFT_SHARE_POOL, .body_later = true, .stream.coalesce = true
	};
	struct weft_stream *s;
	char url[128];

	(void)state;
	world_open((struct world){ .server = &one });
	world_net.stands_at = weft_net_posix.now(NULL);
	world_net.stands = true;
	snprintf(url, sizeof(url), "https://" WORLD_A "%s/digest/7", strrchr(world_duo.base, ':'));
	r.url = url;
	r.trust = &world_duo.trust;
	assert_int_equal(weft_http_open(world_duo.client, &r, &quiet, NULL, &s, NULL), WEFT_OK);
	world_ask(1, WORLD_B, true);
	world_check(1);
	world_counts(2, 0);
	assert_int_equal(world_asks[1].conn, 2); /* who made the first one came first */
	weft_stream_close(s);
	world_close();
}

/* ---- without memory ---- */

static unsigned until_refusal; /* 0: never */

static void *resize(void *user, void *ptr, size_t old_len, size_t new_len)
{
	(void)user;
	if (new_len > old_len && until_refusal && !--until_refusal)
		return NULL;
	return weft_allocator_system.resize(NULL, ptr, old_len, new_len);
}

static void note_close(struct weft_stream *s, const struct weft_error *why, void *user)
{
	(void)s;
	*(struct weft_error *)user = *why;
}

/* false: fewer allocations than that are made. */
static bool without_the_nth(unsigned n)
{
	static const struct weft_stream_ops quiet = { .on_close = note_close };
	static const struct weft_allocator picky = { .resize = resize };
	const struct weft_context_options o = { .allocator = &picky };
	struct weft_request r = { .share = WEFT_SHARE_POOL, .stream.coalesce = true };
	struct weft_error why = { .status = WEFT_AGAIN };
	struct weft_stream *s;
	enum weft_status st;
	char url[128];
	bool refused;

	world_open((struct world){ .client = &o });
	world_ask(0, WORLD_A, true);
	world_check(0);
	snprintf(url, sizeof(url), "https://" WORLD_B "%s/digest/1", strrchr(world_duo.base, ':'));
	r.url = url;
	r.trust = &world_duo.trust;
	until_refusal = n;
	st = weft_http_open(world_duo.client, &r, &quiet, &why, &s, NULL);
	assert_true(st == WEFT_OK || st == WEFT_ERR_MEMORY);
	if (st == WEFT_OK)
		duo_until(&world_duo, why.status != WEFT_AGAIN);
	refused = !until_refusal;
	until_refusal = 0;
	if (st == WEFT_OK && why.status != WEFT_OK && why.status != WEFT_ERR_MEMORY)
		fail_msg("allocation %u: %s: %s", n, weft_status_name(why.status), why.text);
	world_close();
	return refused;
}

static void what_memory_is_not_there_for_is_told(void **state)
{
	unsigned n = 1;

	(void)state;
	while (without_the_nth(n))
		n++;
	assert_true(n > 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_host_at_the_same_address_comes_along),
		cmocka_unit_test(one_of_several_addresses_is_enough),
		cmocka_unit_test(a_host_elsewhere_gets_a_connection_of_its_own),
		cmocka_unit_test(a_certificate_that_could_not_be_judged_is_for_one),
		cmocka_unit_test(who_hangs_is_waited_for_only_a_while),
		cmocka_unit_test(who_fails_is_not_waited_for_at_all),
		cmocka_unit_test(who_is_full_is_not_waited_for),
		cmocka_unit_test(who_has_to_have_its_own_waits_for_nobody),
		cmocka_unit_test(what_memory_is_not_there_for_is_told),
	};

	return duo_main("coalesce", tests, sizeof(tests) / sizeof(*tests), DUO_TLS);
}
