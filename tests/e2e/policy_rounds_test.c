/* SPDX-License-Identifier: MIT */
/*
 * What trust stores cost, by the process's heap: nothing while nobody uses them, however many there are; one store's
 * memory while one is used; and nothing again. But where a policy says that all are to be held, each costs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/heap.h"

#include "tests/support/named.h"

enum {
	STORES = 512,
	ROUNDS = 1000,
	LEFT_MAX = 1024, /* a round may leave */
	USED_MIN = 4096, /* a vhost that is used stands above */
	HELD_MIN = 512,  /* so does each one that is held */
};

static const struct weft_context_options cold = { .no_keep_warm = true, .linger_ms = 1 };

static unsigned rounds(void)
{
	const char *given = getenv("WEFT_TEST_STEPS");

	return given ? (unsigned)strtoul(given, NULL, 10) : ROUNDS;
}

static const struct test_cert *further(unsigned number)
{
	static const struct test_cert *made[STORES];
	char name[32];
	const struct test_recipe r = {
		.common_name = name,
		.ca = true,
		.self_signed = true,
		.key_of = test_certs_other_ca(),
	};

	snprintf(name, sizeof(name), "Store %u", number);
	if (!made[number])
		made[number] = test_mint(&r);
	return made[number];
}

static struct tables *tables_of(unsigned stores, unsigned port, enum weft_hold hold)
{
	struct tables *t = tables_make("many");

	for (unsigned i = 0; i < stores; i++) {
		const struct test_cert *const ca[] = { test_certs_ca(), further(i), NULL };
		struct weft_policy_trust *trust = tables_trust(t, tables_name(t, 't', i), ca);

		trust->hold = hold;
		tables_stream(t, tables_name(t, 's', i), "h1", port, trust);
	}
	return t;
}

static unsigned port_of(const struct duo *d)
{
	return (unsigned)strtoul(strrchr(d->base, ':') + 1, NULL, 10);
}

static void use(struct duo *d, const struct weft_policy *policy)
{
	struct weft_error err;

	if (weft_context_use_policy(d->client, policy, NULL, &err))
		fail_msg("%s", err.text);
	duo_turn(d);
}

static bool is_idle(const struct duo *d)
{
	return !duo_client_counts(d).conns_now && !duo_client_counts(d).vhosts_now &&
	       !duo_server_counts(d).conns_now;
}

/* One stream by this name; how much heap there was while it had its answer. */
static long visit(struct duo *d, unsigned number)
{
	struct named n = { .user = NULL };
	char name[16];
	long during;

	snprintf(name, sizeof(name), "s%u", number);
	named_open(&n, d->client, name);
	duo_until(d, n.status || n.closes);
	during = heap_now();
	duo_until(d, n.closes);
	assert_int_equal(n.why.status, WEFT_OK);
	duo_until(d, is_idle(d));
	return during;
}

static void nothing_is_left_of_a_thousand_rounds(struct duo *d, unsigned stores)
{
	long idle, used;

	visit(d, 0); /* what libraries set up once */
	visit(d, stores - 1);
	idle = heap_now();
	for (unsigned i = 0; i < rounds(); i++) {
		used = visit(d, i * 7 % stores) - idle;
		assert_in_range(used, USED_MIN, 1 << 20);
		if (labs(heap_now() - idle) > LEFT_MAX)
			fail_msg("round %u left %ld bytes", i, heap_now() - idle);
	}
}

static void idle_stores_cost_nothing(enum weft_hold hold)
{
	struct tables *one, *many;
	struct duo d;
	long idle;

	duo_open(&d, NULL, &cold, NULL, false);
	one = tables_of(1, port_of(&d), hold);
	many = tables_of(STORES, port_of(&d), hold);
	use(&d, tables_static(one));
	visit(&d, 0);
	idle = heap_now();
	/* to the byte */
	use(&d, tables_static(many));
	assert_int_equal(heap_now() - idle, 0);
	nothing_is_left_of_a_thousand_rounds(&d, STORES);
	assert_int_equal(duo_client_counts(&d).vhosts_created, rounds() + 3);
	/* and with one store it is as much */
	use(&d, &one->policy);
	assert_in_range(heap_now() - idle + LEFT_MAX, 0, 2 * LEFT_MAX);
	duo_close(&d);
	tables_free(one);
	tables_free(many);
}

