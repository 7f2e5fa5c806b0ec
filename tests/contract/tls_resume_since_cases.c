/* SPDX-License-Identifier: MIT */
/*
 * What has changed since a session began: certificates and lists that have run out, another trust, a pin. Then
 * there is a full handshake, with the verdict that it would have had anyway.
 */
#include <gnutls/x509.h>

#include "tests/contract/tls_clock.h"
#include "tests/contract/tls_pair.h"

enum { MINUTE = 60, DAY = 24 * 60 * MINUTE };

static const unsigned char secret[WEFT_TLS_TICKET_SECRET] = { 7, 6, 5 };

static const struct tls_wish resumable = {
	.ticket_secret = { secret, sizeof(secret) },
	.tickets = true,
};

static void need(const struct tls_setting *setting, unsigned client_caps, unsigned server_caps)
{
	tls_need(setting, WEFT_TLS_CAN_RESUME | client_caps, WEFT_TLS_CAN_RESUME | server_caps);
}

/* A full handshake whose ticket is kept. */
static void begin(
	const struct tls_setting *setting, const struct tls_wish *wish, struct weft_buffer *kept)
{
	struct weft_buffer plain;
	struct tls_pair p;

	weft_buffer_init(kept, &weft_allocator_system);
	weft_buffer_init(&plain, &weft_allocator_system);
	tls_pair_open(&p, setting, wish);
	assert_false(tls_info(&p.client).resumed);
	tls_end_encrypt(&p.server, "data", 4);
	tls_carry(&p, false, &plain);
	assert_int_equal(weft_buffer_len(&plain), 4);
	assert_int_equal(p.client.ops->session_export(p.client.session, kept), WEFT_OK);
	tls_pair_destroy(&p);
	weft_buffer_finish(&plain);
}

static void offer(const struct tls_setting *setting, struct tls_wish wish,
	const struct weft_buffer *kept, struct tls_pair *p)
{
	wish.resume = (struct weft_span){ weft_buffer_bytes(kept), weft_buffer_len(kept) };
	tls_pair_create(p, setting, &wish);
	tls_pair_handshake(p);
}

/* Both succeed, and the client finds these faults, which it allows. */
static void succeed(const struct tls_setting *setting, const struct tls_wish *wish,
	const struct weft_buffer *kept, bool resumed, unsigned faults)
{
	struct tls_pair p;

	offer(setting, *wish, kept, &p);
	if (p.client.status || p.server.status)
		fail_msg("client: %s, server: %s", p.client.err.text, p.server.err.text);
	assert_int_equal(tls_info(&p.client).resumed, resumed);
	assert_int_equal(tls_info(&p.server).resumed, resumed);
	assert_int_equal(tls_info(&p.client).faults, faults);
	assert_int_equal(tls_info(&p.client).peer_verified, !faults);
	tls_pair_destroy(&p);
}

static void refused_by(bool server, const struct tls_setting *setting, const struct tls_wish *wish,
	const struct weft_buffer *kept, unsigned faults)
{
	struct tls_end *end;
	struct tls_pair p;
	char words[200];

	offer(setting, *wish, kept, &p);
	end = server ? &p.server : &p.client;
	assert_int_equal(end->status, WEFT_ERR_VERIFY);
	assert_int_equal(tls_info(end).faults, faults);
	assert_string_equal(end->err.text, weft_tls_faults_text(faults, words, sizeof(words)));
	tls_pair_destroy(&p);
}

/* Just before something of a day runs out, when all is well, and just after. */
static void begin_and_wait(
	const struct tls_setting *setting, const struct tls_wish *wish, struct weft_buffer *kept)
{
	tls_clock_ahead(DAY - 9 * MINUTE);
	begin(setting, wish, kept);
	tls_clock_ahead(DAY - 5 * MINUTE);
	succeed(setting, wish, kept, true, 0);
	tls_clock_ahead(DAY + 5 * MINUTE);
}

static int put_clock_right(void **state)
{
	(void)state;
	tls_clock_ahead(0);
	return 0;
}

static void server_expired_since_is_refused(void **state)
{
	struct tls_wish wish = resumable;
	struct weft_buffer kept;

	need(*state, 0, 0);
	wish.shown = test_mint(&(struct test_recipe){ .named = true, .from = -1, .to = 1 });
	begin_and_wait(*state, &wish, &kept);
	refused_by(false, *state, &wish, &kept, WEFT_TLS_EXPIRED);
	/* allowed, but told */
	wish.allow = WEFT_TLS_EXPIRED;
	succeed(*state, &wish, &kept, false, WEFT_TLS_EXPIRED);
	/* the server has a new one */
	wish.allow = 0;
	wish.shown = test_cert(TEST_CERT_GOOD);
	succeed(*state, &wish, &kept, false, 0);
	weft_buffer_finish(&kept);
}

/* As a clock that was put back sees it, by less than makes the ticket itself strange. */
static void server_not_valid_any_more_is_refused(void **state)
{
	struct tls_wish wish = resumable;
	struct weft_buffer kept;

	need(*state, 0, 0);
	wish.shown = test_mint(&(struct test_recipe){ .named = true, .from = 1, .to = 9 });
	tls_clock_ahead(DAY + 15);
	begin(*state, &wish, &kept);
	tls_clock_ahead(DAY - 15);
	refused_by(false, *state, &wish, &kept, WEFT_TLS_NOT_YET_VALID);
	weft_buffer_finish(&kept);
}

