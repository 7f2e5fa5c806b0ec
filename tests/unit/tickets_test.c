/* SPDX-License-Identifier: MIT */
/*
 * What the client keeps to resume sessions with, over a backend that shows it: by whom a ticket is found, how
 * often it is used, when it is forgotten, and that none does harm.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/client/tickets.h"
#include "core/plugin/registry.h"
#include "core/vhost/trust.h"
#include "tests/support/fake_tls.h"

enum { TURNS_MAX = 5000 };

struct world {
	struct weft_registry *registry;
	struct weft_context *ctx;
	struct weft_vhost *vh;
	char url[64];
	unsigned closes;
	struct weft_error why;
	long left; /* bytes that were not given back */
	unsigned allocs, fails_at;
};

static struct world w;

static void *resize(void *user, void *ptr, size_t old_len, size_t new_len)
{
	void *p;

	(void)user;
	if (new_len && ++w.allocs == w.fails_at)
		return NULL;
	p = weft_allocator_system.resize(NULL, ptr, old_len, new_len);
	if (p || !new_len)
		w.left += (long)new_len - (long)old_len;
	return p;
}

static const struct weft_allocator alloc = { .resize = resize };

static void no_log(void *user, enum weft_log_level level, const char *line)
{
	(void)user;
	(void)level;
	(void)line;
}

/* A piece, and the end of a session that encrypts nothing. */
static enum weft_status answer(struct weft_stream *s, void *user)
{
	(void)user;
	assert_int_equal(weft_stream_write(s, "hello\x04", 6), 6);
	weft_stream_finish(s);
	return WEFT_OK;
}

static const struct weft_route routes[] = { { .prefix = "", .on_request = answer }, { 0 } };

static void open_world(const struct weft_context_options *more)
{
	struct weft_context_options o =
		more ? *more : (struct weft_context_options){ .event = NULL };
	const struct weft_vhost_options v = {
		.name = "a", .listen = "tcp://127.0.0.1:0", .routes = routes
	};
	char url[64];

	memset(&w, 0, sizeof(w));
	assert_int_equal(weft_registry_create(NULL, &w.registry, NULL), WEFT_OK);
	assert_int_equal(
		weft_registry_add(w.registry,
			fake_tls_plugin(WEFT_TLS_CAN_RESUME | WEFT_TLS_CAN_PIN), NULL, NULL),
		WEFT_OK);
	o.registry = w.registry;
	o.event = "poll";
	o.tls = "fake";
	o.allocator = &alloc;
	o.log = no_log;
	o.linger_ms = 1;
	assert_int_equal(weft_context_create(&o, &w.ctx, NULL), WEFT_OK);
	assert_int_equal(weft_vhost_create(w.ctx, &v, &w.vh, NULL), WEFT_OK);
	assert_int_equal(weft_vhost_listener(w.vh, 0, url, sizeof(url)), WEFT_OK);
	snprintf(w.url, sizeof(w.url), "tls%s", strstr(url, "://"));
	fake_tls.resumes = true;
}

static void close_world(void)
{
	weft_context_destroy(w.ctx, 0, NULL, NULL);
	weft_registry_release(w.registry);
	assert_int_equal(fake_tls.sessions, 0);
	assert_int_equal(fake_tls.ctxs, 0);
	assert_int_equal(w.left, 0);
}

static size_t on_data(struct weft_stream *s, const void *bytes, size_t len, void *user)
{
	(void)s;
	(void)user;
	assert_true(len == 5 && !memcmp(bytes, "hello", 5));
	return len;
}

static void on_close(struct weft_stream *s, const struct weft_error *why, void *user)
{
	(void)s;
	(void)user;
	w.closes++;
	w.why = *why;
}

static const struct weft_stream_ops ops = { .on_data = on_data, .on_close = on_close };

/* One connection from its opening to its end; how it went. */
static enum weft_status visit(const struct weft_stream_options *more)
{
	struct weft_stream_options o = more ? *more : (struct weft_stream_options){ .url = NULL };
	struct weft_counters c;
	struct weft_stream *s;
	struct weft_error err;
	unsigned before = w.closes;

