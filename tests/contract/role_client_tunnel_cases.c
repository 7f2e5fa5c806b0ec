/* SPDX-License-Identifier: MIT */
/* h1 as a client: connections that become tunnels, by Upgrade and by CONNECT. */
#include "tests/contract/role_exchange.h"

#define GET "GET / HTTP/1.1\r\nhost: a\r\n\r\n"
#define UPGRADE "GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n"
#define STATUS_101 "HTTP/1.1 101 Switching Protocols\r\n"
#define SWITCHED STATUS_101 "Connection: upgrade\r\nUpgrade: Echo\r\n\r\n"
#define CONNECT "CONNECT a:443 HTTP/1.1\r\nhost: a:443\r\n\r\n"
#define OK_ANSWER "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

static const struct weft_request upgrade = { .upgrade = "echo" };
static const struct weft_request to_proxy = { .method = "CONNECT" };

static void begin(struct client *c, struct exchange *x, struct peer *p,
	const struct weft_request *r, const char *path)
{
	*x = (struct exchange){ .closed = false };
	client_begin(c, NULL);
	client_open(c, x, r, path);
	client_accept(c, p);
}

static void end(struct client *c, struct peer *p)
{
	peer_close(p);
	client_end(c);
}

static void wait_for_body(struct exchange *x, const char *body)
{
	for (unsigned i = 0; i < WORLD_TURNS_MAX && x->len < strlen(body); i++)
		world_turn(x->world);
	assert_string_equal(x->body, body);
}

/* Both directions, and each side's end; behind it, another stream comes on another connection. */
static void talk(struct client *c, struct exchange *x, struct peer *p, bool we_end_first)
{
	struct exchange next = { .closed = false };
	struct peer other;

	client_open(c, &next, NULL, "/");
	wait_for_body(x, "first");
	assert_int_equal(weft_stream_write(x->stream, "GET / HTTP/1.1\r\n\r\n", 18), 18);
	peer_expect(p, "GET / HTTP/1.1\r\n\r\n");
	if (we_end_first) {
		weft_stream_finish(x->stream);
		peer_expect_end(p, "");
		assert_false(x->ended || x->closed);
	}
	peer_send(p, " second");
	peer_finish(p);
	world_wait(&c->world, &x->ended);
	assert_string_equal(x->body, "first second");
	if (!we_end_first) {
		peer_expect_silence(p);
		assert_false(x->closed);
		assert_int_equal(weft_stream_write(x->stream, "last", 4), 4);
		weft_stream_finish(x->stream);
		peer_expect_end(p, "last");
	}
	exchange_wait(x, WEFT_OK);
	client_accept(c, &other);
	peer_expect(&other, GET);
	peer_send(&other, OK_ANSWER);
	exchange_expect(&next, 200, "ok");
	peer_close(&other);
}

static void upgrade_becomes_a_tunnel(void **state)
{
	struct exchange x;
	struct client c;
	struct peer p;

	(void)state;
	for (int i = 0; i < 2; i++) {
		begin(&c, &x, &p, &upgrade, "/");
		peer_expect(&p, UPGRADE);
		peer_send(&p, "HTTP/1.1 100 Continue\r\n\r\n" SWITCHED "first");
		talk(&c, &x, &p, i);
		assert_int_equal(x.status, 101);
		assert_int_equal(x.body_len, -1);
		assert_int_equal(x.informational, 1);
		end(&c, &p);
	}
}

static void connect_becomes_a_tunnel(void **state)
{
	struct exchange x;
	struct client c;
	struct peer p;

	(void)state;
	for (int i = 0; i < 2; i++) {
		begin(&c, &x, &p, &to_proxy, ":443/");
		peer_expect(&p, CONNECT);
		/* a length means nothing in it: RFC 9110 section 9.3.6 */
		peer_send(&p, "HTTP/1.1 299 Go\r\nContent-Length: 2\r\n\r\nfirst");
		talk(&c, &x, &p, i);
		assert_int_equal(x.status, 299);
		assert_int_equal(x.body_len, -1);
		end(&c, &p);
	}
}

static void connect_needs_a_port(void **state)
{
	struct exchange x;
	struct client c;
	struct peer p;

	(void)state;
	begin(&c, &x, &p, &to_proxy, "/");
	exchange_wait(&x, WEFT_ERR_ARGUMENT);
	peer_expect_silence(&p);
	end(&c, &p);
}

