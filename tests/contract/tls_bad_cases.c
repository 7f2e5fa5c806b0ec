/* SPDX-License-Identifier: MIT */
/* Peers that do not behave: what is not TLS, old TLS, and renegotiation. The peer is raw GnuTLS. */
#include <gnutls/gnutls.h>
#include <stdlib.h>
#include <string.h>

#include "tests/contract/tls_pair.h"
#include "tests/contract/tls_raw.h"

static const struct tls_wish plain_wish;

/* ---- not TLS ---- */

static const char http[] = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

static void feed(struct tls_end *e, const void *bytes, size_t len, size_t fragment)
{
	const unsigned char *p = bytes;

	while (len && e->status == WEFT_AGAIN) {
		size_t n = fragment && fragment < len ? fragment : len;

		weft_buffer_append(&e->in, p, n);
		tls_end_handshake(e);
		p += n;
		len -= n;
	}
}

static void assert_refused(struct tls_end *e)
{
	assert_int_equal(e->status, WEFT_ERR_PROTOCOL);
	assert_int_equal(e->err.status, WEFT_ERR_PROTOCOL);
	assert_true(e->err.text[0]);
	e->ops->close_notify(e->session, &e->out);
}

static void garbage_at_first(void **state)
{
	const struct tls_setting *setting = *state;
	struct tls_end e;

	for (int server = 0; server < 2; server++) {
		tls_end_create(&e, setting->client, server, &plain_wish);
		if (!server)
			tls_end_handshake(&e);
		feed(&e, http, sizeof(http) - 1, setting->fragment);
		assert_refused(&e);
		tls_end_destroy(&e);
	}
}

static void random_garbage(void **state)
{
	const struct tls_setting *setting = *state;
	static const unsigned char rest[70000];
	unsigned char bytes[600];
	unsigned seed = 12345;
	struct tls_end e;

	for (int round = 0; round < 400; round++) {
		for (size_t i = 0; i < sizeof(bytes); i++)
			bytes[i] = (unsigned char)((seed = seed * 1103515245u + 12345u) >> 16);
		if (round & 1) { /* a record of a believable shape */
			bytes[0] = (unsigned char)(20 + round / 2 % 5);
			bytes[1] = 3;
			bytes[2] = 3;
			bytes[3] = 0;
			bytes[4] = 200;
			bytes[5] = (unsigned char)(round / 10 % 22);
			bytes[6] = 0;
			bytes[7] = 0;
			bytes[8] = 196;
		}
		tls_end_create(&e, setting->client, round & 2, &plain_wish);
		if (!(round & 2))
			tls_end_handshake(&e);
		feed(&e, bytes, sizeof(bytes), setting->fragment);
		feed(&e, rest, sizeof(rest), 0); /* of a record that claims to be long */
		assert_refused(&e);
		tls_end_destroy(&e);
	}
}

/* The version in a record's header is nobody's business; it is part of no check before TLS 1.3. */
static bool in_record_version(const struct weft_buffer *b, size_t at)
{
	const unsigned char *bytes = weft_buffer_bytes(b);
	size_t start = 0;

	while (start + 5 <= at)
		start += 5 + (size_t)bytes[start + 3] * 256 + bytes[start + 4];
	return at == start + 1 || at == start + 2;
}

/* Flips one bit of each byte of a flight in turn; nothing may be accepted that was changed. */
static void garbage_inside_the_handshake(void **state)
{
	const struct tls_setting *setting = *state;
	size_t len = 1;

	for (size_t at = 0; at < len; at += at < 64 ? 1 : 13) {
		struct tls_pair p;
		bool harmless;

		tls_pair_create(&p, setting, &plain_wish);
		p.fragment = 0;
		tls_end_handshake(&p.client);
		tls_deliver(&p.client, &p.server, 0);
		tls_end_handshake(&p.server);
		/* signatures differ in length, so this flight may end before the last one did */
		len = weft_buffer_len(&p.server.out);
		harmless = at >= len || in_record_version(&p.server.out, at);
		if (at < len)
			p.server.out.ptr[p.server.out.start + at] ^= 0x10;
		tls_pair_handshake(&p);
		if (!p.client.status && !p.server.status && !harmless)
			fail_msg("byte %zu of the server's flight was changed in vain", at);
		if (p.client.status < 0 && p.client.status != WEFT_ERR_PROTOCOL &&
			p.client.status != WEFT_ERR_VERIFY && p.client.status != WEFT_ERR_TLS)
			fail_msg("byte %zu: %s", at, weft_status_name(p.client.status));
		tls_pair_destroy(&p);
	}
}

