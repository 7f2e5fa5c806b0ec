/* SPDX-License-Identifier: MIT */
/* The access hook: once an exchange, right before on_close, whoever answered. */
#include <string.h>

#include "tests/support/served.h"

enum { RECORDS = 16 };

struct record {
	char method[16], target[64];
	unsigned status;
	uint64_t body_in, body_out;
	int64_t begun_wall;
	enum weft_status why;
	unsigned closes_before;
};

static struct record records[RECORDS];
static unsigned count, closes;

static void on_access(struct weft_stream *s, const struct weft_access *a, void *user)
{
	const struct weft_head *head = weft_stream_request(s);
	struct record *r = &records[count++];

	assert_string_equal(user, "the log");
	assert_in_range(count, 1, RECORDS);
	assert_non_null(weft_stream_vhost(s));
	strncpy(r->method, head->method ? head->method : "", sizeof(r->method) - 1);
	strncpy(r->target, head->target ? head->target : "", sizeof(r->target) - 1);
	r->status = a->status;
	r->body_in = a->body_in;
	r->body_out = a->body_out;
	r->begun_wall = a->begun_wall;
	r->why = a->why->status;
	r->closes_before = closes;
}

static void on_close(struct weft_stream *s, const struct weft_error *why, void *user)
{
	(void)s;
	(void)user;
	closes++;
	assert_int_equal(why->status, records[count - 1].why);
}

static const struct weft_stream_ops ops = { .on_close = on_close };

static enum weft_status hello(struct weft_stream *s, void *user)
{
	(void)user;
	weft_stream_set_ops(s, &ops, NULL);
	return weft_http_reply_static(s, 200, "text/plain", "hello", 5);
}

static enum weft_status fails(struct weft_stream *s, void *user)
{
	(void)s;
	(void)user;
	return WEFT_ERR_IO;
}

static enum weft_status gives_up(struct weft_stream *s, void *user)
{
	(void)user;
	weft_stream_close(s);
	return WEFT_OK;
}

static enum weft_status waits(struct weft_stream *s, void *user)
{
	(void)user;
	weft_stream_set_ops(s, &ops, NULL);
	return WEFT_OK;
}

static const struct weft_route routes[] = {
	{ .path = "/waits", .on_request = waits },
	{ .path = "/hello", .on_request = hello },
	{ .path = "/fails", .on_request = fails },
	{ .path = "/gives-up", .on_request = gives_up },
	{ .on_request = NULL },
};
static char the_log[] = "the log";
static const struct weft_vhost_options vhost = {
	.name = "a", .routes = routes, .on_access = on_access, .access_user = the_log
};

static void ask(const char *request)
{
	struct served v;

	memset(records, 0, sizeof(records));
	count = closes = 0;
	served_ask(&v, &vhost, request);
	served_close(&v);
}

static void check(unsigned i, const char *method, const char *target, unsigned status,
	uint64_t body_in, uint64_t body_out)
{
	const struct record *r = &records[i];

	assert_true(i < count);
	assert_string_equal(r->method, method);
	assert_string_equal(r->target, target);
	assert_int_equal(r->status, status);
	assert_int_equal(r->body_in, body_in);
	assert_int_equal(r->body_out, body_out);
	assert_true(r->begun_wall > 1700000000);
}

static void each_exchange_is_told_once_before_its_close(void **state)
{
	(void)state;
	ask("GET /hello?x HTTP/1.1\r\nHost: a\r\n\r\n"
	    "POST /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
	    "HEAD /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
	assert_int_equal(count, 3);
	assert_int_equal(closes, 3);
	check(0, "GET", "/hello?x", 200, 0, 5);
	check(1, "POST", "/hello", 200, 3, 5);
	check(2, "HEAD", "/hello", 200, 0, 0);
	for (unsigned i = 0; i < count; i++) {
		assert_int_equal(records[i].why, WEFT_OK);
		assert_int_equal(records[i].closes_before, i);
	}
}

static void what_the_core_answers_is_told(void **state)
{
	(void)state;
	ask("GET /none HTTP/1.1\r\nHost: a\r\n\r\n"
	    "GET /fails HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
	assert_int_equal(count, 2);
	check(0, "GET", "/none", 404, 0, 0);
	check(1, "GET", "/fails", 500, 0, 0);
}

static void an_exchange_that_was_given_up_is_told(void **state)
{
	(void)state;
	ask("GET /gives-up HTTP/1.1\r\nHost: a\r\n\r\n");
	assert_int_equal(count, 1);
	check(0, "GET", "/gives-up", 0, 0, 0);
	assert_int_equal(records[0].why, WEFT_ERR_CANCELLED);
}

static void what_the_role_refuses_is_told_and_counted(void **state)
{
	struct weft_counters c;
	struct served v;

	(void)state;
	ask("GET /hello HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nBad Field: x\r\n\r\n");
	assert_int_equal(count, 2);
	check(0, "GET", "/hello", 200, 0, 5);
	check(1, "", "", 400, 0, 0);
	assert_int_equal(records[1].why, WEFT_ERR_PROTOCOL);
	count = closes = 0;
	served_ask(&v, &vhost, "GET / HTTP/3.0\r\n\r\n");
	weft_context_counters(v.ctx, &c);
	assert_int_equal(c.requests_refused, 1);
	assert_int_equal(c.streams_now, 0);
	served_close(&v);
	assert_int_equal(count, 1);
	check(0, "", "", 505, 0, 0);
}

/* A stream was there when the role found out: one record, with the answer that the role gave. */
static void a_refusal_within_a_body_is_told_once(void **state)
{
	(void)state;
	ask("POST /waits HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n");
	assert_int_equal(count, 1);
	assert_int_equal(closes, 1);
	check(0, "POST", "/waits", 400, 0, 0);
	assert_int_equal(records[0].why, WEFT_ERR_PROTOCOL);
	/* one that was answered already keeps its status */
	ask("POST /hello HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n");
	assert_int_equal(count, 1);
	assert_int_equal(records[0].status, 200);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_exchange_is_told_once_before_its_close),
		cmocka_unit_test(what_the_core_answers_is_told),
		cmocka_unit_test(an_exchange_that_was_given_up_is_told),
		cmocka_unit_test(what_the_role_refuses_is_told_and_counted),
		cmocka_unit_test(a_refusal_within_a_body_is_told_once),
	};

	return cmocka_run_group_tests_name("access", tests, NULL, NULL);
}
