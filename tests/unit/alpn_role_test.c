/* SPDX-License-Identifier: MIT */
/* ALPN chooses among the roles that serve the scheme, and never hands a stream to another protocol. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/certs.h"
#include "weft/http.h"
#include "weft/plugin/transport.h"

enum { TURNS_MAX = 5000 };

struct world {
	struct weft_context *ctx;
	char got[1024], role[16], alpn[32];
	size_t len;
	bool closed;
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

static size_t on_data(struct weft_stream *s, const void *bytes, size_t len, void *user)
{
	struct world *w = user;
	struct weft_conn_info info;

	assert_int_equal(weft_stream_conn_info(s, &info), WEFT_OK);
	strcpy(w->role, info.role);
	strcpy(w->alpn, info.alpn);
	assert_true(w->len + len < sizeof(w->got));
	memcpy(w->got + w->len, bytes, len);
	w->len += len;
	return len;
}

static void on_close(struct weft_stream *s, const struct weft_error *why, void *user)
{
	(void)s;
	(void)why;
	((struct world *)user)->closed = true;
}

static void a_raw_stream_stays_raw_whatever_alpn_it_asks_for(void **state)
{
	static const char request[] =
		"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
	static const char *const alpn[] = { "http/1.1", NULL };
	static const struct weft_stream_ops ops = { .on_data = on_data, .on_close = on_close };
	const struct test_cert *cert = test_cert(TEST_CERT_GOOD), *ca = test_certs_ca();
	const struct weft_context_options o = {
		.event = "poll", .tls = *state, .log = no_log, .linger_ms = 1
	};
	const struct weft_trust trust = { .ca = { (const unsigned char *)ca->cert, ca->cert_len } };
	const struct weft_vhost_options v = {
		.name = "localhost",
		.routes = routes,
		.credential = {
			.cert = { (const unsigned char *)cert->cert, cert->cert_len },
			.key = { (const unsigned char *)cert->key, cert->key_len },
		},
	};
	struct weft_stream_options so = {
		.url = "tls://localhost:1", .alpn = alpn, .trust = &trust, .body = true
	};
	struct world w = { .closed = false };
	struct weft_transport *ends[2];
	struct weft_vhost *vh;
	struct weft_stream *s;

	assert_int_equal(weft_context_create(&o, &w.ctx, NULL), WEFT_OK);
	assert_int_equal(weft_vhost_create(w.ctx, &v, &vh, NULL), WEFT_OK);
	assert_int_equal(weft_transport_memory_pair(w.ctx, 0, ends, NULL), WEFT_OK);
	assert_int_equal(weft_transport_serve(vh, "https", ends[0], NULL), WEFT_OK);
	so.transport = ends[1];
	assert_int_equal(weft_stream_open(w.ctx, &so, &ops, &w, &s, NULL), WEFT_OK);
	assert_int_equal(weft_stream_write(s, request, sizeof(request) - 1), sizeof(request) - 1);
	weft_stream_finish(s);
	for (unsigned i = 0; i < TURNS_MAX && !w.closed; i++)
		assert_true(weft_context_turn(w.ctx, 2) >= 0);
	assert_string_equal(w.alpn, "http/1.1");
	assert_string_equal(w.role, "raw");
	assert_ptr_equal(strstr(w.got, "HTTP/1.1 200"), w.got);
	weft_context_destroy(w.ctx, 0, NULL, NULL);
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
		const struct CMUnitTest tests[] = {
			cmocka_unit_test_prestate(a_raw_stream_stays_raw_whatever_alpn_it_asks_for,
				(void *)(uintptr_t)backends[i]),
		};

		failed += cmocka_run_group_tests_name(backends[i], tests, NULL, NULL);
	}
	test_certs_free();
	return failed;
}
