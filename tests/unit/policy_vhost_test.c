/* SPDX-License-Identifier: MIT */
/*
 * What a policy's vhosts hand to a TLS backend and when they let it go, over one that shows it: what is in the tables,
 * what it cannot do, what it refuses, and that it is told when only sessions need a context any more.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/plugin/registry.h"
#include "tests/support/fake_tls.h"
#include "tests/support/policy_tables.h"

enum {
	TURNS_MAX = 5000,
	ALL = WEFT_TLS_CAN_RESUME | WEFT_TLS_CAN_SIGN | WEFT_TLS_CAN_PIN | WEFT_TLS_CAN_CRL,
};

static struct {
	struct weft_registry *registry;
	struct weft_context *ctx;
	struct weft_vhost *vh;
	struct weft_error err;
	unsigned port, closes, calls;
	const char *text; /* what the application provides, the last time it is asked */
	const struct weft_signer *signer;
} w;

static void no_log(void *user, enum weft_log_level level, const char *line)
{
	(void)user;
	(void)level;
	(void)line;
}

static enum weft_status answer(struct weft_stream *s, void *user)
{
	(void)user;
	return weft_http_reply_static(s, 200, "text/plain", "hello", 5);
}

static const struct weft_route routes[] = { { .prefix = "/", .on_request = answer }, { 0 } };

static void open_world(unsigned caps)
{
	struct weft_context_options o = {
		.event = "poll", .tls = "fake", .log = no_log, .linger_ms = 1, .max_conns = 2
	};
	const struct weft_vhost_options v = {
		.name = "a", .listen = "http://127.0.0.1:0", .routes = routes
	};
	char url[64];

	memset(&w, 0, sizeof(w));
	assert_int_equal(weft_registry_create(NULL, &w.registry, NULL), WEFT_OK);
	assert_int_equal(weft_registry_add(w.registry, fake_tls_plugin(caps), NULL, NULL), WEFT_OK);
	o.registry = w.registry;
	assert_int_equal(weft_context_create(&o, &w.ctx, NULL), WEFT_OK);
	assert_int_equal(weft_vhost_create(w.ctx, &v, &w.vh, NULL), WEFT_OK);
	assert_int_equal(weft_vhost_listener(w.vh, 0, url, sizeof(url)), WEFT_OK);
	w.port = (unsigned)strtoul(strrchr(url, ':') + 1, NULL, 10);
}

static void close_world(void)
{
	weft_context_destroy(w.ctx, 0, NULL, NULL);
	weft_registry_release(w.registry);
	assert_int_equal(fake_tls.sessions, 0);
	assert_int_equal(fake_tls.ctxs, 0);
	assert_int_equal(tables_live, 0);
}

/* Clients' vhosts. */
static unsigned vhosts(void)
{
	struct weft_counters c;

	weft_context_counters(w.ctx, &c);
	return (unsigned)c.vhosts_now - 1;
}

static unsigned conns_opened(void)
{
	struct weft_counters c;

	weft_context_counters(w.ctx, &c);
	return (unsigned)c.conns_opened;
}

#define UNTIL(what)                                                    \
	do {                                                           \
		for (unsigned i_ = 0; i_ < TURNS_MAX && !(what); i_++) \
			assert_true(weft_context_turn(w.ctx, 1) >= 0); \
		assert_true(what);                                     \
	} while (0)

static void on_close(struct weft_stream *s, const struct weft_error *why, void *user)
{
	(void)s;
	(void)user;
	w.closes++;
	w.err = *why;
}

static enum weft_status begin(const char *name)
{
	static const struct weft_stream_ops ops = { .on_close = on_close };
	struct weft_stream *s;

	return weft_policy_open(w.ctx, name, NULL, NULL, &ops, NULL, &s, &w.err);
}

static void visit(const char *name)
{
	unsigned before = w.closes;

	assert_int_equal(begin(name), WEFT_OK);
	UNTIL(w.closes > before);
	assert_int_equal(w.err.status, WEFT_OK);
}

