/* SPDX-License-Identifier: MIT */
/* RFC 9218: who goes first of answers that all could go. The client opens its windows once they wait. */
#include "tests/contract/h2_line.h"

enum { BODY = 60000, ORDER = 64, WIDE = 1 << 20 };

static enum weft_status big(struct weft_stream *s, void *user)
{
	static const char body[BODY];

	(void)user;
	return weft_http_reply_static(s, 200, NULL, body, sizeof(body));
}

static const struct weft_route routes[] = { { .prefix = "", .on_request = big },
	{ .on_request = NULL } };
static const struct weft_vhost_options vhost = { .name = "a", .routes = routes };

/* The streams of the DATA frames, as they came. */
struct order {
	uint32_t of[ORDER];
	unsigned count;
};

/* Requests 1, 3, 5 ... with these priorities; their heads come, and no body may. */
static void begin(struct world *w, struct peer *p, const char *const *priorities, unsigned count)
{
	struct h2_frame f;

	world_open(w, NULL, &vhost);
	h2_dial(p, w, 0);
	h2_say_number(p, H2_WINDOW_UPDATE, 0, WIDE);
	for (unsigned i = 0; i < count; i++)
		h2_get(p, 2 * i + 1, "/", priorities[i]);
	for (unsigned i = 0; i < count; i++)
		h2_expect(p, H2_HEADERS, 2 * i + 1, &f);
	assert_int_equal(h2_count(p, H2_DATA, 1), 0);
}

static void update(struct peer *p, uint32_t stream, const char *priority)
{
	char bytes[16] = { 0, 0, 0, (char)stream };
	size_t len = strlen(priority);

	memcpy(bytes + 4, priority, len);
	h2_say(p, H2_PRIORITY_UPDATE, 0, 0, bytes, 4 + len);
}

/* Opens all windows at once, and closes the connection when all is there. */
static struct order end(struct world *w, struct peer *p, unsigned count)
{
	struct order o = { .count = 0 };
	size_t left = (size_t)count * BODY;
	struct h2_frame f;

	h2_set(p, H2_SET_WINDOW, WIDE);
	for (unsigned i = 0; i < WORLD_TURNS_MAX && left; i++) {
		while (h2_next(p, &f)) {
			if (f.type != H2_DATA)
				continue;
			assert_true(o.count < ORDER && f.len <= left);
			o.of[o.count++] = f.stream;
			left -= f.len;
		}
		peer_turn(p);
	}
	assert_int_equal(left, 0);
	peer_close(p);
	world_close(w);
	return o;
}

/* How often the next frame is another stream's. */
static unsigned turns_taken(const struct order *o)
{
	unsigned n = 0;

	for (unsigned i = 1; i < o->count; i++)
		n += o->of[i] != o->of[i - 1];
	return n;
}

/* One after the other, in this order. */
static void is_order(const struct order *o, const uint32_t *streams, unsigned count)
{
	unsigned at = 0;

	assert_int_equal(turns_taken(o), count - 1);
	for (unsigned i = 0; i < count; i++) {
		assert_int_equal(o->of[at], streams[i]);
		while (at < o->count && o->of[at] == streams[i])
			at++;
	}
}

/* Requests with these priorities, and which of them goes when. */
static void answered_in_order(
	const char *const *priorities, const uint32_t *expected, unsigned count)
{
	struct world w;
	struct peer p;
	struct order o;

	begin(&w, &p, priorities, count);
	o = end(&w, &p, count);
	is_order(&o, expected, count);
}

static void the_most_urgent_goes_first(void **state)
{
	static const char *const priorities[] = { "u=5", "u=1", "u=7", "u=3" };
	static const uint32_t expected[] = { 3, 7, 1, 5 };

	(void)state;
	answered_in_order(priorities, expected, 4);
}

/* 3, and not incremental. */
static void who_says_nothing_has_the_default(void **state)
{
	static const char *const priorities[] = { "u=4", NULL, "u=2", NULL };
	static const uint32_t expected[] = { 5, 3, 7, 1 };

	(void)state;
	answered_in_order(priorities, expected, 4);
}

static void nonsense_is_the_default(void **state)
{
	static const char *const priorities[] = { "u=4", "u=9", "u=2", "what?" };
	static const uint32_t expected[] = { 5, 3, 7, 1 };

	(void)state;
	answered_in_order(priorities, expected, 4);
}

static void an_update_changes_it(void **state)
{
	static const char *const priorities[] = { "u=5", "u=1", "u=3" };
	static const uint32_t expected[] = { 1, 5, 3 };
	struct world w;
	struct peer p;
	struct order o;

	(void)state;
	begin(&w, &p, priorities, 3);
	update(&p, 1, "u=0");
	update(&p, 3, "u=6");
	o = end(&w, &p, 3);
	is_order(&o, expected, 3);
}

static void incremental_ones_share(void **state)
{
	static const char *const priorities[] = { "u=3, i", "u=3, i", "u=1" };
	struct world w;
	struct peer p;
	struct order o;

	(void)state;
	begin(&w, &p, priorities, 3);
	o = end(&w, &p, 3);
	/* the urgent one as a whole; then in turns, frame by frame */
	assert_int_equal(o.of[0], 5);
	assert_int_equal(turns_taken(&o), 2 * ((BODY + 16374) / 16375));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(the_most_urgent_goes_first),
	cmocka_unit_test(who_says_nothing_has_the_default),
	cmocka_unit_test(nonsense_is_the_default),
	cmocka_unit_test(an_update_changes_it),
	cmocka_unit_test(incremental_ones_share),
};

const struct role_group h2_priority_group = { "priority", tests, sizeof(tests) / sizeof(*tests) };