	o.url = w.url;
	if (weft_stream_open(w.ctx, &o, &ops, NULL, &s, &err))
		return err.status;
	for (unsigned i = 0; i < TURNS_MAX; i++) {
		assert_true(weft_context_turn(w.ctx, 2) >= 0);
		weft_context_counters(w.ctx, &c);
		if (w.closes > before && !c.conns_now)
			break;
	}
	assert_int_equal(w.closes, before + 1);
	return w.why.status;
}

static void a_ticket_is_offered_once_by_default(void **state)
{
	struct weft_counters c;

	(void)state;
	open_world(NULL);
	fake_tls.ticket = "first";
	assert_int_equal(visit(NULL), WEFT_OK);
	assert_true(fake_tls.tickets);
	assert_string_equal(fake_tls.offered, "");
	fake_tls.ticket = NULL;
	assert_int_equal(visit(NULL), WEFT_OK);
	assert_string_equal(fake_tls.offered, "first");
	assert_int_equal(visit(NULL), WEFT_OK);
	assert_string_equal(fake_tls.offered, "");
	weft_context_counters(w.ctx, &c);
	assert_int_equal(c.handshakes_full, 2);
	assert_int_equal(c.handshakes_resumed, 1);
	close_world();
}

static void each_session_leaves_a_ticket_for_the_next(void **state)
{
	(void)state;
	open_world(NULL);
	fake_tls.ticket = "first";
	assert_int_equal(visit(NULL), WEFT_OK);
	fake_tls.ticket = "second";
	assert_int_equal(visit(NULL), WEFT_OK);
	assert_string_equal(fake_tls.offered, "first");
	assert_int_equal(visit(NULL), WEFT_OK);
	assert_string_equal(fake_tls.offered, "second");
	close_world();
}

static void a_ticket_may_come_behind_the_first_bytes(void **state)
{
	(void)state;
	open_world(NULL);
	fake_tls.ticket = "late";
	fake_tls.ticket_after = 1;
	assert_int_equal(visit(NULL), WEFT_OK);
	assert_int_equal(visit(NULL), WEFT_OK);
	assert_string_equal(fake_tls.offered, "late");
	close_world();
}

/* TLS 1.2: RFC 5077 lets a server resume without giving another ticket. */
static void a_session_of_tls_1_2_may_be_resumed_again(void **state)
{
	(void)state;
	open_world(NULL);
	fake_tls.version = 0x0303;
	fake_tls.ticket = "again";
	assert_int_equal(visit(NULL), WEFT_OK);
	fake_tls.ticket = NULL;
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(visit(NULL), WEFT_OK);
		assert_string_equal(fake_tls.offered, "again");
	}
	/* one that the server did not take is not offered to it again */
	fake_tls.resumes = false;
	assert_int_equal(visit(NULL), WEFT_OK);
	assert_string_equal(fake_tls.offered, "again");
	assert_int_equal(visit(NULL), WEFT_OK);
	assert_string_equal(fake_tls.offered, "");
	close_world();
}

/* Whatever is found wrong by resuming is looked at again in full, and the stream does not notice. */
static void a_failed_resumption_is_followed_by_a_full_handshake(void **state)
{
	static const enum weft_status ways[] = { WEFT_ERR_TLS, WEFT_ERR_PROTOCOL, WEFT_ERR_VERIFY };
	const struct weft_stream_options shares[] = { { .share = WEFT_SHARE_ALONE },
		{ .share = WEFT_SHARE_POOL } };

	(void)state;
	for (size_t i = 0; i < 2 * sizeof(ways) / sizeof(*ways); i++) {
		open_world(NULL);
		fake_tls.ticket = "poison";
		assert_int_equal(visit(NULL), WEFT_OK);
		assert_int_equal(visit(NULL), WEFT_OK);
		fake_tls.resume_fail = ways[i / 2];
		assert_int_equal(visit(&shares[i % 2]), WEFT_OK);
		assert_int_equal(fake_tls.sessions_made, 4);
		assert_string_equal(fake_tls.offered, "");
		close_world();
	}
}

static void a_full_handshake_that_fails_too_is_the_end(void **state)
{
	(void)state;
	open_world(NULL);
	fake_tls.ticket = "poison";
	assert_int_equal(visit(NULL), WEFT_OK);
	fake_tls.fail = WEFT_ERR_VERIFY;
	assert_int_equal(visit(NULL), WEFT_ERR_VERIFY);
	assert_int_equal(fake_tls.sessions_made, 3);
	close_world();
}

