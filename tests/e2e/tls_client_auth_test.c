/* SPDX-License-Identifier: MIT */
/* Clients that show certificates: who must, who may, who is believed, and what the handler learns of them. */
#include <gnutls/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/visit.h"

static const struct weft_context_options cold = { .no_keep_warm = true, .linger_ms = 1 };

static struct weft_trust clients;

static struct weft_vhost_options asking(enum weft_client_auth how)
{
	const struct test_cert *ca = test_certs_ca();

	clients = (struct weft_trust){ .ca = visit_span(ca->cert, ca->cert_len) };
	return (struct weft_vhost_options){
		.routes = visit_routes, .client_auth = how, .client_trust = &clients
	};
}

static void begin(struct duo *d, const struct weft_vhost_options *v)
{
	memset(&visitor, 0, sizeof(visitor));
	duo_open(d, NULL, &cold, v, false);
}

/* The server does not let it in, whatever the client sees of that. */
static void kept_out(struct duo *d, const struct weft_request *r)
{
	uint64_t before = duo_server_counts(d).handshakes_failed;
	struct visit v;

	visit(&v, d, r);
	assert_true(v.why.status < 0);
	assert_int_equal(v.status, 0);
	assert_true(duo_server_counts(d).handshakes_failed > before);
	assert_int_equal(duo_server_counts(d).streams_incoming, 0);
}

static void hash_of(const struct test_cert *cert, unsigned char out[WEFT_SHA256_BYTES])
{
	size_t len;
	unsigned char *der = test_cert_der(cert, &len);

	assert_int_equal(gnutls_hash_fast(GNUTLS_DIG_SHA256, der, len, out), 0);
	free(der);
}

static void the_handler_knows_who_it_is(void **state)
{
	const struct test_cert *me = test_cert(TEST_CERT_CLIENT);
	const struct weft_credential credential = visit_as(me);
	const struct weft_request r = { .credential = &credential };
	unsigned char hash[WEFT_SHA256_BYTES];
	struct visit v;
	struct duo d;

	(void)state;
	if (!visit_can("client-auth"))
		skip();
	for (unsigned how = WEFT_CLIENT_AUTH_OPTIONAL; how <= WEFT_CLIENT_AUTH_REQUIRED; how++) {
		const struct weft_vhost_options o = asking((enum weft_client_auth)how);

		begin(&d, &o);
		visit_good(&v, &d, &r);
		assert_true(visitor.info.peer_cert);
		assert_true(visitor.info.peer_verified);
		assert_string_equal(visitor.info.peer_name, "CN=localhost");
		hash_of(me, hash);
		assert_memory_equal(visitor.info.peer_sha256, hash, sizeof(hash));
		assert_true(visit_met(&visitor, me));
		assert_true(visit_met(&v.server, test_cert(TEST_CERT_GOOD)));
		duo_close(&d);
	}
}

static void none_is_asked_for_unless_it_is_wanted(void **state)
{
	const struct weft_credential credential = visit_as(test_cert(TEST_CERT_CLIENT));
	const struct weft_request r = { .credential = &credential };
	const struct weft_vhost_options o = { .routes = visit_routes };
	struct visit v;
	struct duo d;

	(void)state;
	begin(&d, &o);
	visit_good(&v, &d, &r);
	assert_false(visitor.info.peer_cert);
	assert_false(visitor.info.peer_verified);
	assert_string_equal(visitor.info.peer_name, "");
	assert_int_equal(visitor.cert_len, 0);
	duo_close(&d);
}

static void optional_lets_those_in_who_have_none(void **state)
{
	struct weft_vhost_options o;
	struct visit v;
	struct duo d;

	(void)state;
	if (!visit_can("client-auth"))
		skip();
	o = asking(WEFT_CLIENT_AUTH_OPTIONAL);
	begin(&d, &o);
	visit_good(&v, &d, NULL);
	assert_false(visitor.info.peer_cert);
	assert_false(visitor.info.peer_verified);
	duo_close(&d);
}

