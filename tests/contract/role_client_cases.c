/* SPDX-License-Identifier: MIT */
/* h1 as a client: request heads as they are sent, and responses of every kind. */
#include <stdio.h>

#include "tests/contract/role_exchange.h"

#define CHUNKED "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
#define NO_CONTENT "HTTP/1.1 204 No Content\r\n\r\n"

static const struct weft_field plain[] = {
	{ "X-One", 5, "1", 1 },
	{ "x-two", 5, "", 0 },
};
static const struct weft_field closing[] = { { "Connection", 10, "close", 5 } };
static const struct weft_field te[] = { { "te", 2, "trailers", 8 } };
static const struct weft_field both[] = {
	{ "connection", 10, "Close", 5 },
	{ "te", 2, "trailers", 8 },
};
static const unsigned char three[] = "abc";

static const struct {
	struct weft_request request;
	const char *path, *sent;
} heads[] = {
	{ { .method = NULL }, "", "GET / HTTP/1.1\r\nhost: a\r\n\r\n" },
	{ { .method = NULL }, "/b/c?d=e&f#g", "GET /b/c?d=e&f HTTP/1.1\r\nhost: a\r\n\r\n" },
	{ { .method = NULL }, "?d", "GET /?d HTTP/1.1\r\nhost: a\r\n\r\n" },
	{ { .method = NULL }, ":81/", "GET / HTTP/1.1\r\nhost: a:81\r\n\r\n" },
	{ { .method = "BREW" }, "/pot", "BREW /pot HTTP/1.1\r\nhost: a\r\n\r\n" },
	{ { .method = "DELETE" }, "/x", "DELETE /x HTTP/1.1\r\nhost: a\r\n\r\n" },
	{ { .fields = plain, .field_count = 2 }, "/",
		"GET / HTTP/1.1\r\nhost: a\r\nx-one: 1\r\nx-two: \r\n\r\n" },
	{ { .fields = te, .field_count = 1 }, "/",
		"GET / HTTP/1.1\r\nhost: a\r\nconnection: te\r\nte: trailers\r\n\r\n" },
	{ { .fields = closing, .field_count = 1 }, "/",
		"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n" },
	{ { .fields = both, .field_count = 2 }, "/",
		"GET / HTTP/1.1\r\nhost: a\r\nconnection: te, close\r\nte: trailers\r\n\r\n" },
	{ { .upgrade = "echo/2" }, "/",
		"GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: echo/2\r\n\r\n" },
	{ { .upgrade = "echo", .fields = both, .field_count = 2 }, "/",
		"GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade, te, close\r\nte: trailers\r\n"
		"upgrade: echo\r\n\r\n" },
	{ { .method = "POST" }, "/", "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n" },
	{ { .method = "PUT" }, "/", "PUT / HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n" },
	{ { .body = { three, 3 } }, "/p",
		"POST /p HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\nabc" },
	{ { .method = "PUT", .body = { three, 3 } }, "/p",
		"PUT /p HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\nabc" },
};

static void request_heads_are_sent_exactly(void **state)
{
	struct client c;
	struct peer p;

	(void)state;
	for (size_t i = 0; i < sizeof(heads) / sizeof(*heads); i++) {
		struct exchange x = { .closed = false };

		client_begin(&c, NULL);
		client_open(&c, &x, &heads[i].request, heads[i].path);
		client_accept(&c, &p);
		peer_expect(&p, heads[i].sent);
		peer_expect_silence(&p);
		peer_send(&p, NO_CONTENT);
		exchange_expect(&x, 204, "");
		peer_close(&p);
		client_end(&c);
	}
}

static const struct weft_field bad_fields[] = {
	{ "host", 4, "b", 1 },
	{ "Content-Length", 14, "3", 1 },
	{ "transfer-encoding", 17, "chunked", 7 },
	{ "connection", 10, "upgrade", 7 },
	{ "x y", 3, "z", 1 },
	{ "", 0, "z", 1 },
	{ "x", 1, "y\r\nz: 1", 7 },
	{ "x", 1, "y\0z", 3 },
};

static const struct weft_request bad_requests[] = {
	{ .url = NULL },
	{ .url = "ftp://a/" },
	{ .url = "http://a/b c" },
	{ .url = "http://a/\r\nx: y" },
	{ .url = "http://a/\x80" },
	{ .url = "http://" },
	{ .url = "http://a/", .method = "G T" },
	{ .url = "http://a/", .method = "" },
	{ .url = "http://a/", .body = { three, 3 }, .body_later = true },
	{ .url = "http://a/", .expect_continue = true },
	{ .url = "http://a/", .upgrade = "echo", .body_later = true },
	{ .url = "http://a/", .upgrade = "no token" },
};

static void refused(struct client *c, const struct weft_request *r)
{
	struct exchange x = { .closed = false };
	struct weft_error err = { .status = WEFT_OK };

	assert_int_equal(weft_http_open(c->world.ctx, r, &exchange_ops, &x, &x.stream, &err),
		WEFT_ERR_ARGUMENT);
	assert_int_equal(err.status, WEFT_ERR_ARGUMENT);
	assert_int_not_equal(err.text[0], 0);
	assert_null(x.stream);
}

static void requests_that_are_no_http_are_refused(void **state)
{
	struct client c;

	(void)state;
	client_begin(&c, NULL);
	for (size_t i = 0; i < sizeof(bad_requests) / sizeof(*bad_requests); i++)
		refused(&c, &bad_requests[i]);
	for (size_t i = 0; i < sizeof(bad_fields) / sizeof(*bad_fields); i++) {
		struct weft_request r = { .url = "http://a/", .fields = &bad_fields[i] };

		r.field_count = 1;
		refused(&c, &r);
	}
	client_end(&c);
}

