/* SPDX-License-Identifier: MIT */
/* Pinned keys, and keys that live elsewhere. */
#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/visit.h"

static const struct weft_context_options cold = { .no_keep_warm = true, .linger_ms = 1 };
static const struct weft_vhost_options vhost = { .routes = visit_routes };

static gnutls_datum_t datum(const char *text, size_t len)
{
	return (gnutls_datum_t){ (unsigned char *)(uintptr_t)text, (unsigned)len };
}

/* ---- pins ---- */

/* By another way than the backends'. */
static void pin_of(const struct test_cert *cert, unsigned char out[WEFT_SHA256_BYTES])
{
	gnutls_datum_t pem = datum(cert->cert, cert->cert_len), der;
	gnutls_x509_crt_t crt;
	gnutls_pubkey_t key;

	assert_int_equal(gnutls_x509_crt_init(&crt), 0);
	assert_int_equal(gnutls_x509_crt_import(crt, &pem, GNUTLS_X509_FMT_PEM), 0);
	assert_int_equal(gnutls_pubkey_init(&key), 0);
	assert_int_equal(gnutls_pubkey_import_x509(key, crt, 0), 0);
	assert_int_equal(gnutls_pubkey_export2(key, GNUTLS_X509_FMT_DER, &der), 0);
	assert_int_equal(gnutls_hash_fast(GNUTLS_DIG_SHA256, der.data, der.size, out), 0);
	gnutls_free(der.data);
	gnutls_pubkey_deinit(key);
	gnutls_x509_crt_deinit(crt);
}

struct pinned {
	unsigned char pins[3][WEFT_SHA256_BYTES];
	struct weft_trust trust;
	struct weft_request request;
};

/* CA and other: keys that are not the leaf's. */
static void pin(struct pinned *p, const struct duo *d, size_t count)
{
	pin_of(test_certs_ca(), p->pins[0]);
	pin_of(test_cert(TEST_CERT_RSA), p->pins[1]);
	pin_of(test_cert(TEST_CERT_GOOD), p->pins[2]);
	p->trust = d->trust;
	p->trust.pins = (const unsigned char(*)[WEFT_SHA256_BYTES])p->pins;
	p->trust.pin_count = count;
	p->request = (struct weft_request){ .trust = &p->trust };
}

static void the_right_key_is_let_through(void **state)
{
	struct pinned p;
	struct visit v;
	struct duo d;

	(void)state;
	if (!visit_can("pin"))
		skip();
	duo_open(&d, NULL, &cold, &vhost, false);
	pin(&p, &d, 3);
	visit_good(&v, &d, &p.request);
	assert_true(v.server.info.peer_verified);
	assert_memory_equal(v.server.info.peer_spki, p.pins[2], sizeof(p.pins[2]));
	/* what was pinned then is pinned when it is resumed */
	visit_good(&v, &d, &p.request);
	if (visit_can("resume"))
		assert_true(v.server.info.tls_resumed);
	duo_close(&d);
}

static void a_wrong_key_is_told_and_not_tried_again(void **state)
{
	struct pinned p;
	struct visit v;
	struct duo d;

	(void)state;
	if (!visit_can("pin"))
		skip();
	duo_open(&d, NULL, &cold, &vhost, false);
	pin(&p, &d, 2); /* the CA's key is none of the leaf's */
	visit(&v, &d, &p.request);
	assert_int_equal(v.why.status, WEFT_ERR_VERIFY);
	assert_string_equal(v.why.text, "certificate has none of the pinned keys");
	assert_int_equal(duo_client_counts(&d).conns_tried, 1);
	assert_int_equal(duo_server_counts(&d).streams_incoming, 0);
	/* nothing that may be allowed allows it */
	p.request.allow = ~0u;
	visit(&v, &d, &p.request);
	assert_int_equal(v.why.status, WEFT_ERR_VERIFY);
	assert_non_null(strstr(v.why.text, "none of the pinned keys"));
	duo_close(&d);
}

