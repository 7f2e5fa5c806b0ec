/* SPDX-License-Identifier: MIT */
/* Certificates: every fault is found, named alike by every backend, and let through only on demand. */
#include <stdio.h>
#include <string.h>

#include "tests/contract/tls_pair.h"

static const unsigned char v4[] = { 127, 0, 0, 1 }, v4_other[] = { 127, 0, 0, 2 };
static const unsigned char v6[16] = { [15] = 1 }, v6_other[16] = { [15] = 2 };

static const struct {
	const char *what;
	struct tls_wish wish;
	unsigned faults;
	const char *words;
} bad[] = {
	{ "expired", { .cert = TEST_CERT_EXPIRED }, WEFT_TLS_EXPIRED, "certificate expired" },
	{ "not yet valid", { .cert = TEST_CERT_NOT_YET_VALID }, WEFT_TLS_NOT_YET_VALID,
		"certificate not yet valid" },
	{ "self-signed", { .cert = TEST_CERT_SELF_SIGNED }, WEFT_TLS_SELF_SIGNED,
		"certificate is self-signed" },
	{ "other CA", { .cert = TEST_CERT_OTHER_CA }, WEFT_TLS_UNKNOWN_CA,
		"certificate issuer is unknown" },
	{ "revoked", { .cert = TEST_CERT_REVOKED, .crl = true }, WEFT_TLS_REVOKED,
		"certificate revoked" },
	{ "weak", { .cert = TEST_CERT_WEAK }, WEFT_TLS_WEAK, "certificate uses weak cryptography" },
	{ "for clients", { .cert = TEST_CERT_CLIENT }, WEFT_TLS_MALFORMED,
		"certificate missing or not valid for this use" },
	{ "other host", { .host = "other.test" }, WEFT_TLS_WRONG_HOST,
		"certificate is for another host" },
	{ "two labels under a wildcard", { .host = "a.b.example.test" }, WEFT_TLS_WRONG_HOST,
		"certificate is for another host" },
	{ "no label under a wildcard", { .host = "example.test" }, WEFT_TLS_WRONG_HOST,
		"certificate is for another host" },
	{ "other address", { .ip = { v4_other, 4 } }, WEFT_TLS_WRONG_HOST,
		"certificate is for another host" },
	{ "other IPv6 address", { .ip = { v6_other, 16 } }, WEFT_TLS_WRONG_HOST,
		"certificate is for another host" },
	{ "expired and self-signed", { .cert = TEST_CERT_EXPIRED_SELF_SIGNED },
		WEFT_TLS_EXPIRED | WEFT_TLS_SELF_SIGNED,
		"certificate expired; certificate is self-signed" },
	{ "expired, for another host", { .cert = TEST_CERT_EXPIRED, .host = "other.test" },
		WEFT_TLS_EXPIRED | WEFT_TLS_WRONG_HOST,
		"certificate expired; certificate is for another host" },
	{ "self-signed, for another host", { .cert = TEST_CERT_SELF_SIGNED, .host = "x.test" },
		WEFT_TLS_WRONG_HOST | WEFT_TLS_SELF_SIGNED,
		"certificate is for another host; certificate is self-signed" },
};

enum { BAD = sizeof(bad) / sizeof(*bad) };

/* mbed TLS itself never shows such a certificate. */
static bool can_show(const struct tls_setting *setting, size_t i)
{
	return bad[i].wish.cert != TEST_CERT_CLIENT || strcmp(setting->server->name, "mbedtls");
}

