/* SPDX-License-Identifier: MIT */
/* Requests over one connection, counted by the server. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/duo.h"

enum { HUNDRED = 100 };

static struct ask asks[HUNDRED];

static bool all_closed(void)
{
	for (size_t i = 0; i < HUNDRED; i++) {
		if (!asks[i].closed)
			return false;
	}
	return true;
}

/* In the order in which they were asked, if they come one after the other. */
static unsigned last_id;
static bool in_order;

static enum weft_status note_order(struct weft_stream *s, void *user)
{
	unsigned id = (unsigned)strtoul(weft_stream_request(s)->target + 8, NULL, 10);

	in_order &= id == last_id++;
	return duo_digest(s, user);
}

/* Which protocol, or what is agreed on. */
static void hundred(const char *protocol, unsigned peak)
{
	static const struct weft_route routes[] = { { .prefix = "/", .on_request = note_order },
		{ .on_request = NULL } };
	const struct weft_vhost_options v = { .routes = routes };
	const struct weft_context_options one = { .max_conns = 1 };
	const char *const alpn[] = { protocol, NULL };
	struct weft_request r = { .stream.alpn = protocol ? alpn : NULL };
	struct weft_counters c;
	struct duo d;

	last_id = 0;
	in_order = true;
	duo_open(&d, NULL, &one, &v, false);
	memset(asks, 0, sizeof(asks));
	for (unsigned i = 0; i < HUNDRED; i++)
		ask_open(&asks[i], &d, i, i % 3 == 1, &r);
	duo_until(&d, all_closed());
	for (unsigned i = 0; i < HUNDRED; i++)
		ask_check(&asks[i]);
	c = duo_server_counts(&d);
	assert_int_equal(c.conns_accepted, 1);
	assert_int_equal(c.handshakes_full, duo_combo.server_tls ? 1 : 0);
	assert_int_equal(c.streams_incoming, HUNDRED);
	assert_int_equal(c.streams_per_conn_max, HUNDRED);
	if (peak)
		assert_int_equal(c.streams_peak, peak);
	assert_true(in_order);
	c = duo_client_counts(&d);
	assert_int_equal(c.conns_opened, 1);
	assert_int_equal(c.streams_ok, HUNDRED);
	duo_close(&d);
}

static void hundred_requests_make_one_connection_and_one_handshake(void **state)
{
	(void)state;
	hundred(NULL, 0);
	/* one after the other: the server never sees a second one beside the first */
	hundred("http/1.1", 1);
#ifdef WEFT_HAVE_ROLE_H2
	/* all at once: the server's POSTs wait for nobody, and all are there in one turn */
	hundred("h2", 0);
#endif
}

static void several_connections_share_the_queue(void **state)
{
	const struct weft_context_options four = { .max_conns = 4 };
	struct weft_counters c;
	struct duo d;

	(void)state;
	duo_open(&d, NULL, &four, NULL, false);
	memset(asks, 0, sizeof(asks));
	for (unsigned i = 0; i < HUNDRED; i++)
		ask_open(&asks[i], &d, i, false, NULL);
	duo_until(&d, all_closed());
	for (unsigned i = 0; i < HUNDRED; i++)
		ask_check(&asks[i]);
	c = duo_server_counts(&d);
	assert_in_range(c.conns_accepted, 1, 4);
	assert_int_equal(c.streams_incoming, HUNDRED);
	duo_close(&d);
}

static void alone_streams_never_share(void **state)
{
	static const struct weft_stream_ops quiet = { .on_head = NULL };
	struct weft_counters c;
	struct duo d;

	(void)state;
	duo_open(&d, NULL, NULL, NULL, false);
	memset(asks, 0, sizeof(asks));
	for (unsigned i = 0; i < HUNDRED; i++) {
		asks[i].closed = true;
		asks[i].closes = 1;
	}
	for (unsigned i = 0; i < 5; i++) {
		struct weft_request r = { .url = NULL };
		struct weft_error err;
		struct ask *a = &asks[i];
		struct weft_stream *s;
		char url[96];

		ask_open(a, &d, i, false, &r);
		/* the same, but alone */
		snprintf(url, sizeof(url), "%s/digest/%u", d.base, i);
		r.url = url;
		r.trust = d.trust.ca.len ? &d.trust : NULL;
		assert_int_equal(weft_http_open(d.client, &r, &quiet, NULL, &s, &err), WEFT_OK);
		duo_until(&d, a->closed && !duo_client_counts(&d).streams_now);
		ask_check(a);
	}
	c = duo_server_counts(&d);
	assert_int_equal(c.conns_accepted, 1 + 5);
	duo_close(&d);
}

