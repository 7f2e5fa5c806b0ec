/* SPDX-License-Identifier: MIT */
/* mbedTLS's tickets: what is sealed is opened by those who share the secret, for as long as it is good. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/filter.h"

#ifdef WEFT_HAVE_TLS_MBEDTLS
#include "plugins/tls-mbedtls/tickets.h"

/* Somewhere inside an epoch, and not near its ends. */
static const uint64_t epoch_begins = 250000ULL * WEFT_TLS_TICKET_LIFETIME_S;
static const uint64_t lifetime = WEFT_TLS_TICKET_LIFETIME_S;

enum { ROOM = 512 };

static int count_up(void *arg, unsigned char *to, size_t len)
{
	unsigned char *next = arg;

	for (size_t i = 0; i < len; i++)
		to[i] = (*next)++;
	return 0;
}

static int no_random(void *arg, unsigned char *to, size_t len)
{
	(void)arg;
	(void)to;
	(void)len;
	return -1;
}

static unsigned char counter;

static struct tls_tickets make(unsigned char secret, unsigned char scope)
{
	struct tls_tickets t = { .random = count_up, .random_arg = &counter };

	memset(t.secret, secret, sizeof(t.secret));
	memset(t.scope, scope, sizeof(t.scope));
	return t;
}

static size_t seal(struct tls_tickets *t, uint64_t now, unsigned char *ticket)
{
	mbedtls_ssl_session session;
	size_t len = 0;

	mbedtls_ssl_session_init(&session);
	session.start = (mbedtls_time_t)now;
	session.ciphersuite = 0xc02b;
	session.verify_result = WEFT_TLS_EXPIRED;
	memset(session.master, 0x6d, sizeof(session.master));
	assert_int_equal(
		mbedtls_adapter_ticket_seal(t, now, &session, ticket, ticket + ROOM, &len), 0);
	mbedtls_ssl_session_free(&session);
	return len;
}

/* Of a copy: opening works in place. */
static int open_copy(struct tls_tickets *t, uint64_t now, const unsigned char *ticket, size_t len)
{
	unsigned char copy[ROOM], master[48];
	mbedtls_ssl_session session;
	int ret;

	memcpy(copy, ticket, len);
	mbedtls_ssl_session_init(&session);
	ret = mbedtls_adapter_ticket_open(t, now, &session, copy, len);
	if (!ret) {
		memset(master, 0x6d, sizeof(master));
		assert_memory_equal(session.master, master, sizeof(master));
		assert_int_equal(session.ciphersuite, 0xc02b);
		assert_int_equal(session.verify_result, WEFT_TLS_EXPIRED);
	}
	mbedtls_ssl_session_free(&session);
	return ret;
}

static void whoever_has_the_secret_opens(void **state)
{
	struct tls_tickets one = make(1, 0), other = make(1, 0);
	unsigned char ticket[ROOM];
	size_t len = seal(&one, epoch_begins, ticket);

	(void)state;
	assert_int_equal(open_copy(&one, epoch_begins, ticket, len), 0);
	assert_int_equal(open_copy(&other, epoch_begins, ticket, len), 0);
}

static void other_secret_or_scope_does_not(void **state)
{
	struct tls_tickets one = make(1, 0), secret = make(2, 0), scope = make(1, 1);
	unsigned char ticket[ROOM];
	size_t len = seal(&one, epoch_begins, ticket);

	(void)state;
	assert_int_equal(
		open_copy(&secret, epoch_begins, ticket, len), MBEDTLS_ERR_SSL_INVALID_MAC);
	assert_int_equal(open_copy(&scope, epoch_begins, ticket, len), MBEDTLS_ERR_SSL_INVALID_MAC);
}

static void any_change_is_noticed(void **state)
{
	struct tls_tickets t = make(1, 0);
	unsigned char ticket[ROOM];
	size_t len = seal(&t, epoch_begins, ticket);

	(void)state;
	for (size_t i = 0; i < len; i++) {
		ticket[i] ^= 0x10;
		assert_int_equal(
			open_copy(&t, epoch_begins, ticket, len), MBEDTLS_ERR_SSL_INVALID_MAC);
		ticket[i] ^= 0x10;
		assert_int_equal(
			open_copy(&t, epoch_begins, ticket, i), MBEDTLS_ERR_SSL_INVALID_MAC);
	}
	assert_int_equal(open_copy(&t, epoch_begins, ticket, len), 0);
}

static void session_is_not_to_be_read(void **state)
{
	struct tls_tickets t = make(1, 0);
	unsigned char ticket[ROOM], master[8];
	size_t len = seal(&t, epoch_begins, ticket);

	(void)state;
	memset(master, 0x6d, sizeof(master));
	assert_null(memmem(ticket, len, master, sizeof(master)));
}

