/* SPDX-License-Identifier: MIT */
/* Stapled OCSP responses: RFC 6066 section 8, RFC 8446 section 4.4.2.1. */
#include <gnutls/ocsp.h>
#include <string.h>

#include "tests/contract/tls_raw.h"

static struct weft_span span(const struct test_cert *c)
{
	return (struct weft_span){ (const unsigned char *)c->cert, c->cert_len };
}

static void client_gets_the_response(void **state)
{
	static const char *const versions[] = { "NORMAL:-VERS-ALL:+VERS-TLS1.2",
		"NORMAL:-VERS-ALL:+VERS-TLS1.3" };
	const struct tls_setting *setting = *state;
	const struct test_cert *cert = test_mint(&(struct test_recipe){ .named = true });
	const struct test_cert *response = test_mint_ocsp(cert, test_certs_ca(), TEST_OCSP_GOOD);
	const struct tls_wish wish = { .shown = cert, .ocsp = span(response) };
	bool tls13 = setting->server->ops->caps & WEFT_TLS_CAN_TLS13;

	tls_need(setting, 0, WEFT_TLS_CAN_STAPLE);
	for (int i = 0; i < 1 + tls13; i++) {
		gnutls_datum_t got = { NULL, 0 };
		struct tls_raw raw;
		struct tls_end e;

		tls_end_create(&e, setting->server, true, &wish);
		tls_raw_create(&raw, &e, false, versions[i], NULL);
		assert_int_equal(tls_raw_handshake(&raw, &e), 0);
		assert_int_equal(e.status, WEFT_OK);
		assert_int_equal(gnutls_ocsp_status_request_get(raw.tls, &got), 0);
		assert_int_equal(got.size, response->cert_len);
		assert_memory_equal(got.data, response->cert, got.size);
		tls_raw_destroy(&raw);
		tls_end_destroy(&e);
	}
}

static void server_without_a_response_sends_none(void **state)
{
	const struct tls_setting *setting = *state;
	const struct tls_wish wish = { .cert = TEST_CERT_GOOD };
	gnutls_datum_t got = { NULL, 0 };
	struct tls_raw raw;
	struct tls_end e;

	tls_end_create(&e, setting->server, true, &wish);
	tls_raw_create(&raw, &e, false, "NORMAL", NULL);
	assert_int_equal(tls_raw_handshake(&raw, &e), 0);
	assert_true(gnutls_ocsp_status_request_get(raw.tls, &got) < 0);
	tls_raw_destroy(&raw);
	tls_end_destroy(&e);
}

static void refuse_ctx(
	const struct tls_setting *setting, const struct test_cert *cert, struct weft_span ocsp)
{
	struct weft_tls_ctx_options o = { .size = sizeof(o),
		.alloc = &weft_allocator_system,
		.server = true,
		.cert_chain = span(cert),
		.key = { (const unsigned char *)cert->key, cert->key_len },
		.ocsp = ocsp };
	struct weft_error err;
	void *ctx;

	assert_int_equal(setting->server->ops->ctx_create(&o, &ctx, &err), WEFT_ERR_TLS);
	tls_assert_text(&err, "OCSP response cannot be used: ");
}

static void response_of_no_use_is_refused(void **state)
{
	const struct test_cert *cert = test_mint(&(struct test_recipe){ .named = true });
	const struct test_cert *other = test_mint(&(struct test_recipe){ .named = true });
	const struct test_cert *response = test_mint_ocsp(cert, test_certs_ca(), TEST_OCSP_GOOD);

	tls_need(*state, 0, WEFT_TLS_CAN_STAPLE);
	refuse_ctx(*state, cert, (struct weft_span){ (const unsigned char *)"garbage", 7 });
	refuse_ctx(*state, cert,
		(struct weft_span){
			(const unsigned char *)response->cert, response->cert_len / 2 });
	/* another certificate's */
	refuse_ctx(*state, other, span(response));
}

static void meet(const struct tls_setting *setting, const struct tls_wish *wish, unsigned faults)
{
	struct tls_pair p;

	tls_pair_create(&p, setting, wish);
	tls_pair_handshake(&p);
	if (p.client.status != (faults ? WEFT_ERR_VERIFY : WEFT_OK))
		fail_msg("%s: %s", weft_status_name(p.client.status), p.client.err.text);
	assert_int_equal(tls_info(&p.client).faults, faults);
	if (faults)
		tls_assert_text(&p.client.err, "certificate revoked");
	tls_pair_destroy(&p);
}

