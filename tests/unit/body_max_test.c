/* SPDX-License-Identifier: MIT */
/* A route's limit for bodies: 413 before or within, with both framings, whatever the pieces. */
#include <string.h>

#include "tests/support/served.h"

static struct {
	unsigned asked, closes, accesses, status;
	size_t got;
	uint64_t body_in;
	enum weft_status why, access_why;
	bool ended;
} seen;

static size_t on_data(struct weft_stream *s, const void *bytes, size_t len, void *user)
{
	(void)s;
	(void)bytes;
	(void)user;
	seen.got += len;
	return len;
}

static void on_end(struct weft_stream *s, void *user)
{
	(void)user;
	seen.ended = true;
	assert_int_equal(weft_http_reply_static(s, 200, NULL, "fine", 4), WEFT_OK);
}

static void on_close(struct weft_stream *s, const struct weft_error *why, void *user)
{
	(void)s;
	(void)user;
	assert_int_equal(seen.accesses, seen.closes + 1);
	seen.closes++;
	seen.why = why->status;
}

static const struct weft_stream_ops ops = {
	.on_data = on_data, .on_end = on_end, .on_close = on_close
};

static enum weft_status collect(struct weft_stream *s, void *user)
{
	(void)user;
	seen.asked++;
	weft_stream_set_ops(s, &ops, NULL);
	return WEFT_OK;
}

static size_t echo_data(struct weft_stream *s, const void *bytes, size_t len, void *user)
{
	(void)user;
	seen.got += len;
	return weft_stream_write(s, bytes, len);
}

static const struct weft_stream_ops echo_ops = { .on_data = echo_data, .on_close = on_close };

static enum weft_status echo(struct weft_stream *s, void *user)
{
	(void)user;
	seen.asked++;
	weft_stream_set_ops(s, &echo_ops, NULL);
	return weft_http_reply_head(s, 200, NULL, 0, -1);
}

static void on_access(struct weft_stream *s, const struct weft_access *a, void *user)
{
	(void)s;
	(void)user;
	seen.accesses++;
	seen.status = a->status;
	seen.body_in = a->body_in;
	seen.access_why = a->why->status;
}

static const struct weft_route routes[] = {
	{ .path = "/ten", .on_request = collect, .body_max = 10 },
	{ .path = "/vhost", .on_request = collect },
	{ .path = "/echo", .on_request = echo, .body_max = 10 },
	{ .on_request = NULL },
};
static const struct weft_vhost_options vhost = {
	.name = "a", .routes = routes, .body_max = 20, .on_access = on_access
};

static const size_t steps[] = { 1, 7, 100000 };

#define EACH_STEP(i) for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++)

static void ask(struct served *v, const char *request, size_t step)
{
	memset(&seen, 0, sizeof(seen));
	served_open(v, &vhost);
	served_send(v, request, strlen(request), step);
}

static uint64_t limits_hit(const struct served *v)
{
	struct weft_counters c;

	weft_context_counters(v->ctx, &c);
	return c.limits_hit;
}

static void body_within_the_limit_is_taken(void **state)
{
	static const char *const requests[] = {
		"POST /ten HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n0123456789",
		("POST /ten HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "
		 "chunked\r\n\r\n5\r\n01234\r\n5\r\n56789\r\n0\r\n\r\n"),
		"POST /vhost HTTP/1.1\r\nHost: a\r\nContent-Length: 20\r\n\r\n01234567890123456789",
	};
	struct served v;

	(void)state;
	for (size_t r = 0; r < sizeof(requests) / sizeof(*requests); r++) {
		EACH_STEP(i)
		{
			ask(&v, requests[r], steps[i]);
			served_until(&v, "fine");
			assert_int_equal(served_status(&v), 200);
			assert_false(v.ended); /* and the connection goes on */
			assert_int_equal(seen.closes, 1);
			assert_int_equal(seen.accesses, 1);
			assert_int_equal(seen.why, WEFT_OK);
			assert_int_equal(seen.body_in, r < 2 ? 10 : 20);
			assert_int_equal(limits_hit(&v), 0);
			served_close(&v);
		}
	}
}

static void announced_body_over_the_limit_is_413_before_the_handler(void **state)
{
	static const char *const requests[] = {
		"POST /ten HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n01234567890",
		("POST /ten HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\nExpect: "
		 "100-continue\r\n\r\n01234567890"),
		("POST /vhost HTTP/1.1\r\nHost: a\r\nContent-Length: "
		 "21\r\n\r\n012345678901234567890"),
		"POST /ten HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\n\r\nmuch more",
	};
	struct served v;
	char connection[32];

	(void)state;
	for (size_t r = 0; r < sizeof(requests) / sizeof(*requests); r++) {
		EACH_STEP(i)
		{
			ask(&v, requests[r], steps[i]);
			served_until_end(&v);
			assert_int_equal(served_status(&v), 413);
			assert_string_equal(
				served_field(&v, "connection", connection, sizeof(connection)),
				"close");
			assert_int_equal(seen.asked, 0);
			assert_int_equal(seen.accesses, 1);
			assert_int_equal(seen.status, 413);
			assert_int_equal(seen.access_why, WEFT_ERR_LIMIT);
			assert_int_equal(limits_hit(&v), 1);
			served_close(&v);
		}
	}
}

static void chunked_body_over_the_limit_is_413(void **state)
{
	static const char request[] =
		"POST /ten HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
		"9\r\n012345678\r\n2\r\n01\r\n5\r\n01234\r\n0\r\n\r\n"
		"GET /ten HTTP/1.1\r\nHost: a\r\n\r\n";
	struct served v;

	(void)state;
	EACH_STEP(i)
	{
		ask(&v, request, steps[i]);
		served_until_end(&v);
		assert_int_equal(served_status(&v), 413);
		assert_null(strstr(v.text + 9, "HTTP/1.1"));
		assert_int_equal(seen.asked, 1);
		assert_in_range(seen.got, 9, 10);
		assert_false(seen.ended);
		assert_int_equal(seen.closes, 1);
		assert_int_equal(seen.why, WEFT_ERR_LIMIT);
		assert_int_equal(seen.accesses, 1);
		assert_int_equal(seen.status, 413);
		assert_int_equal(limits_hit(&v), 1);
		served_close(&v);
	}
}

static void response_that_was_begun_is_cut(void **state)
{
	static const char request[] =
		"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
		"9\r\n012345678\r\n2\r\n01\r\n0\r\n\r\n";
	struct served v;

	(void)state;
	EACH_STEP(i)
	{
		ask(&v, request, steps[i]);
		served_until_end(&v);
		if (v.len)
			assert_int_equal(served_status(&v), 200);
		assert_null(strstr(v.text, "\r\n0\r\n\r\n"));
		assert_int_equal(seen.closes, 1);
		assert_int_equal(seen.why, WEFT_ERR_LIMIT);
		assert_int_equal(seen.accesses, 1);
		assert_int_equal(seen.status, 200);
		assert_int_equal(limits_hit(&v), 1);
		served_close(&v);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(body_within_the_limit_is_taken),
		cmocka_unit_test(announced_body_over_the_limit_is_413_before_the_handler),
		cmocka_unit_test(chunked_body_over_the_limit_is_413),
		cmocka_unit_test(response_that_was_begun_is_cut),
	};

	return cmocka_run_group_tests_name("body max", tests, NULL, NULL);
}
