/* SPDX-License-Identifier: MIT */
/* Streams that wait for each other on one connection, and what happens when it does not hold. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/script.h"

enum { ASKS = 6 };

static struct ask asks[ASKS];
static struct script script;
static struct duo duo;

static void begin_with(void (*answer)(struct script_line *), const struct weft_context_options *o)
{
	const struct weft_vhost_options v = { .routes = script_routes(&script),
		.name = "localhost" };

	memset(&script, 0, sizeof(script));
	memset(asks, 0, sizeof(asks));
	script.duo = &duo;
	script.answer = answer;
	duo_open(&duo, NULL, o, &v, true);
}

static void begin(void (*answer)(struct script_line *))
{
	begin_with(answer, NULL);
}

static bool all_closed(void)
{
	for (size_t i = 0; i < ASKS; i++) {
		if (!asks[i].closed)
			return false;
	}
	return true;
}

static void run(void)
{
	for (unsigned i = 0; i < DUO_TURNS && !all_closed(); i++)
		script_turn(&script);
	assert_true(all_closed());
}

static void open_all(void)
{
	for (unsigned i = 0; i < ASKS; i++)
		ask_open(&asks[i], &duo, 10 + i, i % 2 == 1, NULL);
}

static void check_all_but(int other)
{
	for (int i = 0; i < ASKS; i++) {
		if (i != other)
			ask_check(&asks[i]);
	}
}

/* ---- law 3 ---- */

/* Each answer in three pieces, with turns between them in which nothing may come. */
static void dally(struct script_line *l)
{
	l->wait = 8;
	switch (l->piece++) {
	case 0:
		return;
	case 1:
		script_say(l, "HTTP/1.1 200 OK\r\nContent-Le");
		return;
	case 2:
		script_say(l, "ngth: 16\r\n\r\n0");
		return;
	default:
		break;
	}
	script_say(l, "123456789abcdef");
	script_done(l);
}

static void no_byte_of_the_next_request_before_the_answer_ends(void **state)
{
	(void)state;
	begin(dally);
	open_all();
	run();
	assert_false(script.early);
	assert_int_equal(script.count, 1);
	assert_int_equal(script.answered, ASKS);
	for (size_t i = 0; i < ASKS; i++) {
		assert_int_equal(asks[i].why.status, WEFT_OK);
		assert_memory_equal(asks[i].got, "0123456789abcdef", 16);
	}
	duo_close(&duo);
}

static void dally_then_reply(struct script_line *l)
{
	if (l->piece++ < 5)
		return;
	script_reply(l, "");
}

static void slow_post_is_finished_before_the_next_begins(void **state)
{
	const struct weft_request later = { .body_later = true, .method = "POST" };
	char body[32] = "a slow body, a byte at a time";
	size_t sent = 0;

	(void)state;
	begin(dally_then_reply);
	ask_open(&asks[0], &duo, 10, true, &later);
	for (unsigned i = 1; i < ASKS; i++)
		ask_open(&asks[i], &duo, 10 + i, false, NULL);
	memcpy(asks[0].body, body, sizeof(body));
	for (unsigned i = 0; i < DUO_TURNS && !all_closed(); i++) {
		script_turn(&script);
		if (i % 7 || sent > strlen(body))
			continue;
		assert_int_equal(script.answered, 0);
		if (sent < strlen(body))
			assert_int_equal(weft_stream_write(asks[0].stream, body + sent, 1), 1);
		else
			weft_stream_finish(asks[0].stream);
		sent++;
	}
	assert_true(all_closed());
	assert_false(script.early);
	assert_int_equal(script.count, 1);
	check_all_but(-1);
	duo_close(&duo);
}

/* ---- law 5: the leader ---- */

static void plain(struct script_line *l)
{
	script_reply(l, "");
}

static void refused_leader_fails_all_with_the_true_cause(void **state)
{
	(void)state;
	begin(plain);
	weft_vhost_destroy(duo.vh); /* nobody listens any more */
	open_all();
	run();
	for (size_t i = 0; i < ASKS; i++) {
		assert_int_equal(asks[i].closes, 1);
		assert_int_equal(asks[i].why.status, WEFT_ERR_REFUSED);
	}
	/* one fresh attempt for the queue */
	assert_int_equal(duo_client_counts(&duo).conns_tried, 2);
	duo_close(&duo);
}

