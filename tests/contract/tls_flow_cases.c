/* SPDX-License-Identifier: MIT */
/* TLS that works: handshakes, data, ALPN, the end of a direction; and input that is not TLS. */
#include <stdlib.h>
#include <string.h>

#include "tests/contract/tls_pair.h"

static const struct tls_wish plain_wish;

static void handshake_tells_what_was_agreed(void **state)
{
	const struct tls_setting *setting = *state;
	bool both13 = setting->client->ops->caps & setting->server->ops->caps & WEFT_TLS_CAN_TLS13;
	struct weft_tls_info client, server;
	struct tls_pair p;

	tls_pair_open(&p, setting, &plain_wish);
	p.client.ops->info(p.client.session, &client);
	p.server.ops->info(p.server.session, &server);
	assert_int_equal(client.version, both13 ? 0x0304 : 0x0303);
	assert_int_equal(server.version, client.version);
	assert_true(client.cipher[0] && server.cipher[0]);
	assert_string_equal(client.alpn, "");
	assert_string_equal(server.alpn, "");
	assert_int_equal(client.faults, 0);
	assert_false(client.resumed || server.resumed);
	tls_pair_destroy(&p);
}

static void rsa_works_as_well(void **state)
{
	const struct tls_wish wish = { .cert = TEST_CERT_RSA };
	struct tls_pair p;

	tls_pair_open(&p, *state, &wish);
	tls_pair_destroy(&p);
}

static unsigned char *pattern(size_t len, unsigned seed)
{
	unsigned char *bytes = malloc(len);

	assert_non_null(bytes);
	for (size_t i = 0; i < len; i++)
		bytes[i] = (unsigned char)((i * 2654435761u + seed) >> 11);
	return bytes;
}

static void send_and_check(struct tls_pair *p, bool to_server, size_t len)
{
	unsigned char *bytes = pattern(len, to_server ? 1 : 2);
	struct weft_buffer plain;

	weft_buffer_init(&plain, &weft_allocator_system);
	tls_end_encrypt(to_server ? &p->client : &p->server, bytes, len);
	tls_carry(p, to_server, &plain);
	assert_int_equal((to_server ? &p->server : &p->client)->status, WEFT_AGAIN);
	assert_int_equal(weft_buffer_len(&plain), len);
	assert_memory_equal(weft_buffer_bytes(&plain), bytes, len);
	weft_buffer_finish(&plain);
	free(bytes);
}

static void data_flows_both_ways(void **state)
{
	static const size_t sizes[] = { 1, 13, 16384, 16385, 300000, 5 };
	struct tls_pair p;

	tls_pair_open(&p, *state, &plain_wish);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		send_and_check(&p, true, sizes[i]);
		send_and_check(&p, false, sizes[i]);
	}
	tls_pair_destroy(&p);
}

/* Both ends write before either reads. */
static void data_crosses(void **state)
{
	unsigned char *bytes = pattern(40000, 3);
	struct weft_buffer got[2];
	struct tls_pair p;

	tls_pair_open(&p, *state, &plain_wish);
	tls_end_encrypt(&p.client, bytes, 40000);
	tls_end_encrypt(&p.server, bytes, 40000);
	for (int i = 0; i < 2; i++) {
		weft_buffer_init(&got[i], &weft_allocator_system);
		tls_carry(&p, i, &got[i]);
		assert_int_equal(weft_buffer_len(&got[i]), 40000);
		assert_memory_equal(weft_buffer_bytes(&got[i]), bytes, 40000);
		weft_buffer_finish(&got[i]);
	}
	free(bytes);
	tls_pair_destroy(&p);
}

static void settle(struct tls_end *e)
{
	if (e->ops->settle)
		e->ops->settle(e->session);
}

/* Twice, in the midst of a record, and before the next one: nothing is lost by it. */
static void a_settled_session_goes_on(void **state)
{
	unsigned char *bytes = pattern(40000, 5);
	struct weft_buffer got;
	struct tls_pair p;

	tls_pair_open(&p, *state, &plain_wish);
	weft_buffer_init(&got, &weft_allocator_system);
	for (int to_server = 0; to_server < 2; to_server++) {
		struct tls_end *from = to_server ? &p.client : &p.server;
		struct tls_end *to = to_server ? &p.server : &p.client;

		settle(to);
		tls_end_encrypt(from, bytes, 40000);
		settle(from);
		while (tls_deliver(from, to, 10000)) {
			do {
				tls_end_decrypt(to, &got);
				settle(to);
			} while (to->status == WEFT_OK);
			settle(to);
		}
		assert_int_equal(weft_buffer_len(&got), 40000);
		assert_memory_equal(weft_buffer_bytes(&got), bytes, 40000);
		weft_buffer_consume(&got, 40000);
	}
	weft_buffer_finish(&got);
	free(bytes);
	tls_pair_destroy(&p);
}

