/* SPDX-License-Identifier: MIT */
/* A certificate is replaced while its server serves: for who comes, and not for who is there. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/visit.h"

/* Resumed sessions would show the certificate that they began with. */
static const struct weft_context_options cold = {
	.no_keep_warm = true, .linger_ms = 1, .no_tickets = true
};
static const struct weft_context_options warm = { .linger_ms = 1, .no_tickets = true };
static const struct weft_vhost_options vhost = { .routes = visit_routes };
static const struct weft_request pooled = { .share = WEFT_SHARE_POOL };

static void reload(struct duo *d, enum test_cert_kind kind)
{
	const struct weft_credential c = visit_as(test_cert(kind));
	struct weft_error err;

	if (weft_vhost_reload(d->vh, &c, &err))
		fail_msg("%s", err.text);
}

static void who_comes_sees_the_new_one_who_is_there_goes_on(void **state)
{
	struct visit v;
	struct duo d;

	(void)state;
	if (!visit_can("client-auth")) /* and so tells certificates */
		skip();
	duo_open(&d, NULL, &warm, &vhost, false);
	visit_good(&v, &d, &pooled);
	assert_true(visit_met(&v.server, test_cert(TEST_CERT_GOOD)));
	reload(&d, TEST_CERT_RSA);
	visit_good(&v, &d, &pooled);
	assert_true(visit_met(&v.server, test_cert(TEST_CERT_GOOD)));
	assert_int_equal(duo_server_counts(&d).conns_accepted, 1);
	visit_begin(&v, &d, NULL);
	duo_until(&d, v.closes);
	assert_int_equal(v.why.status, WEFT_OK);
	assert_true(visit_met(&v.server, test_cert(TEST_CERT_RSA)));
	/* a second one, while the first still has the oldest */
	reload(&d, TEST_CERT_GOOD);
	visit_begin(&v, &d, NULL);
	duo_until(&d, v.closes);
	assert_true(visit_met(&v.server, test_cert(TEST_CERT_GOOD)));
	visit_good(&v, &d, &pooled);
	assert_int_equal(duo_server_counts(&d).conns_accepted, 3);
	assert_int_equal(duo_server_counts(&d).vhosts_created, 1);
	duo_close(&d);
}

/* ---- bad pairs ---- */

static void stays(struct duo *d, struct weft_credential c, const char *words)
{
	struct weft_error err;
	struct visit v;

	assert_true(weft_vhost_reload(d->vh, &c, &err) < 0);
	if (words && !strstr(err.text, words))
		fail_msg("\"%s\": expected \"%s\"", err.text, words);
	assert_true(strlen(err.text) > 10);
	visit_good(&v, d, NULL);
	if (v.server.info.peer_cert)
		assert_true(visit_met(&v.server, test_cert(TEST_CERT_GOOD)));
}

static void a_bad_pair_is_refused_and_the_old_one_stays(void **state)
{
	static const char garbage[] = "-----BEGIN CERTIFICATE-----\nbm90IG9uZQ==\n"
				      "-----END CERTIFICATE-----\n";
	const struct test_cert *good = test_cert(TEST_CERT_GOOD), *rsa = test_cert(TEST_CERT_RSA);
	const struct weft_span cert = visit_span(rsa->cert, rsa->cert_len);
	const struct weft_span key = visit_span(good->key, good->key_len);
	char path[] = "/tmp/weft-test-XXXXXX";
	int fd = mkstemp(path);
	struct duo d;

	(void)state;
	assert_int_equal(write(fd, garbage, sizeof(garbage) - 1), sizeof(garbage) - 1);
	close(fd);
	duo_open(&d, NULL, &cold, &vhost, false);
	/* a key of another certificate */
	stays(&d, (struct weft_credential){ .cert = cert, .key = key }, "vhost localhost");
	stays(&d, (struct weft_credential){ .cert_file = path, .key = key }, path);
	stays(&d, (struct weft_credential){ .cert_file = "/nonexistent/cert.pem", .key = key },
		"/nonexistent/cert.pem");
	stays(&d, (struct weft_credential){ .cert = cert, .key_file = path }, path);
	stays(&d, (struct weft_credential){ .cert = cert }, "no key");
	stays(&d, (struct weft_credential){ .cert_file = NULL }, "certificate and a key");
	assert_int_equal(duo_client_counts(&d).conns_failed, 0);
	unlink(path);
	duo_close(&d);
}

