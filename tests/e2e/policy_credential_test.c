/* SPDX-License-Identifier: MIT */
/*
 * Who a policy's stream is: credentials that the application provides, or that are in files, fetched when a vhost is
 * made and not before; and what happens where one cannot be made.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/folder.h"
#include "tests/support/named.h"
#include "tests/support/visit.h"

enum { LONG_MS = 3600000 };

/* What the application provides, and how often it was asked. */
static struct {
	const struct test_cert *cert; /* NULL: it fails */
	unsigned asked;
	bool empty;
} app;

static enum weft_status provide(
	void *user, const char *name, struct weft_policy_secret *out, struct weft_error *err)
{
	bool key = !strcmp(name, "device-key");

	assert_ptr_equal(user, &app);
	assert_true(key || !strcmp(name, "device-cert"));
	app.asked++;
	if (!app.cert)
		return weft_error_set(err, WEFT_ERR_IO, 5, "the token is not there");
	if (!app.empty)
		out->pem = key ? visit_span(app.cert->key, app.cert->key_len)
			       : visit_span(app.cert->cert, app.cert->cert_len);
	return WEFT_OK;
}

static const struct weft_policy_use use = { .size = sizeof(use), .provide = provide, .user = &app };

/* The server asks for certificates of the test CA. */
static void open_strict(struct play *p)
{
	const struct test_cert *ca = test_certs_ca();
	const struct weft_trust clients = { .ca = visit_span(ca->cert, ca->cert_len) };
	const struct weft_vhost_options v = {
		.routes = visit_routes,
		.client_auth = WEFT_CLIENT_AUTH_REQUIRED,
		.client_trust = &clients,
	};
	const struct weft_context_options warm = { .keep_warm_ms = LONG_MS, .linger_ms = 1 };

	memset(&app, 0, sizeof(app));
	memset(p, 0, sizeof(*p));
	duo_open(&p->d, NULL, &warm, &v, false);
	p->port = (unsigned)strtoul(strrchr(p->d.base, ':') + 1, NULL, 10);
}

/* Stream "a" with a credential. */
static struct tables *tables_as(
	const struct play *p, enum weft_hold hold, const char *cert, const char *key)
{
	struct tables *t = tables_make("who");
	struct weft_policy_trust *trust = tables_trust_of(t, "store", test_certs_ca());

	trust->hold = hold;
	tables_stream(t, "a", "h1", p->port, trust)->credential =
		tables_credential(t, "device", cert, key);
	return t;
}

static enum weft_status take(struct play *p, const struct weft_policy *policy)
{
	struct weft_error err;

	return weft_context_use_policy(p->d.client, policy, &use, &err);
}

/* How a stream by the name a ends, or fails to open; err says why. */
static enum weft_status go(struct play *p, struct weft_error *err)
{
	struct named n = { .user = NULL };

	memset(&visitor, 0, sizeof(visitor));
	if (named_try(&n, p->d.client, "a", err))
		return err->status;
	duo_until(&p->d, n.closes);
	*err = n.why;
	if (!n.why.status)
		assert_int_equal(n.status, 200);
	return n.why.status;
}

static void the_application_is_asked_when_a_vhost_is_made(void **state)
{
	struct weft_error err;
	struct tables *t;
	struct play p;

	(void)state;
	if (!visit_can("client-auth"))
		skip();
	for (unsigned hold = WEFT_HOLD_CONNECTION; hold <= WEFT_HOLD_STREAM; hold++) {
		open_strict(&p);
		t = tables_as(&p, hold, "app:device-cert", "app:device-key");
		app.cert = test_cert(TEST_CERT_CLIENT);
		assert_int_equal(take(&p, tables_static(t)), WEFT_OK);
		assert_int_equal(app.asked, 0);
		for (unsigned i = 0; i < 3; i++) {
			assert_int_equal(go(&p, &err), WEFT_OK);
			assert_true(visit_met(&visitor, app.cert));
			assert_int_equal(app.asked, 2);
		}
		assert_int_equal(duo_client_counts(&p.d).conns_opened, 1);
		/* the same tables in use again: it may be somebody else by now */
		app.cert = test_mint(&(struct test_recipe){
			.common_name = "another", .purpose = "1.3.6.1.5.5.7.3.2" });
		assert_int_equal(take(&p, &t->policy), WEFT_OK);
		for (unsigned i = 0; i < 2; i++) {
			assert_int_equal(go(&p, &err), WEFT_OK);
			assert_true(visit_met(&visitor, app.cert));
			assert_int_equal(app.asked, 4);
		}
		assert_int_equal(duo_client_counts(&p.d).conns_opened, 2);
		play_close(&p);
		tables_free(t);
	}
}