static void client_heeds_a_good_response(void **state)
{
	struct tls_wish wish = { .shown = test_mint(&(struct test_recipe){ .named = true }) };

	tls_need(*state, WEFT_TLS_CAN_STAPLE, WEFT_TLS_CAN_STAPLE);
	wish.ocsp = span(test_mint_ocsp(wish.shown, test_certs_ca(), TEST_OCSP_GOOD));
	meet(*state, &wish, 0);
}

static int give(gnutls_session_t tls, void *user, gnutls_datum_t *response)
{
	const struct test_cert *own = user;

	(void)tls;
	response->data = gnutls_malloc(own->cert_len);
	assert_non_null(response->data);
	memcpy(response->data, own->cert, own->cert_len);
	response->size = (unsigned)own->cert_len;
	return 0;
}

/* No backend would show it. */
static void client_heeds_a_response_that_says_revoked(void **state)
{
	const struct tls_setting *setting = *state;
	const struct test_cert *cert = test_mint(&(struct test_recipe){ .named = true });
	const struct test_cert *bad = test_mint_ocsp(cert, test_certs_ca(), TEST_OCSP_REVOKED);
	struct tls_wish wish = { .cert = TEST_CERT_GOOD };

	tls_need(setting, WEFT_TLS_CAN_STAPLE, 0);
	for (int allowed = 0; allowed < 2; allowed++) {
		struct tls_raw raw;
		struct tls_end e;

		wish.allow = allowed ? WEFT_TLS_REVOKED : 0;
		tls_end_create(&e, setting->client, false, &wish);
		tls_raw_create(&raw, &e, true, "NORMAL", cert);
		gnutls_certificate_set_ocsp_status_request_function(
			raw.cred, give, (void *)(uintptr_t)bad);
		tls_end_handshake(&e);
		tls_raw_handshake(&raw, &e);
		assert_int_equal(e.status, allowed ? WEFT_OK : WEFT_ERR_VERIFY);
		assert_int_equal(tls_info(&e).faults, WEFT_TLS_REVOKED);
		tls_raw_destroy(&raw);
		tls_end_destroy(&e);
	}
}

/* Signed by somebody who may not. */
static void client_heeds_no_forged_response(void **state)
{
	const struct test_cert *impostor = test_mint(&(struct test_recipe){
		.subject = "CN=Weft test CA", .ca = true, .self_signed = true });
	struct tls_wish wish = { .shown = test_mint(&(struct test_recipe){ .named = true }) };

	tls_need(*state, WEFT_TLS_CAN_STAPLE, WEFT_TLS_CAN_STAPLE);
	wish.ocsp = span(test_mint_ocsp_by(wish.shown, test_certs_ca(), impostor, TEST_OCSP_GOOD));
	meet(*state, &wish, WEFT_TLS_REVOKED);
}

/* RFC 7633: a certificate that says that there will be a response. */
static void promised_response_must_come(void **state)
{
	struct tls_wish wish = { .shown = test_mint(&(struct test_recipe){
					 .named = true, .must_staple = true }) };

	tls_need(*state, WEFT_TLS_CAN_STAPLE, WEFT_TLS_CAN_STAPLE);
	meet(*state, &wish, WEFT_TLS_REVOKED);
	wish.ocsp = span(test_mint_ocsp(wish.shown, test_certs_ca(), TEST_OCSP_GOOD));
	meet(*state, &wish, 0);
}

const struct CMUnitTest tls_staple_tests[] = {
	cmocka_unit_test(client_gets_the_response),
	cmocka_unit_test(server_without_a_response_sends_none),
	cmocka_unit_test(response_of_no_use_is_refused),
	cmocka_unit_test(client_heeds_a_good_response),
	cmocka_unit_test(client_heeds_a_response_that_says_revoked),
	cmocka_unit_test(client_heeds_no_forged_response),
	cmocka_unit_test(promised_response_must_come),
};
const size_t tls_staple_count = sizeof(tls_staple_tests) / sizeof(*tls_staple_tests);