/* What is behind the handshake is not the ticket's fault. */
static void a_full_handshake_s_failure_is_not_repeated(void **state)
{
	(void)state;
	open_world(NULL);
	fake_tls.fail = WEFT_ERR_VERIFY;
	assert_int_equal(visit(NULL), WEFT_ERR_VERIFY);
	assert_int_equal(fake_tls.sessions_made, 1);
	close_world();
}

static enum weft_status refuse(struct weft_stream *s, void *user)
{
	static const char no[] = "HTTP/1.1 403 Forbidden\r\n\r\n";

	(void)user;
	assert_int_equal(weft_stream_write(s, no, sizeof(no) - 1), sizeof(no) - 1);
	weft_stream_finish(s);
	return WEFT_OK;
}

static void a_proxy_s_refusal_is_not_blamed_on_it(void **state)
{
	const struct weft_route refusing[] = { { .prefix = "", .on_request = refuse }, { 0 } };
	const struct weft_vhost_options v = {
		.name = "proxy", .listen = "tcp://127.0.0.1:0", .routes = refusing
	};
	const struct weft_pool_key *key;
	struct weft_stream_options o = { .share = WEFT_SHARE_ALONE };
	char url[64], proxy[64];
	struct weft_counters c;
	struct weft_vhost *vh;
	struct weft_stream *s;

	(void)state;
	open_world(NULL);
	assert_int_equal(weft_vhost_create(w.ctx, &v, &vh, NULL), WEFT_OK);
	assert_int_equal(weft_vhost_listener(vh, 0, url, sizeof(url)), WEFT_OK);
	snprintf(proxy, sizeof(proxy), "http%s", strstr(url, "://"));
	o.url = w.url;
	o.proxy = proxy;
	assert_int_equal(weft_stream_open(w.ctx, &o, &ops, NULL, &s, NULL), WEFT_OK);
	key = &weft_container_of(w.ctx->entries.next, struct weft_pool_entry, node)->key;
	weft_tickets_put(w.ctx, key, (struct weft_span){ (const unsigned char *)"one", 3 });
	weft_tickets_put(w.ctx, key, (struct weft_span){ (const unsigned char *)"two", 3 });
	for (unsigned i = 0; i < TURNS_MAX && !w.closes; i++)
		assert_true(weft_context_turn(w.ctx, 2) >= 0);
	assert_int_equal(w.closes, 1);
	assert_int_equal(w.why.status, WEFT_ERR_REFUSED);
	assert_int_equal(fake_tls.offers, 1);
	/* the other one is still good, and no handshake has failed */
	assert_int_equal(w.ctx->ticket_count, 1);
	weft_context_counters(w.ctx, &c);
	assert_int_equal(c.conns_tried, 1);
	assert_int_equal(c.handshakes_failed, 0);
	close_world();
}

static void another_policy_never_finds_it(void **state)
{
	static const unsigned char pin[1][WEFT_SHA256_BYTES] = { { 1 } };
	static const char *const alpn[] = { "x", NULL };
	const struct weft_trust pinned = { .pins = pin, .pin_count = 1 };
	const struct weft_trust dated = { .verify_dates = WEFT_DATES_ONCE_CLOCK_SET };
	const struct weft_credential me = { .cert = { (const unsigned char *)"c", 1 },
		.key = { (const unsigned char *)"k", 1 } };
	char to[64];
	const struct weft_stream_options others[] = {
		{ .sni = "b" },
		{ .allow = WEFT_TLS_EXPIRED },
		{ .alpn = alpn },
		{ .trust = &pinned },
		{ .trust = &dated },
		{ .credential = &me },
		{ .connect_to = to },
		{ .local_address = "127.0.0.1" },
	};

	(void)state;
	open_world(NULL);
	snprintf(to, sizeof(to), "%s", strstr(w.url, "//") + 2);
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		fake_tls.ticket = "mine";
		assert_int_equal(visit(NULL), WEFT_OK);
		fake_tls.ticket = NULL;
		assert_int_equal(visit(&others[i]), WEFT_OK);
		assert_string_equal(fake_tls.offered, "");
		assert_int_equal(visit(NULL), WEFT_OK);
		assert_string_equal(fake_tls.offered, "mine");
	}
	/* and it finds its own again */
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		fake_tls.ticket = "yours";
		assert_int_equal(visit(&others[i]), WEFT_OK);
		assert_int_equal(visit(&others[i]), WEFT_OK);
		assert_string_equal(fake_tls.offered, "yours");
	}
	close_world();
}

