/* SPDX-License-Identifier: MIT */
/* Contexts: what cannot be used is refused by number, and everything made is given back. */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/contract/tls_pair.h"

struct counter {
	size_t blocks, bytes;
	size_t fail_at; /* the how manieth allocation fails; 0: none */
	size_t made;
};

static void *count(void *user, void *ptr, size_t old_len, size_t new_len)
{
	struct counter *c = user;
	void *got = NULL;

	if (new_len) {
		if (++c->made == c->fail_at)
			return NULL;
		got = realloc(ptr, new_len);
		assert_non_null(got);
	} else {
		free(ptr);
	}
	if (new_len && !ptr)
		c->blocks++;
	else if (!new_len && ptr)
		c->blocks--;
	c->bytes += new_len - old_len;
	return got;
}

static struct weft_span span(const char *text, size_t len)
{
	return (struct weft_span){ (const unsigned char *)text, len };
}

static void refuse(const struct tls_setting *setting, struct weft_tls_ctx_options *o,
	enum weft_status status, const char *words)
{
	struct counter counter = { 0 };
	struct weft_allocator alloc = { &counter, count };
	struct weft_error err = { .status = WEFT_OK };
	void *ctx = NULL;

	o->size = sizeof(*o);
	o->alloc = &alloc;
	assert_int_equal(setting->client->ops->ctx_create(o, &ctx, &err), status);
	assert_int_equal(err.status, status);
	tls_assert_text(&err, words);
	assert_int_equal(counter.blocks, 0);
	assert_int_equal(counter.bytes, 0);
	/* an error is not asked for everywhere */
	assert_int_equal(setting->client->ops->ctx_create(o, &ctx, NULL), status);
	assert_int_equal(counter.blocks, 0);
}

static void bad_trust_is_refused_by_number(void **state)
{
	static const char broken[] =
		"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
	static const char list[] = "-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n";
	const struct test_cert *good = test_certs_ca();
	struct weft_span ca[3] = { span(good->cert, good->cert_len),
		span(broken, sizeof(broken) - 1), span(good->cert, good->cert_len) };
	struct weft_span crl[2];
	size_t len;
	struct weft_tls_ctx_options o = { .ca = ca, .ca_count = 3 };

	refuse(*state, &o, WEFT_ERR_TLS, "trusted certificate 2 cannot be used: ");
	ca[1] = span("junk", 4);
	refuse(*state, &o, WEFT_ERR_TLS, "trusted certificate 2 cannot be used: ");
	ca[0] = span("", 0);
	refuse(*state, &o, WEFT_ERR_TLS, "trusted certificate 1 cannot be used: ");
	ca[0] = ca[2];
	o.ca_count = 1;
	crl[0].ptr = (const unsigned char *)test_certs_crl(&len);
	crl[0].len = len;
	crl[1] = span(list, sizeof(list) - 1);
	o.crl = crl;
	o.crl_count = 2;
	refuse(*state, &o, WEFT_ERR_TLS, "CRL 2 cannot be used: ");
	crl[0] = span("junk", 4);
	refuse(*state, &o, WEFT_ERR_TLS, "CRL 1 cannot be used: ");
}

static void bad_identity_is_refused(void **state)
{
	const struct test_cert *own = test_cert(TEST_CERT_GOOD), *other = test_certs_ca();
	struct weft_span cert = span(own->cert, own->cert_len), key = span(own->key, own->key_len);
	struct weft_tls_ctx_options o = { .server = true };

	refuse(*state, &o, WEFT_ERR_ARGUMENT, "a TLS server needs a certificate and a key");
	o.cert_chain = cert;
	refuse(*state, &o, WEFT_ERR_TLS, "cannot be used: ");
	o.key = span("-----BEGIN nonsense", 19);
	refuse(*state, &o, WEFT_ERR_TLS, "cannot be used: ");
	o.key = span(other->key, other->key_len);
	refuse(*state, &o, WEFT_ERR_TLS, "certificate chain and key cannot be used: ");
	o.key = key;
	o.cert_chain = span(own->cert, own->cert_len / 2);
	refuse(*state, &o, WEFT_ERR_TLS, "certificate chain");
	o.cert_chain = key;
	refuse(*state, &o, WEFT_ERR_TLS, "certificate chain");
	o.server = false;
	refuse(*state, &o, WEFT_ERR_TLS, "certificate chain");
}