static enum weft_status provide(
	void *user, const char *name, struct weft_policy_secret *out, struct weft_error *err)
{
	const char *text = strcmp(name, "last") ? name : w.text;

	(void)user;
	(void)err;
	w.calls++;
	out->pem = (struct weft_span){ (const unsigned char *)text, strlen(text) };
	if (!strcmp(name, "signer")) {
		out->pem.len = 0;
		out->signer = w.signer;
	}
	return WEFT_OK;
}

static enum weft_status use(const struct weft_policy *policy)
{
	static const struct weft_policy_use app = { .size = sizeof(app), .provide = provide };

	return weft_context_use_policy(w.ctx, policy, &app, &w.err);
}

static struct weft_policy_trust *add(struct tables *t, const char *name, enum weft_hold hold)
{
	struct weft_policy_trust *trust = tables_trust_of(t, name, test_certs_ca());

	trust->hold = hold;
	return trust;
}

/* ---- */

static void the_backend_is_given_what_is_in_the_tables(void **state)
{
	static const unsigned char pins[2][WEFT_SHA256_BYTES] = { { 1 }, { 2 } };
	static const struct weft_signer signer = { .user = &w };
	const struct test_cert *const both[] = { test_certs_ca(), test_certs_other_ca(), NULL };
	const struct weft_policy *policy;
	struct weft_policy_trust *trust;
	struct tables *t = tables_make("given");

	(void)state;
	open_world(ALL);
	w.signer = &signer;
	trust = tables_trust(t, "store", both);
	trust->pins = pins;
	trust->pin_count = 2;
	tables_stream(t, "a", "h1", w.port, trust)->credential =
		tables_credential(t, "device", "app:certificate", "app:key");
	tables_stream(t, "b", "h1", w.port, trust)->credential =
		tables_credential(t, "token", "app:certificate", "app:signer");
	policy = tables_loaded(t);
	assert_int_equal(use(policy), WEFT_OK);
	visit("a");
	assert_int_equal(fake_tls.ca_count, 2);
	assert_int_equal(fake_tls.pin_count, 2);
	assert_memory_equal(fake_tls.pins, pins, sizeof(pins));
	assert_string_equal(fake_tls.cert, "certificate");
	assert_string_equal(fake_tls.key, "key");
	assert_true(fake_tls.tickets);
	assert_int_equal(begin("b"), WEFT_OK);
	UNTIL(w.closes == 2);
	/* a signer without a function is none */
	assert_int_equal(w.err.status, WEFT_ERR_ARGUMENT);
	assert_int_equal(fake_tls.ctxs, 1);
	weft_policy_release(policy);
	close_world();
}

static void what_the_backend_cannot_do_is_refused(void **state)
{
	static const unsigned char pins[1][WEFT_SHA256_BYTES] = { { 1 } };
	static const unsigned char list[] = "list";

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		bool up_front = i % 2, crl = i < 2;
		const struct weft_policy *policy;
		struct weft_policy_trust *trust;
		struct tables *t = tables_make("cannot");

		open_world(crl ? WEFT_TLS_CAN_PIN : WEFT_TLS_CAN_CRL);
		trust = add(t, "store", up_front ? WEFT_HOLD_POLICY : WEFT_HOLD_CONNECTION);
		if (crl) {
			tables_crl(t, trust, (struct weft_span){ list, sizeof(list) });
		} else {
			trust->pins = pins;
			trust->pin_count = 1;
		}
		tables_stream(t, "a", "h1", w.port, trust);
		policy = tables_loaded(t);
		assert_int_equal(use(policy), up_front ? WEFT_ERR_UNSUPPORTED : WEFT_OK);
		if (!up_front)
			assert_int_equal(begin("a"), WEFT_ERR_UNSUPPORTED);
		assert_non_null(strstr(w.err.text, "TLS backend fake cannot"));
		assert_int_equal(fake_tls.ctxs_made, 0);
		weft_policy_release(policy);
		close_world();
	}
}