static void list_run_out_since_is_a_full_handshake(void **state)
{
	const struct test_cert *other = test_mint_crl(test_certs_other_ca(), NULL, -1, 1, false);
	struct tls_wish wish = resumable;
	struct weft_buffer kept;

	need(*state, WEFT_TLS_CAN_CRL, 0);
	wish.list = test_mint_crl(test_certs_ca(), NULL, -1, 1, false);
	begin_and_wait(*state, &wish, &kept);
	refused_by(false, *state, &wish, &kept, WEFT_TLS_REVOKED);
	wish.allow = WEFT_TLS_REVOKED;
	succeed(*state, &wish, &kept, false, WEFT_TLS_REVOKED);
	/* the list of somebody else is no matter to a full handshake */
	wish.allow = 0;
	wish.list = other;
	succeed(*state, &wish, &kept, false, 0);
	weft_buffer_finish(&kept);
}

static void pinned_since_is_a_full_handshake(void **state)
{
	static const unsigned char pin[1][WEFT_SHA256_BYTES] = { { 1 } };
	struct tls_wish wish = resumable;
	struct weft_buffer kept;

	need(*state, WEFT_TLS_CAN_PIN, 0);
	begin(*state, &wish, &kept);
	wish.pins = pin;
	wish.pin_count = 1;
	refused_by(false, *state, &wish, &kept, WEFT_TLS_WRONG_PIN);
	weft_buffer_finish(&kept);
}

static struct test_recipe client_of(const struct test_cert *ca)
{
	return (struct test_recipe){
		.subject = "CN=client", .purpose = GNUTLS_KP_TLS_WWW_CLIENT, .issuer = ca
	};
}

static void client_expired_since_is_refused(void **state)
{
	struct test_recipe recipe = client_of(NULL);
	struct tls_wish wish = resumable;
	struct weft_buffer kept;

	need(*state, 0, WEFT_TLS_CAN_CLIENT_AUTH);
	recipe.from = -1;
	recipe.to = 1;
	wish.client_auth = WEFT_TLS_CLIENT_AUTH_REQUIRED;
	wish.client_cert = test_mint(&recipe);
	begin_and_wait(*state, &wish, &kept);
	refused_by(true, *state, &wish, &kept, WEFT_TLS_EXPIRED);
	weft_buffer_finish(&kept);
}

/* The ticket says what another CA said, which is no fault of a client that has what this one asks for. */
static void server_that_believes_another_ca_asks_again(void **state)
{
	const struct test_recipe recipe = client_of(test_certs_other_ca());
	struct tls_wish wish = resumable;
	struct weft_buffer kept;

	need(*state, 0, WEFT_TLS_CAN_CLIENT_AUTH);
	wish.client_auth = WEFT_TLS_CLIENT_AUTH_REQUIRED;
	wish.client_cert = test_cert(TEST_CERT_CLIENT);
	begin(*state, &wish, &kept);
	succeed(*state, &wish, &kept, true, 0);
	/* the server's own is of the other CA as well: a client believes one in these cases */
	wish.trust = test_certs_other_ca();
	wish.cert = TEST_CERT_OTHER_CA;
	refused_by(true, *state, &wish, &kept, WEFT_TLS_UNKNOWN_CA);
	wish.client_cert = test_mint(&recipe);
	succeed(*state, &wish, &kept, false, 0);
	weft_buffer_finish(&kept);
}

static void server_with_another_list_asks_again(void **state)
{
	struct tls_wish wish = resumable;
	struct weft_buffer kept;

	need(*state, WEFT_TLS_CAN_CRL, WEFT_TLS_CAN_CLIENT_AUTH | WEFT_TLS_CAN_CRL);
	wish.client_auth = WEFT_TLS_CLIENT_AUTH_REQUIRED;
	wish.client_cert = test_cert(TEST_CERT_CLIENT);
	wish.list = test_mint_crl(test_certs_ca(), NULL, -1, 30, false);
	begin(*state, &wish, &kept);
	succeed(*state, &wish, &kept, true, 0);
	wish.list = test_mint_crl(test_certs_ca(), test_cert(TEST_CERT_REVOKED), -1, 30, false);
	succeed(*state, &wish, &kept, false, 0);
	weft_buffer_finish(&kept);
}

const struct CMUnitTest tls_resume_since_tests[] = {
	cmocka_unit_test_teardown(server_expired_since_is_refused, put_clock_right),
	cmocka_unit_test_teardown(server_not_valid_any_more_is_refused, put_clock_right),
	cmocka_unit_test_teardown(list_run_out_since_is_a_full_handshake, put_clock_right),
	cmocka_unit_test(pinned_since_is_a_full_handshake),
	cmocka_unit_test_teardown(client_expired_since_is_refused, put_clock_right),
	cmocka_unit_test(server_that_believes_another_ca_asks_again),
	cmocka_unit_test(server_with_another_list_asks_again),
};
const size_t tls_resume_since_count =
	sizeof(tls_resume_since_tests) / sizeof(*tls_resume_since_tests);
