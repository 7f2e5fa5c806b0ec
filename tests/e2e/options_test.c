/* SPDX-License-Identifier: MIT */
/* Options of a context and of a stream, each shown to do what it says. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/duo.h"

enum { MANY = 64 };

static struct ask asks[MANY];

static bool closed(unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		if (!asks[i].closed)
			return false;
	}
	return true;
}

/* As ask_open, but it may fail. */
static enum weft_status try_open(
	struct duo *d, const struct weft_request *r, struct weft_error *err)
{
	static const struct weft_stream_ops nothing = { .on_close = NULL };
	struct weft_request req = *r;
	struct weft_stream *s = NULL;
	enum weft_status st;
	char url[128];

	snprintf(url, sizeof(url), "%s/digest/1", d->base);
	req.url = url;
	req.share = WEFT_SHARE_POOL;
	req.trust = d->trust.ca.len ? &d->trust : NULL;
	st = weft_http_open(d->client, &req, &nothing, NULL, &s, err);
	assert_true(st == WEFT_OK || !s);
	return st;
}

static void max_queue_refuses_the_next_and_lets_it_in_later(void **state)
{
	const struct weft_context_options o = { .max_queue = 3 };
	const struct weft_request r = { .method = "GET" };
	struct weft_error err;
	struct duo d;

	(void)state;
	memset(asks, 0, sizeof(asks));
	duo_open(&d, NULL, &o, NULL, false);
	for (unsigned i = 0; i < 3; i++)
		ask_open(&asks[i], &d, i, false, NULL);
	assert_int_equal(try_open(&d, &r, &err), WEFT_ERR_LIMIT);
	assert_non_null(strstr(err.text, "max_queue"));
	assert_int_equal(duo_client_counts(&d).limits_hit, 1);
	duo_until(&d, closed(3));
	for (unsigned i = 0; i < 3; i++)
		ask_check(&asks[i]);
	assert_int_equal(try_open(&d, &r, &err), WEFT_OK);
	duo_close(&d);
}

/* ---- local_address ---- */

static char seen_from[64];

static enum weft_status note_peer(struct weft_stream *s, void *user)
{
	struct weft_conn_info info;
	char text[WEFT_ADDRESS_TEXT_MAX];

	assert_int_equal(weft_stream_conn_info(s, &info), WEFT_OK);
	info.peer.port = 0;
	snprintf(seen_from, sizeof(seen_from), "%s",
		weft_address_format(&info.peer, text, sizeof(text)));
	return duo_digest(s, user);
}

static void local_address_is_where_the_server_sees_it_come_from(void **state)
{
	const struct weft_route routes[] = { { .prefix = "/digest/", .on_request = note_peer },
		{ .prefix = NULL } };
	const struct weft_vhost_options v = { .name = "localhost", .routes = routes };
	struct weft_request r = { .stream = { .local_address = "127.0.0.9" } };
	struct duo d;

	(void)state;
	memset(asks, 0, sizeof(asks));
	duo_open(&d, NULL, NULL, &v, false);
	ask_open(&asks[0], &d, 1, false, NULL);
	duo_until(&d, closed(1));
	ask_check(&asks[0]);
	assert_memory_equal(seen_from, "127.0.0.1", 9);
	ask_open(&asks[0], &d, 2, false, &r);
	duo_until(&d, closed(1));
	ask_check(&asks[0]);
	assert_memory_equal(seen_from, "127.0.0.9", 9);
	/* who comes from elsewhere shares nothing */
	assert_int_equal(duo_server_counts(&d).conns_accepted, 2);
	duo_close(&d);
}

static void local_address_that_is_not_ours_fails_the_stream(void **state)
{
	/* TEST-NET-1, RFC 5737: nobody's */
	struct weft_request r = { .stream = { .local_address = "192.0.2.1" } };
	struct duo d;

	(void)state;
	memset(asks, 0, sizeof(asks));
	duo_open(&d, NULL, NULL, NULL, false);
	ask_open(&asks[0], &d, 1, false, &r);
	duo_until(&d, closed(1));
	assert_true(asks[0].why.status < 0);
	assert_true(strlen(asks[0].why.text) > 0);
	assert_int_equal(duo_server_counts(&d).conns_accepted, 0);
	duo_close(&d);
}

static void local_address_that_is_none_is_refused(void **state)
{
	const struct weft_request r = { .stream = { .local_address = "eth0" } };
	struct weft_error err;
	struct duo d;

	(void)state;
	duo_open(&d, NULL, NULL, NULL, false);
	assert_int_equal(try_open(&d, &r, &err), WEFT_ERR_ARGUMENT);
	assert_memory_equal(err.text, "local_address", 13);
	duo_close(&d);
}

/* ---- heap_max ---- */

/* A client that may not have more: what does not fit fails with a status, and what is there goes on. */
static void heap_max_is_never_exceeded(void **state)
{
	struct weft_context_options o = { .max_conns = 1 };
	const struct weft_request r = { .method = "GET" };
	struct weft_counters c;
	struct weft_error err;
	unsigned opened = 0;
	struct duo d;

	(void)state;
	memset(asks, 0, sizeof(asks));
	/* what one request needs, and a little */
	duo_open(&d, NULL, &o, NULL, false);
	ask_open(&asks[0], &d, 0, false, NULL);
	duo_until(&d, closed(1));
	ask_check(&asks[0]);
	o.heap_max = duo_client_counts(&d).heap_peak + 16384;
	duo_close(&d);

	memset(asks, 0, sizeof(asks));
	duo_open(&d, NULL, &o, NULL, false);
	ask_open(&asks[0], &d, 0, false, NULL);
	while (opened < 1000 && try_open(&d, &r, &err) == WEFT_OK)
		opened++;
	assert_in_range(opened, 1, 999);
	assert_int_equal(err.status, WEFT_ERR_MEMORY);
	duo_until(&d, closed(1));
	/* it may have failed for want of memory, but not otherwise */
	if (asks[0].why.status != WEFT_ERR_MEMORY)
		ask_check(&asks[0]);
	duo_until(&d, !duo_client_counts(&d).streams_now);
	c = duo_client_counts(&d);
	assert_true(c.heap_peak <= o.heap_max);
	/* and afterwards there is room again */
	ask_open(&asks[1], &d, 1, false, NULL);
	duo_until(&d, asks[1].closed);
	ask_check(&asks[1]);
	duo_close(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(max_queue_refuses_the_next_and_lets_it_in_later),
		cmocka_unit_test(local_address_is_where_the_server_sees_it_come_from),
		cmocka_unit_test(local_address_that_is_not_ours_fails_the_stream),
		cmocka_unit_test(local_address_that_is_none_is_refused),
		cmocka_unit_test(heap_max_is_never_exceeded),
	};

	return duo_main("options", tests, sizeof(tests) / sizeof(*tests), DUO_FEWER);
}
