/* SPDX-License-Identifier: MIT */
/*
 * One connection for several hosts, where everything says that it may be, counted by the server; and what becomes of
 * it where the server says 421.
 */
#include <stdio.h>
#include <string.h>

#include "tests/support/hosts.h"

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

	snprintf(url, sizeof(url), "https://%s%s/digest/1", host, strrchr(hosts_duo.base, ':'));
	r.url = url;
	r.share = WEFT_SHARE_POOL;
	r.trust = &hosts_duo.trust;
	if (weft_http_open(hosts_duo.client, &r, &ops, &closed, &s, &err))
		fail_msg("%s", err.text);
	duo_until(&hosts_duo, closed);
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
	hosts_open_one(NULL);
	hosts_visit(0, HOST_A, hosts_wish(false));
	hosts_visit(1, HOST_B, hosts_wish(true));
	for (unsigned i = 2; i < 12; i++) /* all of one turn */
		hosts_ask(i, i % 2 ? HOST_A : HOST_B, i % 3 == 0, hosts_wish(true));
	for (unsigned i = 2; i < 12; i++)
		hosts_check(i);
	visit_telling(HOST_B, hosts_wish(true));
	assert_told("sent on connection 1, another host's with the same address and a certificate "
		    "for both, after ");
	c = duo_server_counts(&hosts_duo);
	assert_int_equal(c.conns_accepted, 1);
	assert_int_equal(c.handshakes_full, 1);
	assert_int_equal(c.streams_incoming, 13);
	c = duo_client_counts(&hosts_duo);
	assert_int_equal(c.conns_opened, 1);
	assert_int_equal(c.conns_failed, 0);
	assert_int_equal(c.streams_coalesced, 7);
	assert_int_equal(c.streams_misdirected, 0);
	duo_close(&hosts_duo);
}

/* The second one waits for what the first one's connection turns out to be. */
static void who_comes_while_it_is_made_waits_for_it(void **state)
{
	struct weft_counters c;

	(void)state;
	hosts_open_one(NULL);
	for (unsigned i = 0; i < 8; i++)
		hosts_ask(i, i % 2 ? HOST_A : HOST_B, false, hosts_wish(true));
	for (unsigned i = 0; i < 8; i++)
		hosts_check(i);
	c = duo_client_counts(&hosts_duo);
	assert_int_equal(c.conns_opened, 1);
	assert_int_equal(c.conns_failed, 0);
	assert_int_equal(c.streams_retried, 0);
	assert_int_equal(c.streams_coalesced, 4);
	assert_int_equal(duo_server_counts(&hosts_duo).conns_accepted, 1);
	duo_close(&hosts_duo);
}

static void the_certificate_of_a_resumed_session_counts(void **state)
{
	struct weft_request r;

	(void)state;
	hosts_open_one(NULL);
	r = hosts_wish(true);
	r.stream.keep_warm_ms = UINT32_MAX;
	hosts_visit(0, HOST_A, r);
	duo_until(&hosts_duo, !duo_client_counts(&hosts_duo).conns_now);
	hosts_visit(1, HOST_A, hosts_wish(true));
	if (!duo_server_counts(&hosts_duo).handshakes_resumed) {
		duo_close(&hosts_duo);
		skip();
	}
	hosts_visit(2, HOST_B, hosts_wish(true));
	assert_true(hosts_same_conn(1, 2));
	assert_int_equal(duo_client_counts(&hosts_duo).streams_coalesced, 1);
	duo_close(&hosts_duo);
}

static unsigned places;

static bool count_place(const struct weft_queue_view *queue, void *user)
{
	(void)user;
	places += !strcmp(queue->host, HOST_B);
	return true;
}

static bool is_remembered(void)
{
	places = 0;
	weft_context_queues(hosts_duo.client, count_place, NULL);
	return places > 0;
}

