/* SPDX-License-Identifier: MIT */
/* A device whose clock was never set meets certificates: WEFT_DATES_ONCE_CLOCK_SET with each TLS backend. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/plugin/registry.h"
#include "tests/support/certs.h"
#include "weft/plugin/event.h"
#include "weft/plugin/transport.h"
#include "weft/weft.h"

enum { TURNS_MAX = 5000 };

static const int64_t set = 1704067200; /* 2024-01-01 */

static int64_t wall_now;

static int64_t wall(void *net)
{
	(void)net;
	return wall_now;
}

static struct weft_net_ops net;
static struct weft_event_ops event;
static const struct weft_plugin timeless = { WEFT_PLUGIN_HEAD, .kind = WEFT_PLUGIN_EVENT,
	.name = "timeless", .version = "1", .event = &event };

struct meeting {
	struct weft_error why;
	unsigned faults;
	bool closed, verified;
};

static void no_log(void *user, enum weft_log_level level, const char *line)
{
	(void)user;
	(void)level;
	(void)line;
}

static enum weft_status handler(struct weft_stream *s, void *user)
{
	(void)user;
	return weft_http_reply_static(s, 200, NULL, "fine", 4);
}

static const struct weft_route routes[] = { { .prefix = "/", .on_request = handler }, { 0 } };

static void on_head(
	struct weft_stream *s, const struct weft_head *head, enum weft_head_kind kind, void *user)
{
	struct meeting *m = user;
	struct weft_conn_info info;

	(void)head;
	(void)kind;
	assert_int_equal(weft_stream_conn_info(s, &info), WEFT_OK);
	m->faults = info.tls_faults;
	m->verified = info.peer_verified;
}

static void on_close(struct weft_stream *s, const struct weft_error *why, void *user)
{
	struct meeting *m = user;

	(void)s;
	m->closed = true;
	m->why = *why;
}

static struct weft_context *open_context(const char *tls, struct weft_registry **registry)
{
	struct weft_context_options o = {
		.event = "timeless", .tls = tls, .log = no_log, .linger_ms = 1
	};
	const struct weft_plugin *poll;
	struct weft_context *ctx;

	assert_int_equal(weft_registry_create(NULL, registry, NULL), WEFT_OK);
	assert_int_equal(
		weft_registry_find(*registry, WEFT_PLUGIN_EVENT, "poll", &poll, NULL), WEFT_OK);
	event = *poll->event;
	net = weft_net_posix;
	net.wall = wall;
	event.net = &net;
	assert_int_equal(weft_registry_add(*registry, &timeless, NULL, NULL), WEFT_OK);
	o.registry = *registry;
	assert_int_equal(weft_context_create(&o, &ctx, NULL), WEFT_OK);
	return ctx;
}

static struct weft_span span(const char *text, size_t len)
{
	return (struct weft_span){ (const unsigned char *)text, len };
}

/* A client meets a server that has this certificate. */
static struct meeting meet(
	const char *tls, enum test_cert_kind kind, enum weft_verify_dates dates, int64_t now)
{
	static const struct weft_stream_ops ops = { .on_head = on_head, .on_close = on_close };
	const struct test_cert *cert = test_cert(kind), *ca = test_certs_ca();
	const struct weft_trust trust = { .ca = span(ca->cert, ca->cert_len),
		.verify_dates = dates };
	const struct weft_vhost_options v = { .name = "localhost",
		.routes = routes,
		.credential = { .cert = span(cert->cert, cert->cert_len),
			.key = span(cert->key, cert->key_len) } };
	struct weft_request r = { .url = "https://localhost:1/", .trust = &trust };
	struct meeting m = { .closed = false };
	struct weft_transport *ends[2];
	struct weft_registry *registry;
	struct weft_context *ctx;
	struct weft_vhost *vh;
	struct weft_stream *s;

	wall_now = now;
	ctx = open_context(tls, &registry);
	assert_int_equal(weft_vhost_create(ctx, &v, &vh, NULL), WEFT_OK);
	assert_int_equal(weft_transport_memory_pair(ctx, 0, ends, NULL), WEFT_OK);
	assert_int_equal(weft_transport_serve(vh, "https", ends[0], NULL), WEFT_OK);
	r.stream.transport = ends[1];
	assert_int_equal(weft_http_open(ctx, &r, &ops, &m, &s, NULL), WEFT_OK);
	for (unsigned i = 0; i < TURNS_MAX && !m.closed; i++)
		assert_true(weft_context_turn(ctx, 2) >= 0);
	assert_true(m.closed);
	weft_context_destroy(ctx, 0, NULL, NULL);
	weft_registry_release(registry);
	return m;
}

static void dates_that_the_clock_cannot_judge_are_let_through(void **state)
{
	static const struct {
		enum test_cert_kind kind;
		unsigned fault;
	} bad[] = { { TEST_CERT_EXPIRED, WEFT_TLS_EXPIRED },
		{ TEST_CERT_NOT_YET_VALID, WEFT_TLS_NOT_YET_VALID } };
	struct meeting m;

	for (size_t i = 0; i < 2; i++) {
		m = meet(*state, bad[i].kind, WEFT_DATES_ONCE_CLOCK_SET, set - 1);
		assert_int_equal(m.why.status, WEFT_OK);
		assert_int_equal(m.faults, bad[i].fault);
		assert_false(m.verified);
		m = meet(*state, bad[i].kind, WEFT_DATES_ONCE_CLOCK_SET, set);
		assert_int_equal(m.why.status, WEFT_ERR_VERIFY);
		m = meet(*state, bad[i].kind, WEFT_DATES_ALWAYS, set - 1);
		assert_int_equal(m.why.status, WEFT_ERR_VERIFY);
	}
}

static void nothing_else_is_let_through_with_them(void **state)
{
	static const enum test_cert_kind bad[] = { TEST_CERT_OTHER_CA,
		TEST_CERT_EXPIRED_SELF_SIGNED, TEST_CERT_SELF_SIGNED };
	struct meeting m;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		m = meet(*state, bad[i], WEFT_DATES_ONCE_CLOCK_SET, 0);
		assert_int_equal(m.why.status, WEFT_ERR_VERIFY);
	}
	m = meet(*state, TEST_CERT_GOOD, WEFT_DATES_ONCE_CLOCK_SET, 0);
	assert_int_equal(m.why.status, WEFT_OK);
	assert_int_equal(m.faults, 0);
}

static const char *const backends[] = {
#ifdef WEFT_HAVE_TLS_GNUTLS
	"gnutls",
#endif
#ifdef WEFT_HAVE_TLS_MBEDTLS
	"mbedtls",
#endif
	NULL,
};

int main(void)
{
	int failed = 0;

	for (size_t i = 0; backends[i]; i++) {
		void *backend = (void *)(uintptr_t)backends[i];
		const struct CMUnitTest tests[] = {
			cmocka_unit_test_prestate(
				dates_that_the_clock_cannot_judge_are_let_through, backend),
			cmocka_unit_test_prestate(nothing_else_is_let_through_with_them, backend),
		};

		failed += cmocka_run_group_tests_name(backends[i], tests, NULL, NULL);
	}
	test_certs_free();
	return failed;
}
