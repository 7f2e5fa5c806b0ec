/* SPDX-License-Identifier: MIT */
/* h1 as a server: connections that become tunnels, by Upgrade and by CONNECT. */
#include "tests/contract/role_peer.h"
#include "tests/contract/role_served.h"

static enum weft_status upgrade(struct weft_stream *s, void *user)
{
	(void)user;
	weft_stream_set_ops(s, &served_echo_ops, NULL);
	return weft_http_accept_upgrade(s, "echo");
}

static enum weft_status tunnel(struct weft_stream *s, void *user)
{
	(void)user;
	weft_stream_set_ops(s, &served_echo_ops, NULL);
	if (strcmp(weft_stream_request(s)->method, "CONNECT"))
		return weft_http_error(s, 404);
	if (!strcmp(weft_stream_request(s)->target, "no:1"))
		return weft_http_error(s, 403);
	return weft_http_reply_head(s, 200, NULL, 0, -1);
}

static const struct weft_route routes[] = {
	{ .path = "/keep", .on_request = served_keep },
	{ .path = "/upgrade", .on_request = upgrade },
	{ .path = "late:1", .on_request = served_keep },
	{ .prefix = "", .on_request = tunnel },
	{ .on_request = NULL },
};

static void begin(struct world *w, struct peer *p)
{
	const struct weft_vhost_options v = { .name = "example", .routes = routes };

	memset(&served, 0, sizeof(served));
	world_open(w, NULL, &v);
	peer_dial(p, w, "http");
}

static void end(struct world *w, struct peer *p)
{
	peer_close(p);
	world_close(w);
}

static void upgrade_becomes_a_tunnel(void **state)
{
	struct world w;
	struct peer p;

	(void)state;
	begin(&w, &p);
	peer_send(&p, "GET /upgrade HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\n"
		      "Upgrade: other, Echo\r\n\r\nGET / HTTP/1.1\r\n");
	peer_expect(&p,
		"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n");
	peer_expect(&p, "GET / HTTP/1.1\r\n");
	peer_send(&p, "more");
	peer_expect(&p, "more");
	peer_finish(&p);
	peer_expect_end(&p, "");
	assert_int_equal(served.why.status, WEFT_OK);
	end(&w, &p);
}

/* The request is complete by then, and was told to be; the tunnel's bytes and its own end follow. */
static void late_upgrade_becomes_a_tunnel(void **state)
{
	static const char *const behind[] = { "bytes", "" };
	struct world w;
	struct peer p;

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		bool end_first = i > 1;

		begin(&w, &p);
		peer_send(&p, "GET /keep HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: "
			      "echo\r\n\r\n");
		peer_send(&p, behind[i % 2]);
		if (end_first)
			peer_finish(&p);
		peer_expect_silence(&p);
		assert_true(served.ended);
		weft_stream_set_ops(served.stream, &served_echo_ops, NULL);
		assert_int_equal(weft_http_accept_upgrade(served.stream, "echo"), WEFT_OK);
		peer_expect(&p, "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\n"
				"upgrade: echo\r\n\r\n");
		peer_expect(&p, behind[i % 2]);
		if (!end_first) {
			peer_expect_silence(&p);
			peer_finish(&p);
		}
		peer_expect_end(&p, "");
		served_wait(&w, 1);
		assert_int_equal(served.why.status, WEFT_OK);
		end(&w, &p);
	}
}

static void upgrade_needs_the_connection_option(void **state)
{
	struct world w;
	struct peer p;

	(void)state;
	begin(&w, &p);
	peer_send(&p, "GET /upgrade HTTP/1.1\r\nHost: a\r\nUpgrade: echo\r\n\r\n");
	peer_expect(&p, "HTTP/1.1 500 Internal Server Error\r\n");
	end(&w, &p);
}

static void connect_becomes_a_tunnel_or_is_refused(void **state)
{
	struct world w;
	struct peer p;

	(void)state;
	begin(&w, &p);
	peer_send(&p, "CONNECT no:1 HTTP/1.1\r\nHost: no:1\r\n\r\nCONNECT far:443 "
		      "HTTP/1.1\r\nHost: far:443\r\n\r\nabc");
	peer_expect(&p, "HTTP/1.1 403 Forbidden\r\ncontent-length: 14\r\ncontent-type: text/plain; "
			"charset=utf-8\r\n\r\n403 Forbidden\n");
	peer_expect(&p, "HTTP/1.1 200 OK\r\n\r\nabc");
	peer_finish(&p);
	peer_expect_end(&p, "");
	served_wait(&w, 2);
	assert_int_equal(served.why.status, WEFT_OK);
	end(&w, &p);
}

static void late_connect_becomes_a_tunnel_or_is_refused(void **state)
{
	struct world w;
	struct peer p;

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		begin(&w, &p);
		peer_send(&p, "CONNECT late:1 HTTP/1.1\r\nHost: late:1\r\n\r\n");
		if (i & 1)
			peer_send(&p, "GET /none HTTP/1.1\r\nHost: a\r\n\r\n");
		if (i & 2)
			peer_finish(&p);
		peer_expect_silence(&p);
		assert_false(served.ended);
		weft_stream_set_ops(served.stream, &served_echo_ops, NULL);
		assert_int_equal(weft_http_reply_head(served.stream, 200, NULL, 0, -1), WEFT_OK);
		peer_expect(&p, "HTTP/1.1 200 OK\r\n\r\n");
		if (i & 1)
			peer_expect(&p, "GET /none HTTP/1.1\r\nHost: a\r\n\r\n");
		if (!(i & 2))
			peer_finish(&p);
		peer_expect_end(&p, "");
		served_wait(&w, 1);
		assert_int_equal(served.why.status, WEFT_OK);
		end(&w, &p);
	}
	begin(&w, &p);
	peer_send(&p, "CONNECT late:1 HTTP/1.1\r\nHost: late:1\r\n\r\nGET /none HTTP/1.1\r\nHost: "
		      "a\r\n\r\n");
	peer_expect_silence(&p);
	assert_int_equal(weft_http_reply(served.stream, 403, NULL, NULL, 0), WEFT_OK);
	peer_expect(&p, "HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n");
	peer_expect(&p, "HTTP/1.1 404 Not Found\r\n");
	end(&w, &p);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(upgrade_becomes_a_tunnel),
	cmocka_unit_test(late_upgrade_becomes_a_tunnel),
	cmocka_unit_test(upgrade_needs_the_connection_option),
	cmocka_unit_test(connect_becomes_a_tunnel_or_is_refused),
	cmocka_unit_test(late_connect_becomes_a_tunnel_or_is_refused),
};
const struct role_group role_tunnel_group = {
	.name = "h1 server tunnels",
	.tests = tests,
	.count = sizeof(tests) / sizeof(*tests),
};