static void bytes_for_the_tunnel_wait_for_it(void **state)
{
	const struct weft_request *const requests[] = { &upgrade, &to_proxy };
	static const char *const sent[] = { UPGRADE, CONNECT };
	static const char *const answers[] = { SWITCHED, "HTTP/1.1 200 OK\r\n\r\n" };
	struct exchange x;
	struct client c;
	struct peer p;

	(void)state;
	for (int i = 0; i < 2; i++) {
		begin(&c, &x, &p, requests[i], i ? ":443/" : "/");
		assert_int_equal(weft_stream_write(x.stream, "early", 5), 5);
		weft_stream_finish(x.stream);
		peer_expect(&p, sent[i]);
		peer_expect_silence(&p);
		peer_send(&p, answers[i]);
		peer_expect_end(&p, "early");
		peer_finish(&p);
		exchange_wait(&x, WEFT_OK);
		end(&c, &p);
	}
}

/* An ordinary answer: what was meant for the tunnel stays here, and the connection is as good as before. */
static void refused_tunnel_leaves_the_connection(void **state)
{
	const struct weft_request *const requests[] = { &upgrade, &to_proxy };
	static const char *const sent[] = { UPGRADE, CONNECT };
	struct exchange x;
	struct client c;
	struct peer p;

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct exchange next = { .closed = false };

		begin(&c, &x, &p, requests[i], i ? ":443/" : "/");
		client_open(&c, &next, NULL, i ? ":443/" : "/");
		assert_int_equal(weft_stream_write(x.stream, "early", 5), 5);
		peer_expect(&p, sent[i]);
		peer_send(&p, "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno");
		exchange_expect(&x, 403, "no");
		peer_expect(&p, i ? "GET / HTTP/1.1\r\nhost: a:443\r\n\r\n" : GET);
		peer_send(&p, OK_ANSWER);
		exchange_expect(&next, 200, "ok");
		end(&c, &p);
	}
}

/* RFC 9110 section 7.8: the server chooses among what was offered, and says so. */
static void switch_to_what_was_not_offered_is_refused(void **state)
{
	static const char *const answers[] = {
		STATUS_101 "\r\n",
		STATUS_101 "Connection: upgrade\r\n\r\n",
		STATUS_101 "Upgrade: echo\r\n\r\n",
		STATUS_101 "Connection: upgrade\r\nUpgrade: other\r\n\r\n",
		STATUS_101 "Connection: upgrade\r\nUpgrade: echo, other\r\n\r\n",
		STATUS_101 "Connection: upgrade\r\nUpgrade: ,\r\n\r\n",
	};
	struct exchange x;
	struct client c;
	struct peer p;

	(void)state;
	for (size_t i = 0; i < sizeof(answers) / sizeof(*answers); i++) {
		begin(&c, &x, &p, &upgrade, "/");
		peer_expect(&p, UPGRADE);
		peer_send(&p, answers[i]);
		exchange_wait(&x, WEFT_ERR_PROTOCOL);
		assert_int_equal(x.status, 0);
		end(&c, &p);
	}
}

static void reset_of_a_tunnel_is_reported(void **state)
{
	struct exchange x;
	struct client c;
	struct peer p;

	(void)state;
	begin(&c, &x, &p, &upgrade, "/");
	peer_expect(&p, UPGRADE);
	peer_send(&p, SWITCHED "abc");
	wait_for_body(&x, "abc");
	peer_abort(&p);
	exchange_wait(&x, WEFT_ERR_RESET);
	assert_false(x.ended);
	client_end(&c);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(upgrade_becomes_a_tunnel),
	cmocka_unit_test(connect_becomes_a_tunnel),
	cmocka_unit_test(connect_needs_a_port),
	cmocka_unit_test(bytes_for_the_tunnel_wait_for_it),
	cmocka_unit_test(refused_tunnel_leaves_the_connection),
	cmocka_unit_test(switch_to_what_was_not_offered_is_refused),
	cmocka_unit_test(reset_of_a_tunnel_is_reported),
};
const struct role_group role_client_tunnel_group = {
	.name = "h1 client tunnels",
	.tests = tests,
	.count = sizeof(tests) / sizeof(*tests),
};