static struct weft_span joined(const char *a, const char *b, const char *c, char *room, size_t max)
{
	int len = snprintf(room, max, "%s%s%s", a, b, c);

	assert_in_range(len, 1, max - 1);
	return span(room, (size_t)len);
}

/* What is written by tools that print a certificate before they encode it. */
static void words_before_an_identity_are_passed_over(void **state)
{
	const struct tls_setting *setting = *state;
	const struct test_cert *own = test_cert(TEST_CERT_GOOD);
	char chain[16384], key[16384];
	struct weft_tls_ctx_options o = {
		.size = sizeof(o),
		.alloc = &weft_allocator_system,
		.server = true,
		.cert_chain = joined("Certificate:\n    Data:\n", own->cert, test_certs_ca()->cert,
			chain, sizeof(chain)),
		.key = joined(
			"Bag Attributes\n", "    localKeyID: 01\n", own->key, key, sizeof(key)),
	};
	struct weft_error err;
	void *ctx;

	if (setting->client->ops->ctx_create(&o, &ctx, &err))
		fail_msg("%s", err.text);
	setting->client->ops->ctx_destroy(ctx);
}

static void chain_out_of_order_is_refused(void **state)
{
	const struct test_cert *own = test_cert(TEST_CERT_GOOD);
	struct weft_tls_ctx_options o = { .server = true, .key = span(own->key, own->key_len) };
	char chain[16384];

	o.cert_chain = joined(own->cert, test_certs_other_ca()->cert, "", chain, sizeof(chain));
	refuse(*state, &o, WEFT_ERR_TLS, "certificate chain");
}

static void identity_in_der_is_refused(void **state)
{
	const struct test_cert *own = test_cert(TEST_CERT_GOOD);
	size_t len;
	unsigned char *der = test_cert_der(own, &len);
	struct weft_tls_ctx_options o = {
		.server = true,
		.cert_chain = { der, len },
		.key = span(own->key, own->key_len),
	};

	refuse(*state, &o, WEFT_ERR_TLS, "certificate chain");
	free(der);
}

static enum weft_status never_asked(void *user, unsigned scheme, const unsigned char *digest,
	size_t digest_len, unsigned char *out, size_t *len)
{
	(void)user;
	(void)scheme;
	(void)digest;
	(void)digest_len;
	(void)out;
	(void)len;
	fail();
	return WEFT_ERR_STATE;
}

/* A check that cannot be made is never left out in silence. */
static void what_caps_deny_is_refused(void **state)
{
	static const struct weft_signer signer = { .sign = never_asked };
	static const unsigned char pin[1][WEFT_SHA256_BYTES];
	const struct tls_setting *setting = *state;
	const struct test_cert *own = test_cert(TEST_CERT_GOOD);
	struct weft_span some = span(own->cert, own->cert_len);
	unsigned caps = setting->client->ops->caps;
	struct weft_tls_ctx_options o = { .alpn = NULL };

	if (!(caps & WEFT_TLS_CAN_CRL)) {
		o = (struct weft_tls_ctx_options){ .crl = &some, .crl_count = 1 };
		refuse(setting, &o, WEFT_ERR_UNSUPPORTED, "");
	}
	if (!(caps & WEFT_TLS_CAN_PIN)) {
		o = (struct weft_tls_ctx_options){ .pins = pin, .pin_count = 1 };
		refuse(setting, &o, WEFT_ERR_UNSUPPORTED, "");
	}
	o = (struct weft_tls_ctx_options){
		.server = true, .cert_chain = some, .key = span(own->key, own->key_len)
	};
	o.ocsp = some;
	if (!(caps & WEFT_TLS_CAN_STAPLE))
		refuse(setting, &o, WEFT_ERR_UNSUPPORTED, "");
	o.ocsp = span(NULL, 0);
	o.client_auth = WEFT_TLS_CLIENT_AUTH_REQUIRED;
	if (!(caps & WEFT_TLS_CAN_CLIENT_AUTH))
		refuse(setting, &o, WEFT_ERR_UNSUPPORTED, "");
	o.client_auth = WEFT_TLS_CLIENT_AUTH_NONE;
	o.key = span(NULL, 0);
	o.signer = &signer;
	if (!(caps & WEFT_TLS_CAN_SIGN))
		refuse(setting, &o, WEFT_ERR_UNSUPPORTED, "");
}