static void held_up_front_the_application_is_asked_at_once(void **state)
{
	const struct weft_policy *policy;
	struct weft_error err;
	struct play p;

	(void)state;
	if (!visit_can("client-auth"))
		skip();
	open_strict(&p);
	policy =
		tables_loaded(tables_as(&p, WEFT_HOLD_POLICY, "app:device-cert", "app:device-key"));
	assert_int_equal(weft_context_use_policy(p.d.client, policy, &use, &err), WEFT_ERR_IO);
	assert_string_equal(err.text,
		"stream a: trust store store: credential device, app:device-cert: the token is not "
		"there");
	assert_int_equal(vhosts_now(&p), 0);
	app.cert = test_cert(TEST_CERT_CLIENT);
	assert_int_equal(take(&p, policy), WEFT_OK);
	assert_int_equal(app.asked, 3);
	assert_int_equal(go(&p, &err), WEFT_OK);
	assert_int_equal(app.asked, 3);
	weft_policy_release(policy);
	play_close(&p);
	assert_int_equal(tables_live, 0);
}

/* It is told why, nothing is left, and the next one goes well. */
static void fails_once(struct play *p, const char *text)
{
	struct weft_error err;

	assert_true(go(p, &err) < 0);
	if (!strstr(err.text, text))
		fail_msg("\"%s\" does not say \"%s\"", err.text, text);
	duo_until(&p->d, !vhosts_now(p) && !duo_client_counts(&p->d).conns_now);
	assert_int_equal(duo_client_counts(&p->d).streams_now, 0);
	assert_int_equal(duo_client_counts(&p->d).conns_opened, 0);
}

static void what_the_application_does_not_provide_fails_the_stream(void **state)
{
	struct weft_error err;
	struct tables *t;
	struct play p;

	(void)state;
	if (!visit_can("client-auth"))
		skip();
	for (unsigned hold = WEFT_HOLD_CONNECTION; hold <= WEFT_HOLD_STREAM; hold++) {
		open_strict(&p);
		t = tables_as(&p, hold, "app:device-cert", "app:device-key");
		assert_int_equal(
			weft_context_use_policy(p.d.client, tables_static(t), NULL, &err), WEFT_OK);
		fails_once(
			&p, "credential device, app:device-cert: the application provides nothing");
		assert_int_equal(take(&p, &t->policy), WEFT_OK);
		fails_once(&p, "credential device, app:device-cert: the token is not there");
		app.cert = test_cert(TEST_CERT_CLIENT);
		app.empty = true;
		fails_once(&p, "the application provides nothing for it");
		app.empty = false;
		assert_int_equal(go(&p, &err), WEFT_OK);
		vhost_events(p.d.client, hold == WEFT_HOLD_STREAM
						 ? (const char *[]){ "shared store", "made store",
							   "failed store", NULL }
						 : (const char *[]){ "made store", "failed store",
							   "failed store", NULL });
		play_close(&p);
		tables_free(t);
	}
}

