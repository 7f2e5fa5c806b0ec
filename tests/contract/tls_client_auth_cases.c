/* SPDX-License-Identifier: MIT */
/* Certificates of clients: asked for or not, found good or not, and who it is then. */
#include <gnutls/crypto.h>
#include <gnutls/x509.h>
#include <stdlib.h>
#include <string.h>

#include "tests/contract/tls_pair.h"

static void need(const struct tls_setting *setting)
{
	tls_need(setting, 0, WEFT_TLS_CAN_CLIENT_AUTH);
}

static const struct test_cert *client_cert(struct test_recipe r)
{
	r.purpose = r.purpose ? r.purpose : GNUTLS_KP_TLS_WWW_CLIENT;
	return test_mint(&r);
}

static void assert_nobody(const struct tls_end *server)
{
	struct weft_tls_info info = tls_info(server);
	struct weft_span der;

	assert_false(info.peer_cert || info.peer_verified);
	assert_string_equal(info.peer_name, "");
	assert_int_equal(info.faults, 0);
	assert_true(!server->ops->peer_cert ||
		    server->ops->peer_cert(server->session, &der) == WEFT_AGAIN);
}

static void accept_nobody(
	void **state, enum weft_tls_client_auth mode, const struct test_cert *cert)
{
	const struct tls_wish wish = { .client_auth = mode, .client_cert = cert };
	struct tls_pair p;

	tls_pair_open(&p, *state, &wish);
	assert_nobody(&p.server);
	tls_pair_destroy(&p);
}

static void certificate_not_asked_for_is_not_shown(void **state)
{
	accept_nobody(state, WEFT_TLS_CLIENT_AUTH_NONE, test_cert(TEST_CERT_CLIENT));
}

static void optional_certificate_may_be_missing(void **state)
{
	need(*state);
	accept_nobody(state, WEFT_TLS_CLIENT_AUTH_OPTIONAL, NULL);
}

/* The client is told: in its handshake, or behind it in TLS 1.3. */
static void assert_told(struct tls_pair *p)
{
	struct weft_buffer plain;

	weft_buffer_init(&plain, &weft_allocator_system);
	if (p->client.status == WEFT_OK) {
		assert_int_equal(tls_info(&p->client).version, 0x0304);
		tls_carry(p, false, &plain);
	}
	assert_int_equal(p->client.status, WEFT_ERR_PROTOCOL);
	tls_assert_text(&p->client.err, "the peer sent a TLS alert: ");
	assert_int_equal(weft_buffer_len(&plain), 0);
	weft_buffer_finish(&plain);
}

static void refuse(const struct tls_setting *setting, const struct tls_wish *wish, unsigned faults,
	const char *words)
{
	struct tls_pair p;

	tls_pair_create(&p, setting, wish);
	tls_pair_handshake(&p);
	if (p.server.status != WEFT_ERR_VERIFY || p.server.err.status != WEFT_ERR_VERIFY)
		fail_msg("server: %s: %s", weft_status_name(p.server.status), p.server.err.text);
	assert_string_equal(p.server.err.text, words);
	assert_int_equal(tls_info(&p.server).faults, faults);
	assert_false(tls_info(&p.server).peer_verified);
	assert_told(&p);
	tls_pair_destroy(&p);
}

static void required_certificate_must_be_there(void **state)
{
	const struct tls_wish wish = { .client_auth = WEFT_TLS_CLIENT_AUTH_REQUIRED };

	need(*state);
	refuse(*state, &wish, WEFT_TLS_MALFORMED, "certificate missing or not valid for this use");
}

static void good_certificate_is_accepted(void **state)
{
	const struct test_cert *cert = client_cert((struct test_recipe){ .subject = "CN=one" });

	need(*state);
	for (int mode = WEFT_TLS_CLIENT_AUTH_OPTIONAL; mode <= WEFT_TLS_CLIENT_AUTH_REQUIRED;
		mode++) {
		const struct tls_wish wish = { .client_auth = (enum weft_tls_client_auth)mode,
			.client_cert = cert };
		struct tls_pair p;

		tls_pair_open(&p, *state, &wish);
		assert_true(tls_info(&p.server).peer_cert);
		assert_true(tls_info(&p.server).peer_verified);
		assert_int_equal(tls_info(&p.server).faults, 0);
		assert_string_equal(tls_info(&p.server).peer_name, "CN=one");
		tls_pair_destroy(&p);
	}
}

