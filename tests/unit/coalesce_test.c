/* SPDX-License-Identifier: MIT */
/*
 * Coalescing over a network that the test makes up: which addresses a host has, which connection hangs, which one
 * fails, what time it is, and when memory runs out.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/system/context.h"
#include "tests/support/certs.h"
#include "tests/support/duo.h"
#include "weft/plugin/net.h"

#define A "a.example.test"
#define B "b.example.test"

enum { PATIENCE_MS = 250, QUERIES = 8 };

/* ---- the network ---- */

struct query {
	weft_resolved_fn fn;
	void *user;
	struct weft_timer timer;
	struct weft_address addresses[2];
	size_t count;
};

static struct {
	struct weft_net_ops ops;
	struct query queries[QUERIES];
	const char *b[2]; /* the addresses of B; A is at 127.0.0.1 */
	uint64_t shift_us;
	bool stands;        /* the clock */
	uint64_t stands_at; /* ... and when */
	unsigned dialled;
	weft_socket first;      /* that was made since the world began */
	enum weft_status fails; /* what a read of it gives; OK: it works */
} net;

static struct duo d;
static struct ask asks[3];

static void answer(struct weft_timer *timer, void *user)
{
	struct query *q = user;
	weft_resolved_fn fn = q->fn;

	(void)timer;
	q->fn = NULL;
	fn(q->user, WEFT_OK, q->addresses, q->count, NULL);
}

static enum weft_status look_up(void *state, const char *host, uint16_t port, weft_resolved_fn fn,
	void *user, void **query, struct weft_error *err)
{
	static const char *const a[] = { "127.0.0.1", NULL };
	const char *const *list = strcmp(host, B) ? a : net.b;
	struct query *q = net.queries;

	(void)state;
	while (q->fn)
		assert_true(++q < net.queries + QUERIES);
	*q = (struct query){ .fn = fn, .user = user };
	for (; q->count < 2 && list[q->count]; q->count++) {
		if (weft_address_parse(list[q->count], port, &q->addresses[q->count], err))
			return err->status;
	}
	weft_loop_timer(&d.client->loop, &q->timer, 0, answer, q);
	*query = q;
	return WEFT_OK;
}

static void forget(void *state, void *query)
{
	struct query *q = query;

	(void)state;
	weft_loop_timer_cancel(&d.client->loop, &q->timer);
	q->fn = NULL;
}

static uint64_t what_time(void *state)
{
	return net.stands ? net.stands_at : weft_net_posix.now(state) + net.shift_us;
}

static enum weft_status dial(
	void *state, weft_socket sock, const struct weft_address *to, struct weft_error *err)
{
	if (!net.dialled++)
		net.first = sock;
	return weft_net_posix.connect(state, sock, to, err);
}

static void put_away(void *state, weft_socket sock, bool reset)
{
	if (sock == net.first)
		net.first = WEFT_SOCKET_NONE;
	weft_net_posix.close(state, sock, reset);
}

static enum weft_status receive(void *state, weft_socket sock, void *buf, size_t len,
	struct weft_span *got, struct weft_error *err)
{
	if (sock == net.first && net.fails == WEFT_AGAIN)
		return WEFT_AGAIN;
	if (sock == net.first && net.fails)
		return weft_error_set(err, net.fails, 0, "as the test wants it");
	return weft_net_posix.recv(state, sock, buf, len, got, err);
}

/* ---- the world ---- */

static int64_t no_clock(void *state)
{
	(void)state;
	return 0;
}

static void open_world_with(const struct weft_context_options *server,
	const struct weft_context_options *client, enum test_cert_kind kind)
{
	static const char *const more[] = { B, NULL };
	const struct test_cert *cert = test_cert(kind);
	const struct weft_vhost_options v = { .name = A,
		.aliases = more,
		.credential = {
			.cert = { (const unsigned char *)cert->cert, cert->cert_len },
			.key = { (const unsigned char *)cert->key, cert->key_len },
		} };
	struct weft_error err;
	char second[64];

	memset(&net, 0, sizeof(net));
	memset(asks, 0, sizeof(asks));
	duo_open(&d, server, client, &v, false);
	snprintf(second, sizeof(second), "https://127.0.0.2%s", strrchr(d.base, ':'));
	if (weft_vhost_listen(d.vh, second, &err))
		fail_msg("%s", err.text);
	net.ops = weft_net_posix;
	net.ops.resolve = look_up;
	net.ops.resolve_cancel = forget;
	net.ops.now = what_time;
	net.ops.connect = dial;
	net.ops.recv = receive;
	net.ops.close = put_away;
	net.first = WEFT_SOCKET_NONE;
	net.b[0] = "127.0.0.1";
	d.client->loop.net = &net.ops;
}

static void open_world(const struct weft_context_options *client)
{
	open_world_with(NULL, client, TEST_CERT_GOOD);
}

/* 0: a's; 1: b's; 2: b's, which wants nobody else's connection. */
static void ask(unsigned i)
{
	struct weft_request r = { .stream.coalesce = i < 2 };
	char url[128];

	snprintf(url, sizeof(url), "https://%s%s/digest/%u", i ? B : A, strrchr(d.base, ':'), i);
	r.url = url;
	ask_open(&asks[i], &d, i, false, &r);
}

static void check(unsigned i)
{
	duo_until(&d, asks[i].closed);
	ask_check(&asks[i]);
}

static void some_turns(void)
{
	for (unsigned i = 0; i < 200; i++)
		duo_turn(&d);
}

static void check_accepted(unsigned conns)
{
	assert_int_equal(duo_server_counts(&d).conns_accepted, conns);
	assert_int_equal(duo_client_counts(&d).streams_coalesced, conns == 1 ? 1 : 0);
}