static void a_credential_is_read_from_files_when_it_is_needed(void **state)
{
	const struct test_cert *cert = test_cert(TEST_CERT_CLIENT);
	char cert_path[TEST_PATH_MAX], key_path[TEST_PATH_MAX];
	char cert_name[TEST_PATH_MAX + 8], key_name[TEST_PATH_MAX + 8];
	struct weft_error err;
	struct tables *t;
	struct play p;

	if (!visit_can("client-auth"))
		skip();
	assert_int_equal(test_folder_make(state), 0);
	snprintf(cert_name, sizeof(cert_name), "file:%s", test_folder_path(cert_path, "c.pem"));
	snprintf(key_name, sizeof(key_name), "file:%s", test_folder_path(key_path, "k.pem"));
	open_strict(&p);
	t = tables_as(&p, WEFT_HOLD_CONNECTION, cert_name, key_name);
	assert_int_equal(take(&p, tables_static(t)), WEFT_OK);
	fails_once(&p, cert_path);
	test_file_write(cert_path, cert->cert);
	fails_once(&p, key_path);
	/* a key that is none */
	test_file_write(key_path, cert->cert);
	fails_once(&p, "trust store store");
	test_file_write(key_path, cert->key);
	assert_int_equal(go(&p, &err), WEFT_OK);
	assert_true(visit_met(&visitor, cert));
	assert_int_equal(app.asked, 0);
	play_close(&p);
	tables_free(t);
	assert_int_equal(test_folder_drop(state), 0);
}

static void who_shows_no_credential_is_refused(void **state)
{
	struct weft_error err;
	struct tables *t;
	struct play p;

	(void)state;
	if (!visit_can("client-auth"))
		skip();
	open_strict(&p);
	t = tables_as(&p, WEFT_HOLD_CONNECTION, "app:device-cert", "app:device-key");
	t->streams[0].credential = NULL;
	assert_int_equal(take(&p, tables_static(t)), WEFT_OK);
	assert_true(go(&p, &err) < 0);
	play_close(&p);
	tables_free(t);
}

/* ---- stores that cannot be made ---- */

/* Mends the store, whose tables are written to only because nobody uses them just then. */
static void a_store_that_cannot_be_made_leaves_nothing(void **state)
{
	static const unsigned char no_list[] = "no list";
	const struct weft_context_options warm = { .keep_warm_ms = LONG_MS, .linger_ms = 1 };
	const struct test_cert *const many[] = { test_certs_ca(), test_certs_other_ca(), NULL };
	struct weft_policy_trust *trust;
	struct weft_error err;
	struct tables *t;
	struct play p;

	(void)state;
	for (unsigned i = 0; i < 4; i++) {

		memset(&p, 0, sizeof(p));
		duo_open(&p.d, NULL, &warm, NULL, false);
		p.port = (unsigned)strtoul(strrchr(p.d.base, ':') + 1, NULL, 10);
		t = tables_make("broken");
		trust = tables_trust(t, "store", many);
		trust->hold = i % 2 ? WEFT_HOLD_STREAM : WEFT_HOLD_CONNECTION;
		tables_stream(t, "a", "h1", p.port, trust);
		if (i < 2) { /* the third certificate */
			tables_junk(t, trust);
		} else { /* the list */
			tables_crl(t, trust, (struct weft_span){ no_list, sizeof(no_list) });
		}
		assert_int_equal(take(&p, tables_static(t)), WEFT_OK);
		fails_once(&p, "trust store store");
		assert_true(go(&p, &err) < 0);
		assert_non_null(strstr(err.text, i < 2 ? "3" : "1"));
		duo_until(&p.d, !duo_client_counts(&p.d).conns_now);
		if (i < 2)
			trust->ca_count--;
		else
			trust->crl_count--;
		assert_int_equal(go(&p, &err), WEFT_OK);
		vhost_check(p.d.client, "store", WEFT_VHOST_LIVE, 1, 0, 0);
		play_close(&p);
		trust->ca_count += i < 2;
		trust->crl_count += i >= 2;
		tables_free(t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_application_is_asked_when_a_vhost_is_made),
		cmocka_unit_test(held_up_front_the_application_is_asked_at_once),
		cmocka_unit_test(what_the_application_does_not_provide_fails_the_stream),
		cmocka_unit_test(a_credential_is_read_from_files_when_it_is_needed),
		cmocka_unit_test(who_shows_no_credential_is_refused),
		cmocka_unit_test(a_store_that_cannot_be_made_leaves_nothing),
	};

	return duo_main("policy, credentials", tests, sizeof(tests) / sizeof(*tests), DUO_PAIRS);
}