/* A place that only borrows is remembered as long as a connection of its own would stay open. */
static void who_borrows_no_more_is_forgotten(void **state)
{
	static const char *const more[] = { HOST_B, NULL };
	const struct weft_vhost_options v = { .name = HOST_A, .aliases = more };
	const struct weft_context_options brief = { .keep_warm_ms = 20 };
	struct weft_request r;

	(void)state;
	memset(hosts_asks, 0, sizeof(hosts_asks));
	duo_open(&hosts_duo, NULL, &brief, &v, false);
	r = hosts_wish(true);
	r.stream.keep_warm_ms = 60000;
	hosts_visit(0, HOST_A, r);
	hosts_visit(1, HOST_B, r);
	assert_true(is_remembered());
	duo_until(&hosts_duo, !is_remembered());
	assert_int_equal(duo_client_counts(&hosts_duo).conns_now, 1);
	hosts_visit(2, HOST_B, r);
	assert_true(hosts_same_conn(0, 2));
	duo_close(&hosts_duo);
}

/* ---- undone ---- */

static void a_421_sends_it_to_a_connection_of_its_own(void **state)
{
	struct weft_counters c;

	(void)state;
	hosts_open_two();
	hosts_visit(0, HOST_A, hosts_wish(true));
	visit_telling(HOST_B, hosts_wish(true));
	assert_told("sent on connection 1, another host's");
	assert_told("queued again: connection 1 does not serve this host (421); it gets one of its "
		    "own");
	assert_told("made for this");
	/* it is not tried again, whoever comes */
	hosts_visit(1, HOST_B, hosts_wish(true));
	hosts_visit(2, HOST_A, hosts_wish(true));
	assert_false(hosts_same_conn(1, 2));
	assert_true(hosts_same_conn(0, 2));
	c = duo_client_counts(&hosts_duo);
	assert_int_equal(c.streams_coalesced, 1);
	assert_int_equal(c.streams_misdirected, 1);
	assert_int_equal(c.streams_retried, 1);
	assert_int_equal(duo_server_counts(&hosts_duo).conns_accepted, 2);
	duo_close(&hosts_duo);
}

static void a_body_is_sent_again_behind_a_421(void **state)
{
	(void)state;
	hosts_open_two();
	hosts_visit(0, HOST_A, hosts_wish(true));
	for (unsigned i = 1; i < 6; i++) /* not idempotent: nobody has acted on it */
		hosts_ask(i, HOST_B, true, hosts_wish(true));
	for (unsigned i = 1; i < 6; i++) {
		hosts_check(i);
		assert_false(hosts_same_conn(0, i));
	}
	assert_int_equal(duo_client_counts(&hosts_duo).streams_misdirected, 5);
	assert_int_equal(duo_server_counts(&hosts_duo).conns_accepted, 2);
	duo_close(&hosts_duo);
}

static void a_421_on_its_own_connection_is_the_answer(void **state)
{
	struct weft_request r;

	(void)state;
	hosts_open_two();
	r = hosts_wish(true);
	r.stream.sni = HOST_A;
	hosts_ask(0, HOST_B, false, r);
	duo_until(&hosts_duo, hosts_asks[0].closed);
	assert_int_equal(hosts_asks[0].status, 421);
	assert_int_equal(duo_client_counts(&hosts_duo).streams_misdirected, 0);
	duo_close(&hosts_duo);
}

