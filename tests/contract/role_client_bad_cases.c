/* SPDX-License-Identifier: MIT */
/* h1 as a client: responses that are none, or that two readers could read in two ways. */
#include "tests/contract/role_exchange.h"

#define GET "GET / HTTP/1.1\r\nhost: a\r\n\r\n"
#define OK_LINE "HTTP/1.1 200 OK\r\n"

static const char *const bad[] = {
	/* not HTTP */
	"garbage\r\n\r\n",
	"\x15\x03\x01\x00\x02\x02",
	"\r\n" OK_LINE "\r\n",
	" " OK_LINE "\r\n",
	"ICY 200 OK\r\n\r\n",
	"http/1.1 200 OK\r\n\r\n",
	"HTTP/2.0 200 OK\r\n\r\n",
	"HTTP/1.1  200 OK\r\n\r\n",
	"HTTP/1.1 099 OK\r\n\r\n",
	"HTTP/1.1 20 OK\r\n\r\n",
	"HTTP/1.1 2000 OK\r\n\r\n",
	"HTTP/1.1 2x0 OK\r\n\r\n",
	"HTTP/1.1 200 O\001K\r\n\r\n",
	/* heads that could be split in two ways */
	"HTTP/1.1 200 OK\nContent-Length: 0\n\n",
	OK_LINE "A: b\rContent-Length: 0\r\n\r\n",
	OK_LINE "A: b\nContent-Length: 0\r\n\r\n",
	OK_LINE "Content-Length: 3\r\n 4\r\n\r\nabc",
	OK_LINE "A\r\n : b\r\n\r\n",
	OK_LINE " A: b\r\n\r\n",
	OK_LINE "A : b\r\n\r\n",
	OK_LINE "A b\r\n\r\n",
	OK_LINE ": b\r\n\r\n",
	OK_LINE "A: b\001c\r\n\r\n",
	/* bodies that could end in two places */
	OK_LINE "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
	OK_LINE "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
	OK_LINE "Content-Length: 3, 3\r\n\r\nabc",
	OK_LINE "Content-Length: +3\r\n\r\nabc",
	OK_LINE "Content-Length: -3\r\n\r\nabc",
	OK_LINE "Content-Length: 0x3\r\n\r\nabc",
	OK_LINE "Content-Length: 3 4\r\n\r\nabc",
	OK_LINE "Content-Length:\r\n\r\nabc",
	OK_LINE "Content-Length: 99999999999999999999\r\n\r\nabc",
	OK_LINE "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
	OK_LINE "Transfer-Encoding: gzip\r\n\r\nabc",
	OK_LINE "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
	OK_LINE "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
	OK_LINE "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	OK_LINE "Transfer-Encoding:\r\n\r\n",
	"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	/* what was not asked for */
	"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n",
	"HTTP/1.1 100 Continue\r\n\r\ngarbage\r\n\r\n",
};

static void broken_responses_fail_and_end_the_connection(void **state)
{
	struct client c;
	struct peer p;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct exchange x = { .closed = false };

		client_begin(&c, NULL);
		client_open(&c, &x, NULL, "/");
		client_accept(&c, &p);
		peer_expect(&p, GET);
		peer_send(&p, bad[i]);
		exchange_wait(&x, WEFT_ERR_PROTOCOL);
		assert_int_equal(x.status, 0);
		assert_int_equal(x.len, 0);
		peer_finish(&p);
		peer_expect_end(&p, "");
		peer_close(&p);
		client_end(&c);
	}
}

/* It fails alone: who waits behind it goes to another connection. */
static void broken_response_costs_no_other_stream(void **state)
{
	struct exchange x = { .closed = false }, next = { .closed = false };
	struct client c;
	struct peer p;

	(void)state;
	client_begin(&c, NULL);
	client_open(&c, &x, NULL, "/");
	client_open(&c, &next, NULL, "/");
	client_accept(&c, &p);
	peer_expect(&p, GET);
	peer_send(&p, "garbage\r\n\r\n");
	exchange_wait(&x, WEFT_ERR_PROTOCOL);
	peer_close(&p);
	client_accept(&c, &p);
	peer_expect(&p, GET);
	peer_send(&p, OK_LINE "Content-Length: 2\r\n\r\nok");
	exchange_expect(&next, 200, "ok");
	peer_close(&p);
	client_end(&c);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(broken_responses_fail_and_end_the_connection),
	cmocka_unit_test(broken_response_costs_no_other_stream),
};
const struct role_group role_client_bad_group = {
	.name = "h1 client, broken responses",
	.tests = tests,
	.count = sizeof(tests) / sizeof(*tests),
};