static void required_keeps_those_out_who_have_none(void **state)
{
	struct weft_vhost_options o;
	struct duo d;

	(void)state;
	if (!visit_can("client-auth"))
		skip();
	o = asking(WEFT_CLIENT_AUTH_REQUIRED);
	begin(&d, &o);
	kept_out(&d, NULL);
	duo_close(&d);
}

/* Without SNI the first vhost shakes hands, and it asks nobody: the Host must not lead past that. */
static void no_host_field_leads_to_a_vhost_that_asks(void **state)
{
	const struct weft_vhost_options open_to_all = { .routes = visit_routes };
	struct weft_vhost_options o;
	struct weft_request r = { .allow = WEFT_TLS_WRONG_HOST, .stream = { .sni = "" } };
	struct weft_vhost *asks;
	struct weft_error err;
	struct visit v;
	struct duo d;
	char url[128];

	(void)state;
	if (!visit_can("client-auth"))
		skip();
	for (unsigned how = WEFT_CLIENT_AUTH_OPTIONAL; how <= WEFT_CLIENT_AUTH_REQUIRED; how++) {
		begin(&d, &open_to_all);
		o = asking((enum weft_client_auth)how);
		o.name = "asks.example";
		duo_vhost_options(&d, &o);
		o.listen = d.base;
		if (weft_vhost_create(d.server, &o, &asks, &err))
			fail_msg("%s", err.text);
		snprintf(url, sizeof(url), "https://asks.example%s/", strrchr(d.base, ':'));
		r.url = url;
		r.connect_to = strstr(d.base, "://") + 3;
		visit(&v, &d, &r);
		assert_int_equal(v.status, 421);
		assert_int_equal(visitor.info.id, 0); /* no handler was called */
		weft_vhost_destroy(asks);
		duo_close(&d);
	}
}

static void who_is_not_believed_stays_out(void **state)
{
	static const enum test_cert_kind kinds[] = { TEST_CERT_OTHER_CA, TEST_CERT_SELF_SIGNED,
		TEST_CERT_EXPIRED, TEST_CERT_GOOD /* for servers only */ };

	(void)state;
	if (!visit_can("client-auth"))
		skip();
	for (size_t i = 0; i < 2 * sizeof(kinds) / sizeof(*kinds); i++) {
		const struct weft_credential credential = visit_as(test_cert(kinds[i / 2]));
		const struct weft_request r = { .credential = &credential };
		const struct weft_vhost_options o =
			asking(i % 2 ? WEFT_CLIENT_AUTH_REQUIRED : WEFT_CLIENT_AUTH_OPTIONAL);
		struct duo d;

		begin(&d, &o);
		kept_out(&d, &r);
		duo_close(&d);
	}
}

static void a_pin_holds_for_clients_too(void **state)
{
	const struct weft_credential credential = visit_as(test_cert(TEST_CERT_CLIENT));
	const struct weft_request r = { .credential = &credential };
	unsigned char pin[1][WEFT_SHA256_BYTES];
	struct weft_vhost_options o;
	struct visit v;
	struct duo d;

	(void)state;
	if (!visit_can("client-auth") || !visit_can("pin"))
		skip();
	o = asking(WEFT_CLIENT_AUTH_REQUIRED);
	begin(&d, &o);
	visit_good(&v, &d, &r);
	memcpy(pin[0], visitor.info.peer_spki, sizeof(pin[0]));
	duo_close(&d);
	clients.pins = (const unsigned char(*)[WEFT_SHA256_BYTES])pin;
	clients.pin_count = 1;
	begin(&d, &o);
	visit_good(&v, &d, &r);
	assert_true(visitor.info.peer_verified);
	duo_close(&d);
	pin[0][0] ^= 1;
	begin(&d, &o);
	kept_out(&d, &r);
	duo_close(&d);
}