static void certificate_of_rsa_is_accepted(void **state)
{
	const struct tls_wish wish = { .client_auth = WEFT_TLS_CLIENT_AUTH_REQUIRED,
		.client_cert =
			client_cert((struct test_recipe){ .key_of = test_cert(TEST_CERT_RSA) }) };
	struct tls_pair p;

	need(*state);
	tls_pair_open(&p, *state, &wish);
	assert_true(tls_info(&p.server).peer_verified);
	tls_pair_destroy(&p);
}

static void chain_of_a_client_is_accepted(void **state)
{
	const struct test_cert *ca =
		test_mint(&(struct test_recipe){ .subject = "CN=Weft intermediate", .ca = true });
	const struct test_cert *chain[] = {
		client_cert((struct test_recipe){ .issuer = ca, .subject = "CN=below" }), ca, NULL
	};
	const struct tls_wish wish = { .client_auth = WEFT_TLS_CLIENT_AUTH_REQUIRED,
		.client_cert = test_mint_chain(chain) };
	struct tls_pair p;

	need(*state);
	tls_pair_open(&p, *state, &wish);
	assert_string_equal(tls_info(&p.server).peer_name, "CN=below");
	tls_pair_destroy(&p);
}

/* Where none is required as well: one that is shown is checked. */
static void refuse_both(
	void **state, const struct test_cert *cert, bool crl, unsigned faults, const char *words)
{
	need(*state);
	for (int mode = WEFT_TLS_CLIENT_AUTH_OPTIONAL; mode <= WEFT_TLS_CLIENT_AUTH_REQUIRED;
		mode++) {
		struct tls_wish wish = { .client_auth = (enum weft_tls_client_auth)mode,
			.client_cert = cert };

		if (crl)
			wish.list = test_mint_crl(test_certs_ca(), cert, -1, 30, false);
		refuse(*state, &wish, faults, words);
	}
}

static void expired_certificate_is_refused(void **state)
{
	refuse_both(state, client_cert((struct test_recipe){ .from = -9, .to = -2 }), false,
		WEFT_TLS_EXPIRED, "certificate expired");
}

/* Shown though the server names another CA: it is told why. */
static void unknown_issuer_is_refused(void **state)
{
	refuse_both(state, client_cert((struct test_recipe){ .issuer = test_certs_other_ca() }),
		false, WEFT_TLS_UNKNOWN_CA, "certificate issuer is unknown");
}

static void self_signed_certificate_is_refused(void **state)
{
	refuse_both(state, client_cert((struct test_recipe){ .self_signed = true }), false,
		WEFT_TLS_SELF_SIGNED, "certificate is self-signed");
}

static void server_certificate_is_refused(void **state)
{
	refuse_both(state, client_cert((struct test_recipe){ .purpose = GNUTLS_KP_TLS_WWW_SERVER }),
		false, WEFT_TLS_MALFORMED, "certificate missing or not valid for this use");
}

static void revoked_certificate_is_refused(void **state)
{
	tls_need(*state, 0, WEFT_TLS_CAN_CRL);
	refuse_both(state, client_cert((struct test_recipe){ .subject = "CN=revoked" }), true,
		WEFT_TLS_REVOKED, "certificate revoked");
}

/* As where a clock is not set: it is let through, and not called verified. */
static void allowed_fault_is_let_through_and_told(void **state)
{
	const struct tls_wish wish = { .client_auth = WEFT_TLS_CLIENT_AUTH_REQUIRED,
		.server_allow = WEFT_TLS_EXPIRED | WEFT_TLS_NOT_YET_VALID,
		.client_cert = client_cert((struct test_recipe){ .from = -9, .to = -2 }) };
	struct tls_pair p;

	need(*state);
	tls_pair_open(&p, *state, &wish);
	assert_true(tls_info(&p.server).peer_cert);
	assert_false(tls_info(&p.server).peer_verified);
	assert_int_equal(tls_info(&p.server).faults, WEFT_TLS_EXPIRED);
	tls_pair_destroy(&p);
}

static void digest(
	gnutls_x509_crt_t crt, const struct weft_span *der, unsigned char *cert, unsigned char *key)
{
	size_t len = WEFT_SHA256_BYTES;

	assert_int_equal(gnutls_hash_fast(GNUTLS_DIG_SHA256, der->ptr, der->len, cert), 0);
	assert_int_equal(gnutls_x509_crt_get_key_id(crt, GNUTLS_KEYID_USE_SHA256, key, &len), 0);
}