static void garbage_after_the_handshake(void **state)
{
	const struct tls_setting *setting = *state;
	struct weft_buffer plain;
	struct tls_pair p;

	weft_buffer_init(&plain, &weft_allocator_system);
	for (int to_server = 0; to_server < 2; to_server++) {
		struct tls_end *from, *to;

		for (int kind = 0; kind < 3; kind++) {
			tls_pair_open(&p, setting, &plain_wish);
			from = to_server ? &p.client : &p.server;
			to = to_server ? &p.server : &p.client;
			tls_carry(&p, to_server, &plain);
			if (kind == 0) { /* not a record */
				weft_buffer_append(&from->out, http, sizeof(http) - 1);
			} else { /* a changed one; a repeated one */
				tls_end_encrypt(from, "secret", 6);
				if (kind == 1)
					from->out.ptr[from->out.end - 1] ^= 1;
				else
					weft_buffer_append(&from->out,
						weft_buffer_bytes(&from->out),
						weft_buffer_len(&from->out));
			}
			tls_carry(&p, to_server, &plain);
			assert_refused(to);
			assert_int_equal(weft_buffer_len(&plain), kind == 2 ? 6 : 0);
			weft_buffer_consume(&plain, weft_buffer_len(&plain));
			tls_pair_destroy(&p);
		}
	}
	weft_buffer_finish(&plain);
}

static void old_versions_are_refused(void **state)
{
	static const char *const old[] = { "NORMAL:-VERS-ALL:+VERS-TLS1.0",
		"NORMAL:-VERS-ALL:+VERS-TLS1.1", "NORMAL:-VERS-ALL:+VERS-TLS1.0:+VERS-TLS1.1" };
	const struct tls_setting *setting = *state;

	for (size_t i = 0; i < sizeof(old) / sizeof(*old); i++) {
		for (int server = 0; server < 2; server++) {
			struct tls_end e;
			struct tls_raw r;

			tls_end_create(&e, setting->client, server, &plain_wish);
			tls_raw_create(&r, &e, !server, old[i], test_cert(TEST_CERT_GOOD));
			assert_true(tls_raw_handshake(&r, &e) < 0);
			assert_refused(&e);
			tls_raw_destroy(&r);
			tls_end_destroy(&e);
		}
	}
}

/* A server that takes the client's hello and answers with an older version all the same. */
static void downgraded_hello_is_refused(void **state)
{
	const struct tls_setting *setting = *state;
	unsigned char hello[5 + 4 + 38] = { 22, 3, 1, 0, 42, 2, 0, 0, 38, 3, 1 };

	hello[44] = 0xc0; /* TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA */
	hello[45] = 0x09;
	for (unsigned char minor = 0; minor < 3; minor++) {
		struct tls_end e;

		hello[2] = hello[10] = minor;
		tls_end_create(&e, setting->client, false, &plain_wish);
		tls_end_handshake(&e);
		feed(&e, hello, sizeof(hello), setting->fragment);
		assert_refused(&e);
		tls_end_destroy(&e);
	}
}

static void renegotiation_is_refused(void **state)
{
	static const char tls12[] = "NORMAL:-VERS-ALL:+VERS-TLS1.2";
	const struct tls_setting *setting = *state;
	struct weft_buffer plain;
	struct tls_end e;
	struct tls_raw r;
	int ret;

	weft_buffer_init(&plain, &weft_allocator_system);
	for (int server = 0; server < 2; server++) {
		tls_end_create(&e, setting->client, server, &plain_wish);
		tls_raw_create(&r, &e, !server, tls12, test_cert(TEST_CERT_GOOD));
		assert_int_equal(tls_raw_handshake(&r, &e), 0);
		assert_int_equal(e.status, WEFT_OK);
		assert_int_equal(gnutls_record_send(r.tls, "hello", 5), 5);
		tls_end_drain(&e, &plain);
		assert_int_equal(e.status, WEFT_AGAIN);
		/* the raw server asks with HelloRequest, the raw client with ClientHello */
		ret = server ? gnutls_handshake(r.tls) : gnutls_rehandshake(r.tls);
		assert_int_equal(ret, server ? GNUTLS_E_AGAIN : 0);
		tls_end_drain(&e, &plain);
		assert_refused(&e);
		tls_assert_text(&e.err, "the peer wanted to renegotiate TLS, which is refused");
		assert_true(weft_buffer_len(&e.out) > 0);
		tls_raw_destroy(&r);
		tls_end_destroy(&e);
	}
	weft_buffer_finish(&plain);
}