static void cut_first(struct script_line *l)
{
	if (l->number == 0)
		script_cut(l);
}

static void leader_whose_connection_is_cut_at_once_is_tried_again(void **state)
{
	(void)state;
	begin(plain);
	script.arrived = cut_first;
	/* idempotent ones only: whether a POST was acted on would not be known */
	for (unsigned i = 0; i < ASKS; i++)
		ask_open(&asks[i], &duo, 10 + i, false, NULL);
	run();
	check_all_but(-1);
	assert_int_equal(script.count, 2);
	duo_close(&duo);
}

static void cancelled_leader_costs_nobody_else_anything(void **state)
{
	(void)state;
	/* before there is a connection, while it is made, and after it was bound */
	for (unsigned turns = 0; turns < 40; turns += turns < 10 ? 1 : 10) {
		begin(dally_then_reply);
		open_all();
		for (unsigned i = 0; i < turns; i++)
			script_turn(&script);
		if (asks[0].stream)
			weft_stream_close(asks[0].stream);
		run();
		if (asks[0].why.status != WEFT_OK)
			assert_int_equal(asks[0].why.status, WEFT_ERR_CANCELLED);
		assert_int_equal(asks[0].closes, 1);
		check_all_but(0);
		assert_false(script.early);
		duo_close(&duo);
	}
}

static void leader_failed_by_its_own_user_costs_nobody_else_anything(void **state)
{
	(void)state;
	for (unsigned which = 0; which < 2; which++) {
		begin(plain);
		asks[0].close_in_head = which == 0;
		asks[0].close_in_data = which == 1;
		open_all();
		run();
		assert_int_equal(asks[0].closes, 1);
		check_all_but(0);
		duo_close(&duo);
	}
}

/* ---- law 5: the server ---- */

static void reply_and_close(struct script_line *l)
{
	script_reply(l, "Connection: close\r\n");
	script_finish(l);
}

static void server_that_closes_after_each_answer_serves_all(void **state)
{
	(void)state;
	begin(reply_and_close);
	open_all();
	run();
	check_all_but(-1);
	assert_int_equal(script.count, ASKS);
	assert_false(script.early);
	duo_close(&duo);
}

/* It closes without having said so: what was written into the closing connection is sent again. */
static void reply_and_vanish(struct script_line *l)
{
	script_reply(l, "");
	script_finish(l);
}

static void server_that_closes_unannounced_serves_all_that_may_be_repeated(void **state)
{
	(void)state;
	begin(reply_and_vanish);
	for (unsigned i = 0; i < ASKS; i++)
		ask_open(&asks[i], &duo, 10 + i, false, NULL);
	run();
	check_all_but(-1);
	duo_close(&duo);
}

static void die_in_the_third(struct script_line *l)
{
	if (script.answered != 2) {
		script_reply(l, "");
		return;
	}
	if (l->piece++ == 0) {
		script_say(l, "HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n01234");
		l->wait = 20;
		return;
	}
	script.answered++;
	script_finish(l);
	l->request_len = 0;
	l->in_len = 0;
}

static void server_that_dies_in_the_third_answer_costs_only_the_third(void **state)
{
	(void)state;
	begin(die_in_the_third);
	open_all();
	run();
	assert_int_equal(asks[2].closes, 1);
	assert_int_equal(asks[2].why.status, WEFT_ERR_TRUNCATED);
	assert_int_equal(asks[2].got_len, 5);
	check_all_but(2);
	assert_int_equal(script.count, 2);
	assert_int_not_equal(asks[3].conn, asks[1].conn);
	duo_close(&duo);
}

static void die_without_an_answer(struct script_line *l)
{
	if (l->number == 0 && l->served == 1) {
		script_cut(l);
		return;
	}
	script_reply(l, "");
}