/* A body of which bytes are gone for good: what its application is told is the server's answer. */
static void a_body_that_is_lost_is_answered_421(void **state)
{
	static const char piece[] = "a piece that nobody keeps";
	struct weft_request r;

	(void)state;
	hosts_open_two();
	hosts_visit(0, HOST_A, hosts_wish(true));
	r = hosts_wish(true);
	r.body_later = true;
	hosts_ask(1, HOST_B, true, r);
	assert_int_equal(
		weft_stream_write(hosts_asks[1].stream, piece, sizeof(piece)), sizeof(piece));
	duo_until(&hosts_duo, hosts_asks[1].head || hosts_asks[1].closed);
	assert_int_equal(hosts_asks[1].status, 421);
	if (hosts_asks[1].stream)
		weft_stream_close(hosts_asks[1].stream);
	duo_until(&hosts_duo, hosts_asks[1].closed);
	hosts_visit(2, HOST_B, hosts_wish(true));
	assert_int_equal(duo_client_counts(&hosts_duo).streams_misdirected, 0);
	assert_int_equal(duo_client_counts(&hosts_duo).streams_coalesced, 1);
	duo_close(&hosts_duo);
}

/* ---- a body that its application can give again ---- */

static struct {
	unsigned asked, closes, status;
	bool refuses, closes_it;
	struct weft_error why;
} giver;

static void give(struct weft_stream *s)
{
	assert_int_equal(weft_stream_write(s, "again", 5), 5);
	weft_stream_finish(s);
}

static enum weft_status give_again(struct weft_stream *s, void *user)
{
	(void)user;
	giver.asked++;
	if (giver.closes_it)
		weft_stream_close(s);
	if (giver.refuses)
		return WEFT_ERR_NOT_REPLAYABLE;
	if (!giver.closes_it)
		give(s);
	return WEFT_OK;
}

static void giver_head(
	struct weft_stream *s, const struct weft_head *head, enum weft_head_kind kind, void *user)
{
	(void)s;
	(void)kind;
	(void)user;
	giver.status = head->status;
}

static void giver_closed(struct weft_stream *s, const struct weft_error *why, void *user)
{
	(void)s;
	(void)user;
	giver.closes++;
	giver.why = *why;
}

static void give_to_b(bool refuses, bool closes_it)
{
	static const struct weft_stream_ops ops = {
		.on_head = giver_head, .body_rewind = give_again, .on_close = giver_closed
	};
	struct weft_request r;
	struct weft_stream *s;
	struct weft_error err;
	char url[128];

	memset(&giver, 0, sizeof(giver));
	giver.refuses = refuses;
	giver.closes_it = closes_it;
	hosts_open_two();
	hosts_visit(0, HOST_A, hosts_wish(true));
	snprintf(url, sizeof(url), "https://" HOST_B "%s/digest/1", strrchr(hosts_duo.base, ':'));
	r = hosts_wish(true);
	r.url = url;
	r.share = WEFT_SHARE_POOL;
	r.trust = &hosts_duo.trust;
	r.body_later = true;
	if (weft_http_open(hosts_duo.client, &r, &ops, NULL, &s, &err))
		fail_msg("%s", err.text);
	give(s);
	duo_until(&hosts_duo, giver.closes);
	assert_int_equal(giver.closes, 1);
	assert_int_equal(giver.asked, 1);
	/* the server's answer was nobody's */
	assert_int_equal(giver.status, refuses || closes_it ? 0 : 200);
	assert_int_equal(duo_client_counts(&hosts_duo).streams_misdirected, 1);
	hosts_visit(1, HOST_A, hosts_wish(true));
	assert_true(hosts_same_conn(0, 1));
	duo_close(&hosts_duo);
}

static void a_body_is_asked_for_again(void **state)
{
	(void)state;
	give_to_b(false, false);
	assert_int_equal(giver.why.status, WEFT_OK);
	give_to_b(true, false);
	assert_int_equal(giver.why.status, WEFT_ERR_NOT_REPLAYABLE);
	give_to_b(false, true);
	assert_int_equal(giver.why.status, WEFT_ERR_CANCELLED);
	give_to_b(true, true);
	assert_int_equal(giver.why.status, WEFT_ERR_CANCELLED);
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
		cmocka_unit_test(a_body_is_asked_for_again),
	};

	return duo_main("coalesce", tests, sizeof(tests) / sizeof(*tests), DUO_PAIRS);
}