static void there_are_none_where_they_are_not_wanted(void **state)
{
	const struct weft_context_options none = { .no_tickets = true };

	(void)state;
	open_world(&none);
	fake_tls.ticket = "unwanted";
	assert_int_equal(visit(NULL), WEFT_OK);
	assert_int_equal(visit(NULL), WEFT_OK);
	assert_false(fake_tls.tickets);
	assert_int_equal(fake_tls.exports, 0);
	assert_int_equal(fake_tls.offers, 0);
	close_world();
}

static void asking_for_one_comes_to_an_end(void **state)
{
	(void)state;
	open_world(NULL);
	fake_tls.ticket = "once";
	assert_int_equal(visit(NULL), WEFT_OK);
	assert_int_equal(fake_tls.exports, 1);
	close_world();
}

/* ---- the cache itself ---- */

static struct weft_pool_key key_of(const char *host, struct weft_trust_spec *trust)
{
	return (struct weft_pool_key){ .host = host,
		.port = 1,
		.sni = "",
		.connect_to = "",
		.proxy = "",
		.local = "",
		.trust = trust };
}

static struct weft_span text(const char *t)
{
	return (struct weft_span){ (const unsigned char *)t, strlen(t) };
}

static bool takes(const char *host, struct weft_trust_spec *trust, const char *want)
{
	struct weft_pool_key key = key_of(host, trust);
	struct weft_ticket *t = weft_tickets_take(w.ctx, &key);
	bool fits =
		t && want ? t->len == strlen(want) && !memcmp(t->bytes, want, t->len) : !t == !want;

	weft_ticket_free(t);
	return fits;
}

static void put(const char *host, struct weft_trust_spec *trust, const char *bytes)
{
	struct weft_pool_key key = key_of(host, trust);

	weft_tickets_put(w.ctx, &key, text(bytes));
}

static void the_least_recent_goes_when_it_is_full(void **state)
{
	const struct weft_context_options small = { .ticket_cache = 3 };
	struct weft_trust_spec *trust;

	(void)state;
	open_world(&small);
	assert_int_equal(weft_trust_none(w.ctx, &trust, NULL), WEFT_OK);
	put("a", trust, "1");
	put("b", trust, "2");
	put("c", trust, "3");
	/* a is used, and so it is not the oldest any more */
	assert_true(takes("a", trust, "1"));
	put("a", trust, "4");
	put("d", trust, "5");
	assert_int_equal(w.ctx->ticket_count, 3);
	assert_true(takes("b", trust, NULL));
	assert_true(takes("c", trust, "3"));
	assert_true(takes("a", trust, "4"));
	assert_true(takes("d", trust, "5"));
	assert_int_equal(w.ctx->ticket_count, 0);
	weft_trust_release(trust);
	close_world();
}

static void one_place_has_a_few_the_latest_first(void **state)
{
	struct weft_trust_spec *trust;
	char bytes[2] = "0";

	(void)state;
	open_world(NULL);
	assert_int_equal(weft_trust_none(w.ctx, &trust, NULL), WEFT_OK);
	for (unsigned i = 0; i < 6; i++) {
		bytes[0] = (char)('0' + i);
		put("a", trust, bytes);
	}
	assert_int_equal(w.ctx->ticket_count, 4);
	for (unsigned i = 5; i >= 2; i--) {
		bytes[0] = (char)('0' + i);
		assert_true(takes("a", trust, bytes));
	}
	assert_true(takes("a", trust, NULL));
	weft_trust_release(trust);
	close_world();
}

static void what_is_too_long_is_not_kept(void **state)
{
	static unsigned char bytes[16385];
	struct weft_trust_spec *trust;
	struct weft_pool_key key;

	(void)state;
	open_world(NULL);
	assert_int_equal(weft_trust_none(w.ctx, &trust, NULL), WEFT_OK);
	key = key_of("a", trust);
	weft_tickets_put(w.ctx, &key, (struct weft_span){ bytes, sizeof(bytes) });
	assert_int_equal(w.ctx->ticket_count, 0);
	weft_tickets_put(w.ctx, &key, (struct weft_span){ bytes, sizeof(bytes) - 1 });
	assert_int_equal(w.ctx->ticket_count, 1);
	weft_trust_release(trust);
	close_world();
}