static void a_vhost_that_goes_is_not_reloaded(void **state)
{
	const struct weft_credential c = visit_as(test_cert(TEST_CERT_RSA));
	struct weft_error err;
	struct visit v;
	struct duo d;

	(void)state;
	duo_open(&d, NULL, &warm, &vhost, false);
	visit_good(&v, &d, &pooled);
	weft_vhost_destroy(d.vh);
	/* its connection holds it */
	assert_int_equal(weft_vhost_reload(d.vh, &c, &err), WEFT_ERR_SHUTDOWN);
	duo_close(&d);
}

/* ---- at any time ---- */

static struct duo *within;

static enum weft_status reload_and_answer(struct weft_stream *s, void *user)
{
	(void)user;
	reload(within, TEST_CERT_RSA);
	return visit_routes[0].on_request(s, NULL);
}

static void inside_a_handler(void **state)
{
	static const struct weft_route routes[] = {
		{ .prefix = "/", .on_request = reload_and_answer }, { 0 }
	};
	const struct weft_vhost_options v = { .routes = routes };
	struct visit visits[2];
	struct duo d;

	(void)state;
	within = &d;
	duo_open(&d, NULL, &cold, &v, false);
	for (unsigned i = 0; i < 2; i++) {
		visit_good(&visits[i], &d, NULL);
		if (visits[i].server.info.peer_cert)
			assert_true(visit_met(
				&visits[i].server, test_cert(i ? TEST_CERT_RSA : TEST_CERT_GOOD)));
	}
	duo_close(&d);
}

static void between_any_two_turns_of_a_handshake(void **state)
{
	struct visit v;
	struct duo d;

	(void)state;
	duo_open(&d, NULL, &cold, &vhost, false);
	for (unsigned turns = 0; turns < 12; turns++) {
		visit_begin(&v, &d, NULL);
		for (unsigned i = 0; i < turns; i++)
			duo_turn(&d);
		reload(&d, turns % 2 ? TEST_CERT_GOOD : TEST_CERT_RSA);
		duo_until(&d, v.closes);
		assert_int_equal(v.why.status, WEFT_OK);
		assert_int_equal(v.status, 200);
	}
	assert_int_equal(duo_client_counts(&d).conns_failed, 0);
	duo_close(&d);
}

static void a_hundred_of_them_leave_nothing(void **state)
{
	struct visit v;
	struct duo d;
	uint64_t heap = 0;

	(void)state;
	duo_open(&d, NULL, &cold, &vhost, false);
	for (unsigned i = 0; i < 100; i++) {
		reload(&d, TEST_CERT_GOOD);
		if (i % 10 == 0)
			visit_good(&v, &d, NULL);
		if (i == 10)
			heap = duo_server_counts(&d).heap_now;
	}
	visit_good(&v, &d, NULL);
	assert_in_range(duo_server_counts(&d).heap_now, 0, heap + 4096);
	duo_close(&d);
}

static void tickets_of_before_are_still_good(void **state)
{
	const struct weft_context_options resuming = { .no_keep_warm = true, .linger_ms = 1 };
	/* of the same kind: with another, TLS 1.2 would have to change the cipher suite, and begins anew */
	const struct test_recipe renewed = { .named = true };
	const struct weft_credential c = visit_as(test_mint(&renewed));
	struct visit v;
	struct duo d;

	(void)state;
	if (!visit_can("resume"))
		skip();
	duo_open(&d, NULL, &resuming, &vhost, false);
	visit_good(&v, &d, NULL);
	assert_int_equal(weft_vhost_reload(d.vh, &c, NULL), WEFT_OK);
	visit_good(&v, &d, NULL);
	assert_true(v.server.info.tls_resumed);
	assert_true(visit_met(&v.server, test_cert(TEST_CERT_GOOD)));
	assert_int_equal(duo_server_counts(&d).handshakes_resumed, 1);
	duo_close(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_comes_sees_the_new_one_who_is_there_goes_on),
		cmocka_unit_test(a_bad_pair_is_refused_and_the_old_one_stays),
		cmocka_unit_test(a_vhost_that_goes_is_not_reloaded),
		cmocka_unit_test(inside_a_handler),
		cmocka_unit_test(between_any_two_turns_of_a_handshake),
		cmocka_unit_test(a_hundred_of_them_leave_nothing),
		cmocka_unit_test(tickets_of_before_are_still_good),
	};

	return duo_main("reload", tests, sizeof(tests) / sizeof(*tests), DUO_PAIRS);
}