static void too_much_alpn_is_refused(void **state)
{
	static const char *const names[] = { "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", "cccccccccccccccccccccccccccccccc",
		"dddddddddddddddddddddddddddddddd", "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee", NULL };
	struct weft_tls_ctx_options o = { .alpn = names };

	refuse(*state, &o, WEFT_ERR_ARGUMENT, "ALPN");
}

static void der_is_understood(void **state)
{
	const struct tls_setting *setting = *state;
	size_t len;
	unsigned char *der = test_cert_der(test_certs_ca(), &len);
	struct weft_span ca = { der, len };
	struct weft_tls_ctx_options o = {
		.size = sizeof(o), .alloc = &weft_allocator_system, .ca = &ca, .ca_count = 1
	};
	struct weft_error err;
	void *ctx;

	if (setting->client->ops->ctx_create(&o, &ctx, &err))
		fail_msg("%s", err.text);
	setting->client->ops->ctx_destroy(ctx);
	free(der);
}

static enum weft_status make_one(const struct weft_tls_ops *ops, struct weft_tls_ctx_options *o)
{
	struct weft_tls_session_options so = { .size = sizeof(so) };
	enum weft_status st;
	void *ctx, *session;

	so.sni = so.verify_host = o->server ? NULL : "localhost";
	st = ops->ctx_create(o, &ctx, NULL);
	if (st)
		return st;
	st = ops->session_create(ctx, &so, &session, NULL);
	if (!st)
		ops->session_destroy(session);
	ops->ctx_destroy(ctx);
	return st;
}

/* Contexts with all that they can have. */
static enum weft_status make_all(const struct weft_tls_ops *ops, const struct weft_allocator *alloc)
{
	static const unsigned char pins[2][WEFT_SHA256_BYTES], secret[WEFT_TLS_TICKET_SECRET];
	static const struct weft_signer signer = { .sign = never_asked };
	const struct test_cert *own = test_cert(TEST_CERT_GOOD);
	struct weft_span ca = span(own->cert, own->cert_len), crl;
	struct weft_tls_ctx_options o = { .size = sizeof(o), .alloc = alloc };
	enum weft_status st = WEFT_OK;

	crl.ptr = (const unsigned char *)test_certs_crl(&crl.len);
	o.ca = &ca;
	o.ca_count = 1;
	o.crl = &crl;
	o.crl_count = ops->caps & WEFT_TLS_CAN_CRL ? 1 : 0;
	o.pins = pins;
	o.pin_count = ops->caps & WEFT_TLS_CAN_PIN ? 2 : 0;
	o.tickets = true;
	o.ticket_secret = (struct weft_span){ secret, sizeof(secret) };
	for (int kind = 0; kind < 3 && !st; kind++) {
		o.server = kind > 0;
		o.cert_chain = kind ? ca : span(NULL, 0);
		o.key = kind ? span(own->key, own->key_len) : span(NULL, 0);
		if (kind && ops->caps & WEFT_TLS_CAN_CLIENT_AUTH)
			o.client_auth = WEFT_TLS_CLIENT_AUTH_REQUIRED;
		if (kind == 2 && ops->caps & WEFT_TLS_CAN_SIGN) {
			o.key = span(NULL, 0);
			o.signer = &signer;
		}
		st = make_one(ops, &o);
	}
	return st;
}

