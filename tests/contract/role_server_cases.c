/* SPDX-License-Identifier: MIT */
/* h1 as a server: requests in every form, and what must be refused. */
#include <stdio.h>

#include "tests/contract/role_peer.h"

static struct weft_stream *later;

static enum weft_status hello(struct weft_stream *s, void *user)
{
	(void)user;
	return weft_http_reply_static(s, 200, "text/plain", "Hello, World\n", 13);
}

/* What the handler sees of the request. */
static enum weft_status inspect(struct weft_stream *s, void *user)
{
	const struct weft_head *r = weft_stream_request(s);
	char text[256];
	int n = snprintf(text, sizeof(text), "%s %s %s %u", r->method, r->target,
		r->authority ? r->authority : "-", r->version);

	(void)user;
	return weft_http_reply(s, 200, NULL, text, (size_t)n);
}

static enum weft_status answer_later(struct weft_stream *s, void *user)
{
	(void)user;
	later = s;
	return WEFT_OK;
}

static enum weft_status empty(struct weft_stream *s, void *user)
{
	(void)user;
	return weft_http_reply(s, 204, NULL, NULL, 0);
}

static enum weft_status not_modified(struct weft_stream *s, void *user)
{
	(void)user;
	return weft_http_reply(s, 304, NULL, "ignored", 7);
}

static enum weft_status fails(struct weft_stream *s, void *user)
{
	(void)s;
	(void)user;
	return WEFT_ERR_IO;
}

static enum weft_status hints(struct weft_stream *s, void *user)
{
	struct weft_field link = weft_field("link", "</a.css>");
	struct weft_head head = {
		.status = 103, .body_len = -1, .fields = &link, .field_count = 1
	};

	(void)user;
	assert_int_equal(
		weft_stream_send_head(s, &head, WEFT_HEAD_INFORMATIONAL, false, NULL), WEFT_OK);
	return hello(s, user);
}

static enum weft_status answer_and_close(struct weft_stream *s, void *user)
{
	hello(s, user);
	weft_stream_close(s);
	return WEFT_OK;
}

static enum weft_status just_close(struct weft_stream *s, void *user)
{
	(void)user;
	weft_stream_close(s);
	return WEFT_OK;
}

/* Fields that would change the framing, or split the response, never get out. */
static enum weft_status forbidden(struct weft_stream *s, void *user)
{
	const struct weft_field bad[] = {
		weft_field("content-length", "3"),
		weft_field("transfer-encoding", "chunked"),
		weft_field("a b", "c"),
		weft_field("a", "b\r\nc: d"),
		weft_field("connection", "keep-alive"),
	};
	struct weft_head head = { .status = 200, .body_len = 0, .field_count = 1 };

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		head.fields = &bad[i];
		assert_int_equal(weft_stream_send_head(s, &head, WEFT_HEAD_FINAL, true, NULL),
			WEFT_ERR_ARGUMENT);
	}
	head.field_count = 0;
	head.status = 99;
	assert_int_equal(
		weft_stream_send_head(s, &head, WEFT_HEAD_FINAL, true, NULL), WEFT_ERR_ARGUMENT);
	head.status = 200;
	head.body_len = 5;
	assert_int_equal(
		weft_stream_send_head(s, &head, WEFT_HEAD_FINAL, true, NULL), WEFT_ERR_ARGUMENT);
	assert_int_equal(weft_http_accept_upgrade(s, "nothing"), WEFT_ERR_STATE);
	return hello(s, user);
}

static const struct weft_route routes[] = {
	{ .path = "/hello", .on_request = hello },
	{ .path = "/later", .on_request = answer_later },
	{ .path = "/204", .on_request = empty },
	{ .path = "/304", .on_request = not_modified },
	{ .path = "/fails", .on_request = fails },
	{ .path = "/hints", .on_request = hints },
	{ .path = "/answer-and-close", .on_request = answer_and_close },
	{ .path = "/close", .on_request = just_close },
	{ .path = "/forbidden", .on_request = forbidden },
	{ .prefix = "", .on_request = inspect },
	{ .on_request = NULL },
};

#define HELLO(extra)                                                                         \
	"HTTP/1.1 200 OK\r\ncontent-length: 13\r\n" extra "content-type: text/plain\r\n\r\n" \
	"Hello, World\n"

static void begin(struct world *w, struct peer *p, const struct weft_vhost_options *o)
{
	struct weft_vhost_options v = o ? *o : (struct weft_vhost_options){ .name = NULL };

	v.name = "example";
	v.routes = routes;
	later = NULL;
	world_open(w, NULL, &v);
	peer_dial(p, w, "http");
}

