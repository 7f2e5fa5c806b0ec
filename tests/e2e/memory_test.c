/* SPDX-License-Identifier: MIT */
/*
 * The Nth allocation of ours fails, for each N that a request and its response make: the stream ends well
 * or with an error, once, nothing of it is left, and nothing crashes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/certs.h"
#include "tests/support/duo.h"
#include "tests/support/visit.h"

/* Fails one allocation of each context, the fails_at-th of both together. */
static struct {
	unsigned count, fails_at;
	long live; /* bytes that are not given back */
} heap;

static void *failing_resize(void *user, void *ptr, size_t old_len, size_t new_len)
{
	void *p;

	(void)user;
	if (new_len && ++heap.count == heap.fails_at)
		return NULL;
	p = weft_allocator_system.resize(NULL, ptr, old_len, new_len);
	if (p || !new_len)
		heap.live += (long)new_len - (long)old_len;
	return p;
}

static const struct weft_allocator failing = { .resize = failing_resize };

struct run {
	struct weft_context *server, *client;
	struct weft_vhost *vh;
	struct weft_stream *stream;
	unsigned closes;
	size_t got;
	unsigned status;
	struct weft_error why;
};

static void no_log(void *user, enum weft_log_level level, const char *line)
{
	(void)user;
	(void)level;
	(void)line;
}

static bool open_context(const char *event, const char *tls, struct weft_context **out)
{
	const struct weft_context_options o = {
		.event = event,
		.tls = tls ? tls : "none",
		.allocator = &failing,
		.log = no_log,
		.fragment_bytes = duo_combo.fragment ? 7 : 0,
		.linger_ms = 1,
		.no_keep_warm = true,
	};
	struct weft_error err;
	enum weft_status st = weft_context_create(&o, out, &err);

	if (st)
		assert_int_equal(st, WEFT_ERR_MEMORY);
	return st == WEFT_OK;
}

static void on_head(
	struct weft_stream *s, const struct weft_head *head, enum weft_head_kind kind, void *user)
{
	(void)s;
	(void)kind;
	((struct run *)user)->status = head->status;
}

static size_t on_data(struct weft_stream *s, const void *bytes, size_t len, void *user)
{
	(void)s;
	(void)bytes;
	((struct run *)user)->got += len;
	return len;
}

static void on_close(struct weft_stream *s, const struct weft_error *why, void *user)
{
	struct run *r = user;

	(void)s;
	r->closes++;
	r->why = *why;
}

static enum weft_status answer(struct weft_stream *s, void *user)
{
	static const char body[100000];

	(void)user;
	/* a long one, copied: it meets the large blocks too */
	return weft_http_reply(s, 200, "text/plain", body, sizeof(body));
}

static const struct weft_route routes[] = {
	{ .prefix = "/", .on_request = answer },
	{ .on_request = NULL },
};

static bool open_vhost(struct run *r, char *url, size_t url_len)
{
	const bool tls = duo_combo.server_tls != NULL;
	struct weft_vhost_options v = {
		.name = "localhost",
		.routes = routes,
		.listen = tls ? "https://127.0.0.1:0" : "http://127.0.0.1:0",
	};
	struct weft_error err;
	enum weft_status st;

	if (tls) {
		const struct test_cert *good = test_cert(TEST_CERT_GOOD);

		v.credential.cert =
			(struct weft_span){ (const unsigned char *)good->cert, good->cert_len };
		v.credential.key =
			(struct weft_span){ (const unsigned char *)good->key, good->key_len };
	}
	st = weft_vhost_create(r->server, &v, &r->vh, &err);
	if (st) {
		assert_int_equal(st, WEFT_ERR_MEMORY);
		return false;
	}
	assert_int_equal(weft_vhost_listener(r->vh, 0, url, url_len), WEFT_OK);
	return true;
}

