/* SPDX-License-Identifier: MIT */
/* Sessions that go on where an earlier one was: both ends know it, and nothing that was checked is lost. */
#include <stdlib.h>
#include <string.h>

#include "tests/contract/tls_clock.h"
#include "tests/contract/tls_pair.h"

static const unsigned char secret[WEFT_TLS_TICKET_SECRET] = { 1, 2, 3 };
static const unsigned char other_secret[WEFT_TLS_TICKET_SECRET] = { 3, 2, 1 };

static const struct tls_wish resumable = {
	.ticket_secret = { secret, sizeof(secret) },
	.tickets = true,
};

static void need(const struct tls_setting *setting)
{
	tls_need(setting, WEFT_TLS_CAN_RESUME, WEFT_TLS_CAN_RESUME);
}

static enum weft_status export(const struct tls_end *e, struct weft_buffer *to) {
	return e->ops->session_export ? e->ops->session_export(e->session, to) : WEFT_AGAIN;
}

static void talk(struct tls_pair *p)
{
	struct weft_buffer plain;

	weft_buffer_init(&plain, &weft_allocator_system);
	tls_end_encrypt(&p->client, "ping", 4);
	tls_carry(p, true, &plain);
	assert_int_equal(weft_buffer_len(&plain), 4);
	tls_end_encrypt(&p->server, "pong", 4);
	tls_carry(p, false, &plain);
	assert_int_equal(weft_buffer_len(&plain), 8);
	assert_memory_equal(weft_buffer_bytes(&plain), "pingpong", 8);
	weft_buffer_finish(&plain);
}

/* A full handshake with its ticket, which is kept. */
static void begin(
	const struct tls_setting *setting, const struct tls_wish *wish, struct weft_buffer *kept)
{
	struct tls_pair p;

	weft_buffer_init(kept, &weft_allocator_system);
	tls_pair_open(&p, setting, wish);
	assert_false(tls_info(&p.client).resumed || tls_info(&p.server).resumed);
	talk(&p);
	assert_int_equal(export(&p.client, kept), WEFT_OK);
	assert_true(weft_buffer_len(kept) > 0);
	tls_pair_destroy(&p);
}

/* Opens a pair that offers what was kept; both ends must agree on what came of it. */
static void go_on(const struct tls_setting *setting, struct tls_wish wish,
	const struct weft_buffer *kept, bool resumed, struct tls_pair *p)
{
	wish.resume = (struct weft_span){ weft_buffer_bytes(kept), weft_buffer_len(kept) };
	tls_pair_open(p, setting, &wish);
	if (tls_info(&p->client).resumed != resumed || tls_info(&p->server).resumed != resumed)
		fail_msg("client %s, server %s", tls_info(&p->client).resumed ? "resumed" : "full",
			tls_info(&p->server).resumed ? "resumed" : "full");
	talk(p);
}

static void second(const struct tls_setting *setting, const struct tls_wish *wish,
	const struct weft_buffer *kept, bool resumed)
{
	struct tls_pair p;

	go_on(setting, *wish, kept, resumed, &p);
	tls_pair_destroy(&p);
}

static void session_is_resumed(void **state)
{
	static const char *const alpn[] = { "http/1.1", NULL };
	struct tls_wish wish = resumable;
	struct weft_buffer kept;
	struct tls_pair p;

	need(*state);
	wish.client_alpn = wish.server_alpn = alpn;
	begin(*state, &wish, &kept);
	go_on(*state, wish, &kept, true, &p);
	assert_string_equal(tls_info(&p.client).alpn, "http/1.1");
	assert_string_equal(tls_info(&p.server).alpn, "http/1.1");
	tls_pair_destroy(&p);
	weft_buffer_finish(&kept);
}

/* Each session is the next one's beginning, as long as there are new tickets. */
static void resumed_session_is_resumed(void **state)
{
	struct weft_buffer kept, next;

	need(*state);
	begin(*state, &resumable, &kept);
	for (int i = 0; i < 5; i++) {
		struct tls_pair p;

		go_on(*state, resumable, &kept, true, &p);
		weft_buffer_init(&next, &weft_allocator_system);
		if (export(&p.client, &next) == WEFT_OK) {
			weft_buffer_finish(&kept);
			kept = next;
		}
		tls_pair_destroy(&p);
	}
	weft_buffer_finish(&kept);
}