/* Without memory at any point: told so, and all given back. */
static void failing_allocations_are_survived(void **state)
{
	const struct tls_setting *setting = *state;
	struct counter counter = { 0 };
	struct weft_allocator alloc = { &counter, count };
	enum weft_status st;

	do {
		counter.fail_at++;
		counter.made = 0;
		st = make_all(setting->client->ops, &alloc);
		assert_int_equal(counter.blocks, 0);
		assert_int_equal(counter.bytes, 0);
		if (st && st != WEFT_ERR_MEMORY)
			fail_msg("allocation %zu fails: %s", counter.fail_at, weft_status_name(st));
	} while (counter.made >= counter.fail_at && counter.fail_at < 1000);
	assert_int_equal(st, WEFT_OK);
	assert_true(counter.fail_at > 2);
}

static void one_round(const struct tls_setting *setting)
{
	static const struct tls_wish wish;
	struct weft_buffer plain;
	struct tls_pair p;

	weft_buffer_init(&plain, &weft_allocator_system);
	tls_pair_open(&p, setting, &wish);
	tls_end_encrypt(&p.client, "ping", 4);
	tls_carry(&p, true, &plain);
	tls_end_encrypt(&p.server, "pong", 4);
	tls_carry(&p, false, &plain);
	assert_int_equal(weft_buffer_len(&plain), 8);
	p.client.ops->close_notify(p.client.session, &p.client.out);
	tls_pair_destroy(&p);
	weft_buffer_finish(&plain);
}

static void rounds_leave_no_memory(void **state)
{
	enum { WARM_UP = 50, ROUNDS = 1000, SLACK = 1024 };
	size_t before, after;

	for (int i = 0; i < WARM_UP; i++)
		one_round(*state);
	before = mallinfo2().uordblks;
	for (int i = 0; i < ROUNDS; i++)
		one_round(*state);
	after = mallinfo2().uordblks;
	if (after > before + SLACK)
		fail_msg("%zu bytes were in use, now %zu", before, after);
}

/* One context, many sessions at once. */
static void sessions_share_a_context(void **state)
{
	enum { SESSIONS = 50 };
	const struct tls_setting *setting = *state;
	static const struct tls_wish wish;
	struct weft_tls_session_options so = { .size = sizeof(so), .sni = "localhost" };
	void *sessions[SESSIONS];
	struct tls_pair p;

	tls_pair_open(&p, setting, &wish);
	for (int i = 0; i < SESSIONS; i++)
		assert_int_equal(
			p.client.ops->session_create(p.client.ctx, &so, &sessions[i], NULL),
			WEFT_OK);
	for (int i = 0; i < SESSIONS; i++) {
		struct weft_span none = { NULL, 0 };

		assert_int_equal(p.client.ops->handshake(sessions[i], &none, &p.client.out, NULL),
			WEFT_AGAIN);
		p.client.ops->session_destroy(sessions[i]);
	}
	tls_pair_destroy(&p);
}

const struct CMUnitTest tls_ctx_tests[] = {
	cmocka_unit_test(bad_trust_is_refused_by_number),
	cmocka_unit_test(bad_identity_is_refused),
	cmocka_unit_test(words_before_an_identity_are_passed_over),
	cmocka_unit_test(chain_out_of_order_is_refused),
	cmocka_unit_test(identity_in_der_is_refused),
	cmocka_unit_test(what_caps_deny_is_refused),
	cmocka_unit_test(too_much_alpn_is_refused),
	cmocka_unit_test(der_is_understood),
	cmocka_unit_test(failing_allocations_are_survived),
	cmocka_unit_test(rounds_leave_no_memory),
	cmocka_unit_test(sessions_share_a_context),
};
const size_t tls_ctx_count = sizeof(tls_ctx_tests) / sizeof(*tls_ctx_tests);