static void check_identity(const struct tls_end *e, const struct test_cert *cert, const char *name)
{
	unsigned char sha256[WEFT_SHA256_BYTES], spki[WEFT_SHA256_BYTES];
	struct weft_tls_info info = tls_info(e);
	struct weft_span own, der;
	gnutls_x509_crt_t crt;
	gnutls_datum_t data;

	own.ptr = test_cert_der(cert, &own.len);
	data = (gnutls_datum_t){ (unsigned char *)(uintptr_t)own.ptr, (unsigned)own.len };
	assert_int_equal(gnutls_x509_crt_init(&crt), 0);
	assert_int_equal(gnutls_x509_crt_import(crt, &data, GNUTLS_X509_FMT_DER), 0);
	digest(crt, &own, sha256, spki);
	assert_string_equal(info.peer_name, name);
	assert_memory_equal(info.peer_sha256, sha256, sizeof(sha256));
	assert_memory_equal(info.peer_spki, spki, sizeof(spki));
	assert_int_equal(e->ops->peer_cert(e->session, &der), WEFT_OK);
	assert_int_equal(der.len, own.len);
	assert_memory_equal(der.ptr, own.ptr, own.len);
	gnutls_x509_crt_deinit(crt);
	free((void *)(uintptr_t)own.ptr);
}

static void identity_is_told_to_both_ends(void **state)
{
	static const char *const names[] = {
		"CN=device 7,O=Weft\\, Inc.,C=DE",
		"CN=a\\+b \\\"c\\\" \\<d\\>\\;,OU=x=y",
		"CN=\\#1,OU=\\ in front,O=behind\\ ",
		"CN=M\xc3\xbc\xc3\x9f,L=K\xc3\xb6ln,ST=NRW",
		"UID=u1,CN=in a domain,DC=example,DC=test",
		"CN=back\\\\slash",
	};

	need(*state);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const struct tls_wish wish = { .client_auth = WEFT_TLS_CLIENT_AUTH_REQUIRED,
			.shown = test_mint(
				&(struct test_recipe){ .named = true, .subject = names[i] }),
			.client_cert = client_cert((struct test_recipe){ .subject = names[i] }) };
		struct tls_pair p;

		tls_pair_open(&p, *state, &wish);
		check_identity(&p.server, wish.client_cert, names[i]);
		check_identity(&p.client, wish.shown, names[i]);
		tls_pair_destroy(&p);
	}
}

static void long_name_is_cut(void **state)
{
	char name[600] = "CN=long";
	struct tls_wish wish = { .client_auth = WEFT_TLS_CLIENT_AUTH_REQUIRED };
	struct weft_tls_info info;
	struct tls_pair p;

	need(*state);
	for (int i = 0; i < 8; i++)
		strcat(name, ",OU=0123456789012345678901234567890123456789");
	wish.client_cert = client_cert((struct test_recipe){ .subject = name });
	tls_pair_open(&p, *state, &wish);
	info = tls_info(&p.server);
	assert_int_equal(strlen(info.peer_name), 255);
	assert_memory_equal(info.peer_name, name, 255);
	tls_pair_destroy(&p);
}

/* Names go into logs: nothing in them may look like the end of a line, or like another name. */
static void control_characters_in_a_name_are_escaped(void **state)
{
	const struct tls_wish wish = { .client_auth = WEFT_TLS_CLIENT_AUTH_REQUIRED,
		.client_cert = client_cert((struct test_recipe){
			.subject = "OU=three", .common_name = "one\nCN=two\x7f\x01" }) };
	struct tls_pair p;

	need(*state);
	tls_pair_open(&p, *state, &wish);
	assert_string_equal(tls_info(&p.server).peer_name, "CN=one\\0ACN=two\\7F\\01,OU=three");
	tls_pair_destroy(&p);
}

const struct CMUnitTest tls_client_auth_tests[] = {
	cmocka_unit_test(certificate_not_asked_for_is_not_shown),
	cmocka_unit_test(optional_certificate_may_be_missing),
	cmocka_unit_test(required_certificate_must_be_there),
	cmocka_unit_test(good_certificate_is_accepted),
	cmocka_unit_test(certificate_of_rsa_is_accepted),
	cmocka_unit_test(chain_of_a_client_is_accepted),
	cmocka_unit_test(expired_certificate_is_refused),
	cmocka_unit_test(unknown_issuer_is_refused),
	cmocka_unit_test(self_signed_certificate_is_refused),
	cmocka_unit_test(server_certificate_is_refused),
	cmocka_unit_test(revoked_certificate_is_refused),
	cmocka_unit_test(allowed_fault_is_let_through_and_told),
	cmocka_unit_test(identity_is_told_to_both_ends),
	cmocka_unit_test(long_name_is_cut),
	cmocka_unit_test(control_characters_in_a_name_are_escaped),
};
const size_t tls_client_auth_count = sizeof(tls_client_auth_tests) / sizeof(*tls_client_auth_tests);