static void it_is_forgotten_in_time(void **state)
{
	struct weft_trust_spec *trust;
	struct weft_ticket *t;
	struct weft_pool_key key;

	(void)state;
	open_world(NULL);
	assert_int_equal(weft_trust_none(w.ctx, &trust, NULL), WEFT_OK);
	put("a", trust, "1");
	put("b", trust, "2");
	assert_true(w.ctx->ticket_timer.queued);
	assert_true(w.ctx->ticket_timer.due_us - weft_context_now(w.ctx) <=
		    (uint64_t)WEFT_TLS_TICKET_LIFETIME_S * 1000000);
	/* as if it had been two hours */
	t = weft_container_of(w.ctx->tickets.next, struct weft_ticket, node);
	t->due_us = 1;
	w.ctx->ticket_timer.fn(&w.ctx->ticket_timer, w.ctx);
	assert_int_equal(w.ctx->ticket_count, 1);
	assert_true(takes("a", trust, NULL));
	/* being used does not make it younger */
	key = key_of("b", trust);
	t = weft_tickets_take(w.ctx, &key);
	assert_non_null(t);
	assert_false(w.ctx->ticket_timer.queued);
	t->due_us = 1;
	weft_tickets_return(t);
	assert_int_equal(w.ctx->ticket_count, 0);
	weft_trust_release(trust);
	close_world();
}

static void those_of_one_trust_hold_one_copy_of_it(void **state)
{
	struct weft_trust_spec *trust[2];
	const struct weft_trust own = { .ca = { (const unsigned char *)"the same", 8 } };

	(void)state;
	open_world(NULL);
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(
			weft_trust_load(w.ctx, &own, NULL, NULL, &trust[i], NULL), WEFT_OK);
	put("a", trust[0], "1");
	put("b", trust[1], "2");
	assert_int_equal(trust[0]->refs, 3);
	assert_int_equal(trust[1]->refs, 1);
	assert_true(takes("b", trust[1], "2"));
	weft_trust_release(trust[0]);
	weft_trust_release(trust[1]);
	close_world();
}

static void without_memory_there_is_no_ticket_and_nothing_else_is_lost(void **state)
{
	struct weft_trust_spec *trust;
	unsigned n, kept = 0;

	(void)state;
	for (n = 1; !kept && n < 50; n++) {
		open_world(NULL);
		assert_int_equal(weft_trust_none(w.ctx, &trust, NULL), WEFT_OK);
		w.fails_at = w.allocs + n;
		put("a", trust, "1");
		w.fails_at = 0;
		kept = w.ctx->ticket_count;
		assert_int_equal(trust->refs, 1 + kept);
		weft_trust_release(trust);
		close_world();
	}
	assert_in_range(n, 4, 40);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_ticket_is_offered_once_by_default),
		cmocka_unit_test(each_session_leaves_a_ticket_for_the_next),
		cmocka_unit_test(a_ticket_may_come_behind_the_first_bytes),
		cmocka_unit_test(a_session_of_tls_1_2_may_be_resumed_again),
		cmocka_unit_test(a_failed_resumption_is_followed_by_a_full_handshake),
		cmocka_unit_test(a_full_handshake_that_fails_too_is_the_end),
		cmocka_unit_test(a_full_handshake_s_failure_is_not_repeated),
		cmocka_unit_test(a_proxy_s_refusal_is_not_blamed_on_it),
		cmocka_unit_test(another_policy_never_finds_it),
		cmocka_unit_test(there_are_none_where_they_are_not_wanted),
		cmocka_unit_test(asking_for_one_comes_to_an_end),
		cmocka_unit_test(the_least_recent_goes_when_it_is_full),
		cmocka_unit_test(one_place_has_a_few_the_latest_first),
		cmocka_unit_test(what_is_too_long_is_not_kept),
		cmocka_unit_test(it_is_forgotten_in_time),
		cmocka_unit_test(those_of_one_trust_hold_one_copy_of_it),
		cmocka_unit_test(without_memory_there_is_no_ticket_and_nothing_else_is_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