static void post_that_may_have_been_acted_on_is_not_repeated(void **state)
{
	(void)state;
	begin(die_without_an_answer);
	open_all(); /* the second one is a POST */
	run();
	assert_int_not_equal(asks[1].why.status, WEFT_OK);
	assert_int_equal(asks[1].got_len, 0);
	check_all_but(1);
	duo_close(&duo);
}

static void warm_connection_that_went_stale_is_replaced_unnoticed(void **state)
{
	(void)state;
	begin(plain);
	for (unsigned i = 0; i < ASKS; i++) {
		/* one after the other, each of them alone in the queue */
		ask_open(&asks[i], &duo, 10 + i, false, NULL);
		for (unsigned t = 0; t < DUO_TURNS && !asks[i].closed; t++)
			script_turn(&script);
		ask_check(&asks[i]);
		script_finish(&script.lines[script.count - 1]);
		if (i % 2)
			script_turn(&script);
	}
	duo_close(&duo);
}

static void second_answer_that_nobody_asked_for_is_nobodys(void **state)
{
	(void)state;
	begin(plain);
	for (unsigned i = 0; i < ASKS; i++)
		ask_open(&asks[i], &duo, 10 + i, false, NULL);
	for (unsigned i = 0; i < DUO_TURNS && !all_closed(); i++) {
		script_turn(&script);
		if (script.lines[0].served == 1 && script.lines[0].stream) {
			weft_stream_write(script.lines[0].stream,
				"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", 42);
			script.lines[0].served = 100;
		}
	}
	assert_true(all_closed());
	for (size_t i = 0; i < ASKS; i++)
		assert_null(memmem(asks[i].got, asks[i].got_len, "evil", 4));
	duo_close(&duo);
}

static void queue_time_and_reuse_are_told_in_words(void **state)
{
	char story[1024];

	(void)state;
	begin(dally_then_reply);
	open_all();
	weft_stream_explain(asks[3].stream, story, sizeof(story));
	assert_string_equal(
		story, "+0 ms: queued: a connection is being made, 3 streams are ahead\n");
	do {
		script_turn(&script);
		weft_stream_explain(asks[0].stream, story, sizeof(story));
	} while (!strstr(story, "sent on connection 1, made for this, after "));
	assert_non_null(strstr(
		story, duo_combo.client_tls ? "connected: TLS context " : "connected: name "));
	assert_int_equal(strstr(story, ", full)\n") != NULL, duo_combo.client_tls ? true : false);
	while (!asks[2].closed)
		script_turn(&script);
	script_turn(&script);
	weft_stream_explain(asks[3].stream, story, sizeof(story));
	assert_non_null(strstr(story, "sent on connection 1, reused: it was idle for "));
	assert_non_null(strstr(story, " ms; after "));
	assert_int_equal(duo_client_counts(&duo).conns_reused, 3);
	run();
	check_all_but(-1);
	assert_true(duo_client_counts(&duo).queue_us > 0);
	assert_int_equal(duo_client_counts(&duo).streams_per_conn_max, ASKS);
	duo_close(&duo);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_byte_of_the_next_request_before_the_answer_ends),
		cmocka_unit_test(slow_post_is_finished_before_the_next_begins),
		cmocka_unit_test(refused_leader_fails_all_with_the_true_cause),
		cmocka_unit_test(leader_whose_connection_is_cut_at_once_is_tried_again),
		cmocka_unit_test(cancelled_leader_costs_nobody_else_anything),
		cmocka_unit_test(leader_failed_by_its_own_user_costs_nobody_else_anything),
		cmocka_unit_test(server_that_closes_after_each_answer_serves_all),
		cmocka_unit_test(server_that_closes_unannounced_serves_all_that_may_be_repeated),
		cmocka_unit_test(server_that_dies_in_the_third_answer_costs_only_the_third),
		cmocka_unit_test(post_that_may_have_been_acted_on_is_not_repeated),
		cmocka_unit_test(warm_connection_that_went_stale_is_replaced_unnoticed),
		cmocka_unit_test(second_answer_that_nobody_asked_for_is_nobodys),
		cmocka_unit_test(queue_time_and_reuse_are_told_in_words),
	};

	return duo_main("queue", tests, sizeof(tests) / sizeof(*tests), DUO_ALL);
}
