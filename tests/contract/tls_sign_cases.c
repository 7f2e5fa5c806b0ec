/* SPDX-License-Identifier: MIT */
/* Keys behind a callback: what is asked for, by either side, and what becomes of a refusal. */
#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <string.h>

#include "tests/contract/tls_raw.h"

/* A token that signs with GnuTLS and remembers what for. */
struct token {
	struct weft_signer signer;
	gnutls_privkey_t key;
	unsigned scheme; /* of the last call */
	size_t digest_len;
	int calls;
	bool refuses;
	bool spoils;
};

static const struct {
	unsigned scheme;
	gnutls_sign_algorithm_t algorithm;
	size_t digest_len;
} schemes[] = {
	{ 0x0401, GNUTLS_SIGN_RSA_SHA256, 32 },
	{ 0x0501, GNUTLS_SIGN_RSA_SHA384, 48 },
	{ 0x0601, GNUTLS_SIGN_RSA_SHA512, 64 },
	{ 0x0403, GNUTLS_SIGN_ECDSA_SHA256, 32 },
	{ 0x0503, GNUTLS_SIGN_ECDSA_SHA384, 48 },
	{ 0x0603, GNUTLS_SIGN_ECDSA_SHA512, 64 },
	{ 0x0804, GNUTLS_SIGN_RSA_PSS_RSAE_SHA256, 32 },
	{ 0x0805, GNUTLS_SIGN_RSA_PSS_RSAE_SHA384, 48 },
	{ 0x0806, GNUTLS_SIGN_RSA_PSS_RSAE_SHA512, 64 },
};

static enum weft_status token_sign(void *user, unsigned scheme, const unsigned char *digest,
	size_t digest_len, unsigned char *out, size_t *len)
{
	gnutls_datum_t hash = { (unsigned char *)(uintptr_t)digest, (unsigned)digest_len };
	struct token *t = user;
	gnutls_datum_t made;
	size_t i = 0;

	t->calls++;
	t->scheme = scheme;
	t->digest_len = digest_len;
	while (i < sizeof(schemes) / sizeof(schemes[0]) && schemes[i].scheme != scheme)
		i++;
	if (t->refuses || i == sizeof(schemes) / sizeof(schemes[0]) ||
		digest_len != schemes[i].digest_len)
		return WEFT_ERR_IO;
	if (gnutls_privkey_sign_hash2(t->key, schemes[i].algorithm, 0, &hash, &made) < 0 ||
		made.size > *len)
		return WEFT_ERR_IO;
	memcpy(out, made.data, made.size);
	*len = made.size;
	out[made.size - 1] ^= t->spoils;
	gnutls_free(made.data);
	return WEFT_OK;
}

static void token_create(struct token *t, const struct test_cert *cert)
{
	gnutls_datum_t pem = { (unsigned char *)cert->key, (unsigned)cert->key_len };

	memset(t, 0, sizeof(*t));
	t->signer = (struct weft_signer){ .sign = token_sign, .user = t };
	assert_int_equal(gnutls_privkey_init(&t->key), 0);
	assert_int_equal(
		gnutls_privkey_import_x509_raw(t->key, &pem, GNUTLS_X509_FMT_PEM, NULL, 0), 0);
}

static void token_destroy(struct token *t)
{
	gnutls_privkey_deinit(t->key);
}

static void server_signs(
	const struct tls_setting *setting, const struct test_cert *cert, unsigned scheme13)
{
	unsigned both = setting->client->ops->caps & setting->server->ops->caps;
	struct tls_wish wish = { .shown = cert };
	struct tls_pair p;
	struct token t;

	token_create(&t, cert);
	wish.server_signer = &t.signer;
	tls_pair_open(&p, setting, &wish);
	assert_int_equal(t.calls, 1);
	if (both & WEFT_TLS_CAN_TLS13)
		assert_int_equal(t.scheme, scheme13);
	tls_pair_destroy(&p);
	token_destroy(&t);
}

static void server_signs_with_p256(void **state)
{
	tls_need(*state, 0, WEFT_TLS_CAN_SIGN);
	server_signs(*state, test_cert(TEST_CERT_GOOD), 0x0403);
}

static void server_signs_with_rsa(void **state)
{
	tls_need(*state, 0, WEFT_TLS_CAN_SIGN);
	server_signs(*state, test_cert(TEST_CERT_RSA), 0x0804);
}

static void server_signs_with_p384(void **state)
{
	const struct test_cert *cert = test_mint(
		&(struct test_recipe){ .named = true, .curve = GNUTLS_ECC_CURVE_SECP384R1 });

	tls_need(*state, 0, WEFT_TLS_CAN_SIGN);
	server_signs(*state, cert, 0x0503);
}

