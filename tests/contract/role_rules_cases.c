/* SPDX-License-Identifier: MIT */
/* Rules of RFC 9110 and RFC 9112 for servers that no other file of the suite pins. */
#define _GNU_SOURCE 1
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/contract/role_peer.h"
#include "tests/contract/role_served.h"

#define H "Host: a\r\n"

/* Answers with the status that stands behind the '/', and so many 'x' as behind the next. */
static enum weft_status answer(struct weft_stream *s, void *user)
{
	const char *target = weft_stream_request(s)->target;
	const char *len = strchr(target + 1, '/');
	char body[64];
	size_t n = len ? (size_t)atoi(len + 1) : 0;

	(void)user;
	memset(body, 'x', sizeof(body));
	assert_true(n <= sizeof(body));
	return weft_http_reply(s, (unsigned)atoi(target + 1), NULL, body, n);
}

/* The field "x" of the request, or how many fields there were. */
static enum weft_status fields(struct weft_stream *s, void *user)
{
	const struct weft_head *r = weft_stream_request(s);
	const struct weft_field *f = weft_head_find(r, "x");
	char count[16];

	(void)user;
	if (f)
		return weft_http_reply(s, 200, NULL, f->value, f->value_len);
	snprintf(count, sizeof(count), "%zu", r->field_count);
	return weft_http_reply(s, 200, NULL, count, strlen(count));
}

static enum weft_status unknown_length(struct weft_stream *s, void *user)
{
	(void)user;
	return weft_stream_send_head(s, &(struct weft_head){ .status = 204, .body_len = -1 },
		WEFT_HEAD_FINAL, true, NULL);
}

static enum weft_status upgrade_required(struct weft_stream *s, void *user)
{
	const struct weft_field f = weft_field("Upgrade", "echo");

	(void)user;
	assert_int_equal(weft_http_reply_head(s, 426, NULL, 0, 0), WEFT_ERR_ARGUMENT);
	if (weft_http_reply_head(s, 426, &f, 1, 0) == WEFT_OK)
		weft_stream_finish(s);
	return WEFT_OK;
}

static enum weft_status dated(struct weft_stream *s, void *user)
{
	const struct weft_field f = weft_field("Date", "Sun, 06 Nov 1994 08:49:37 GMT");

	(void)user;
	if (weft_http_reply_head(s, 200, &f, 1, 0) == WEFT_OK)
		weft_stream_finish(s);
	return WEFT_OK;
}

static enum weft_status hints(struct weft_stream *s, void *user)
{
	(void)user;
	assert_int_equal(
		weft_stream_send_head(s, &(struct weft_head){ .status = 103, .body_len = -1 },
			WEFT_HEAD_INFORMATIONAL, false, NULL),
		WEFT_OK);
	return weft_http_reply(s, 200, NULL, NULL, 0);
}

static void switch_at_the_end(struct weft_stream *s, void *user)
{
	(void)user;
	if (served.ended) {
		weft_stream_finish(s); /* the tunnel's end */
		return;
	}
	served.ended = true;
	assert_int_equal(weft_http_accept_upgrade(s, "echo"), WEFT_OK);
}

static const struct weft_stream_ops switching_ops = { .on_end = switch_at_the_end,
	.on_close = served_close };

static enum weft_status switches(struct weft_stream *s, void *user)
{
	(void)user;
	weft_stream_set_ops(s, &switching_ops, NULL);
	return WEFT_OK;
}

static char nowhere[] = "/nonexistent";

