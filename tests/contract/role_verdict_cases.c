/* SPDX-License-Identifier: MIT */
/*
 * One table of requests and one of responses, each with its verdict, which must be the same however the
 * bytes are cut: judged by the parsers alone, and by a real server and a real client over memory.
 */
#include <stdio.h>
#include <stdlib.h>

#include "roles/http/target.h"
#include "tests/contract/role_exchange.h"
#include "tests/support/http_feed.h"

#define H "Host: a\r\n"
#define END "\r\n\r\n"

/* What is said of an accepted request: method, target, authority and version, body. */
static const struct {
	const char *bytes;
	unsigned status; /* 200: served */
	const char *said;
} requests[] = {
	{ "GET / HTTP/1.1\r\n" H "\r\n", 200, "GET / a 11 0" },
	{ "\r\nGET / HTTP/1.1\r\n" H "\r\n", 200, "GET / a 11 0" },
	{ "GET / HTTP/1.9\r\n" H "\r\n", 200, "GET / a 11 0" },
	{ "GET / HTTP/1.0" END, 200, "GET / - 10 0" },
	{ "get / HTTP/1.1\r\n" H "\r\n", 200, "get / a 11 0" },
	{ "BREW+2 /pot HTTP/1.1\r\n" H "\r\n", 200, "BREW+2 /pot a 11 0" },
	{ "GET /a?b=c&d=%20|{} HTTP/1.1\r\nHOST:\ta:8080 \t\r\n\r\n", 200,
		"GET /a?b=c&d=%20|{} a:8080 11 0" },
	{ "GET http://b:81/c HTTP/1.1\r\n" H "\r\n", 200, "GET /c b:81 11 0" },
	{ "OPTIONS * HTTP/1.1\r\n" H "\r\n", 200, "OPTIONS * a 11 0" },
	{ "OPTIONS http://b HTTP/1.1\r\n" H "\r\n", 200, "OPTIONS * b 11 0" },
	{ "POST / HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\nabc", 200, "POST / a 11 3" },
	{ "POST / HTTP/1.1\r\n" H "Content-Length: 0003 \r\n\r\nabc", 200, "POST / a 11 3" },
	{ "POST / HTTP/1.1\r\n" H "Transfer-Encoding: ,chunked, \r\n\r\n3\r\nabc\r\n0" END, 200,
		"POST / a 11 -1" },
	{ "GET / HTTP/1.1\r\n" H "X:\r\nY: a\tb  c \x80\xff\"\r\n\r\n", 200, "GET / a 11 0" },
	{ "GET / HTTP/1.1\r\nHost: [::1]:1" END, 200, "GET / [::1]:1 11 0" },
	{ "GET / HTTP/1.1\r\nHost: a:" END, 200, "GET / a: 11 0" },
	{ "GET / HTTP/1.1\r\nHost: a:0" END, 200, "GET / a:0 11 0" },
	{ "GET / HTTP/1.1\r\nHost: a:00080" END, 200, "GET / a:00080 11 0" },
	{ "GET / HTTP/1.1\r\nHost: a:65535" END, 200, "GET / a:65535 11 0" },
	/* ports, hosts, user information */
	{ "GET / HTTP/1.1\r\nHost: a:65536" END, 400, NULL },
	{ "GET / HTTP/1.1\r\nHost: a:4294967376" END, 400, NULL },
	{ "GET / HTTP/1.1\r\nHost: a:+80" END, 400, NULL },
	{ "GET / HTTP/1.1\r\nHost: :" END, 400, NULL },
	{ "GET / HTTP/1.1\r\nHost: :80" END, 400, NULL },
	{ "GET / HTTP/1.1\r\nHost:" END, 400, NULL },
	{ "GET / HTTP/1.1\r\nHost: u@a" END, 400, NULL },
	{ "GET / HTTP/1.1\r\nHost: u:p@a:80" END, 400, NULL },
	{ "GET / HTTP/1.1\r\nHost: a/b" END, 400, NULL },
	{ "GET / HTTP/1.1\r\nHost: a\x80" END, 400, NULL },
	{ "GET / HTTP/1.1\r\nHost: [::1" END, 400, NULL },
	{ "GET / HTTP/1.1\r\nHost: a, b" END, 400, NULL },
	{ "GET / HTTP/1.1" END, 400, NULL },
	{ "GET / HTTP/1.1\r\n" H H "\r\n", 400, NULL },
	{ "GET / HTTP/1.0\r\n" H "host: b\r\n\r\n", 400, NULL },
	{ "GET http://u:p@a/ HTTP/1.1\r\n" H "\r\n", 400, NULL },
	{ "GET http://a:65536/ HTTP/1.1\r\n" H "\r\n", 400, NULL },
	{ "GET http:///a HTTP/1.1\r\n" H "\r\n", 400, NULL },
	{ "GET https://a/ HTTP/1.1\r\n" H "\r\n", 421, NULL },
	{ "CONNECT a HTTP/1.1\r\n" H "\r\n", 400, NULL },
	{ "CONNECT a:0 HTTP/1.1\r\n" H "\r\n", 400, NULL },
	{ "CONNECT a:65536 HTTP/1.1\r\n" H "\r\n", 400, NULL },
	{ "CONNECT u@a:1 HTTP/1.1\r\n" H "\r\n", 400, NULL },
	{ "CONNECT a:1 HTTP/1.1\r\n" H "Content-Length: 1\r\n\r\nx", 400, NULL },
	/* start lines */
	{ "GET * HTTP/1.1\r\n" H "\r\n", 400, NULL },
	{ "GET a HTTP/1.1\r\n" H "\r\n", 400, NULL },
	{ "GET /\xe4 HTTP/1.1\r\n" H "\r\n", 400, NULL },
	{ "GET /#a HTTP/1.1\r\n" H "\r\n", 400, NULL },
	{ "GET  / HTTP/1.1\r\n" H "\r\n", 400, NULL },
	{ "GET / HTTP/1.1 \r\n" H "\r\n", 400, NULL },
	{ "GET / HTTP/01.1\r\n" H "\r\n", 400, NULL },
	{ "GET /\r\n\r\n", 400, NULL },
	{ "GET / hTTP/1.1\r\n" H "\r\n", 400, NULL },
	{ "GET / HTTP/2.0\r\n" H "\r\n", 505, NULL },
	{ "GET / HTTP/0.9\r\n" H "\r\n", 505, NULL },
	/* line ends, folding, white space */
	{ "GET / HTTP/1.1\n" H "\r\n", 400, NULL },
	{ "GET / HTTP/1.1\r\nHost: a\n\r\n", 400, NULL },
	{ "GET / HTTP/1.1\r\n" H "\n", 400, NULL },
	{ "GET / HTTP/1.1\r\n" H "X: a\rb\r\n\r\n", 400, NULL },
	{ "GET / HTTP/1.1\r\n" H "X: a\r\r\n\r\n", 400, NULL },
	{ "GET / HTTP/1.1\r\n" H "\rX: a\r\n\r\n", 400, NULL },
	{ "GET / HTTP/1.1\r\n " H "\r\n", 400, NULL },
	{ "GET / HTTP/1.1\r\n" H " folded\r\n\r\n", 400, NULL },
	{ "GET / HTTP/1.1\r\n" H "X: a\r\n\tfolded\r\n\r\n", 400, NULL },
	{ "GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400, NULL },
	{ "GET / HTTP/1.1\r\n" H "X Y: a\r\n\r\n", 400, NULL },
	{ "GET / HTTP/1.1\r\n" H "X\r\n\r\n", 400, NULL },
	{ "GET / HTTP/1.1\r\n" H ":\r\n\r\n", 400, NULL },
	{ "GET / HTTP/1.1\r\n" H "X\x80: a\r\n\r\n", 400, NULL },
	{ "GET / HTTP/1.1\r\n" H "X: \x7f\r\n\r\n", 400, NULL },
	/* where the body ends */
	{ "POST / HTTP/1.1\r\n" H "Content-Length: 3\r\nTransfer-Encoding: chunked" END, 400,
		NULL },
	{ "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\nContent-Length: 3" END, 400,
		NULL },
	{ "POST / HTTP/1.1\r\n" H "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", 400, NULL },
	{ "POST / HTTP/1.1\r\n" H "Content-Length: 3,3\r\n\r\nabc", 400, NULL },
	{ "POST / HTTP/1.1\r\n" H "Content-Length: \r\n\r\n", 400, NULL },
	{ "POST / HTTP/1.1\r\n" H "Content-Length: 9223372036854775808" END, 400, NULL },
	{ "POST / HTTP/1.1\r\n" H "Content-Length: 18446744073709551619\r\n\r\nabc", 400, NULL },
	{ "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked, gzip" END, 400, NULL },
	{ "POST / HTTP/1.1\r\n" H "Transfer-Encoding: gzip" END, 400, NULL },
	{ "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked, chunked" END, 400, NULL },
	{ "POST / HTTP/1.1\r\n" H "Transfer-Encoding: \x0b"
	  "chunked" END,
		400, NULL },
	{ "POST / HTTP/1.1\r\n" H "Transfer-Encoding: gzip, chunked" END, 501, NULL },
	{ "POST / HTTP/1.0\r\n" H "Transfer-Encoding: chunked\r\n\r\n0" END, 400, NULL },
	{ "GET / HTTP/1.1\r\n" H "Expect: 200-ok\r\n\r\n", 417, NULL },
};

static enum weft_status inspect(struct weft_stream *s, void *user)
{
	const struct weft_head *r = weft_stream_request(s);
	char text[256];
	int n = snprintf(text, sizeof(text), "%s %s %s %u %lld", r->method, r->target,
		r->authority ? r->authority : "-", r->version, (long long)r->body_len);

	(void)user;
	return weft_http_reply(s, 200, NULL, text, (size_t)n);
}

static const struct weft_route routes[] = {
	{ .prefix = "", .on_request = inspect },
	{ .on_request = NULL },
};

static void requests_are_judged_alike_in_all_pieces_by_the_parsers(void **state)
{
	static const struct weft_http_bounds wide = { 65536, 128 };

	(void)state;
	for (size_t i = 0; i < sizeof(requests) / sizeof(*requests); i++) {
		const char *bytes = requests[i].bytes;
		struct weft_http_refusal no = { .status = 200 };
		struct weft_http_target t = { .scheme = NULL };
		struct weft_http_facts facts;
		enum weft_http_body body;
		struct http_feed f;
		uint64_t length;

		http_feed_all_ways(&f, WEFT_HTTP_REQUEST, bytes, strlen(bytes), &wide);
		assert_int_not_equal(f.status, WEFT_AGAIN);
		if (f.status) {
			no = f.no;
		} else {
			weft_http_facts(&f.m, &facts);
			if (!weft_http_request_body(&f.m, &facts, &body, &length, &no))
				(void)weft_http_request_target(&f.m, &facts, &t, &no);
			if (no.status == 200 && t.scheme && !strcmp(t.scheme, "https"))
				no.status = 421;
			if (no.status == 200 && facts.expect_other)
				no.status = 417;
		}
		if (no.status != requests[i].status)
			fail_msg("\"%s\": %u, expected %u", bytes, no.status, requests[i].status);
		http_feed_done(&f);
	}
}

static void push(struct peer *p, const char *bytes, size_t len)
{
	struct weft_segment seg = weft_segment_static(bytes, len);
	struct weft_error err;
	size_t taken = 0;

	if (len)
		(void)p->end->ops->write(p->end, &seg, 1, &taken, &err);
	peer_turn(p);
}

/* A connection of its own for a request that comes in two pieces. */
static void served_in_two(struct world *w, const char *bytes, size_t cut, unsigned status,
	const char *said, char *before)
{
	char line[32];
	struct peer p;

	peer_dial(&p, w, "http");
	push(&p, bytes, cut);
	push(&p, bytes + cut, strlen(bytes) - cut);
	snprintf(line, sizeof(line), "HTTP/1.1 %u ", status);
	peer_expect(&p, line);
	for (unsigned i = 0; i < WORLD_TURNS_MAX && !p.fin && !(said && strstr(p.got, said)); i++)
		peer_turn(&p);
	if (said ? !strstr(p.got, said) : !p.fin)
		fail_msg("\"%s\", cut at %zu: \"%s\"", bytes, cut, p.got);
	if (!*before)
		snprintf(before, 512, "%s", p.got);
	else if (strcmp(before, p.got))
		fail_msg("\"%s\", cut at %zu: \"%s\", not \"%s\"", bytes, cut, p.got, before);
	peer_close(&p);
}

static void requests_are_judged_alike_in_all_pieces_by_a_server(void **state)
{
	const struct weft_vhost_options v = { .name = "example", .routes = routes };
	struct world w;
	char answer[512];

	(void)state;
	world_open(&w, NULL, &v);
	for (size_t i = 0; i < sizeof(requests) / sizeof(*requests); i++) {
		size_t len = strlen(requests[i].bytes);

		answer[0] = 0;
		for (size_t cut = 0; cut < len; cut++)
			served_in_two(&w, requests[i].bytes, cut, requests[i].status,
				requests[i].said, answer);
	}
	world_close(&w);
}

#define OK_LINE "HTTP/1.1 200 OK\r\n"

/* Responses to GET; the server then ends the connection. */
static const struct {
	const char *bytes;
	enum weft_status verdict;
	unsigned status;
	const char *body;
} responses[] = {
	{ OK_LINE "Content-Length: 2\r\n\r\nok", WEFT_OK, 200, "ok" },
	{ OK_LINE "content-length:2\t\r\n\r\nok", WEFT_OK, 200, "ok" },
	{ OK_LINE "\r\nuntil the end", WEFT_OK, 200, "until the end" },
	{ OK_LINE "Transfer-Encoding: chunked\r\n\r\n2;x=\"\\\"\"\r\nok\r\n0\r\nA: b" END, WEFT_OK,
		200, "ok" },
	{ OK_LINE "A: b\r\n folded\r\nContent-Length:\r\n\t2\r\n\r\nok", WEFT_OK, 200, "ok" },
	{ "HTTP/1.1 204 \r\nContent-Length: 5" END, WEFT_OK, 204, "" },
	{ "HTTP/1.1 304\r\nTransfer-Encoding: chunked" END, WEFT_OK, 304, "" },
	{ "HTTP/1.1 100 Go on" END "HTTP/1.1 103 \r\nLink: x" END OK_LINE "Content-Length: 0" END,
		WEFT_OK, 200, "" },
	{ "HTTP/1.1 799 \x80\t#\r\nContent-Length: 1\r\n\r\nx", WEFT_OK, 799, "x" },
	{ "HTTP/1.0 200 OK\r\n\r\nold", WEFT_OK, 200, "old" },
	/* cut short */
	{ OK_LINE "Content-Length: 3\r\n\r\nok", WEFT_ERR_TRUNCATED, 200, "ok" },
	{ OK_LINE "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n", WEFT_ERR_TRUNCATED, 200,
		"ok" },
	{ OK_LINE "A: b\r\n", WEFT_ERR_TRUNCATED, 0, "" },
	/* what two readers could read in two ways, and what is none */
	{ OK_LINE "Content-Length: 2\r\nContent-Length: 2\r\n\r\nok", WEFT_ERR_PROTOCOL, 0, "" },
	{ OK_LINE "Content-Length: 2, 2\r\n\r\nok", WEFT_ERR_PROTOCOL, 0, "" },
	{ OK_LINE "Content-Length: 2 2\r\n\r\nok", WEFT_ERR_PROTOCOL, 0, "" },
	{ OK_LINE "Content-Length: 2\r\n 2\r\n\r\nok", WEFT_ERR_PROTOCOL, 0, "" },
	{ OK_LINE "Content-Length: -2\r\n\r\nok", WEFT_ERR_PROTOCOL, 0, "" },
	{ OK_LINE "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0" END, WEFT_ERR_PROTOCOL,
		0, "" },
	{ OK_LINE "Transfer-Encoding: gzip\r\n\r\nok", WEFT_ERR_PROTOCOL, 0, "" },
	{ OK_LINE "Transfer-Encoding: chunked, chunked\r\n\r\n0" END, WEFT_ERR_PROTOCOL, 0, "" },
	{ "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0" END, WEFT_ERR_PROTOCOL, 0, "" },
	{ OK_LINE "Transfer-Encoding: chunked\r\n\r\n2\nok", WEFT_ERR_PROTOCOL, 200, "" },
	{ OK_LINE "Transfer-Encoding: chunked\r\n\r\n2\r\nokx", WEFT_ERR_PROTOCOL, 200, "ok" },
	{ OK_LINE "Transfer-Encoding: chunked\r\n\r\n+2\r\nok\r\n0" END, WEFT_ERR_PROTOCOL, 200,
		"" },
	{ OK_LINE "Transfer-Encoding: chunked\r\n\r\n10000000000000002\r\nok", WEFT_ERR_PROTOCOL,
		200, "" },
	{ OK_LINE " A: b\r\nContent-Length: 2\r\n\r\nok", WEFT_ERR_PROTOCOL, 0, "" },
	{ OK_LINE "A : b\r\nContent-Length: 2\r\n\r\nok", WEFT_ERR_PROTOCOL, 0, "" },
	{ OK_LINE "A: b\nContent-Length: 2\r\n\r\nok", WEFT_ERR_PROTOCOL, 0, "" },
	{ OK_LINE "A: b\rContent-Length: 2\r\n\r\nok", WEFT_ERR_PROTOCOL, 0, "" },
	{ "HTTP/1.1 101 Switch\r\nUpgrade: x\r\nConnection: upgrade" END, WEFT_ERR_PROTOCOL, 0,
		"" },
	{ "HTTP/2.0 200 OK" END, WEFT_ERR_PROTOCOL, 0, "" },
	{ "HTTP/1.1  200 OK" END, WEFT_ERR_PROTOCOL, 0, "" },
	{ "HTTP/1.1 99 OK" END, WEFT_ERR_PROTOCOL, 0, "" },
	{ "\r\n" OK_LINE "\r\n", WEFT_ERR_PROTOCOL, 0, "" },
};

static void answered_in_two(struct client *c, size_t i, size_t cut)
{
	const char *bytes = responses[i].bytes;
	struct exchange x = { .closed = false };
	struct peer p;

	client_open_memory(c, &x, &p, 1 << 16, NULL, "/");
	peer_expect(&p, "GET / HTTP/1.1\r\nhost: a\r\n\r\n");
	push(&p, bytes, cut);
	push(&p, bytes + cut, strlen(bytes) - cut);
	peer_finish(&p);
	world_wait(&c->world, &x.closed);
	if (x.why.status != responses[i].verdict || x.status != responses[i].status ||
		strcmp(x.body, responses[i].body))
		fail_msg("\"%s\", cut at %zu: %s, status %u, body \"%s\"", bytes, cut,
			weft_status_name(x.why.status), x.status, x.body);
	assert_int_equal(x.ended, x.why.status == WEFT_OK);
	peer_close(&p);
}

static void responses_are_judged_alike_in_all_pieces_by_a_client(void **state)
{
	struct client c;

	(void)state;
	client_begin(&c, NULL);
	for (size_t i = 0; i < sizeof(responses) / sizeof(*responses); i++) {
		for (size_t cut = 0; cut < strlen(responses[i].bytes); cut++)
			answered_in_two(&c, i, cut);
	}
	client_end(&c);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(requests_are_judged_alike_in_all_pieces_by_the_parsers),
	cmocka_unit_test(requests_are_judged_alike_in_all_pieces_by_a_server),
	cmocka_unit_test(responses_are_judged_alike_in_all_pieces_by_a_client),
};
const struct role_group role_verdict_group = {
	.name = "h1 verdicts",
	.tests = tests,
	.count = sizeof(tests) / sizeof(*tests),
};