static void nothing_new_is_again(void **state)
{
	struct weft_buffer kept;
	struct tls_pair p;

	need(*state);
	weft_buffer_init(&kept, &weft_allocator_system);
	tls_pair_open(&p, *state, &resumable);
	talk(&p);
	assert_int_equal(export(&p.client, &kept), WEFT_OK);
	weft_buffer_consume(&kept, weft_buffer_len(&kept));
	talk(&p);
	assert_int_equal(export(&p.client, &kept), WEFT_AGAIN);
	assert_int_equal(weft_buffer_len(&kept), 0);
	tls_pair_destroy(&p);
	weft_buffer_finish(&kept);
}

static void tls13_ticket_comes_after_the_handshake(void **state)
{
	struct weft_buffer kept;
	struct tls_pair p;

	need(*state);
	tls_need(*state, WEFT_TLS_CAN_TLS13, WEFT_TLS_CAN_TLS13);
	weft_buffer_init(&kept, &weft_allocator_system);
	tls_pair_open(&p, *state, &resumable);
	assert_int_equal(tls_info(&p.client).version, 0x0304);
	assert_int_equal(export(&p.client, &kept), WEFT_AGAIN);
	assert_int_equal(weft_buffer_len(&kept), 0);
	/* with the server's first data, if not before */
	tls_end_encrypt(&p.server, "data", 4);
	tls_carry(&p, false, &kept);
	assert_int_equal(weft_buffer_len(&kept), 4);
	assert_int_equal(p.client.status, WEFT_AGAIN);
	assert_int_equal(export(&p.client, &kept), WEFT_OK);
	assert_true(weft_buffer_len(&kept) > 4);
	tls_pair_destroy(&p);
	weft_buffer_finish(&kept);
}

static void export_leaves_plaintext_where_it_is(void **state)
{
	struct weft_buffer kept;
	struct weft_span plain;
	struct weft_span in;
	struct tls_pair p;

	need(*state);
	weft_buffer_init(&kept, &weft_allocator_system);
	tls_pair_open(&p, *state, &resumable);
	tls_end_encrypt(&p.server, "precious", 8);
	tls_deliver(&p.server, &p.client, 0);
	in = (struct weft_span){ weft_buffer_bytes(&p.client.in), weft_buffer_len(&p.client.in) };
	do {
		plain.len = 0;
		assert_int_equal(
			p.client.ops->decrypt(p.client.session, &in, &plain, &p.client.out, NULL),
			WEFT_OK);
	} while (!plain.len);
	assert_int_equal(export(&p.client, &kept), WEFT_OK);
	(void)tls_info(&p.client);
	assert_int_equal(plain.len, 8);
	assert_memory_equal(plain.ptr, "precious", 8);
	tls_pair_destroy(&p);
	weft_buffer_finish(&kept);
}

static void another_secret_is_a_full_handshake(void **state)
{
	struct tls_wish wish = resumable;
	struct weft_buffer kept;

	need(*state);
	begin(*state, &wish, &kept);
	wish.ticket_secret = (struct weft_span){ other_secret, sizeof(other_secret) };
	second(*state, &wish, &kept, false);
	/* and none at all */
	wish.ticket_secret = (struct weft_span){ NULL, 0 };
	second(*state, &wish, &kept, false);
	weft_buffer_finish(&kept);
}

static void garbage_is_a_full_handshake(void **state)
{
	struct weft_buffer kept, bad;
	size_t len;

	need(*state);
	begin(*state, &resumable, &kept);
	len = weft_buffer_len(&kept);
	for (size_t at = 0; at < len; at += at < 64 || len - at < 8 ? 1 : 61) {
		weft_buffer_init(&bad, &weft_allocator_system);
		weft_buffer_append(&bad, weft_buffer_bytes(&kept), len);
		bad.ptr[bad.start + at] ^= 0x55;
		second(*state, &resumable, &bad, false);
		weft_buffer_finish(&bad);
		weft_buffer_append(&bad, weft_buffer_bytes(&kept), at);
		second(*state, &resumable, &bad, false);
		weft_buffer_finish(&bad);
	}
	weft_buffer_init(&bad, &weft_allocator_system);
	weft_buffer_append(&bad, weft_buffer_bytes(&kept), len);
	weft_buffer_append(&bad, "more", 4);
	second(*state, &resumable, &bad, false);
	weft_buffer_finish(&bad);
	weft_buffer_finish(&kept);
}