static void no_two_are_alike(void **state)
{
	struct tls_tickets t = make(1, 0);
	unsigned char one[ROOM], other[ROOM];
	const size_t head = TICKET_NAME + TICKET_IV;
	size_t len = seal(&t, epoch_begins, one);

	(void)state;
	assert_int_equal(seal(&t, epoch_begins, other), len);
	assert_memory_equal(one, other, TICKET_NAME);
	assert_memory_not_equal(one + TICKET_NAME, other + TICKET_NAME, TICKET_IV);
	assert_memory_not_equal(one + head, other + head, len - head);
}

/* The end of its epoch does not end a ticket, its age does; the key is gone an epoch later. */
static void ticket_is_good_for_its_lifetime(void **state)
{
	struct tls_tickets t = make(1, 0);
	const uint64_t made = epoch_begins + lifetime - 10;
	unsigned char ticket[ROOM];
	size_t len = seal(&t, made, ticket);

	(void)state;
	assert_int_equal(open_copy(&t, made + 20, ticket, len), 0);
	assert_int_equal(open_copy(&t, made + lifetime, ticket, len), 0);
	assert_int_equal(open_copy(&t, made + lifetime + 1, ticket, len),
		MBEDTLS_ERR_SSL_SESSION_TICKET_EXPIRED);
	assert_int_equal(open_copy(&t, epoch_begins + 2 * lifetime, ticket, len),
		MBEDTLS_ERR_SSL_INVALID_MAC);
}

static void early_ticket_is_expired_before_its_key(void **state)
{
	struct tls_tickets t = make(1, 0);
	unsigned char ticket[ROOM];
	size_t len = seal(&t, epoch_begins, ticket);

	(void)state;
	assert_int_equal(open_copy(&t, epoch_begins + 2 * lifetime - 1, ticket, len),
		MBEDTLS_ERR_SSL_SESSION_TICKET_EXPIRED);
}

static void clocks_may_differ_a_little(void **state)
{
	struct tls_tickets t = make(1, 0);
	const uint64_t made = epoch_begins + 1000;
	unsigned char ticket[ROOM];
	size_t len = seal(&t, made, ticket);

	(void)state;
	assert_int_equal(open_copy(&t, made - TICKET_SKEW_S, ticket, len), 0);
	assert_int_equal(open_copy(&t, made - TICKET_SKEW_S - 1, ticket, len),
		MBEDTLS_ERR_SSL_SESSION_TICKET_EXPIRED);
}

static void first_epoch_of_all_has_no_predecessor(void **state)
{
	struct tls_tickets t = make(1, 0), other = make(2, 0);
	unsigned char ticket[ROOM];
	size_t len = seal(&t, 100, ticket);

	(void)state;
	assert_int_equal(open_copy(&t, 100, ticket, len), 0);
	assert_int_equal(open_copy(&other, 100, ticket, len), MBEDTLS_ERR_SSL_INVALID_MAC);
}

static void what_does_not_fit_is_refused(void **state)
{
	struct tls_tickets t = make(1, 0);
	unsigned char ticket[ROOM];
	mbedtls_ssl_session session;
	size_t len = 0, full = seal(&t, epoch_begins, ticket);

	(void)state;
	mbedtls_ssl_session_init(&session);
	for (size_t room = 0; room < full; room++)
		assert_int_not_equal(mbedtls_adapter_ticket_seal(&t, epoch_begins, &session, ticket,
					     ticket + room, &len),
			0);
	assert_int_equal(mbedtls_adapter_ticket_seal(
				 &t, epoch_begins, &session, ticket, ticket + full, &len),
		0);
	t.random = no_random;
	assert_int_equal(mbedtls_adapter_ticket_seal(
				 &t, epoch_begins, &session, ticket, ticket + ROOM, &len),
		-1);
	mbedtls_ssl_session_free(&session);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whoever_has_the_secret_opens),
		cmocka_unit_test(other_secret_or_scope_does_not),
		cmocka_unit_test(any_change_is_noticed),
		cmocka_unit_test(session_is_not_to_be_read),
		cmocka_unit_test(no_two_are_alike),
		cmocka_unit_test(ticket_is_good_for_its_lifetime),
		cmocka_unit_test(early_ticket_is_expired_before_its_key),
		cmocka_unit_test(clocks_may_differ_a_little),
		cmocka_unit_test(first_epoch_of_all_has_no_predecessor),
		cmocka_unit_test(what_does_not_fit_is_refused),
	};

	filter_tests();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
#else
static void mbedtls_is_not_in_this_build(void **state)
{
	(void)state;
	skip();
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(mbedtls_is_not_in_this_build) };

	filter_tests();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
#endif