/* The raw peer's key update in TLS 1.3 is no data and no end. */
static void tls13_key_update_is_followed(void **state)
{
	const struct tls_setting *setting = *state;
	struct weft_buffer plain;
	struct tls_end e;
	struct tls_raw r;

	tls_need(setting, WEFT_TLS_CAN_TLS13, 0);
	weft_buffer_init(&plain, &weft_allocator_system);
	for (int server = 0; server < 2; server++) {
		tls_end_create(&e, setting->client, server, &plain_wish);
		tls_raw_create(&r, &e, !server, "NORMAL:-VERS-ALL:+VERS-TLS1.3",
			test_cert(TEST_CERT_GOOD));
		assert_int_equal(tls_raw_handshake(&r, &e), 0);
		assert_int_equal(gnutls_session_key_update(r.tls, GNUTLS_KU_PEER), 0);
		assert_int_equal(gnutls_record_send(r.tls, "hello", 5), 5);
		tls_end_drain(&e, &plain);
		assert_int_equal(e.status, WEFT_AGAIN);
		assert_int_equal(weft_buffer_len(&plain), 5);
		weft_buffer_consume(&plain, 5);
		tls_raw_destroy(&r);
		tls_end_destroy(&e);
	}
	weft_buffer_finish(&plain);
}

/* Whatever a server likes best: a key of a group that it knows is not asked for again in another. */
static void tls13_key_that_fits_costs_no_round_trip(void **state)
{
	static const char *const groups[] = {
		"NORMAL:-VERS-ALL:+VERS-TLS1.3:-GROUP-ALL:+GROUP-SECP256R1:+GROUP-X25519",
		"NORMAL:-VERS-ALL:+VERS-TLS1.3:-GROUP-ALL:+GROUP-X25519:+GROUP-SECP256R1",
		"NORMAL:-VERS-ALL:+VERS-TLS1.3:-GROUP-ALL:+GROUP-SECP384R1:+GROUP-X25519",
	};
	const struct tls_setting *setting = *state;

	tls_need(setting, 0, WEFT_TLS_CAN_TLS13);
	for (size_t i = 0; i < sizeof(groups) / sizeof(*groups); i++) {
		struct tls_end e;
		struct tls_raw r;

		tls_end_create(&e, setting->server, true, &plain_wish);
		tls_raw_create_flags(&r, &e, GNUTLS_CLIENT | GNUTLS_KEY_SHARE_TOP, groups[i], NULL);
		assert_int_equal(gnutls_handshake(r.tls), GNUTLS_E_AGAIN);
		tls_end_handshake(&e);
		/* all of the flight, certificate included, and not just a question */
		assert_true(weft_buffer_len(&e.out) > 500);
		assert_int_equal(tls_raw_handshake(&r, &e), 0);
		assert_int_equal(e.status, WEFT_OK);
		tls_raw_destroy(&r);
		tls_end_destroy(&e);
	}
}

const struct CMUnitTest tls_bad_tests[] = {
	cmocka_unit_test(garbage_at_first),
	cmocka_unit_test(random_garbage),
	cmocka_unit_test(garbage_inside_the_handshake),
	cmocka_unit_test(garbage_after_the_handshake),
	cmocka_unit_test(old_versions_are_refused),
	cmocka_unit_test(downgraded_hello_is_refused),
	cmocka_unit_test(renegotiation_is_refused),
	cmocka_unit_test(tls13_key_update_is_followed),
	cmocka_unit_test(tls13_key_that_fits_costs_no_round_trip),
};
const size_t tls_bad_count = sizeof(tls_bad_tests) / sizeof(*tls_bad_tests);