/* ---- which addresses ---- */

static void a_host_at_the_same_address_comes_along(void **state)
{
	(void)state;
	open_world(NULL);
	ask(0);
	check(0);
	ask(1);
	check(1);
	check_accepted(1);
	assert_int_equal(net.dialled, 1);
	duo_close(&d);
}

static void one_of_several_addresses_is_enough(void **state)
{
	(void)state;
	open_world(NULL);
	net.b[0] = "127.0.0.2";
	net.b[1] = "127.0.0.1";
	ask(0);
	check(0);
	ask(1);
	check(1);
	check_accepted(1);
	duo_close(&d);
}

/* The certificate alone does not do: whoever has one for both names may be at either place. */
static void a_host_elsewhere_gets_a_connection_of_its_own(void **state)
{
	(void)state;
	open_world(NULL);
	net.b[0] = "127.0.0.2";
	ask(0);
	check(0);
	ask(1);
	check(1);
	check_accepted(2);
	assert_int_not_equal(asks[0].conn, asks[1].conn);
	duo_close(&d);
	/* and does not wait, either */
	open_world(NULL);
	net.b[0] = "127.0.0.2";
	net.stands_at = weft_net_posix.now(NULL);
	net.stands = true;
	ask(0);
	ask(1);
	check(0);
	check(1);
	check_accepted(2);
	duo_close(&d);
}

/* It was accepted for want of a clock: that is enough for whom it was asked for, and for nobody else. */
static void a_certificate_that_could_not_be_judged_is_for_one(void **state)
{
	(void)state;
	open_world_with(NULL, NULL, TEST_CERT_EXPIRED);
	net.ops.wall = no_clock;
	d.trust.verify_dates = WEFT_DATES_ONCE_CLOCK_SET;
	ask(0);
	check(0);
	ask(1);
	check(1);
	check_accepted(2);
	duo_close(&d);
}

/* ---- who is waited for ---- */

static void stand_still(enum weft_status fails)
{
	open_world(NULL);
	net.fails = fails;
	net.stands_at = weft_net_posix.now(NULL);
	net.stands = true;
}

/* ... and who waited for it then has it come along. */
static void who_hangs_is_waited_for_only_a_while(void **state)
{
	(void)state;
	stand_still(WEFT_AGAIN);
	ask(0);
	ask(1);
	some_turns();
	assert_int_equal(net.dialled, 1);
	net.stands_at += (PATIENCE_MS - 1) * 1000;
	some_turns();
	assert_int_equal(net.dialled, 1);
	assert_false(asks[0].closed || asks[1].closed);
	net.stands_at += 2000;
	check(1);
	assert_int_equal(net.dialled, 2);
	check(0);
	assert_int_equal(asks[0].conn, asks[1].conn);
	assert_int_equal(duo_client_counts(&d).conns_opened, 1);
	assert_int_equal(duo_client_counts(&d).conns_failed, 0);
	duo_close(&d);
}

/* At a time that stands still: nobody waits for what has failed, whether it is tried again or not. */
static void who_fails_is_not_waited_for_at_all(void **state)
{
	(void)state;
	stand_still(WEFT_ERR_RESET);
	ask(0);
	ask(1);
	check(0);
	check(1);
	assert_int_equal(duo_client_counts(&d).conns_failed, 1);
	duo_close(&d);
	stand_still(WEFT_ERR_UNSUPPORTED);
	ask(0);
	ask(1);
	check(1);
	duo_until(&d, asks[0].closed);
	assert_int_equal(asks[0].why.status, WEFT_ERR_UNSUPPORTED);
	duo_close(&d);
}

static void who_has_to_have_its_own_waits_for_nobody(void **state)
{
	(void)state;
	stand_still(WEFT_AGAIN);
	ask(0);
	ask(1);
	ask(2);
	check(1);
	check(2);
	duo_close(&d);
	/* also if that turns out later */
	stand_still(WEFT_AGAIN);
	ask(0);
	ask(1);
	some_turns();
	assert_int_equal(net.dialled, 1);
	ask(2);
	check(1);
	check(2);
	duo_close(&d);
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
	open_world_with(&one, NULL, TEST_CERT_GOOD);
	net.stands_at = weft_net_posix.now(NULL);
	net.stands = true;
	snprintf(url, sizeof(url), "https://" A "%s/digest/7", strrchr(d.base, ':'));
	r.url = url;
	r.trust = &d.trust;
	assert_int_equal(weft_http_open(d.client, &r, &quiet, NULL, &s, NULL), WEFT_OK);
	ask(1);
	check(1);
	check_accepted(2);
	assert_int_equal(asks[1].conn, 2); /* who made the first one came first */
	weft_stream_close(s);
	duo_close(&d);
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

	open_world(&o);
	ask(0);
	check(0);
	snprintf(url, sizeof(url), "https://" B "%s/digest/1", strrchr(d.base, ':'));
	r.url = url;
	r.trust = &d.trust;
	until_refusal = n;
	st = weft_http_open(d.client, &r, &quiet, &why, &s, NULL);
	assert_true(st == WEFT_OK || st == WEFT_ERR_MEMORY);
	if (st == WEFT_OK)
		duo_until(&d, why.status != WEFT_AGAIN);
	refused = !until_refusal;
	until_refusal = 0;
	if (st == WEFT_OK && why.status != WEFT_OK && why.status != WEFT_ERR_MEMORY)
		fail_msg("allocation %u: %s: %s", n, weft_status_name(why.status), why.text);
	duo_close(&d);
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