/* Contexts are made anew for each pair, so this is another server, too. */
static void reloaded_server_resumes(void **state)
{
	struct tls_wish wish = resumable;
	struct weft_buffer kept;

	need(*state);
	begin(*state, &wish, &kept);
	wish.cert = TEST_CERT_RSA;
	second(*state, &wish, &kept, true);
	weft_buffer_finish(&kept);
}

static void server_without_a_secret_gives_none(void **state)
{
	struct tls_wish wish = { .tickets = true };
	struct weft_buffer kept;
	struct tls_pair p;

	need(*state);
	weft_buffer_init(&kept, &weft_allocator_system);
	tls_pair_open(&p, *state, &wish);
	talk(&p);
	assert_int_equal(export(&p.client, &kept), WEFT_AGAIN);
	assert_int_equal(weft_buffer_len(&kept), 0);
	tls_pair_destroy(&p);
}

static void client_that_wants_none_gets_none(void **state)
{
	struct tls_wish wish = resumable;
	struct weft_buffer kept;
	struct tls_pair p;

	need(*state);
	wish.tickets = false;
	weft_buffer_init(&kept, &weft_allocator_system);
	tls_pair_open(&p, *state, &wish);
	/* TLS 1.3: no ticket goes with the first data either, a record is all there is */
	assert_int_equal(weft_buffer_len(&p.server.out) + weft_buffer_len(&p.client.in), 0);
	tls_end_encrypt(&p.server, "data", 4);
	assert_in_range(weft_buffer_len(&p.server.out), 5 + 4, 5 + 8 + 4 + 1 + 16);
	tls_carry(&p, false, &kept);
	weft_buffer_consume(&kept, 4);
	assert_int_equal(export(&p.client, &kept), WEFT_AGAIN);
	assert_int_equal(weft_buffer_len(&kept), 0);
	tls_pair_destroy(&p);
	weft_buffer_finish(&kept);
}

static void tickets_grow_old(void **state)
{
	struct weft_buffer kept;

	need(*state);
	begin(*state, &resumable, &kept);
	tls_clock_ahead(WEFT_TLS_TICKET_LIFETIME_S / 2);
	second(*state, &resumable, &kept, true);
	tls_clock_ahead(WEFT_TLS_TICKET_LIFETIME_S + 60);
	second(*state, &resumable, &kept, false);
	tls_clock_ahead(WEFT_TLS_TICKET_LIFETIME_S * 20L);
	second(*state, &resumable, &kept, false);
	tls_clock_ahead(0);
	weft_buffer_finish(&kept);
}

/* At any hour: keys change, but not those of tickets that are still good. */
static void keys_change_behind_the_scenes(void **state)
{
	struct weft_buffer kept;

	need(*state);
	for (long hour = 0; hour < 13; hour++) {
		tls_clock_ahead(hour * 3600);
		begin(*state, &resumable, &kept);
		tls_clock_ahead(hour * 3600 + 1800);
		second(*state, &resumable, &kept, true);
		weft_buffer_finish(&kept);
	}
	tls_clock_ahead(0);
}

static void check_same_peer(const struct weft_tls_info *a, const struct weft_tls_info *b)
{
	assert_true(a->peer_cert && b->peer_cert);
	assert_string_equal(a->peer_name, b->peer_name);
	assert_memory_equal(a->peer_sha256, b->peer_sha256, sizeof(a->peer_sha256));
	assert_memory_equal(a->peer_spki, b->peer_spki, sizeof(a->peer_spki));
	assert_int_equal(a->peer_verified, b->peer_verified);
	assert_int_equal(a->faults, b->faults);
}

