/* SPDX-License-Identifier: MIT */
/* Borrowed connections that are full, refused, gone, or not wanted any more: nobody is starved, misled or kept waiting. */
#include <string.h>

#include "tests/support/world.h"

static const struct weft_context_options one_at_once = { .streams = 1 };

/* ---- one that is full ---- */

/* The guest has it, for as long as it likes. */
static void lend_the_only_place(void)
{
	world_open((struct world){ .server = &one_at_once });
	world_ask(0, WORLD_A, false);
	world_check(0);
	world_post(1, WORLD_B, true);
	duo_until(&world_duo, duo_server_counts(&world_duo).streams_incoming == 2);
}

/* ... and the next one gets no connection of its own. */
static void refuse_another(void)
{
	lend_the_only_place();
	world_net.refused_from = 1;
	world_ask(2, WORLD_B, true);
	duo_until(&world_duo, duo_client_counts(&world_duo).conns_failed == 2);
}

static void who_lends_is_not_starved(void **state)
{
	(void)state;
	lend_the_only_place();
	world_counts(1, 1);
	world_ask(2, WORLD_A, false);
	world_check(2);
	world_counts(2, 1);
	world_finish(1);
	world_check(1);
	world_close();
}

/* Its own streams are waited for, as ever. */
static void a_connection_that_is_full_of_its_own_is_not_doubled(void **state)
{
	(void)state;
	world_open((struct world){ .server = &one_at_once });
	world_ask(2, WORLD_A, false);
	world_check(2);
	world_ask(3, WORLD_B, true); /* who has been there does not count */
	world_check(3);
	world_post(0, WORLD_A, false);
	duo_until(&world_duo, duo_server_counts(&world_duo).streams_incoming == 3);
	world_ask(1, WORLD_A, false);
	world_turns();
	assert_false(world_asks[1].closed);
	world_finish(0);
	world_check(0);
	world_check(1);
	world_counts(1, 1);
	world_close();
}

/* No connection of its own can be had: there still is the borrowed one. */
static void what_is_refused_waits_for_what_is_borrowed(void **state)
{
	(void)state;
	refuse_another();
	world_turns();
	assert_false(world_asks[2].closed);
	world_finish(1);
	world_check(1);
	world_check(2);
	world_counts(1, 2);
	world_close();
}

/* ... and when that ends there is nothing left. */
static void what_is_refused_ends_with_what_was_borrowed(void **state)
{
	(void)state;
	refuse_another();
	world_net.fails = WEFT_ERR_RESET;
	weft_vhost_destroy(world_duo.vh); /* something to be read */
	world_duo.vh = NULL;
	duo_until(&world_duo, world_asks[1].closed && world_asks[2].closed);
	assert_int_equal(world_asks[2].why.status, WEFT_ERR_REFUSED);
	world_close();
}

/* ---- one that says 421 ---- */

/* It was told to have a connection of its own, and has one, whatever comes meanwhile. */
static void what_was_misdirected_is_never_coalesced_again(void **state)
{
	(void)state;
	world_open((struct world){ .apart = true });
	world_ask(0, WORLD_A, true);
	world_check(0);
	world_ask(1, WORLD_B, true);
	duo_until(&world_duo, world_net.queries[0].fn);
	world_net.holds = true; /* the next one, for a connection of its own */
	duo_until(&world_duo, duo_client_counts(&world_duo).streams_misdirected == 1);
	/* that connection goes, and another one of the same host comes */
	world_net.fails = WEFT_ERR_RESET;
	world_ask(2, WORLD_A, true);
	world_check(2);
	assert_int_not_equal(world_asks[2].conn, world_asks[0].conn);
	world_tell();
	world_check(1);
	world_counts(3, 1);
	assert_int_equal(duo_client_counts(&world_duo).streams_misdirected, 1);
	world_close();
}

/* ---- addresses that have changed ---- */

static void an_address_of_before_does_not_count(void **state)
{
	(void)state;
	world_open((struct world){ .apart = false });
	world_ask(0, WORLD_B, true);
	world_check(0);
	/* its connection ends; it is looked up again, and that takes a while */
	world_net.b[0] = "127.0.0.2";
	world_net.holds = true;
	world_net.fails = WEFT_ERR_RESET;
	world_ask(1, WORLD_B, true);
	duo_until(&world_duo, world_net.first == WEFT_SOCKET_NONE);
	world_ask(2, WORLD_A, true);
	world_check(2);
	world_turns();
	assert_false(world_asks[1].closed);
	world_tell();
	world_check(1);
	world_counts(3, 0);
	world_close();
}

/* ---- one that is not wanted, or only by others ---- */

static void what_is_kept_for_others_is_not_closed_before_they_have_it(void **state)
{
	const struct weft_context_options at_once = { .no_keep_warm = true };

	(void)state;
	world_stand_still((struct world){ .client = &at_once }, WEFT_OK);
	world_ask(0, WORLD_A, true);
	world_ask(1, WORLD_B, true);
	duo_until(&world_duo, world_net.dialled == 1);
	weft_stream_close(world_asks[0].stream);
	world_check(1);
	world_counts(1, 1);
	duo_until(&world_duo, !duo_client_counts(&world_duo).conns_now);
	world_close();
}

static unsigned on_their_way;

static bool count_on_their_way(const struct weft_conn_view *conn, void *user)
{
	(void)user;
	on_their_way += !strcmp(conn->phase, "connecting") || !strcmp(conn->phase, "handshake");
	return true;
}

/* Who waited for it has found another one. */
static void what_nobody_waits_for_any_more_is_given_up(void **state)
{
	(void)state;
	world_stand_still((struct world){ .apart = false }, WEFT_AGAIN);
	world_ask(0, WORLD_A, true);
	world_ask(1, WORLD_B, true);
	duo_until(&world_duo, world_net.dialled == 1);
	weft_stream_close(world_asks[0].stream);
	world_turns();
	assert_int_equal(duo_client_counts(&world_duo).conns_now, 2); /* b's own waits for it */
	world_ask(2, WORLD_C, false);
	world_check(2);
	world_check(1);
	assert_int_equal(world_asks[1].conn, world_asks[2].conn);
	on_their_way = 0;
	weft_context_conns(world_duo.client, count_on_their_way, NULL);
	assert_int_equal(on_their_way, 0);
	world_close();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_lends_is_not_starved),
		cmocka_unit_test(a_connection_that_is_full_of_its_own_is_not_doubled),
		cmocka_unit_test(what_is_refused_waits_for_what_is_borrowed),
		cmocka_unit_test(what_is_refused_ends_with_what_was_borrowed),
		cmocka_unit_test(what_was_misdirected_is_never_coalesced_again),
		cmocka_unit_test(an_address_of_before_does_not_count),
		cmocka_unit_test(what_is_kept_for_others_is_not_closed_before_they_have_it),
		cmocka_unit_test(what_nobody_waits_for_any_more_is_given_up),
	};

	return duo_main("coalesce trouble", tests, sizeof(tests) / sizeof(*tests), DUO_TLS);
}
