/* SPDX-License-Identifier: MIT */
/* What a peer may make a server do for nothing, to the frame: roles/h2/abuse.c. Time stands still. */
#include "tests/contract/h2_line.h"
#include "tests/contract/role_served.h"

enum {
	WORK = 2000, /* frames at once that bring nothing */
	WORK_RATE = 100,
	RESETS = 1000,
	RESET_RATE = 50,
	BATCH = 500, /* less than may wait for an acknowledgement at once */
	SPENT = 2,   /* of WORK by the beginning: SETTINGS, and their acknowledgement */
};

static enum weft_status hello(struct weft_stream *s, void *user)
{
	(void)user;
	return weft_http_reply_static(s, 200, NULL, "hello", 5);
}

static const struct weft_route routes[] = { { .path = "/hello", .on_request = hello },
	{ .prefix = "", .on_request = served_keep }, { .on_request = NULL } };
static const struct weft_vhost_options vhost = { .name = "a", .routes = routes };

static void begin(struct world *w, struct peer *p, uint32_t window)
{
	memset(&served, 0, sizeof(served));
	world_open(w, NULL, &vhost);
	h2_dial(p, w, window);
}

static uint64_t limits_hit(const struct world *w)
{
	struct weft_counters c;

	weft_context_counters(w->ctx, &c);
	return c.limits_hit;
}

/* Nothing was said against it; and is it alive? */
static void goes_on(struct world *w, struct peer *p)
{
	assert_int_equal(h2_count(p, H2_GOAWAY, 0), 0);
	assert_false(p->fin || p->reset);
	assert_int_equal(limits_hit(w), 0);
}

static void is_calmed(struct world *w, struct peer *p)
{
	h2_expect_error(p, H2_GOAWAY, 0, H2_ENHANCE_YOUR_CALM);
	for (unsigned i = 0; i < WORLD_TURNS_MAX && !p->fin && !p->reset; i++)
		peer_turn(p);
	assert_true(p->fin || p->reset);
	assert_int_equal(limits_hit(w), 1);
}

static void end(struct world *w, struct peer *p)
{
	peer_close(p);
	world_close(w);
}

static void pings(struct peer *p, unsigned count)
{
	for (unsigned n; count; count -= n) {
		n = count < BATCH ? count : BATCH;
		h2_say_often(p, n, H2_PING, 0, 0, "12345678", 8);
	}
}

static void the_last_frame_that_is_paid_for_is_answered(void **state)
{
	struct world w;
	struct peer p;

	(void)state;
	begin(&w, &p, 65535);
	pings(&p, WORK - SPENT);
	assert_int_equal(h2_count(&p, H2_PING, 0), WORK - SPENT);
	goes_on(&w, &p);
	pings(&p, 1);
	is_calmed(&w, &p);
	end(&w, &p);
}

static void time_brings_more(void **state)
{
	struct world w;
	struct peer p;

	(void)state;
	begin(&w, &p, 65535);
	pings(&p, WORK - SPENT);
	h2_pass(2000);
	pings(&p, 2 * WORK_RATE);
	goes_on(&w, &p);
	pings(&p, 1);
	is_calmed(&w, &p);
	end(&w, &p);
}

/* However long it was quiet: the bucket is full once. */
static void an_hour_brings_no_more_than_a_bucket(void **state)
{
	struct world w;
	struct peer p;

	(void)state;
	begin(&w, &p, 65535);
	h2_get(&p, 1, "/keep", NULL); /* no idle connection */
	pings(&p, WORK - SPENT);
	h2_pass(30000); /* half an idle time, and more than fills it */
	pings(&p, WORK);
	goes_on(&w, &p);
	pings(&p, 1);
	is_calmed(&w, &p);
	end(&w, &p);
}

static void time_that_passed_before_is_not_saved_up(void **state)
{
	struct world w;
	struct peer p;

	(void)state;
	begin(&w, &p, 65535);
	h2_get(&p, 1, "/keep", NULL);
	h2_pass(30000);
	pings(&p, WORK);
	goes_on(&w, &p);
	pings(&p, 1);
	is_calmed(&w, &p);
	end(&w, &p);
}

/* Requests pay for the frames that belong to them. */
static void what_is_useful_earns(void **state)
{
	struct world w;
	struct peer p;

	(void)state;
	begin(&w, &p, 65535);
	for (uint32_t n = 0; n < 2 * WORK / 4; n++) {
		h2_get(&p, 2 * n + 1, "/hello", NULL);
		pings(&p, 4);
	}
	goes_on(&w, &p);
	end(&w, &p);
}

static void resets(struct peer *p, uint32_t *next, unsigned count)
{
	for (unsigned i = 0; i < count; i++, *next += 2) {
		h2_get(p, *next, "/keep", NULL);
		h2_say_number(p, H2_RST_STREAM, *next, H2_CANCEL);
	}
}

static void resets_have_a_bucket_of_their_own(void **state)
{
	uint32_t next = 1;
	struct world w;
	struct peer p;

	(void)state;
	begin(&w, &p, 65535);
	resets(&p, &next, RESETS);
	goes_on(&w, &p);
	h2_pass(1000);
	resets(&p, &next, RESET_RATE);
	goes_on(&w, &p);
	resets(&p, &next, 1);
	is_calmed(&w, &p);
	assert_int_equal(served.closes, RESETS + RESET_RATE + 1);
	end(&w, &p);
}

/* The client breaks a rule of the stream, and it is the server that resets it. */
static void provoke(struct peer *p, uint32_t stream)
{
	h2_get(p, stream, "/keep", NULL);
	h2_say_number(p, H2_WINDOW_UPDATE, stream, 0x7fffffff);
}

static void resets_that_were_provoked_count(void **state)
{
	uint32_t next = 1;
	struct world w;
	struct peer p;

	(void)state;
	begin(&w, &p, 65535);
	for (; next < RESETS; next += 2) /* half as many streams: what broke, and what it broke */
		provoke(&p, next);
	goes_on(&w, &p);
	provoke(&p, next);
	is_calmed(&w, &p);
	end(&w, &p);
}

/* A stream whose answer is out was no work for nothing. */
static void resets_of_what_was_answered_are_no_abuse(void **state)
{
	struct h2_frame f;
	struct world w;
	struct peer p;

	(void)state;
	begin(&w, &p, 65535);
	for (uint32_t n = 1; n < 2 * (RESETS + 100); n += 2) {
		h2_say_number(&p, H2_WINDOW_UPDATE, 0, 5);
		h2_get(&p, n, "/hello", NULL);
		h2_expect(&p, H2_DATA, n, &f);
		assert_true(f.flags & H2_END_STREAM);
		h2_say_number(&p, H2_RST_STREAM, n, H2_CANCEL);
	}
	goes_on(&w, &p);
	end(&w, &p);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(the_last_frame_that_is_paid_for_is_answered),
	cmocka_unit_test(time_brings_more),
	cmocka_unit_test(an_hour_brings_no_more_than_a_bucket),
	cmocka_unit_test(time_that_passed_before_is_not_saved_up),
	cmocka_unit_test(what_is_useful_earns),
	cmocka_unit_test(resets_have_a_bucket_of_their_own),
	cmocka_unit_test(resets_that_were_provoked_count),
	cmocka_unit_test(resets_of_what_was_answered_are_no_abuse),
};

const struct role_group h2_abuse_group = { "abuse", tests, sizeof(tests) / sizeof(*tests) };