/* The name has ::1 and 127.0.0.1, as a rule; the server listens at the second one only. */
static void name_is_resolved_and_every_address_tried(void **state)
{
	struct weft_request r = { .url = NULL };
	struct duo d;
	struct ask a;
	char url[96];

	(void)state;
	duo_open(&d, NULL, NULL, NULL, false);
	snprintf(url, sizeof(url), "%.*s://localhost%s/digest/5",
		(int)(strstr(d.base, "://") - d.base), d.base, strrchr(d.base, ':'));
	r.url = url;
	memset(&a, 0, sizeof(a));
	ask_open(&a, &d, 5, false, &r);
	duo_until(&d, a.closed);
	ask_check(&a);
	assert_int_equal(duo_client_counts(&d).conns_opened, 1);
	duo_close(&d);
}

/* ---- big bodies, both ways at once, through windows ---- */

enum { BIG = 3 << 20 };

struct flow {
	size_t sent, got;
	bool closed, bad;
	struct weft_error why;
};

static unsigned char pattern(size_t i)
{
	return (unsigned char)(i * 31 + (i >> 8) * 7 + (i >> 16));
}

static void pour(struct weft_stream *s, void *user)
{
	struct flow *f = user;
	unsigned char block[8192];
	size_t n, len, total = duo_combo.fragment ? BIG / 64 : BIG;

	while (f->sent < total) {
		len = total - f->sent < sizeof(block) ? total - f->sent : sizeof(block);
		for (size_t i = 0; i < len; i++)
			block[i] = pattern(f->sent + i);
		n = weft_stream_write(s, block, len);
		f->sent += n;
		if (n < len)
			return;
	}
	weft_stream_finish(s);
}

static size_t drink(struct weft_stream *s, const void *bytes, size_t len, void *user)
{
	struct flow *f = user;

	(void)s;
	for (size_t i = 0; i < len; i++)
		f->bad |= ((const unsigned char *)bytes)[i] != pattern(f->got + i);
	f->got += len;
	return len;
}

static void flow_closed(struct weft_stream *s, const struct weft_error *why, void *user)
{
	struct flow *f = user;

	(void)s;
	f->why = *why;
	f->closed = true;
}

static size_t echo_data(struct weft_stream *s, const void *bytes, size_t len, void *user)
{
	(void)user;
	return weft_stream_write(s, bytes, len);
}

static void echo_writable(struct weft_stream *s, void *user)
{
	(void)user;
	weft_stream_resume(s);
}

static void echo_end(struct weft_stream *s, void *user)
{
	(void)user;
	weft_stream_finish(s);
}

static enum weft_status echo(struct weft_stream *s, void *user)
{
	static const struct weft_stream_ops ops = {
		.on_data = echo_data,
		.on_writable = echo_writable,
		.on_end = echo_end,
	};

	(void)user;
	weft_stream_set_ops(s, &ops, NULL);
	return weft_http_reply_head(s, 200, NULL, 0, -1);
}

static void big_bodies_cross_both_ways_at_once(void **state)
{
	static const struct weft_stream_ops ops = {
		.on_data = drink,
		.on_writable = pour,
		.on_close = flow_closed,
	};
	static const struct weft_route routes[] = {
		{ .path = "/echo", .on_request = echo },
		{ .on_request = NULL },
	};
	const struct weft_vhost_options v = { .routes = routes };
	struct flow f = { .sent = 0 };
	struct weft_request r = { .body_later = true };
	struct weft_stream *s;
	struct weft_error err;
	struct duo d;
	char url[96];

	(void)state;
	duo_open(&d, NULL, NULL, &v, false);
	snprintf(url, sizeof(url), "%s/echo", d.base);
	r.url = url;
	r.trust = d.trust.ca.len ? &d.trust : NULL;
	assert_int_equal(weft_http_open(d.client, &r, &ops, &f, &s, &err), WEFT_OK);
	pour(s, &f);
	for (unsigned i = 0; i < 400000 && !f.closed; i++)
		duo_turn(&d);
	assert_true(f.closed);
	if (f.why.status)
		fail_msg("%s", f.why.text);
	assert_false(f.bad);
	assert_int_equal(f.got, f.sent);
	/* backpressure: neither side ever held more than its windows and buffers */
	assert_in_range(duo_server_counts(&d).heap_peak, 1, 1 << 20);
	assert_in_range(duo_client_counts(&d).heap_peak, 1, 1 << 20);
	duo_close(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hundred_requests_make_one_connection_and_one_handshake),
		cmocka_unit_test(several_connections_share_the_queue),
		cmocka_unit_test(alone_streams_never_share),
		cmocka_unit_test(name_is_resolved_and_every_address_tried),
		cmocka_unit_test(big_bodies_cross_both_ways_at_once),
	};

	return duo_main("exchange", tests, sizeof(tests) / sizeof(*tests), DUO_ALL);
}