static void request(struct run *r, const char *url)
{
	static const struct weft_stream_ops ops = {
		.on_head = on_head, .on_data = on_data, .on_close = on_close
	};
	const struct weft_field field = weft_field("x-test", "memory");
	struct weft_trust trust = { .system = false };
	struct weft_request req = {
		.url = url,
		.fields = &field,
		.field_count = 1,
		.share = WEFT_SHARE_POOL,
		.body = { (const unsigned char *)"body", 4 },
		.total_ms = 2000,
	};
	struct weft_error err;
	enum weft_status st;

	if (duo_combo.client_tls) {
		trust.ca = (struct weft_span){ (const unsigned char *)test_certs_ca()->cert,
			test_certs_ca()->cert_len };
		req.trust = &trust;
	}
	st = weft_http_open(r->client, &req, &ops, r, &r->stream, &err);
	if (st) {
		assert_int_equal(st, WEFT_ERR_MEMORY);
		assert_int_equal(r->closes, 0);
		return;
	}
	assert_int_equal(r->closes, 0);
	for (unsigned i = 0; i < DUO_TURNS && !r->closes; i++) {
		assert_int_not_equal(weft_context_turn(r->server, 0), WEFT_EOF);
		assert_int_not_equal(weft_context_turn(r->client, i % 16 ? 0 : 1), WEFT_EOF);
	}
	assert_int_equal(r->closes, 1);
	if (r->why.status == WEFT_OK && r->status == 200)
		assert_int_equal(r->got, 100000);
	else if (r->why.status == WEFT_OK)
		assert_in_range(r->status, 500, 503); /* the server had none */
}

static void run_once(struct run *r)
{
	char url[64];

	memset(r, 0, sizeof(*r));
	if (open_context(duo_combo.server_event, duo_combo.server_tls, &r->server) &&
		open_context(duo_combo.event, duo_combo.client_tls, &r->client) &&
		open_vhost(r, url, sizeof(url)))
		request(r, url);
	weft_context_destroy(r->client, 0, NULL, NULL);
	weft_context_destroy(r->server, 0, NULL, NULL);
	assert_int_equal(heap.live, 0);
}

static void every_allocation_may_fail(void **state)
{
	struct run r;
	unsigned total;

	(void)state;
	memset(&heap, 0, sizeof(heap));
	run_once(&r);
	assert_int_equal(r.why.status, WEFT_OK);
	assert_int_equal(r.closes, 1);
	total = heap.count;
	assert_in_range(total, 20, 5000);
	for (unsigned n = 1; n <= total; n++) {
		memset(&heap, 0, sizeof(heap));
		heap.fails_at = n;
		run_once(&r);
	}
}

static bool is_over(const struct run *r)
{
	struct weft_counters c;

	weft_context_counters(r->server, &c);
	if (c.conns_now)
		return false;
	weft_context_counters(r->client, &c);
	return !c.conns_now;
}

/* A first exchange without failures, and a second one that resumes its session. Returns the client's counts. */
static struct weft_counters resume_once(struct run *r, unsigned fails_at)
{
	struct weft_counters c;
	char url[64];

	memset(r, 0, sizeof(*r));
	memset(&heap, 0, sizeof(heap));
	assert_true(open_context(duo_combo.server_event, duo_combo.server_tls, &r->server));
	assert_true(open_context(duo_combo.event, duo_combo.client_tls, &r->client));
	assert_true(open_vhost(r, url, sizeof(url)));
	request(r, url);
	assert_int_equal(r->why.status, WEFT_OK);
	for (unsigned i = 0; i < DUO_TURNS && !is_over(r); i++) {
		assert_int_not_equal(weft_context_turn(r->server, 0), WEFT_EOF);
		assert_int_not_equal(weft_context_turn(r->client, 1), WEFT_EOF);
	}
	r->closes = r->status = 0;
	r->got = 0;
	heap.count = 0;
	heap.fails_at = fails_at;
	request(r, url);
	weft_context_counters(r->client, &c);
	weft_context_destroy(r->client, 0, NULL, NULL);
	weft_context_destroy(r->server, 0, NULL, NULL);
	assert_int_equal(heap.live, 0);
	return c;
}

static void every_allocation_of_a_resumed_exchange_may_fail(void **state)
{
	struct weft_counters c;
	struct run r;
	unsigned total;

	(void)state;
	if (!duo_combo.server_tls)
		skip();
	c = resume_once(&r, 0);
	assert_int_equal(r.why.status, WEFT_OK);
	assert_int_equal(c.handshakes_full + c.handshakes_resumed, 2);
	assert_int_equal(c.handshakes_resumed, visit_can("resume"));
	total = heap.count;
	assert_in_range(total, 20, 5000);
	for (unsigned n = 1; n <= total; n++)
		(void)resume_once(&r, n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_allocation_may_fail),
		cmocka_unit_test(every_allocation_of_a_resumed_exchange_may_fail),
	};

	return duo_main("memory", tests, sizeof(tests) / sizeof(*tests), DUO_FEWER);
}