static const struct weft_route routes[] = {
	{ .path = "/fields", .on_request = fields },
	{ .path = "/unknown-204", .on_request = unknown_length },
	{ .path = "/426", .on_request = upgrade_required },
	{ .path = "/dated", .on_request = dated },
	{ .path = "/hints", .on_request = hints },
	{ .path = "/switch", .on_request = switches },
	{ .path = "/keep", .on_request = served_keep },
	{ .prefix = "/files/", .on_request = weft_http_files, .user = nowhere },
	{ .prefix = "/", .on_request = answer },
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

/* One request, and the whole of what comes back but its date, on a connection that goes on. */
static void exchange(const char *request, const char *response)
{
	struct world w;
	struct peer p;

	begin(&w, &p);
	peer_send(&p, request);
	peer_expect(&p, response);
	peer_expect_silence(&p);
	peer_send(&p, "GET /200/2 HTTP/1.1\r\n" H "\r\n");
	peer_expect(&p, "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nxx");
	end(&w, &p);
}

/* The same where the connection ends with it, and the request behind it is not looked at. */
static void last_exchange(const char *request, const char *response)
{
	struct world w;
	struct peer p;

	begin(&w, &p);
	peer_send(&p, request);
	peer_send(&p, "GET /200/2 HTTP/1.1\r\n" H "\r\n");
	peer_expect_end(&p, response);
	end(&w, &p);
}

static void obs_text_in_fields_arrives_unchanged(void **state)
{
	(void)state;
	exchange("GET /fields HTTP/1.1\r\n" H "X: \xff\x80\tb\xc3\xa4 \r\n\r\n",
		"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n\xff\x80\tb\xc3\xa4");
}

static void names_of_fields_have_no_case(void **state)
{
	(void)state;
	exchange("POST /fields HTTP/1.1\r\nhOST: a\r\nCONTENT-LENGTH: 1\r\n\r\nz",
		"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n2");
	last_exchange("GET /fields HTTP/1.1\r\nHOST: a\r\ncONNECTION: CLOSE\r\n\r\n",
		"HTTP/1.1 200 OK\r\ncontent-length: 1\r\nconnection: close\r\n\r\n2");
}

static void empty_elements_of_lists_are_passed_over(void **state)
{
	(void)state;
	last_exchange("GET /200 HTTP/1.1\r\n" H "Connection: , ,\t,close,, \r\n\r\n",
		"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
	exchange("GET /200 HTTP/1.1\r\n" H "Connection: ,, ,\r\n\r\n",
		"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
	exchange("POST /200 HTTP/1.1\r\n" H "Transfer-Encoding: ,, chunked,\r\n\r\n0\r\n\r\n",
		"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
}

static void options_of_the_connection_are_words_not_parts_of_words(void **state)
{
	(void)state;
	exchange("GET /200 HTTP/1.1\r\n" H "Connection: closed, x-close, \"close\"\r\n\r\n",
		"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
	/* what is said in several lines is one list */
	last_exchange("GET /200 HTTP/1.1\r\n" H "Connection: x\r\nConnection: y, Close\r\n\r\n",
		"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
	/* and close wins */
	last_exchange("GET /200 HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n",
		"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
}

static void empty_lines_before_a_request_are_ignored(void **state)
{
	(void)state;
	exchange("\r\n\r\nGET /200 HTTP/1.1\r\n" H "\r\n",
		"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
}

static void answers_bear_our_version(void **state)
{
	(void)state;
	last_exchange("GET /200 HTTP/1.0\r\n\r\n",
		"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
	exchange("GET /200 HTTP/1.7\r\n" H "\r\n", "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
}

static void absent_reason_keeps_its_space(void **state)
{
	(void)state;
	exchange("GET /299 HTTP/1.1\r\n" H "\r\n", "HTTP/1.1 299 \r\ncontent-length: 0\r\n\r\n");
}

static void no_content_has_no_framing_fields(void **state)
{
	(void)state;
	exchange("GET /204 HTTP/1.1\r\n" H "\r\n", "HTTP/1.1 204 No Content\r\n\r\n");
	exchange("GET /unknown-204 HTTP/1.1\r\n" H "\r\n", "HTTP/1.1 204 No Content\r\n\r\n");
	exchange("GET /204/5 HTTP/1.1\r\n" H "\r\n", "HTTP/1.1 204 No Content\r\n\r\n");
}

static void reset_content_has_no_content(void **state)
{
	(void)state;
	exchange("GET /205 HTTP/1.1\r\n" H "\r\n",
		"HTTP/1.1 205 Reset Content\r\ncontent-length: 0\r\n\r\n");
	exchange("GET /205/5 HTTP/1.1\r\n" H "\r\n",
		"HTTP/1.1 205 Reset Content\r\ncontent-length: 0\r\n\r\n");
}

static void answer_to_head_has_the_length_of_get_and_no_content(void **state)
{
	(void)state;
	exchange("GET /200/7 HTTP/1.1\r\n" H "\r\n",
		"HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\nxxxxxxx");
	exchange("HEAD /200/7 HTTP/1.1\r\n" H "\r\n",
		"HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\n");
	exchange("HEAD /404/3 HTTP/1.1\r\n" H "\r\n",
		"HTTP/1.1 404 Not Found\r\ncontent-length: 3\r\n\r\n");
}

static void expectation_in_http10_is_ignored(void **state)
{
	struct world w;
	struct peer p;

	(void)state;
	begin(&w, &p);
	peer_send(&p, "POST /keep HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 3\r\n"
		      "Expect: 100-continue\r\n\r\n");
	peer_expect_silence(&p);
	peer_send(&p, "abc");
	world_wait(&w, &served.ended);
	weft_http_reply(served.stream, 200, NULL, NULL, 0);
	peer_expect(&p, "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: keep-alive\r\n\r\n");
	end(&w, &p);
}

static void expectation_without_a_body_is_not_answered(void **state)
{
	(void)state;
	exchange("GET /200 HTTP/1.1\r\n" H "Expect: 100-continue\r\n\r\n",
		"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
}

static void informational_heads_never_go_to_http10(void **state)
{
	(void)state;
	exchange("GET /hints HTTP/1.1\r\n" H "\r\n",
		"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
	exchange("GET /hints HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
		"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: keep-alive\r\n\r\n");
}

static void upgrade_in_http10_is_ignored(void **state)
{
	struct world w;
	struct peer p;

	(void)state;
	begin(&w, &p);
	peer_send(&p, "GET /keep HTTP/1.0\r\nConnection: upgrade, keep-alive\r\nUpgrade: echo\r\n"
		      "\r\n");
	world_wait(&w, &served.ended);
	assert_int_equal(weft_http_accept_upgrade(served.stream, "echo"), WEFT_ERR_STATE);
	weft_http_reply(served.stream, 200, NULL, NULL, 0);
	peer_expect(&p, "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: keep-alive\r\n\r\n");
	end(&w, &p);
}

static void continue_comes_before_the_switch(void **state)
{
	struct world w;
	struct peer p;

	(void)state;
	begin(&w, &p);
	peer_send(&p, "POST /switch HTTP/1.1\r\n" H "Connection: upgrade\r\nUpgrade: echo\r\n"
		      "Content-Length: 3\r\nExpect: 100-continue\r\n\r\n");
	peer_expect(&p, "HTTP/1.1 100 Continue\r\n\r\n");
	peer_expect_silence(&p);
	peer_send(&p, "abc");
	peer_expect(&p, "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: "
			"echo\r\n\r\n");
	end(&w, &p);
}

static void upgrade_field_of_an_answer_is_listed_in_connection(void **state)
{
	(void)state;
	exchange("GET /426 HTTP/1.1\r\n" H "\r\n",
		"HTTP/1.1 426 Upgrade Required\r\ncontent-length: 0\r\nconnection: upgrade\r\n"
		"Upgrade: echo\r\n\r\n");
	last_exchange("GET /426 HTTP/1.1\r\n" H "Connection: close\r\n\r\n",
		"HTTP/1.1 426 Upgrade Required\r\ncontent-length: 0\r\n"
		"connection: upgrade, close\r\nUpgrade: echo\r\n\r\n");
}

static void connect_where_nobody_tunnels_opens_none(void **state)
{
	(void)state;
	exchange("CONNECT a:1 HTTP/1.1\r\n" H "\r\n",
		"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n");
}

static void trace_is_never_reflected(void **state)
{
	struct world w;
	struct peer p;

	(void)state;
	begin(&w, &p);
	peer_send(&p, "TRACE /files/x HTTP/1.1\r\n" H "X-Secret: geheim\r\n\r\n");
	peer_expect(&p, "HTTP/1.1 405 Method Not Allowed\r\n");
	while (!strstr(p.got, "\r\n\r\n"))
		peer_turn(&p);
	assert_null(strstr(p.got, "geheim"));
	assert_null(strstr(p.got, "message/http"));
	assert_non_null(strstr(p.got, "\r\nallow: GET, HEAD\r\n"));
	end(&w, &p);
}

static void methods_have_case_and_unknown_ones_reach_the_handler(void **state)
{
	(void)state;
	/* "head" is not HEAD: there is content */
	exchange("head /200/2 HTTP/1.1\r\n" H "\r\n",
		"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nxx");
	exchange("BREW /200/2 HTTP/1.1\r\n" H "\r\n",
		"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nxx");
}

static void https_targets_in_the_clear_are_misdirected(void **state)
{
	struct world w;
	struct peer p;

	(void)state;
	begin(&w, &p);
	peer_send(&p, "GET https://a/200 HTTP/1.1\r\n" H "\r\n");
	peer_expect(&p, "HTTP/1.1 421 Misdirected Request\r\n");
	end(&w, &p);
	exchange("GET HTTP://a/200 HTTP/1.1\r\n" H "\r\n",
		"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
}

static void trailer_fields_stay_apart_from_the_head(void **state)
{
	struct world w;
	struct peer p;

	(void)state;
	begin(&w, &p);
	peer_send(&p, "POST /keep HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n"
		      "1\r\nz\r\n0\r\nCheck: sum\r\nHost: b\r\nContent-Length: 9\r\n\r\n");
	world_wait(&w, &served.ended);
	assert_string_equal(served.trailer, "sum");
	assert_null(weft_head_find(weft_stream_request(served.stream), "check"));
	assert_int_equal(weft_stream_request(served.stream)->field_count, 2);
	weft_http_reply(served.stream, 200, NULL, NULL, 0);
	peer_expect(&p, "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
	end(&w, &p);
}

/* Straight from the transport: peer_turn drops the dates. */
static size_t dates_in_the_answer(const char *request)
{
	struct weft_span got = { NULL, 0 };
	struct weft_segment seg = weft_segment_static(request, strlen(request));
	struct weft_error err;
	struct world w;
	struct peer p;
	char text[1024];
	size_t taken = 0, len = 0, count = 0;

	begin(&w, &p);
	assert_int_equal(p.end->ops->write(p.end, &seg, 1, &taken, &err), WEFT_OK);
	assert_int_equal(taken, strlen(request));
	for (unsigned i = 0; i < WORLD_TURNS_MAX; i++) {
		world_turn(&w);
		if (p.end->ops->read(p.end, &got, &err))
			continue;
		assert_true(len + got.len < sizeof(text));
		memcpy(text + len, got.ptr, got.len);
		len += got.len;
		text[len] = 0;
		if (strstr(text, "\r\n\r\n"))
			break;
	}
	for (const char *at = text; (at = strcasestr(at, "\r\ndate: ")); at += 8) {
		int64_t when = 0;

		assert_true(weft_http_date_parse(at + 8, 29, 0, &when));
		assert_memory_equal(at + 8 + 29, "\r\n", 2);
		count++;
	}
	end(&w, &p);
	return count;
}

static void every_answer_has_one_date_in_the_right_form(void **state)
{
	static const char *const requests[] = { "GET /200 HTTP/1.1\r\n" H "\r\n",
		"GET /301 HTTP/1.1\r\n" H "\r\n", "GET /304 HTTP/1.1\r\n" H "\r\n",
		"GET /404 HTTP/1.1\r\n" H "\r\n", "GET /500 HTTP/1.1\r\n" H "\r\n",
		"HEAD /204 HTTP/1.1\r\n" H "\r\n", "GET /dated HTTP/1.1\r\n" H "\r\n",
		"CONNECT a:1 HTTP/1.1\r\n" H "\r\n", "GET / HTTP/1.1\r\n\r\n" };

	(void)state;
	for (size_t i = 0; i < sizeof(requests) / sizeof(*requests); i++)
		assert_int_equal(dates_in_the_answer(requests[i]), 1);
}

/* A client that goes on sending must not lose the answer to a reset: RFC 9112 section 9.6. */
static void refusal_reaches_a_client_that_goes_on_sending(void **state)
{
	const struct weft_vhost_options v = {
		.name = "example", .routes = routes, .listen = "http://127.0.0.1:0"
	};
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const struct weft_context_options patient = { .linger_ms = 2000 };
	struct world w;
	struct peer p;
	char url[64], block[4096];

	(void)state;
	memset(&served, 0, sizeof(served));
	memset(block, 'z', sizeof(block));
	world_open(&w, &patient, &v);
	assert_int_equal(weft_vhost_listener(w.vh, 0, url, sizeof(url)), WEFT_OK);
	a.sin_port = htons((uint16_t)atoi(strrchr(url, ':') + 1));
	p = (struct peer){ .world = &w, .sock = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) };
	p.got = calloc(1, 1);
	p.cap = 1;
	assert_true(p.sock >= 0 && p.got);
	assert_int_equal(connect(p.sock, (struct sockaddr *)&a, sizeof(a)), 0);
	peer_send(&p, "POST / HTTP/1.1\r\n" H "Content-Length: 5\r\nContent-Length: 50000\r\n\r\n");
	for (int i = 0; i < 10; i++)
		peer_send_bytes(&p, block, sizeof(block));
	peer_expect(&p, "HTTP/1.1 400 Bad Request\r\n");
	while (!p.fin && !p.reset)
		peer_turn(&p);
	assert_true(p.fin);
	assert_false(p.reset);
	peer_close(&p);
	world_close(&w);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(obs_text_in_fields_arrives_unchanged),
	cmocka_unit_test(names_of_fields_have_no_case),
	cmocka_unit_test(empty_elements_of_lists_are_passed_over),
	cmocka_unit_test(options_of_the_connection_are_words_not_parts_of_words),
	cmocka_unit_test(empty_lines_before_a_request_are_ignored),
	cmocka_unit_test(answers_bear_our_version),
	cmocka_unit_test(absent_reason_keeps_its_space),
	cmocka_unit_test(no_content_has_no_framing_fields),
	cmocka_unit_test(reset_content_has_no_content),
	cmocka_unit_test(answer_to_head_has_the_length_of_get_and_no_content),
	cmocka_unit_test(expectation_in_http10_is_ignored),
	cmocka_unit_test(expectation_without_a_body_is_not_answered),
	cmocka_unit_test(informational_heads_never_go_to_http10),
	cmocka_unit_test(upgrade_in_http10_is_ignored),
	cmocka_unit_test(continue_comes_before_the_switch),
	cmocka_unit_test(upgrade_field_of_an_answer_is_listed_in_connection),
	cmocka_unit_test(connect_where_nobody_tunnels_opens_none),
	cmocka_unit_test(trace_is_never_reflected),
	cmocka_unit_test(methods_have_case_and_unknown_ones_reach_the_handler),
	cmocka_unit_test(https_targets_in_the_clear_are_misdirected),
	cmocka_unit_test(trailer_fields_stay_apart_from_the_head),
	cmocka_unit_test(every_answer_has_one_date_in_the_right_form),
	cmocka_unit_test(refusal_reaches_a_client_that_goes_on_sending),
};
const struct role_group role_rules_group = {
	.name = "h1 server, rules",
	.tests = tests,
	.count = sizeof(tests) / sizeof(*tests),
};
