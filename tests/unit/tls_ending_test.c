/* SPDX-License-Identifier: MIT */
/*
 * Connections that end before their TLS handshake does: whatever stage it is in, what the peer still sends
 * is taken away unread, and no session is asked to decrypt that cannot.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/certs.h"
#include "weft/plugin/transport.h"
#include "weft/weft.h"

enum { TURNS_MAX = 5000 };

struct world {
	struct weft_context *ctx;
	struct weft_vhost *vh;
	struct weft_transport *end; /* the peer's */
	unsigned char got[4096];
	size_t got_len;
	bool ended;
};

static enum weft_status never_asked(struct weft_stream *s, void *user)
{
	(void)s;
	(void)user;
	fail_msg("a handler was called");
	return WEFT_OK;
}

static const struct weft_route routes[] = { { .prefix = "", .on_request = never_asked }, { 0 } };

static void no_log(void *user, enum weft_log_level level, const char *line)
{
	(void)user;
	(void)level;
	(void)line;
}

static void ready(void *user, unsigned events)
{
	(void)user;
	(void)events;
}

static void open_world(struct world *w, const char *tls)
{
	const struct test_cert *cert = test_cert(TEST_CERT_GOOD);
	const struct weft_context_options o = {
		.event = "poll", .tls = tls, .log = no_log, .linger_ms = 20
	};
	const struct weft_vhost_options v = {
		.name = "localhost",
		.routes = routes,
		.credential = {
			.cert = { (const unsigned char *)cert->cert, cert->cert_len },
			.key = { (const unsigned char *)cert->key, cert->key_len },
		},
	};
	const struct weft_transport_owner owner = { .ready = ready };
	struct weft_transport *ends[2];

	*w = (struct world){ .ctx = NULL };
	assert_int_equal(weft_context_create(&o, &w->ctx, NULL), WEFT_OK);
	assert_int_equal(weft_vhost_create(w->ctx, &v, &w->vh, NULL), WEFT_OK);
	assert_int_equal(weft_transport_memory_pair(w->ctx, 0, ends, NULL), WEFT_OK);
	w->end = ends[1];
	assert_int_equal(w->end->ops->start(w->end, &owner, NULL), WEFT_OK);
	assert_int_equal(weft_transport_serve(w->vh, "tls", ends[0], NULL), WEFT_OK);
}

static void say(struct world *w, const void *bytes, size_t len)
{
	const struct weft_segment seg = weft_segment_static(bytes, len);
	size_t taken = 0;

	assert_int_equal(w->end->ops->write(w->end, &seg, 1, &taken, NULL), WEFT_OK);
	assert_int_equal(taken, len);
}

static void turn(struct world *w)
{
	struct weft_span got = { NULL, 0 };
	enum weft_status st;

	assert_true(weft_context_turn(w->ctx, 2) >= 0);
	while (!w->ended && (st = w->end->ops->read(w->end, &got, NULL)) != WEFT_AGAIN) {
		w->ended = st != WEFT_OK;
		if (w->ended || w->got_len + got.len > sizeof(w->got))
			break;
		memcpy(w->got + w->got_len, got.ptr, got.len);
		w->got_len += got.len;
	}
}

static void close_world(struct world *w)
{
	struct weft_counters c;

	for (unsigned i = 0; i < TURNS_MAX; i++) {
		turn(w);
		weft_context_counters(w->ctx, &c);
		if (!c.conns_now)
			break;
	}
	assert_int_equal(c.conns_now, 0);
	weft_transport_destroy(w->end);
	weft_context_destroy(w->ctx, 0, NULL, NULL);
}

/* The head of a record, and a few bytes of a ClientHello that goes on. */
static const unsigned char hello_begin[] = { 22, 3, 1, 0, 200, 1, 0, 0, 196, 3, 3, 1, 2, 3 };

static void a_hello_that_the_peer_cuts_short(void **state)
{
	struct world w;

	open_world(&w, *state);
	say(&w, hello_begin, sizeof(hello_begin));
	turn(&w);
	assert_int_equal(w.end->ops->shutdown(w.end, NULL), WEFT_OK);
	close_world(&w);
}

static void a_hello_in_progress_when_the_context_drains(void **state)
{
	struct world w;

	open_world(&w, *state);
	say(&w, hello_begin, sizeof(hello_begin));
	turn(&w);
	weft_context_drain(w.ctx, 0, NULL, NULL);
	turn(&w);
	say(&w, hello_begin, sizeof(hello_begin));
	close_world(&w);
}

static void what_is_no_tls_gets_an_alert_and_is_drained(void **state)
{
	static const char request[] = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";
	struct world w;

	open_world(&w, *state);
	say(&w, request, sizeof(request) - 1);
	for (unsigned i = 0; i < TURNS_MAX && !w.got_len; i++)
		turn(&w);
	/* an alert record */
	assert_true(w.got_len >= 7);
	assert_int_equal(w.got[0], 21);
	/* the server still listens, so that the alert is not lost to a reset */
	assert_false(w.ended && w.got_len == 0);
	say(&w, request, sizeof(request) - 1);
	close_world(&w);
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
			cmocka_unit_test_prestate(a_hello_that_the_peer_cuts_short, backend),
			cmocka_unit_test_prestate(
				a_hello_in_progress_when_the_context_drains, backend),
			cmocka_unit_test_prestate(
				what_is_no_tls_gets_an_alert_and_is_drained, backend),
		};

		failed += cmocka_run_group_tests_name(backends[i], tests, NULL, NULL);
	}
	test_certs_free();
	return failed;
}