static void check_refused(
	const struct tls_setting *setting, size_t i, unsigned allow, const char *words)
{
	struct tls_wish wish = bad[i].wish;
	struct weft_tls_info info;
	struct tls_pair p;

	if (!can_show(setting, i))
		return;
	wish.allow = allow;
	tls_pair_create(&p, setting, &wish);
	tls_pair_handshake(&p);
	p.client.ops->info(p.client.session, &info);
	if (p.client.status != WEFT_ERR_VERIFY || p.client.err.status != WEFT_ERR_VERIFY ||
		strcmp(p.client.err.text, words) || info.faults != bad[i].faults)
		fail_msg("%s, allowed 0x%x: %s, faults 0x%x: \"%s\"", bad[i].what, allow,
			weft_status_name(p.client.status), info.faults, p.client.err.text);
	/* the peer is told: at once in TLS 1.2; in TLS 1.3 it may have been done already */
	if (p.server.status == WEFT_AGAIN)
		fail_msg("%s: the server was not told", bad[i].what);
	if (p.server.status < 0)
		tls_assert_text(&p.server.err, "the peer sent a TLS alert: ");
	tls_pair_destroy(&p);
}

static void check_accepted(const struct tls_setting *setting, size_t i, unsigned allow)
{
	struct tls_wish wish = bad[i].wish;
	struct weft_tls_info info;
	struct tls_pair p;

	if (!can_show(setting, i))
		return;
	wish.allow = allow;
	tls_pair_create(&p, setting, &wish);
	tls_pair_handshake(&p);
	p.client.ops->info(p.client.session, &info);
	if (p.client.status || p.server.status || info.faults != bad[i].faults)
		fail_msg("%s, allowed 0x%x: client %s, server %s, faults 0x%x: \"%s\"", bad[i].what,
			allow, weft_status_name(p.client.status), weft_status_name(p.server.status),
			info.faults, p.client.err.text);
	tls_pair_destroy(&p);
}

static void each_fault_is_named(void **state)
{
	for (size_t i = 0; i < BAD; i++)
		check_refused(*state, i, 0, bad[i].words);
}

static void each_flag_allows_its_fault(void **state)
{
	for (size_t i = 0; i < BAD; i++) {
		check_accepted(*state, i, bad[i].faults);
		check_accepted(*state, i, WEFT_TLS_ALLOW_ALL);
	}
}

static void no_flag_allows_another_fault(void **state)
{
	for (size_t i = 0; i < BAD; i++)
		check_refused(*state, i, WEFT_TLS_ALLOW_ALL & ~bad[i].faults, bad[i].words);
}

/* Of two faults only the one that counts is named. */
static void allowed_faults_are_not_named(void **state)
{
	char words[200];

	for (size_t i = 0; i < BAD; i++) {
		for (unsigned flag = 1; flag < WEFT_TLS_ALLOW_ALL; flag <<= 1) {
			if (!(bad[i].faults & flag) || bad[i].faults == flag)
				continue;
			weft_tls_faults_text(bad[i].faults & ~flag, words, sizeof(words));
			check_refused(*state, i, flag, words);
		}
	}
}

static void good_names_are_accepted(void **state)
{
	static const struct tls_wish wishes[] = {
		{ .host = "localhost" },
		{ .host = "LocalHost" },
		{ .host = "www.example.test" },
		{ .host = "WWW.Example.TEST" },
		{ .ip = { v4, 4 } },
		{ .ip = { v6, 16 } },
		{ .host = "unverified.test", .no_name = true },
		{ .crl = true },
		{ .cert = TEST_CERT_REVOKED },
	};

	for (size_t i = 0; i < sizeof(wishes) / sizeof(*wishes); i++) {
		struct weft_tls_info info;
		struct tls_pair p;

		tls_pair_create(&p, *state, &wishes[i]);
		tls_pair_handshake(&p);
		if (p.client.status || p.server.status)
			fail_msg("wish %zu: \"%s\"", i, p.client.err.text);
		p.client.ops->info(p.client.session, &info);
		assert_int_equal(info.faults, 0);
		tls_pair_destroy(&p);
	}
}

const struct CMUnitTest tls_verify_tests[] = {
	cmocka_unit_test(each_fault_is_named),
	cmocka_unit_test(each_flag_allows_its_fault),
	cmocka_unit_test(no_flag_allows_another_fault),
	cmocka_unit_test(allowed_faults_are_not_named),
	cmocka_unit_test(good_names_are_accepted),
};
const size_t tls_verify_count = sizeof(tls_verify_tests) / sizeof(*tls_verify_tests);