static void a_pin_is_no_substitute_for_trust(void **state)
{
	const struct test_cert *other = test_certs_other_ca();
	struct pinned p;
	struct visit v;
	struct duo d;

	(void)state;
	if (!visit_can("pin"))
		skip();
	duo_open(&d, NULL, &cold, &vhost, false);
	pin(&p, &d, 3);
	p.trust.ca = visit_span(other->cert, other->cert_len);
	visit(&v, &d, &p.request);
	assert_int_equal(v.why.status, WEFT_ERR_VERIFY);
	assert_non_null(strstr(v.why.text, "issuer is unknown"));
	assert_null(strstr(v.why.text, "pinned"));
	/* but with the checks off, the right key is still asked for, and enough */
	p.request.allow = WEFT_TLS_ALLOW_ALL;
	visit_good(&v, &d, &p.request);
	assert_false(v.server.info.peer_verified);
	duo_close(&d);
}

static void unpinned_sessions_are_not_resumed_by_pinned_requests(void **state)
{
	struct pinned p;
	struct visit v;
	struct duo d;

	(void)state;
	if (!visit_can("pin") || !visit_can("resume"))
		skip();
	duo_open(&d, NULL, &cold, &vhost, false);
	pin(&p, &d, 2);
	visit_good(&v, &d, NULL);
	visit(&v, &d, &p.request);
	assert_int_equal(v.why.status, WEFT_ERR_VERIFY);
	assert_int_equal(duo_server_counts(&d).handshakes_resumed, 0);
	duo_close(&d);
}

/* ---- signers ---- */

struct elsewhere {
	gnutls_privkey_t key;
	unsigned calls;
	bool refuses;
};

/* SignatureSchemes of RFC 8446 section 4.2.3. */
static const struct {
	unsigned scheme;
	gnutls_sign_algorithm_t algorithm;
} schemes[] = {
	{ 0x0401, GNUTLS_SIGN_RSA_SHA256 },
	{ 0x0501, GNUTLS_SIGN_RSA_SHA384 },
	{ 0x0601, GNUTLS_SIGN_RSA_SHA512 },
	{ 0x0403, GNUTLS_SIGN_ECDSA_SHA256 },
	{ 0x0503, GNUTLS_SIGN_ECDSA_SHA384 },
	{ 0x0603, GNUTLS_SIGN_ECDSA_SHA512 },
	{ 0x0804, GNUTLS_SIGN_RSA_PSS_RSAE_SHA256 },
	{ 0x0805, GNUTLS_SIGN_RSA_PSS_RSAE_SHA384 },
	{ 0x0806, GNUTLS_SIGN_RSA_PSS_RSAE_SHA512 },
};

static enum weft_status sign(void *user, unsigned scheme, const unsigned char *digest,
	size_t digest_len, unsigned char *out, size_t *len)
{
	struct elsewhere *e = user;
	gnutls_datum_t hash = datum((const char *)digest, digest_len), signature;

	e->calls++;
	for (size_t i = 0; i < sizeof(schemes) / sizeof(*schemes) && !e->refuses; i++) {
		if (schemes[i].scheme != scheme)
			continue;
		assert_int_equal(gnutls_privkey_sign_hash2(
					 e->key, schemes[i].algorithm, 0, &hash, &signature),
			0);
		assert_true(signature.size <= *len);
		memcpy(out, signature.data, signature.size);
		*len = signature.size;
		gnutls_free(signature.data);
		return WEFT_OK;
	}
	return WEFT_ERR_STATE;
}

static void put_elsewhere(struct elsewhere *e, const struct test_cert *cert)
{
	gnutls_datum_t pem = datum(cert->key, cert->key_len);

	memset(e, 0, sizeof(*e));
	assert_int_equal(gnutls_privkey_init(&e->key), 0);
	assert_int_equal(
		gnutls_privkey_import_x509_raw(e->key, &pem, GNUTLS_X509_FMT_PEM, NULL, 0), 0);
}

static struct weft_credential cert_only(
	const struct test_cert *cert, const struct weft_signer *signer)
{
	return (struct weft_credential){ .cert = visit_span(cert->cert, cert->cert_len),
		.signer = signer };
}