static void a_backend_that_refuses_the_third_has_none(void **state)
{
	const struct weft_policy *policy;
	struct tables *t = tables_make("third");

	(void)state;
	open_world(ALL);
	for (unsigned i = 0; i < 3; i++) {
		static const char *const certs[] = { "app:one", "app:two", "app:last" };
		struct weft_policy_trust *trust = add(t, tables_name(t, 't', i), WEFT_HOLD_POLICY);

		trust->linger_ms = 3600000;
		tables_stream(t, tables_name(t, 's', i), "h1", w.port, trust)->credential =
			tables_credential(t, tables_name(t, 'c', i), certs[i], "app:key");
	}
	policy = tables_loaded(t);
	for (unsigned round = 0; round < 2; round++) {
		w.text = "bad";
		assert_int_equal(use(policy), WEFT_ERR_TLS);
		assert_string_equal(
			w.err.text, "stream s2: trust store t2: the certificate is bad");
		assert_int_equal(fake_tls.ctxs, 0);
		assert_int_equal(vhosts(), 0);
		w.text = "good";
		assert_int_equal(use(policy), WEFT_OK);
		assert_int_equal(fake_tls.ctxs, 3);
		assert_int_equal(vhosts(), 3);
		/* they linger, by what they were made of, and are not those of another use */
		assert_int_equal(use(NULL), WEFT_OK);
		assert_int_equal(vhosts(), 3);
		weft_context_destroy(w.ctx, 0, NULL, NULL);
		weft_registry_release(w.registry);
		assert_int_equal(fake_tls.ctxs, 0);
		open_world(ALL);
	}
	weft_policy_release(policy);
	close_world();
}

static void it_is_told_when_only_sessions_need_a_context(void **state)
{
	const struct weft_policy *policy;
	struct tables *t = tables_make("trim");

	(void)state;
	open_world(ALL);
	tables_stream(t, "a", "h1", w.port, add(t, "store", WEFT_HOLD_CONNECTION))->warm_holds =
		false;
	tables_stream(t, "b", "h1", w.port, &t->trusts[0]);
	policy = tables_loaded(t);
	assert_int_equal(use(policy), WEFT_OK);
	visit("b");
	assert_int_equal(fake_tls.trims, 0);
	assert_int_equal(vhosts(), 1);
	visit("a");
	assert_int_equal(fake_tls.trims, 1);
	assert_int_equal(vhosts(), 0);
	assert_int_equal(fake_tls.ctxs, 1);
	/* it serves on, and no other is made */
	visit("a");
	visit("b");
	assert_int_equal(fake_tls.ctxs_made, 1);
	assert_int_equal(conns_opened(), 1);
	/* of two connections one holds: not yet */
	assert_int_equal(begin("b"), WEFT_OK);
	assert_int_equal(begin("b"), WEFT_OK);
	UNTIL(w.closes == 6);
	assert_int_equal(conns_opened(), 2);
	assert_int_equal(fake_tls.ctxs, 2);
	assert_int_equal(vhosts(), 1);
	visit("a");
	assert_int_equal(fake_tls.trims, 1 + !vhosts());
	/* with the last session it is gone, and not trimmed again */
	assert_int_equal(use(NULL), WEFT_OK);
	UNTIL(!fake_tls.sessions && !fake_tls.ctxs);
	assert_int_equal(vhosts(), 0);
	weft_policy_release(policy);
	close_world();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_backend_is_given_what_is_in_the_tables),
		cmocka_unit_test(what_the_backend_cannot_do_is_refused),
		cmocka_unit_test(a_backend_that_refuses_the_third_has_none),
		cmocka_unit_test(it_is_told_when_only_sessions_need_a_context),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	test_certs_free();
	return failed;
}