/* The number of records that are waiting to be sent. */
static size_t records(const struct weft_buffer *b)
{
	const unsigned char *bytes = weft_buffer_bytes(b);
	size_t count = 0, at = 0, len = weft_buffer_len(b);

	while (at + 5 <= len) {
		at += 5 + (size_t)bytes[at + 3] * 256 + bytes[at + 4];
		count++;
	}
	assert_int_equal(at, len);
	return count;
}

static void short_segments_share_a_record(void **state)
{
	static const unsigned char big[20000];
	struct weft_segment segs[] = {
		weft_segment_static("one ", 4),
		weft_segment_borrowed("two ", 4),
		weft_segment_borrowed("", 0),
		weft_segment_static("three", 5),
		weft_segment_static(big, sizeof(big)),
	};
	struct weft_buffer plain;
	struct tls_pair p;

	tls_pair_open(&p, *state, &plain_wish);
	weft_buffer_init(&plain, &weft_allocator_system);
	weft_buffer_consume(&p.client.out, weft_buffer_len(&p.client.out));
	assert_int_equal(
		p.client.ops->encrypt(p.client.session, segs, 4, &p.client.out, NULL), WEFT_OK);
	assert_int_equal(records(&p.client.out), 1);
	tls_carry(&p, true, &plain);
	assert_int_equal(weft_buffer_len(&plain), 13);
	assert_memory_equal(weft_buffer_bytes(&plain), "one two three", 13);
	assert_int_equal(
		p.client.ops->encrypt(p.client.session, segs, 5, &p.client.out, NULL), WEFT_OK);
	assert_int_equal(records(&p.client.out), 2);
	tls_carry(&p, true, &plain);
	assert_int_equal(weft_buffer_len(&plain), 26 + sizeof(big));
	assert_int_equal(
		p.client.ops->encrypt(p.client.session, NULL, 0, &p.client.out, NULL), WEFT_OK);
	assert_int_equal(weft_buffer_len(&p.client.out), 0);
	weft_buffer_finish(&plain);
	tls_pair_destroy(&p);
}

static void alpn(
	void **state, const char *const *client, const char *const *server, const char *agreed)
{
	const struct tls_wish wish = { .client_alpn = client, .server_alpn = server };
	struct weft_tls_info info;
	struct tls_pair p;

	tls_pair_open(&p, *state, &wish);
	p.client.ops->info(p.client.session, &info);
	assert_string_equal(info.alpn, agreed);
	p.server.ops->info(p.server.session, &info);
	assert_string_equal(info.alpn, agreed);
	tls_pair_destroy(&p);
}

static const char *const h1[] = { "http/1.1", NULL };
static const char *const both[] = { "h2", "http/1.1", NULL };
static const char *const turned[] = { "http/1.1", "h2", NULL };
static const char *const other[] = { "weft-other", NULL };
static const char *const nothing[] = { NULL };

static void alpn_is_agreed(void **state)
{
	alpn(state, h1, both, "http/1.1");
	alpn(state, both, h1, "http/1.1");
	alpn(state, both, both, "h2");
	/* the server's order decides */
	alpn(state, both, turned, "http/1.1");
	alpn(state, turned, both, "h2");
}

static void alpn_may_be_absent(void **state)
{
	alpn(state, NULL, both, "");
	alpn(state, both, NULL, "");
	alpn(state, nothing, both, "");
	alpn(state, both, nothing, "");
}

static void alpn_mismatch_fails(void **state)
{
	const struct tls_wish wish = { .client_alpn = other, .server_alpn = both };
	struct tls_pair p;

	tls_pair_create(&p, *state, &wish);
	tls_pair_handshake(&p);
	assert_int_equal(p.server.status, WEFT_ERR_PROTOCOL);
	assert_int_equal(p.server.err.status, WEFT_ERR_PROTOCOL);
	/* it would be so again, and that is told */
	assert_int_equal(p.client.status, WEFT_ERR_UNSUPPORTED);
	tls_assert_text(&p.client.err, "the peer sent a TLS alert: ");
	if (!strstr(p.client.err.text, "pplication protocol"))
		fail_msg("\"%s\" names no alert", p.client.err.text);
	tls_pair_destroy(&p);
}