static void check_cert(const struct tls_end *e, const struct test_cert *cert)
{
	struct weft_span der;
	size_t len;
	unsigned char *own = test_cert_der(cert, &len);

	if (e->ops->peer_cert) {
		assert_int_equal(e->ops->peer_cert(e->session, &der), WEFT_OK);
		assert_int_equal(der.len, len);
		assert_memory_equal(der.ptr, own, len);
	}
	free(own);
}

static void server_is_known_again(void **state)
{
	struct weft_tls_info full, again;
	struct weft_buffer kept;
	struct tls_pair p;

	need(*state);
	begin(*state, &resumable, &kept);
	tls_pair_open(&p, *state, &resumable);
	full = tls_info(&p.client);
	tls_pair_destroy(&p);
	go_on(*state, resumable, &kept, true, &p);
	again = tls_info(&p.client);
	check_same_peer(&full, &again);
	assert_true(again.peer_verified);
	assert_string_equal(again.peer_name, "CN=localhost");
	check_cert(&p.client, test_cert(TEST_CERT_GOOD));
	tls_pair_destroy(&p);
	weft_buffer_finish(&kept);
}

static void client_is_known_again(void **state)
{
	struct tls_wish wish = resumable;
	struct weft_tls_info full, again;
	struct weft_buffer kept;
	struct tls_pair p;

	need(*state);
	tls_need(*state, 0, WEFT_TLS_CAN_CLIENT_AUTH);
	wish.client_auth = WEFT_TLS_CLIENT_AUTH_REQUIRED;
	wish.client_cert = test_cert(TEST_CERT_CLIENT);
	begin(*state, &wish, &kept);
	tls_pair_open(&p, *state, &wish);
	full = tls_info(&p.server);
	tls_pair_destroy(&p);
	go_on(*state, wish, &kept, true, &p);
	again = tls_info(&p.server);
	check_same_peer(&full, &again);
	assert_true(again.peer_verified);
	check_cert(&p.server, wish.client_cert);
	tls_pair_destroy(&p);
	weft_buffer_finish(&kept);
}

/* What was let through is remembered as such, and only for those who let it through. */
static void faults_are_remembered(void **state)
{
	struct tls_wish wish = resumable;
	struct weft_tls_info info;
	struct weft_buffer kept;
	struct tls_pair p;

	need(*state);
	wish.cert = TEST_CERT_EXPIRED;
	wish.allow = WEFT_TLS_EXPIRED;
	begin(*state, &wish, &kept);
	go_on(*state, wish, &kept, true, &p);
	info = tls_info(&p.client);
	assert_true(info.peer_cert);
	assert_false(info.peer_verified);
	assert_int_equal(info.faults, WEFT_TLS_EXPIRED);
	tls_pair_destroy(&p);
	wish.allow = 0;
	wish.resume = (struct weft_span){ weft_buffer_bytes(&kept), weft_buffer_len(&kept) };
	tls_pair_create(&p, *state, &wish);
	tls_pair_handshake(&p);
	assert_int_equal(p.client.status, WEFT_ERR_VERIFY);
	tls_pair_destroy(&p);
	weft_buffer_finish(&kept);
}

/* The full handshake that follows where nothing could be resumed is checked as any. */
static void full_handshake_after_all_is_verified(void **state)
{
	struct tls_wish wish = resumable;
	struct weft_buffer kept;
	struct tls_pair p;

	need(*state);
	begin(*state, &wish, &kept);
	wish.ticket_secret = (struct weft_span){ other_secret, sizeof(other_secret) };
	wish.cert = TEST_CERT_OTHER_CA;
	wish.resume = (struct weft_span){ weft_buffer_bytes(&kept), weft_buffer_len(&kept) };
	tls_pair_create(&p, *state, &wish);
	tls_pair_handshake(&p);
	assert_int_equal(p.client.status, WEFT_ERR_VERIFY);
	assert_int_equal(tls_info(&p.client).faults, WEFT_TLS_UNKNOWN_CA);
	tls_pair_destroy(&p);
	weft_buffer_finish(&kept);
}