static void a_resumed_session_still_says_who_it_is(void **state)
{
	const struct test_cert *me = test_cert(TEST_CERT_CLIENT);
	const struct weft_credential credential = visit_as(me);
	const struct weft_request r = { .credential = &credential };
	struct weft_vhost_options o;
	struct visit v;
	struct duo d;

	(void)state;
	if (!visit_can("client-auth") || !visit_can("resume"))
		skip();
	o = asking(WEFT_CLIENT_AUTH_REQUIRED);
	begin(&d, &o);
	for (unsigned i = 0; i < 3; i++) {
		visit_good(&v, &d, &r);
		assert_int_equal(visitor.info.tls_resumed, i > 0);
		assert_true(visitor.info.peer_verified);
		assert_string_equal(visitor.info.peer_name, "CN=localhost");
		assert_true(visit_met(&visitor, me));
	}
	/* who comes without it does not get in by that */
	memset(&visitor, 0, sizeof(visitor));
	visit(&v, &d, NULL);
	assert_true(v.why.status < 0);
	assert_false(visitor.info.peer_cert);
	duo_close(&d);
}

/* With the same secret, but other ideas of whom to believe: a ticket tells of a check that was not made. */
static void a_ticket_is_no_way_round_another_trust(void **state)
{
	static unsigned char secret[64] = { 3 };
	const struct test_cert *other = test_certs_other_ca();
	const struct weft_credential credential = visit_as(test_cert(TEST_CERT_CLIENT));
	const struct weft_request r = { .credential = &credential };
	struct weft_vhost_options o;
	struct weft_error err;
	struct visit v;
	struct duo d;

	(void)state;
	if (!visit_can("client-auth") || !visit_can("resume"))
		skip();
	o = asking(WEFT_CLIENT_AUTH_REQUIRED);
	o.ticket_secret = (struct weft_span){ secret, sizeof(secret) };
	begin(&d, &o);
	visit_good(&v, &d, &r);
	weft_vhost_destroy(d.vh);
	snprintf(d.listener, sizeof(d.listener), "%s", d.base);
	clients.ca = visit_span(other->cert, other->cert_len);
	duo_vhost_options(&d, &o);
	if (weft_vhost_create(d.server, &o, &d.vh, &err))
		fail_msg("%s", err.text);
	visit(&v, &d, &r);
	assert_true(v.why.status < 0);
	assert_int_equal(duo_server_counts(&d).handshakes_resumed, 0);
	assert_int_equal(duo_server_counts(&d).streams_incoming, 1);
	duo_close(&d);
}

/* Law 1 of the pool: whose certificate it is decides who may share. */
static void those_with_another_certificate_share_no_connection(void **state)
{
	const struct weft_context_options warm = { .linger_ms = 1 };
	const struct weft_credential credential = visit_as(test_cert(TEST_CERT_CLIENT));
	const struct weft_request with = { .share = WEFT_SHARE_POOL, .credential = &credential };
	const struct weft_request without = { .share = WEFT_SHARE_POOL };
	struct weft_vhost_options o;
	struct visit v;
	struct duo d;

	(void)state;
	if (!visit_can("client-auth"))
		skip();
	o = asking(WEFT_CLIENT_AUTH_OPTIONAL);
	duo_open(&d, NULL, &warm, &o, false);
	for (unsigned i = 0; i < 2; i++) {
		visit_good(&v, &d, &with);
		assert_true(visitor.info.peer_cert);
		visit_good(&v, &d, &without);
		assert_false(visitor.info.peer_cert);
	}
	assert_int_equal(duo_server_counts(&d).conns_accepted, 2);
	duo_close(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_handler_knows_who_it_is),
		cmocka_unit_test(none_is_asked_for_unless_it_is_wanted),
		cmocka_unit_test(no_host_field_leads_to_a_vhost_that_asks),
		cmocka_unit_test(optional_lets_those_in_who_have_none),
		cmocka_unit_test(required_keeps_those_out_who_have_none),
		cmocka_unit_test(who_is_not_believed_stays_out),
		cmocka_unit_test(a_pin_holds_for_clients_too),
		cmocka_unit_test(a_resumed_session_still_says_who_it_is),
		cmocka_unit_test(a_ticket_is_no_way_round_another_trust),
		cmocka_unit_test(those_with_another_certificate_share_no_connection),
	};

	return duo_main("client auth", tests, sizeof(tests) / sizeof(*tests), DUO_PAIRS);
}
