/* SPDX-License-Identifier: MIT */
/* Contexts that make no more sessions: what is gone from them is missed by none of those that there are. */
#include "tests/contract/tls_raw.h"

static const unsigned char secret[WEFT_TLS_TICKET_SECRET] = { 7, 8, 9 };

static const struct tls_wish resumable = {
	.ticket_secret = { secret, sizeof(secret) },
	.tickets = true,
};

static void trim(struct tls_pair *p)
{
	if (p->client.ops->ctx_trim)
		p->client.ops->ctx_trim(p->client.ctx);
	if (p->server.ops->ctx_trim)
		p->server.ops->ctx_trim(p->server.ctx);
}

static void talk(struct tls_pair *p)
{
	static const char bytes[40000];
	struct weft_buffer plain;

	weft_buffer_init(&plain, &weft_allocator_system);
	tls_end_encrypt(&p->client, bytes, sizeof(bytes));
	tls_carry(p, true, &plain);
	assert_int_equal(weft_buffer_len(&plain), sizeof(bytes));
	tls_end_encrypt(&p->server, "pong", 4);
	tls_carry(p, false, &plain);
	assert_int_equal(weft_buffer_len(&plain), sizeof(bytes) + 4);
	weft_buffer_finish(&plain);
}

/* Each end says goodbye, and the other one hears it. */
static void close_both(struct tls_pair *p)
{
	struct weft_buffer plain;

	weft_buffer_init(&plain, &weft_allocator_system);
	for (int to_server = 0; to_server < 2; to_server++) {
		struct tls_end *from = to_server ? &p->client : &p->server;

		from->ops->close_notify(from->session, &from->out);
		tls_carry(p, to_server, &plain);
		assert_int_equal((to_server ? &p->server : &p->client)->status, WEFT_EOF);
	}
	assert_int_equal(weft_buffer_len(&plain), 0);
	weft_buffer_finish(&plain);
}

static void assert_same_info(const struct weft_tls_info *a, const struct weft_tls_info *b)
{
	assert_string_equal(a->alpn, b->alpn);
	assert_string_equal(a->cipher, b->cipher);
	assert_string_equal(a->peer_name, b->peer_name);
	assert_int_equal(a->version, b->version);
	assert_int_equal(a->faults, b->faults);
	assert_int_equal(a->resumed, b->resumed);
	assert_int_equal(a->peer_cert, b->peer_cert);
	assert_int_equal(a->peer_verified, b->peer_verified);
	assert_memory_equal(a->peer_sha256, b->peer_sha256, sizeof(a->peer_sha256));
	assert_memory_equal(a->peer_spki, b->peer_spki, sizeof(a->peer_spki));
}

/* Trims an open pair, and uses all that its sessions have. */
static void go_through(struct tls_pair *p)
{
	struct weft_tls_info client = tls_info(&p->client), server = tls_info(&p->server), now;
	struct weft_span before, after;

	assert_true(client.peer_cert);
	assert_int_equal(p->client.ops->peer_cert(p->client.session, &before), WEFT_OK);
	trim(p);
	assert_int_equal(p->client.ops->peer_cert(p->client.session, &after), WEFT_OK);
	assert_ptr_equal(after.ptr, before.ptr);
	assert_int_equal(after.len, before.len);
	for (int i = 0; i < 3; i++)
		talk(p);
	if (p->client.ops->settle)
		p->client.ops->settle(p->client.session);
	talk(p);
	now = tls_info(&p->client);
	assert_same_info(&now, &client);
	now = tls_info(&p->server);
	assert_same_info(&now, &server);
	close_both(p);
	tls_pair_destroy(p);
}

static void sessions_go_on(void **state)
{
	static const char *const alpn[] = { "h2", NULL };
	const struct tls_wish wish = { .client_alpn = alpn, .server_alpn = alpn };
	struct tls_pair p;

	tls_pair_open(&p, *state, &wish);
	go_through(&p);
}

/* ... of contexts with all that can be taken away. */
static void sessions_of_rich_contexts_go_on(void **state)
{
	const unsigned caps = WEFT_TLS_CAN_CLIENT_AUTH | WEFT_TLS_CAN_CRL | WEFT_TLS_CAN_RESUME;
	struct tls_wish wish = resumable;
	struct tls_pair p;

	tls_need(*state, caps, caps);
	wish.client_auth = WEFT_TLS_CLIENT_AUTH_REQUIRED;
	wish.client_cert = test_mint(
		&(struct test_recipe){ .subject = "CN=client", .purpose = "1.3.6.1.5.5.7.3.2" });
	wish.crl = true;
	tls_pair_open(&p, *state, &wish);
	assert_string_equal(tls_info(&p.server).peer_name, "CN=client");
	go_through(&p);
}