static void stores_held_by_connections_cost_nothing_while_idle(void **state)
{
	(void)state;
	idle_stores_cost_nothing(WEFT_HOLD_CONNECTION);
}

static void stores_held_by_streams_cost_nothing_while_idle(void **state)
{
	(void)state;
	idle_stores_cost_nothing(WEFT_HOLD_STREAM);
}

/* What a warm connection and its vhost, if it holds one, take with a store of so many certificates. */
static long warm_heap(bool holds, unsigned certs)
{
	const struct weft_context_options warm = { .keep_warm_ms = 3600000, .no_tickets = true };
	const struct test_cert *ca[TABLES_CERTS + 1] = { test_certs_ca() };
	struct named n = { .user = NULL };
	struct tables *t = tables_make("warm");
	struct duo d;
	long heap;

	for (unsigned i = 1; i < certs; i++)
		ca[i] = further(i);
	duo_open(&d, NULL, &warm, NULL, false);
	tables_stream(t, "s0", "h1", port_of(&d), tables_trust(t, "t0", ca))->warm_holds = holds;
	use(&d, tables_static(t));
	heap = heap_now();
	named_open(&n, d.client, "s0");
	duo_until(&d, n.closes && (holds || !duo_client_counts(&d).vhosts_now));
	assert_int_equal(duo_client_counts(&d).conns_now, 1);
	heap = heap_now() - heap;
	duo_close(&d);
	tables_free(t);
	return heap;
}

static void a_warm_connection_that_does_not_hold_has_no_certificates(void **state)
{
	long one, all;

	(void)state;
	(void)warm_heap(true, TABLES_CERTS); /* what libraries set up once */
	one = warm_heap(false, 1);
	all = warm_heap(false, TABLES_CERTS);
	assert_in_range(all - one + LEFT_MAX / 4, 0, LEFT_MAX / 2);
	/* the control */
	assert_true(warm_heap(true, 1) >= one + HELD_MIN);
	assert_true(warm_heap(true, TABLES_CERTS) >= all + 2 * HELD_MIN);
}

/* The control: what is held is seen. */
static void stores_held_by_the_policy_cost_each(void **state)
{
	static const unsigned counts[] = { 1, 8, 64, STORES };
	const struct weft_policy *policy;
	long idle, rise, first = 0;
	struct duo d;

	(void)state;
	duo_open(&d, NULL, &cold, NULL, false);
	for (unsigned i = 0; i < 4; i++) {
		policy = tables_loaded(tables_of(counts[i], port_of(&d), WEFT_HOLD_POLICY));
		if (!i) { /* what libraries set up once */
			use(&d, policy);
			use(&d, NULL);
		}
		idle = heap_now();
		use(&d, policy);
		rise = heap_now() - idle;
		if (!i)
			first = rise;
		assert_true(first > HELD_MIN);
		assert_true(rise >= first + (long)(counts[i] - 1) * HELD_MIN);
		assert_int_equal(duo_client_counts(&d).vhosts_now, counts[i]);
		use(&d, NULL);
		assert_in_range(heap_now() - idle + LEFT_MAX, 0, 2 * LEFT_MAX);
		weft_policy_release(policy);
	}
	duo_close(&d);
	assert_int_equal(tables_live, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stores_held_by_connections_cost_nothing_while_idle),
		cmocka_unit_test(stores_held_by_streams_cost_nothing_while_idle),
		cmocka_unit_test(a_warm_connection_that_does_not_hold_has_no_certificates),
		cmocka_unit_test(stores_held_by_the_policy_cost_each),
	};

	return duo_main("policy, rounds", tests, sizeof(tests) / sizeof(*tests), DUO_TLS);
}