static void end(struct world *w, struct peer *p)
{
	peer_close(p);
	world_close(w);
}

static void connection_is_kept_and_used_again(void **state)
{
	struct world w;
	struct peer p;

	(void)state;
	begin(&w, &p, NULL);
	for (int i = 0; i < 3; i++) {
		peer_send(&p, "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
		peer_expect(&p, HELLO(""));
	}
	peer_finish(&p);
	peer_expect_end(&p, "");
	end(&w, &p);
}

static void pipelined_requests_are_answered_in_order(void **state)
{
	struct world w;
	struct peer p;

	(void)state;
	begin(&w, &p, NULL);
	peer_send(&p, "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n"
		      "POST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
		      "GET /3 HTTP/1.1\r\nHost: a\r\n\r\n");
	peer_expect(&p, "HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\nGET /1 a 11");
	peer_expect(&p, "HTTP/1.1 200 OK\r\ncontent-length: 12\r\n\r\nPOST /2 a 11");
	peer_expect(&p, "HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\nGET /3 a 11");
	end(&w, &p);
}

static void pipelined_request_waits_for_a_late_response(void **state)
{
	struct world w;
	struct peer p;

	(void)state;
	begin(&w, &p, NULL);
	peer_send(
		&p, "GET /later HTTP/1.1\r\nHost: a\r\n\r\nGET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
	peer_expect_silence(&p);
	assert_non_null(later);
	assert_int_equal(weft_http_reply(later, 202, NULL, "ok", 2), WEFT_OK);
	peer_expect(&p, "HTTP/1.1 202 Accepted\r\ncontent-length: 2\r\n\r\nok");
	peer_expect(&p, HELLO(""));
	end(&w, &p);
}

static void half_closed_client_still_gets_its_answers(void **state)
{
	struct world w;
	struct peer p;

	(void)state;
	begin(&w, &p, NULL);
	peer_send(
		&p, "GET /later HTTP/1.1\r\nHost: a\r\n\r\nGET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
	peer_finish(&p);
	peer_expect_silence(&p);
	assert_int_equal(weft_http_error(later, 404), WEFT_OK);
	peer_expect(&p, "HTTP/1.1 404 Not Found\r\ncontent-length: 14\r\n"
			"content-type: text/plain; charset=utf-8\r\n\r\n404 Not Found\n");
	peer_expect_end(&p, HELLO(""));
	end(&w, &p);
}

static void close_is_obeyed_from_both_sides(void **state)
{
	struct world w;
	struct peer p;

	(void)state;
	begin(&w, &p, NULL);
	peer_send(&p, "GET /hello HTTP/1.1\r\nHost: a\r\nConnection: Close\r\n\r\n"
		      "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
	peer_expect_end(&p, HELLO("connection: close\r\n"));
	end(&w, &p);
}

static void http10_closes_unless_asked_to_keep(void **state)
{
	struct world w;
	struct peer p;

	(void)state;
	begin(&w, &p, NULL);
	peer_send(&p, "GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
	peer_expect(&p, HELLO("connection: keep-alive\r\n"));
	peer_send(&p, "GET /hello HTTP/1.0\r\n\r\n");
	peer_expect_end(&p, HELLO("connection: close\r\n"));
	end(&w, &p);
}

static void targets_come_in_four_forms(void **state)
{
	static const struct {
		const char *request, *seen;
	} cases[] = {
		{ "GET /a?b=c HTTP/1.1\r\nHost: h:80\r\n\r\n", "GET /a?b=c h:80 11" },
		{ "GET http://other:81/x?y HTTP/1.1\r\nHost: h\r\n\r\n", "GET /x?y other:81 11" },
		{ "GET http://other HTTP/1.1\r\nHost: h\r\n\r\n", "GET / other 11" },
		{ "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", "OPTIONS * h 11" },
		{ "OPTIONS http://other HTTP/1.1\r\nHost: h\r\n\r\n", "OPTIONS * other 11" },
		{ "BREW /pot HTTP/1.1\r\nHost: h\r\n\r\n", "BREW /pot h 11" },
		{ "GET / HTTP/1.0\r\n\r\n", "GET / - 10" },
		{ "GET / HTTP/1.7\r\nHost: [::1]:8\r\n\r\n", "GET / [::1]:8 11" },
		{ "\r\nGET /lead HTTP/1.1\r\nHost: h\r\n\r\n", "GET /lead h 11" },
	};
	struct world w;
	struct peer p;
	char head[128];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		begin(&w, &p, NULL);
		peer_send(&p, cases[i].request);
		snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\ncontent-length: %zu\r\n%s\r\n%s",
			strlen(cases[i].seen),
			strstr(cases[i].request, "/1.0") ? "connection: close\r\n" : "",
			cases[i].seen);
		peer_expect(&p, head);
		end(&w, &p);
	}
}

static void head_204_and_304_have_no_body(void **state)
{
	struct world w;
	struct peer p;

	(void)state;
	begin(&w, &p, NULL);
	peer_send(&p, "HEAD /hello HTTP/1.1\r\nHost: a\r\n\r\n");
	peer_expect(
		&p, "HTTP/1.1 200 OK\r\ncontent-length: 13\r\ncontent-type: text/plain\r\n\r\n");
	peer_send(&p, "GET /204 HTTP/1.1\r\nHost: a\r\n\r\n");
	peer_expect(&p, "HTTP/1.1 204 No Content\r\n\r\n");
	peer_send(&p, "GET /304 HTTP/1.1\r\nHost: a\r\n\r\n");
	peer_expect(&p, "HTTP/1.1 304 Not Modified\r\ncontent-length: 7\r\n\r\n");
	peer_send(&p, "HEAD /no-length HTTP/1.1\r\nHost: a\r\n\r\n");
	peer_expect(&p, "HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\n");
	peer_expect_silence(&p);
	end(&w, &p);
}

static void informational_heads_go_ahead_of_the_final_one(void **state)
{
	struct world w;
	struct peer p;

	(void)state;
	begin(&w, &p, NULL);
	peer_send(&p, "GET /hints HTTP/1.1\r\nHost: a\r\n\r\n");
	peer_expect(&p, "HTTP/1.1 103 Early Hints\r\nlink: </a.css>\r\n\r\n");
	peer_expect(&p, HELLO(""));
	/* HTTP/1.0 knows none */
	peer_send(&p, "GET /hints HTTP/1.0\r\n\r\n");
	peer_expect_end(&p, HELLO("connection: close\r\n"));
	end(&w, &p);
}

static void failing_handler_is_answered_for(void **state)
{
	struct world w;
	struct peer p;

	(void)state;
	begin(&w, &p, NULL);
	peer_send(&p, "GET /fails HTTP/1.1\r\nHost: a\r\n\r\n");
	peer_expect(&p, "HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\n\r\n");
	peer_send(&p, "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
	peer_expect(&p, HELLO(""));
	end(&w, &p);
}

static void answer_survives_that_the_handler_closes_at_once(void **state)
{
	struct world w;
	struct peer p;

	(void)state;
	begin(&w, &p, NULL);
	peer_send(&p, "GET /answer-and-close HTTP/1.1\r\nHost: a\r\n\r\n");
	peer_expect(&p, HELLO(""));
	peer_send(&p, "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
	peer_expect(&p, HELLO(""));
	peer_send(&p, "GET /close HTTP/1.1\r\nHost: a\r\n\r\n");
	peer_expect_end(&p, "");
	end(&w, &p);
}

static void application_cannot_break_the_framing(void **state)
{
	struct world w;
	struct peer p;

	(void)state;
	begin(&w, &p, NULL);
	peer_send(&p, "GET /forbidden HTTP/1.1\r\nHost: a\r\n\r\n");
	peer_expect(&p, HELLO(""));
	end(&w, &p);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(connection_is_kept_and_used_again),
	cmocka_unit_test(pipelined_requests_are_answered_in_order),
	cmocka_unit_test(pipelined_request_waits_for_a_late_response),
	cmocka_unit_test(half_closed_client_still_gets_its_answers),
	cmocka_unit_test(close_is_obeyed_from_both_sides),
	cmocka_unit_test(http10_closes_unless_asked_to_keep),
	cmocka_unit_test(targets_come_in_four_forms),
	cmocka_unit_test(head_204_and_304_have_no_body),
	cmocka_unit_test(informational_heads_go_ahead_of_the_final_one),
	cmocka_unit_test(failing_handler_is_answered_for),
	cmocka_unit_test(answer_survives_that_the_handler_closes_at_once),
	cmocka_unit_test(application_cannot_break_the_framing),
};
const struct role_group role_server_group = {
	.name = "h1 server",
	.tests = tests,
	.count = sizeof(tests) / sizeof(*tests),
};