static void signer_is_not_needed_by_an_open_session(void **state)
{
	const struct tls_setting *setting = *state;
	struct tls_wish wish = { .cert = TEST_CERT_RSA };
	struct weft_buffer plain;
	struct tls_pair p;
	struct token t;

	tls_need(setting, 0, WEFT_TLS_CAN_SIGN);
	weft_buffer_init(&plain, &weft_allocator_system);
	token_create(&t, test_cert(TEST_CERT_RSA));
	wish.server_signer = &t.signer;
	tls_pair_open(&p, setting, &wish);
	if (setting->server->ops->ctx_trim)
		setting->server->ops->ctx_trim(p.server.ctx);
	tls_end_encrypt(&p.server, "data", 4);
	tls_carry(&p, false, &plain);
	assert_int_equal(weft_buffer_len(&plain), 4);
	assert_int_equal(t.calls, 1);
	tls_pair_destroy(&p);
	token_destroy(&t);
	weft_buffer_finish(&plain);
}

/* The padding of TLS 1.2 and of TLS 1.3, and larger hashes where a peer wants them. */
static void schemes_are_those_of_the_peer(void **state)
{
	static const struct {
		const char *priorities;
		enum test_cert_kind cert;
		unsigned scheme, caps;
	} wants[] = {
		{ "NORMAL:-VERS-ALL:+VERS-TLS1.2:-SIGN-ALL:+SIGN-RSA-SHA256", TEST_CERT_RSA, 0x0401,
			0 },
		{ "NORMAL:-VERS-ALL:+VERS-TLS1.2:-SIGN-ALL:+SIGN-RSA-SHA512", TEST_CERT_RSA, 0x0601,
			0 },
		{ "NORMAL:-VERS-ALL:+VERS-TLS1.2:-SIGN-ALL:+SIGN-ECDSA-SHA256", TEST_CERT_GOOD,
			0x0403, 0 },
		{ "NORMAL:-VERS-ALL:+VERS-TLS1.2:-SIGN-ALL:+SIGN-ECDSA-SHA384", TEST_CERT_GOOD,
			0x0503, 0 },
		{ "NORMAL:-VERS-ALL:+VERS-TLS1.3:-SIGN-ALL:+SIGN-RSA-PSS-RSAE-SHA256",
			TEST_CERT_RSA, 0x0804, WEFT_TLS_CAN_TLS13 },
		{ "NORMAL:-VERS-ALL:+VERS-TLS1.3:-SIGN-ALL:+SIGN-RSA-PSS-RSAE-SHA384",
			TEST_CERT_RSA, 0x0805, WEFT_TLS_CAN_TLS13 },
	};
	const struct tls_setting *setting = *state;

	tls_need(setting, 0, WEFT_TLS_CAN_SIGN);
	for (size_t i = 0; i < sizeof(wants) / sizeof(wants[0]); i++) {
		struct tls_wish wish = { .cert = wants[i].cert };
		struct tls_raw raw;
		struct tls_end e;
		struct token t;

		if (wants[i].caps & ~setting->server->ops->caps)
			continue;
		token_create(&t, test_cert(wants[i].cert));
		wish.server_signer = &t.signer;
		tls_end_create(&e, setting->server, true, &wish);
		tls_raw_create(&raw, &e, false, wants[i].priorities, NULL);
		if (tls_raw_handshake(&raw, &e) || e.status || t.scheme != wants[i].scheme)
			fail_msg("%s: scheme 0x%x: %s", wants[i].priorities, t.scheme, e.err.text);
		tls_raw_destroy(&raw);
		tls_end_destroy(&e);
		token_destroy(&t);
	}
}

static void client_signs(const struct tls_setting *setting, enum test_cert_kind kind)
{
	const struct test_cert *cert = test_mint(
		&(struct test_recipe){ .purpose = GNUTLS_KP_ANY, .key_of = test_cert(kind) });
	struct tls_wish wish = { .client_auth = WEFT_TLS_CLIENT_AUTH_REQUIRED,
		.client_cert = cert };
	struct tls_pair p;
	struct token t;

	token_create(&t, cert);
	wish.client_signer = &t.signer;
	tls_pair_open(&p, setting, &wish);
	assert_int_equal(t.calls, 1);
	assert_true(tls_info(&p.server).peer_verified);
	tls_pair_destroy(&p);
	token_destroy(&t);
}

static void client_signs_with_p256(void **state)
{
	tls_need(*state, WEFT_TLS_CAN_SIGN, WEFT_TLS_CAN_CLIENT_AUTH);
	client_signs(*state, TEST_CERT_GOOD);
}

static void client_signs_with_rsa(void **state)
{
	tls_need(*state, WEFT_TLS_CAN_SIGN, WEFT_TLS_CAN_CLIENT_AUTH);
	client_signs(*state, TEST_CERT_RSA);
}

