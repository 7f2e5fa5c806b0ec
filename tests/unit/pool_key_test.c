/* SPDX-License-Identifier: MIT */
/*
 * Who may share a connection: just those for whom everything is equal that decides whom we talk to and how we
 * check. DESIGN 5, law 1: a pair of streams for each thing that may differ.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/system/context.h"
#include "tests/support/certs.h"
#include "weft/weft.h"

#define URL "https://localhost:4433/"

static struct weft_context *open_context(const char *tls)
{
	const struct weft_context_options o = { .tls = tls };
	struct weft_context *ctx;
	struct weft_error err;

	if (weft_context_create(&o, &ctx, &err))
		fail_msg("context: %s", err.text);
	return ctx;
}

static void open_stream(struct weft_context *ctx, const struct weft_stream_options *options)
{
	static const struct weft_stream_ops ops = { .on_close = NULL };
	struct weft_stream_options o = *options;
	struct weft_stream *s;
	struct weft_error err;

	if (!o.url)
		o.url = URL;
	if (o.share == WEFT_SHARE_ALONE)
		o.share = WEFT_SHARE_POOL;
	if (weft_stream_open(ctx, &o, &ops, NULL, &s, &err))
		fail_msg("%s: %s", o.url, err.text);
}

/* How many places the pool knows, of two streams that are opened and never run. */
static size_t places(
	const char *tls, const struct weft_stream_options *a, const struct weft_stream_options *b)
{
	struct weft_context *ctx = open_context(tls);
	size_t n = 0;

	open_stream(ctx, a);
	open_stream(ctx, b);
	weft_list_each(node, &ctx->entries) n++;
	weft_context_destroy(ctx, 0, NULL, NULL);
	return n;
}

struct pair {
	const char *what;
	struct weft_stream_options a, b;
};

static void check_pairs(const char *tls, const struct pair *pairs, size_t count, size_t expected)
{
	static const struct weft_stream_options plain = { .url = NULL };

	for (size_t i = 0; i < count; i++) {
		const struct pair *p = &pairs[i];

		if (places(tls, &p->a, &p->b) != expected)
			fail_msg("%s: expected %zu places", p->what, expected);
		/* one that has it and one that has not; and each is equal to itself */
		if (expected == 2 && places(tls, &p->b, &plain) != 2)
			fail_msg("%s, and none: expected two places", p->what);
		if (places(tls, &p->a, &p->a) != 1 || places(tls, &p->b, &p->b) != 1)
			fail_msg("%s: the same twice is two places", p->what);
	}
}

static struct weft_span span(const char *text)
{
	return (struct weft_span){ (const unsigned char *)text, strlen(text) };
}

static void what_decides_whom_we_talk_to_separates(void **state)
{
	static const char *const one[] = { "http/1.1", NULL }, *const other[] = { "http/1.0",
		NULL };
	const struct test_cert *ca = test_certs_ca(), *ca2 = test_certs_other_ca();
	const struct test_cert *id = test_cert(TEST_CERT_CLIENT), *id2 = test_cert(TEST_CERT_RSA);
	const struct weft_trust trust = { .ca = span(ca->cert) },
				trust2 = { .ca = span(ca2->cert) };
	const struct weft_trust more = { .ca = span(ca2->cert), .system = true };
	const struct weft_credential mine = { .cert = span(id->cert), .key = span(id->key) };
	const struct weft_credential others = { .cert = span(id2->cert), .key = span(id2->key) };
	struct weft_trust revoking = trust;
	size_t crl_len;
	const char *crl = test_certs_crl(&crl_len);
	const struct pair pairs[] = {
		{ "scheme", { .url = URL }, { .url = "http://localhost:4433/" } },
		{ "role", { .url = URL }, { .url = "tls://localhost:4433" } },
		{ "host", { .url = URL }, { .url = "https://localhost.:4433/" } },
		{ "port", { .url = URL }, { .url = "https://localhost:4434/" } },
		{ "default port", { .url = URL }, { .url = "https://localhost/" } },
		{ "connect_to", { .connect_to = "127.0.0.1:1" }, { .connect_to = "127.0.0.1:2" } },
		{ "local_address", { .local_address = "127.0.0.1" },
			{ .local_address = "127.0.0.2" } },
		{ "proxy", { .proxy = "http://p.test:1" }, { .proxy = "socks5://p.test:1" } },
		{ "proxy's port", { .proxy = "http://p.test:1" }, { .proxy = "http://p.test:2" } },
		{ "sni", { .sni = "a.test" }, { .sni = "b.test" } },
		{ "alpn", { .alpn = one }, { .alpn = other } },
		{ "allow", { .allow = WEFT_TLS_EXPIRED }, { .allow = WEFT_TLS_WRONG_HOST } },
		{ "trust", { .trust = &trust }, { .trust = &trust2 } },
		{ "trust, and the system's", { .trust = &trust2 }, { .trust = &more } },
		{ "revocation list", { .trust = &trust }, { .trust = &revoking } },
		{ "client certificate", { .credential = &mine }, { .credential = &others } },
	};

	revoking.crl = (struct weft_span){ (const unsigned char *)crl, crl_len };
	check_pairs(*state, pairs, sizeof(pairs) / sizeof(*pairs), 2);
}

