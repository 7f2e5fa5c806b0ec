/* SPDX-License-Identifier: MIT */
/* A vhost costs memory while it is used, and nothing before and after: DESIGN 6, by the process's heap. */
#include <string.h>

#include "tests/support/heap.h"

#include "tests/support/duo.h"

enum {
	ROUNDS = 1000,
	LEFT_MAX = 1024, /* a round may leave */
	USED_MIN = 4096, /* a TLS vhost stands above */
};

/*
 * Linger is for peers that are far; here it would be 1,000 waits. What is kept to resume sessions outlives the
 * vhost on purpose, up to its cache's bound: not what is looked for here.
 */
static const struct weft_context_options cold = { .no_keep_warm = true, .no_tickets = true };

struct peaks {
	long before, during;
};

static void one_request(struct duo *d, unsigned id, struct peaks *heap)
{
	struct ask a;

	memset(&a, 0, sizeof(a));
	ask_open(&a, d, id, false, NULL);
	duo_until(d, a.head || a.closed);
	heap->during = heap_now();
	assert_int_equal(duo_client_counts(d).vhosts_now, 1);
	duo_until(d, a.closed);
	ask_check(&a);
	duo_until(d, !duo_client_counts(d).conns_now && !duo_server_counts(d).conns_now);
	assert_int_equal(duo_client_counts(d).vhosts_now, 0);
}

static void client_vhost_is_made_with_the_first_stream_and_freed_with_the_last(void **state)
{
	struct peaks heap;
	struct weft_counters c;
	struct duo d;

	(void)state;
	duo_open(&d, NULL, &cold, NULL, false);
	one_request(&d, 0, &heap); /* what libraries set up once */
	heap.before = heap_now();
	for (unsigned i = 0; i < ROUNDS; i++) {
		one_request(&d, i, &heap);
		assert_in_range(heap.during - heap.before, USED_MIN, 1 << 20);
		if (heap_now() - heap.before > LEFT_MAX)
			fail_msg("round %u left %ld bytes", i, heap_now() - heap.before);
	}
	c = duo_client_counts(&d);
	assert_int_equal(c.vhosts_created, ROUNDS + 1);
	assert_int_equal(c.vhosts_freed, ROUNDS + 1);
	assert_int_equal(duo_server_counts(&d).handshakes_full, ROUNDS + 1);
	duo_close(&d);
}

/* The same for a server's identity: made, used by one connection, destroyed while that is still open. */
static void server_round(struct duo *d, const struct weft_vhost_options *v, struct peaks *heap)
{
	struct weft_error err;
	struct ask a;
	char url[64];

	if (weft_vhost_create(d->server, v, &d->vh, &err))
		fail_msg("%s", err.text);
	assert_int_equal(weft_vhost_listener(d->vh, 0, url, sizeof(url)), WEFT_OK);
	strcpy(d->base, url);
	memset(&a, 0, sizeof(a));
	ask_open(&a, d, 1, false, NULL);
	duo_until(d, a.head || a.closed);
	heap->during = heap_now();
	weft_vhost_destroy(d->vh);
	d->vh = NULL;
	duo_until(d, a.closed);
	ask_check(&a);
	duo_until(d, !duo_client_counts(d).conns_now && !duo_server_counts(d).conns_now);
	assert_int_equal(duo_server_counts(d).vhosts_now, 0);
}

static void server_vhost_is_freed_whole_with_its_last_connection(void **state)
{
	struct weft_vhost_options v = { .name = "localhost", .routes = NULL };
	struct peaks heap;
	struct weft_counters c;
	struct duo d;

	(void)state;
	duo_open(&d, NULL, &cold, NULL, false);
	duo_vhost_options(&d, &v);
	weft_vhost_destroy(d.vh);
	server_round(&d, &v, &heap);
	heap.before = heap_now();
	for (unsigned i = 0; i < ROUNDS; i++) {
		server_round(&d, &v, &heap);
		assert_in_range(heap.during - heap.before, USED_MIN, 1 << 20);
		if (heap_now() - heap.before > LEFT_MAX)
			fail_msg("round %u left %ld bytes", i, heap_now() - heap.before);
	}
	c = duo_server_counts(&d);
	assert_int_equal(c.vhosts_created, ROUNDS + 2);
	assert_int_equal(c.vhosts_freed, ROUNDS + 2);
	duo_close(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			client_vhost_is_made_with_the_first_stream_and_freed_with_the_last),
		cmocka_unit_test(server_vhost_is_freed_whole_with_its_last_connection),
	};

	return duo_main("rounds", tests, sizeof(tests) / sizeof(*tests), DUO_TLS);
}