static void refusal_fails_the_handshake(void **state)
{
	struct tls_wish wish = { .cert = TEST_CERT_GOOD };
	struct tls_pair p;
	struct token t;

	tls_need(*state, 0, WEFT_TLS_CAN_SIGN);
	token_create(&t, test_cert(TEST_CERT_GOOD));
	t.refuses = true;
	wish.server_signer = &t.signer;
	tls_pair_create(&p, *state, &wish);
	tls_pair_handshake(&p);
	assert_int_equal(t.calls, 1);
	assert_int_equal(p.server.status, WEFT_ERR_TLS);
	assert_int_equal(p.server.err.status, WEFT_ERR_TLS);
	tls_assert_text(&p.server.err, "sign");
	assert_int_equal(p.client.status, WEFT_ERR_PROTOCOL);
	tls_assert_text(&p.client.err, "the peer sent a TLS alert: ");
	tls_pair_destroy(&p);
	token_destroy(&t);
}

static void client_refusal_fails_the_handshake(void **state)
{
	const struct test_cert *cert = test_cert(TEST_CERT_CLIENT);
	struct tls_wish wish = { .client_auth = WEFT_TLS_CLIENT_AUTH_REQUIRED,
		.client_cert = cert };
	struct tls_pair p;
	struct token t;

	tls_need(*state, WEFT_TLS_CAN_SIGN, WEFT_TLS_CAN_CLIENT_AUTH);
	token_create(&t, cert);
	t.refuses = true;
	wish.client_signer = &t.signer;
	tls_pair_create(&p, *state, &wish);
	tls_pair_handshake(&p);
	assert_int_equal(p.client.status, WEFT_ERR_TLS);
	tls_assert_text(&p.client.err, "sign");
	assert_int_equal(p.server.status, WEFT_ERR_PROTOCOL);
	tls_pair_destroy(&p);
	token_destroy(&t);
}

/* A signature by nobody, or by another key than the certificate's. */
static void wrong_signature_is_found_by_the_peer(void **state)
{
	struct tls_wish wish = { .cert = TEST_CERT_GOOD };
	struct tls_pair p;
	struct token t;

	tls_need(*state, 0, WEFT_TLS_CAN_SIGN);
	for (int other = 0; other < 2; other++) {
		token_create(&t, test_cert(other ? TEST_CERT_REVOKED : TEST_CERT_GOOD));
		t.spoils = !other;
		wish.server_signer = &t.signer;
		tls_pair_create(&p, *state, &wish);
		tls_pair_handshake(&p);
		assert_true(p.client.status < 0);
		tls_pair_destroy(&p);
		token_destroy(&t);
	}
}

static void signer_of_no_use_is_refused(void **state)
{
	const struct tls_setting *setting = *state;
	const struct test_cert *cert = test_cert(TEST_CERT_GOOD), *odd;
	struct weft_tls_ctx_options o = { .size = sizeof(o),
		.alloc = &weft_allocator_system,
		.server = true,
		.cert_chain = { (const unsigned char *)cert->cert, cert->cert_len },
		.key = { (const unsigned char *)cert->key, cert->key_len } };
	struct weft_error err;
	struct token t;
	void *ctx;

	tls_need(setting, 0, WEFT_TLS_CAN_SIGN);
	token_create(&t, cert);
	o.signer = &t.signer;
	assert_int_equal(setting->server->ops->ctx_create(&o, &ctx, &err), WEFT_ERR_ARGUMENT);
	tls_assert_text(&err, "signer");
	odd = test_mint(&(struct test_recipe){ .named = true, .curve = GNUTLS_ECC_CURVE_ED25519 });
	o.key = (struct weft_span){ NULL, 0 };
	o.cert_chain = (struct weft_span){ (const unsigned char *)odd->cert, odd->cert_len };
	assert_true(setting->server->ops->ctx_create(&o, &ctx, &err) < 0);
	assert_true(err.text[0]);
	assert_int_equal(t.calls, 0);
	token_destroy(&t);
}

const struct CMUnitTest tls_sign_tests[] = {
	cmocka_unit_test(server_signs_with_p256),
	cmocka_unit_test(server_signs_with_p384),
	cmocka_unit_test(server_signs_with_rsa),
	cmocka_unit_test(signer_is_not_needed_by_an_open_session),
	cmocka_unit_test(schemes_are_those_of_the_peer),
	cmocka_unit_test(client_signs_with_p256),
	cmocka_unit_test(client_signs_with_rsa),
	cmocka_unit_test(refusal_fails_the_handshake),
	cmocka_unit_test(client_refusal_fails_the_handshake),
	cmocka_unit_test(wrong_signature_is_found_by_the_peer),
	cmocka_unit_test(signer_of_no_use_is_refused),
};
const size_t tls_sign_count = sizeof(tls_sign_tests) / sizeof(*tls_sign_tests);