static void a_server_s_key_may_be_elsewhere(void **state)
{
	static const enum test_cert_kind kinds[] = { TEST_CERT_GOOD, TEST_CERT_RSA };

	(void)state;
	if (!visit_can("sign"))
		skip();
	for (size_t i = 0; i < 2; i++) {
		const struct test_cert *cert = test_cert(kinds[i]);
		struct elsewhere e;
		const struct weft_signer signer = { .sign = sign, .user = &e };
		const struct weft_vhost_options o = { .routes = visit_routes,
			.credential = cert_only(cert, &signer) };
		struct visit v;
		struct duo d;

		put_elsewhere(&e, cert);
		duo_open(&d, NULL, &cold, &o, false);
		assert_int_equal(e.calls, 0);
		visit_good(&v, &d, NULL);
		assert_int_equal(e.calls, 1);
		assert_true(visit_met(&v.server, cert));
		/* what fails there fails this handshake, and no other */
		e.refuses = true;
		visit(&v, &d, &(struct weft_request){ .stream.sni = "a.example.test" });
		assert_true(v.why.status < 0);
		assert_true(duo_server_counts(&d).handshakes_failed > 0);
		e.refuses = false;
		visit_good(&v, &d, &(struct weft_request){ .stream.sni = "a.example.test" });
		duo_close(&d);
		gnutls_privkey_deinit(e.key);
	}
}

static void a_client_s_key_may_be_elsewhere(void **state)
{
	const struct test_cert *me = test_cert(TEST_CERT_CLIENT), *ca = test_certs_ca();
	const struct weft_trust clients = { .ca = visit_span(ca->cert, ca->cert_len) };
	const struct weft_vhost_options o = { .routes = visit_routes,
		.client_auth = WEFT_CLIENT_AUTH_REQUIRED,
		.client_trust = &clients };
	struct elsewhere e;
	const struct weft_signer signer = { .sign = sign, .user = &e };
	const struct weft_credential credential = cert_only(me, &signer);
	const struct weft_request r = { .credential = &credential };
	struct visit v;
	struct duo d;

	(void)state;
	if (!visit_can("sign") || !visit_can("client-auth"))
		skip();
	put_elsewhere(&e, me);
	duo_open(&d, NULL, &cold, &o, false);
	visit_good(&v, &d, &r);
	assert_int_equal(e.calls, 1);
	assert_true(visit_met(&visitor, me));
	duo_close(&d);
	gnutls_privkey_deinit(e.key);
}

static void a_reload_may_move_the_key(void **state)
{
	const struct test_cert *rsa = test_cert(TEST_CERT_RSA);
	const struct weft_context_options full = {
		.no_keep_warm = true, .linger_ms = 1, .no_tickets = true
	};
	struct elsewhere e;
	const struct weft_signer signer = { .sign = sign, .user = &e };
	const struct weft_credential moved = cert_only(rsa, &signer);
	const struct weft_credential back = visit_as(test_cert(TEST_CERT_GOOD));
	struct weft_error err;
	struct visit v;
	struct duo d;

	(void)state;
	if (!visit_can("sign"))
		skip();
	put_elsewhere(&e, rsa);
	duo_open(&d, NULL, &full, &vhost, false);
	if (weft_vhost_reload(d.vh, &moved, &err))
		fail_msg("%s", err.text);
	visit_good(&v, &d, NULL);
	assert_true(visit_met(&v.server, rsa));
	assert_int_equal(e.calls, 1);
	assert_int_equal(weft_vhost_reload(d.vh, &back, &err), WEFT_OK);
	visit_good(&v, &d, NULL);
	assert_true(visit_met(&v.server, test_cert(TEST_CERT_GOOD)));
	assert_int_equal(e.calls, 1);
	duo_close(&d);
	gnutls_privkey_deinit(e.key);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_right_key_is_let_through),
		cmocka_unit_test(a_wrong_key_is_told_and_not_tried_again),
		cmocka_unit_test(a_pin_is_no_substitute_for_trust),
		cmocka_unit_test(unpinned_sessions_are_not_resumed_by_pinned_requests),
		cmocka_unit_test(a_server_s_key_may_be_elsewhere),
		cmocka_unit_test(a_client_s_key_may_be_elsewhere),
		cmocka_unit_test(a_reload_may_move_the_key),
	};

	return duo_main("pins and signers", tests, sizeof(tests) / sizeof(*tests), DUO_PAIRS);
}