/* Tickets that come after it are kept, and other contexts of the same content go on with them. */
static void tickets_outlive_it(void **state)
{
	struct tls_wish wish = resumable;
	struct weft_buffer kept;
	struct tls_pair p;

	tls_need(*state, WEFT_TLS_CAN_RESUME, WEFT_TLS_CAN_RESUME);
	weft_buffer_init(&kept, &weft_allocator_system);
	tls_pair_open(&p, *state, &wish);
	trim(&p);
	talk(&p);
	assert_int_equal(p.client.ops->session_export(p.client.session, &kept), WEFT_OK);
	tls_pair_destroy(&p);
	wish.resume = (struct weft_span){ weft_buffer_bytes(&kept), weft_buffer_len(&kept) };
	for (int i = 0; i < 2; i++) {
		tls_pair_open(&p, *state, &wish);
		assert_true(tls_info(&p.client).resumed);
		assert_true(tls_info(&p.server).resumed);
		go_through(&p);
	}
	weft_buffer_finish(&kept);
}

/* Behind whatever else came first. */
static void assert_reply(struct tls_raw *r)
{
	char bytes[16];
	ssize_t got;

	do {
		got = gnutls_record_recv(r->tls, bytes, sizeof(bytes));
	} while (got == GNUTLS_E_AGAIN && weft_buffer_len(&r->other->out));
	assert_int_equal(got, 5);
	assert_memory_equal(bytes, "reply", 5);
}

static void tls13_key_update_is_followed_after_it(void **state)
{
	const struct tls_setting *setting = *state;
	static const struct tls_wish wish;
	struct weft_buffer plain;
	struct tls_end e;
	struct tls_raw r;

	tls_need(setting, WEFT_TLS_CAN_TLS13, 0);
	weft_buffer_init(&plain, &weft_allocator_system);
	for (int server = 0; server < 2; server++) {
		tls_end_create(&e, setting->client, server, &wish);
		tls_raw_create(&r, &e, !server, "NORMAL:-VERS-ALL:+VERS-TLS1.3",
			test_cert(TEST_CERT_GOOD));
		assert_int_equal(tls_raw_handshake(&r, &e), 0);
		if (e.ops->ctx_trim)
			e.ops->ctx_trim(e.ctx);
		assert_int_equal(gnutls_session_key_update(r.tls, GNUTLS_KU_PEER), 0);
		assert_int_equal(gnutls_record_send(r.tls, "hello", 5), 5);
		tls_end_drain(&e, &plain);
		assert_int_equal(weft_buffer_len(&plain), 5);
		weft_buffer_consume(&plain, 5);
		tls_end_encrypt(&e, "reply", 5);
		assert_reply(&r);
		tls_raw_destroy(&r);
		tls_end_destroy(&e);
	}
	weft_buffer_finish(&plain);
}

/* A session that failed has not shaken hands, and never will. */
static void failed_sessions_end_after_it(void **state)
{
	const struct tls_wish wish = { .cert = TEST_CERT_OTHER_CA };
	struct weft_tls_info info;
	struct tls_pair p;

	tls_pair_create(&p, *state, &wish);
	tls_pair_handshake(&p);
	assert_int_equal(p.client.status, WEFT_ERR_VERIFY);
	trim(&p);
	info = tls_info(&p.client);
	assert_int_equal(info.faults, WEFT_TLS_UNKNOWN_CA);
	assert_true(info.peer_cert);
	p.client.ops->close_notify(p.client.session, &p.client.out);
	p.server.ops->close_notify(p.server.session, &p.server.out);
	tls_pair_destroy(&p);
}

/* Once more is no more. */
static void it_may_come_twice(void **state)
{
	static const struct tls_wish wish;
	struct tls_pair p;

	tls_pair_open(&p, *state, &wish);
	trim(&p);
	go_through(&p);
}

const struct CMUnitTest tls_trim_tests[] = {
	cmocka_unit_test(sessions_go_on),
	cmocka_unit_test(sessions_of_rich_contexts_go_on),
	cmocka_unit_test(tickets_outlive_it),
	cmocka_unit_test(tls13_key_update_is_followed_after_it),
	cmocka_unit_test(failed_sessions_end_after_it),
	cmocka_unit_test(it_may_come_twice),
};
const size_t tls_trim_count = sizeof(tls_trim_tests) / sizeof(*tls_trim_tests);