static void no_way_round_a_required_certificate(void **state)
{
	struct tls_wish wish = resumable;
	struct weft_buffer kept;
	struct tls_pair p;

	need(*state);
	tls_need(*state, 0, WEFT_TLS_CAN_CLIENT_AUTH);
	for (enum weft_tls_client_auth before = WEFT_TLS_CLIENT_AUTH_NONE;
		before < WEFT_TLS_CLIENT_AUTH_REQUIRED; before++) {
		wish.client_auth = before;
		begin(*state, &wish, &kept);
		wish.client_auth = WEFT_TLS_CLIENT_AUTH_REQUIRED;
		wish.resume =
			(struct weft_span){ weft_buffer_bytes(&kept), weft_buffer_len(&kept) };
		tls_pair_create(&p, *state, &wish);
		tls_pair_handshake(&p);
		assert_int_equal(p.server.status, WEFT_ERR_VERIFY);
		tls_pair_destroy(&p);
		wish.resume = (struct weft_span){ NULL, 0 };
		weft_buffer_finish(&kept);
	}
}

static void client_revoked_since_is_refused(void **state)
{
	const struct test_cert *client = test_mint(
		&(struct test_recipe){ .subject = "CN=client", .purpose = "1.3.6.1.5.5.7.3.2" });
	struct tls_wish wish = resumable;
	struct weft_buffer kept;
	struct tls_pair p;

	need(*state);
	tls_need(*state, 0, WEFT_TLS_CAN_CLIENT_AUTH | WEFT_TLS_CAN_CRL);
	wish.client_auth = WEFT_TLS_CLIENT_AUTH_REQUIRED;
	wish.client_cert = client;
	begin(*state, &wish, &kept);
	/* the client's own trust knows the list as well, which is not on the server */
	wish.list = test_mint_crl(test_certs_ca(), client, -1, 30, false);
	wish.resume = (struct weft_span){ weft_buffer_bytes(&kept), weft_buffer_len(&kept) };
	tls_pair_create(&p, *state, &wish);
	tls_pair_handshake(&p);
	assert_int_equal(p.server.status, WEFT_ERR_VERIFY);
	tls_assert_text(&p.server.err, "certificate revoked");
	tls_pair_destroy(&p);
	weft_buffer_finish(&kept);
}

static void secret_of_another_length_is_refused(void **state)
{
	const struct tls_setting *setting = *state;
	const struct test_cert *cert = test_cert(TEST_CERT_GOOD);
	struct weft_tls_ctx_options o = { .size = sizeof(o),
		.alloc = &weft_allocator_system,
		.server = true,
		.cert_chain = { (const unsigned char *)cert->cert, cert->cert_len },
		.key = { (const unsigned char *)cert->key, cert->key_len },
		.ticket_secret = { secret, sizeof(secret) - 1 } };
	struct weft_error err;
	void *ctx;

	need(*state);
	assert_int_equal(setting->server->ops->ctx_create(&o, &ctx, &err), WEFT_ERR_ARGUMENT);
	tls_assert_text(&err, "64");
}

const struct CMUnitTest tls_resume_tests[] = {
	cmocka_unit_test(session_is_resumed),
	cmocka_unit_test(resumed_session_is_resumed),
	cmocka_unit_test(nothing_new_is_again),
	cmocka_unit_test(tls13_ticket_comes_after_the_handshake),
	cmocka_unit_test(export_leaves_plaintext_where_it_is),
	cmocka_unit_test(another_secret_is_a_full_handshake),
	cmocka_unit_test(garbage_is_a_full_handshake),
	cmocka_unit_test(reloaded_server_resumes),
	cmocka_unit_test(server_without_a_secret_gives_none),
	cmocka_unit_test(client_that_wants_none_gets_none),
	cmocka_unit_test(tickets_grow_old),
	cmocka_unit_test(keys_change_behind_the_scenes),
	cmocka_unit_test(server_is_known_again),
	cmocka_unit_test(client_is_known_again),
	cmocka_unit_test(faults_are_remembered),
	cmocka_unit_test(full_handshake_after_all_is_verified),
	cmocka_unit_test(no_way_round_a_required_certificate),
	cmocka_unit_test(client_revoked_since_is_refused),
	cmocka_unit_test(secret_of_another_length_is_refused),
};
const size_t tls_resume_count = sizeof(tls_resume_tests) / sizeof(*tls_resume_tests);