static const char *in_file(const char *text, char path[])
{
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	return path;
}

static void what_does_not_is_shared(void **state)
{
	static const char *const one[] = { "http/1.1", NULL }, *const same[] = { "http/1.1", NULL };
	char ca_path[] = "/tmp/weft-test-XXXXXX", cert_path[] = "/tmp/weft-test-XXXXXX";
	const struct test_cert *ca = test_certs_ca(), *id = test_cert(TEST_CERT_CLIENT);
	char *copy = strdup(ca->cert);
	const struct weft_trust trust = { .ca = span(ca->cert) }, copied = { .ca = span(copy) };
	const struct weft_trust filed = { .ca_file = in_file(ca->cert, ca_path) };
	const struct weft_trust filed_again = { .ca_file = ca_path };
	const struct weft_credential mine = { .cert = span(id->cert), .key = span(id->key) };
	const struct weft_credential from_file = { .cert_file = in_file(id->cert, cert_path),
		.key = span(id->key) };
	const struct pair pairs[] = {
		{ "path", { .url = URL }, { .url = URL "other?a=b" } },
		{ "case of the host", { .url = URL }, { .url = "HTTPS://LocalHost:4433/" } },
		{ "default port", { .url = "https://a/" }, { .url = "https://a:443/" } },
		{ "method", { .method = "GET" }, { .method = "POST", .body = true } },
		{ "idempotent", { .idempotent = true }, { .idempotent = false } },
		{ "times", { .idle_ms = 1000 }, { .header_ms = 5, .flush_ms = 7, .total_ms = 9 } },
		{ "hold", { .hold = WEFT_HOLD_CONNECTION }, { .hold = WEFT_HOLD_STREAM } },
		{ "sni as the host", { .url = URL }, { .sni = "localhost" } },
		{ "same proxy", { .proxy = "http://p.test:1" }, { .proxy = "HTTP://P.test:01/" } },
		{ "buffers", { .window_bytes = 5 }, { .write_high = 5 } },
		{ "same alpn", { .alpn = one }, { .alpn = same } },
		{ "same trust", { .trust = &trust }, { .trust = &copied } },
		{ "same trust in a file", { .trust = &filed }, { .trust = &filed_again } },
		{ "same certificate in a file", { .credential = &mine },
			{ .credential = &from_file } },
	};

	check_pairs(*state, pairs, sizeof(pairs) / sizeof(*pairs), 1);
	unlink(ca_path);
	unlink(cert_path);
	free(copy);
}

static void streams_that_want_to_be_alone_are(void **state)
{
	struct weft_context *ctx = open_context(*state);
	const struct weft_stream_options o = { .url = URL, .share = WEFT_SHARE_ALONE };
	static const struct weft_stream_ops ops = { .on_close = NULL };
	struct weft_stream *s;
	size_t n = 0;

	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(weft_stream_open(ctx, &o, &ops, NULL, &s, NULL), WEFT_OK);
	open_stream(ctx, &o);
	weft_list_each(node, &ctx->entries) n++;
	assert_int_equal(n, 3);
	weft_context_destroy(ctx, 0, NULL, NULL);
}

int main(void)
{
	static char gnutls[] = "gnutls", mbedtls[] = "mbedtls";
	char *const backends[] = {
#ifdef WEFT_HAVE_TLS_GNUTLS
		gnutls,
#endif
#ifdef WEFT_HAVE_TLS_MBEDTLS
		mbedtls,
#endif
		NULL,
	};
	int failed = 0;

	(void)gnutls;
	(void)mbedtls;
	for (char *const *b = backends; *b; b++) {
		const struct CMUnitTest tests[] = {
			cmocka_unit_test_prestate(what_decides_whom_we_talk_to_separates, *b),
			cmocka_unit_test_prestate(what_does_not_is_shared, *b),
			cmocka_unit_test_prestate(streams_that_want_to_be_alone_are, *b),
		};

		failed += _cmocka_run_group_tests(
			*b, tests, sizeof(tests) / sizeof(*tests), NULL, NULL);
	}
	test_certs_free();
	return failed;
}