/* What on_head gets besides what every exchange notes. */
static void look_at_fields(struct exchange *x, enum exchange_event event)
{
	const struct weft_head *head = weft_stream_response(x->stream);

	if (event != EXCHANGE_HEAD)
		return;
	assert_int_equal(head->status, 299);
	assert_int_equal(head->version, 11);
	assert_int_equal(head->field_count, 4);
	assert_string_equal(head->fields[0].name, "x-one");
	assert_string_equal(head->fields[0].value, "1 2");
	assert_string_equal(head->fields[1].name, "x-two");
	assert_string_equal(head->fields[1].value, "");
	assert_string_equal(head->fields[2].value, "\x80");
	assert_string_equal(weft_head_find(head, "Content-Length")->value, "2");
}

static void response_arrives_with_its_fields(void **state)
{
	struct exchange x = { .hook = look_at_fields };
	struct client c;
	struct peer p;

	(void)state;
	client_begin(&c, NULL);
	client_open(&c, &x, NULL, "/");
	assert_null(weft_stream_response(x.stream));
	client_accept(&c, &p);
	peer_expect(&p, heads[0].sent);
	peer_send(&p, "HTTP/1.1 299\r\nX-One: \t 1 2\t\r\nx-Two:\r\nx: "
		      "\x80\r\ncontent-length:2\r\n\r\nok");
	exchange_expect(&x, 299, "ok");
	assert_int_equal(x.body_len, 2);
	peer_close(&p);
	client_end(&c);
}

static void responses_without_body_end_with_their_head(void **state)
{
	static const struct {
		const char *method, *response;
		unsigned status;
		int64_t body_len;
	} cases[] = {
		{ "GET", NO_CONTENT, 204, 0 },
		{ "GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n", 304, 0 },
		{ "GET", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200, 0 },
		{ "HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n", 200, 0 },
		{ "HEAD", "HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n", 404, 0 },
		{ "HEAD", "HTTP/1.1 200 OK\r\n\r\n", 200, 0 },
	};
	struct client c;
	struct peer p;
	char head[64];

	(void)state;
	client_begin(&c, NULL);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct weft_request r = { .method = cases[i].method };
		struct exchange x = { .closed = false };

		client_open(&c, &x, &r, "/");
		if (!i)
			client_accept(&c, &p);
		snprintf(head, sizeof(head), "%s / HTTP/1.1\r\nhost: a\r\n\r\n", r.method);
		peer_expect(&p, head);
		peer_send(&p, cases[i].response);
		exchange_expect(&x, cases[i].status, "");
		assert_int_equal(x.body_len, cases[i].body_len);
	}
	peer_close(&p);
	client_end(&c);
}

static void informational_heads_come_before_the_final_one(void **state)
{
	struct exchange x = { .closed = false };
	struct client c;
	struct peer p;

	(void)state;
	client_begin(&c, NULL);
	client_open(&c, &x, NULL, "/");
	client_accept(&c, &p);
	peer_expect(&p, heads[0].sent);
	peer_send(&p, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n");
	for (unsigned i = 2; i < 100; i++)
		peer_send(&p, "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n");
	peer_send(&p, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
	exchange_expect(&x, 200, "ok");
	assert_int_equal(x.informational, 100);
	assert_int_equal(x.last_informational, 103);
	peer_close(&p);
	client_end(&c);
}

static void endless_informational_heads_are_cut_off(void **state)
{
	struct exchange x = { .closed = false };
	struct client c;
	struct peer p;

	(void)state;
	client_begin(&c, NULL);
	client_open(&c, &x, NULL, "/");
	client_accept(&c, &p);
	for (unsigned i = 0; i < 101; i++)
		peer_send(&p, "HTTP/1.1 102 Processing\r\n\r\n");
	exchange_wait(&x, WEFT_ERR_LIMIT);
	assert_int_equal(x.status, 0);
	peer_close(&p);
	client_end(&c);
}

static void limits_of_response_heads_are_kept(void **state)
{
	const struct weft_context_options small = { .header_bytes = 200, .header_count = 3 };
	static const char *const bad[] = {
		"HTTP/1.1 200 OK\r\nA: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\n\r\n",
		"HTTP/1.1 200 OK\r\nA: ",
		"HTTP/1.1 200 ",
		CHUNKED "0\r\nA: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\n\r\n",
		CHUNKED "0\r\nA: ",
	};
	struct client c;
	struct peer p;
	char big[256];

	(void)state;
	memset(big, 'b', sizeof(big) - 1);
	big[sizeof(big) - 1] = 0;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct exchange x = { .closed = false };

		client_begin(&c, &small);
		client_open(&c, &x, NULL, "/");
		client_accept(&c, &p);
		peer_send(&p, bad[i]);
		peer_send(&p, big);
		exchange_wait(&x, WEFT_ERR_LIMIT);
		assert_false(x.ended);
		peer_close(&p);
		client_end(&c);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(request_heads_are_sent_exactly),
	cmocka_unit_test(requests_that_are_no_http_are_refused),
	cmocka_unit_test(response_arrives_with_its_fields),
	cmocka_unit_test(responses_without_body_end_with_their_head),
	cmocka_unit_test(informational_heads_come_before_the_final_one),
	cmocka_unit_test(endless_informational_heads_are_cut_off),
	cmocka_unit_test(limits_of_response_heads_are_kept),
};
const struct role_group role_client_group = {
	.name = "h1 client",
	.tests = tests,
	.count = sizeof(tests) / sizeof(*tests),
};