static void end_of_a_direction(void **state)
{
	struct weft_buffer plain;
	struct tls_pair p;

	weft_buffer_init(&plain, &weft_allocator_system);
	for (int to_server = 0; to_server < 2; to_server++) {
		struct tls_end *from, *to;

		tls_pair_open(&p, *state, &plain_wish);
		from = to_server ? &p.client : &p.server;
		to = to_server ? &p.server : &p.client;
		tls_end_encrypt(from, "last", 4);
		tls_carry(&p, to_server, &plain);
		/* no close_notify, no end */
		assert_int_equal(to->status, WEFT_AGAIN);
		tls_end_decrypt(to, &plain);
		assert_int_equal(to->status, WEFT_AGAIN);
		from->ops->close_notify(from->session, &from->out);
		assert_true(weft_buffer_len(&from->out) > 0);
		tls_carry(&p, to_server, &plain);
		assert_int_equal(to->status, WEFT_EOF);
		assert_int_equal(weft_buffer_len(&plain), 4);
		/* the other direction goes on */
		tls_end_encrypt(to, "answer", 6);
		tls_carry(&p, !to_server, &plain);
		assert_int_equal(from->status, WEFT_AGAIN);
		assert_int_equal(weft_buffer_len(&plain), 10);
		to->ops->close_notify(to->session, &to->out);
		tls_carry(&p, !to_server, &plain);
		assert_int_equal(from->status, WEFT_EOF);
		weft_buffer_consume(&plain, 10);
		tls_pair_destroy(&p);
	}
	weft_buffer_finish(&plain);
}

/* Data and the end of it in one delivery. */
static void data_before_the_end_arrives(void **state)
{
	struct weft_buffer plain;
	struct tls_pair p;

	weft_buffer_init(&plain, &weft_allocator_system);
	tls_pair_open(&p, *state, &plain_wish);
	tls_end_encrypt(&p.server, "all of it", 9);
	p.server.ops->close_notify(p.server.session, &p.server.out);
	tls_carry(&p, false, &plain);
	assert_int_equal(p.client.status, WEFT_EOF);
	assert_int_equal(weft_buffer_len(&plain), 9);
	tls_pair_destroy(&p);
	weft_buffer_finish(&plain);
}

/* The client is done a flight earlier in TLS 1.3: what it sends at once stays in the input. */
static void early_data_belongs_to_decrypt(void **state)
{
	struct weft_buffer plain;
	struct tls_pair p;

	weft_buffer_init(&plain, &weft_allocator_system);
	tls_pair_create(&p, *state, &plain_wish);
	p.fragment = 0;
	tls_end_handshake(&p.client);
	while (p.client.status == WEFT_AGAIN) {
		tls_deliver(&p.client, &p.server, 0);
		if (p.server.status == WEFT_AGAIN)
			tls_end_handshake(&p.server);
		tls_deliver(&p.server, &p.client, 0);
		tls_end_handshake(&p.client);
	}
	assert_int_equal(p.client.status, WEFT_OK);
	tls_end_encrypt(&p.client, "at once", 7);
	tls_deliver(&p.client, &p.server, 0);
	if (p.server.status == WEFT_AGAIN)
		tls_end_handshake(&p.server);
	assert_int_equal(p.server.status, WEFT_OK);
	tls_end_drain(&p.server, &plain);
	assert_int_equal(p.server.status, WEFT_AGAIN);
	assert_int_equal(weft_buffer_len(&plain), 7);
	assert_memory_equal(weft_buffer_bytes(&plain), "at once", 7);
	tls_pair_destroy(&p);
	weft_buffer_finish(&plain);
}

static void close_notify_in_any_state(void **state)
{
	struct tls_pair p;

	tls_pair_create(&p, *state, &plain_wish);
	p.client.ops->close_notify(p.client.session, &p.client.out);
	p.server.ops->close_notify(p.server.session, &p.server.out);
	tls_pair_destroy(&p);
	tls_pair_create(&p, *state, &plain_wish);
	tls_end_handshake(&p.client);
	tls_deliver(&p.client, &p.server, 0);
	tls_end_handshake(&p.server);
	p.client.ops->close_notify(p.client.session, &p.client.out);
	p.server.ops->close_notify(p.server.session, &p.server.out);
	tls_pair_destroy(&p);
	tls_pair_open(&p, *state, &plain_wish);
	p.client.ops->close_notify(p.client.session, &p.client.out);
	p.client.ops->close_notify(p.client.session, &p.client.out);
	tls_pair_destroy(&p);
}

const struct CMUnitTest tls_flow_tests[] = {
	cmocka_unit_test(handshake_tells_what_was_agreed),
	cmocka_unit_test(rsa_works_as_well),
	cmocka_unit_test(data_flows_both_ways),
	cmocka_unit_test(data_crosses),
	cmocka_unit_test(a_settled_session_goes_on),
	cmocka_unit_test(short_segments_share_a_record),
	cmocka_unit_test(alpn_is_agreed),
	cmocka_unit_test(alpn_may_be_absent),
	cmocka_unit_test(alpn_mismatch_fails),
	cmocka_unit_test(end_of_a_direction),
	cmocka_unit_test(data_before_the_end_arrives),
	cmocka_unit_test(early_data_belongs_to_decrypt),
	cmocka_unit_test(close_notify_in_any_state),
};
const size_t tls_flow_count = sizeof(tls_flow_tests) / sizeof(*tls_flow_tests);
