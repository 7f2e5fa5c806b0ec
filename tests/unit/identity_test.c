/* SPDX-License-Identifier: MIT */
/*
 * What vhosts and trust hand to a TLS backend, and what they refuse because it cannot; reloading; a clock
 * that was never set. The backend is one that shows it all.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/plugin/registry.h"
#include "core/vhost/trust.h"
#include "tests/support/fake_tls.h"
#include "weft/plugin/event.h"

enum {
	TURNS_MAX = 5000,
	ALL = WEFT_TLS_CAN_RESUME | WEFT_TLS_CAN_CLIENT_AUTH | WEFT_TLS_CAN_STAPLE |
	      WEFT_TLS_CAN_SIGN | WEFT_TLS_CAN_PIN | WEFT_TLS_CAN_CRL,
};

struct world {
	struct weft_registry *registry;
	struct weft_context *ctx;
	struct weft_error err;
	char warning[256];
	long left;
	unsigned allocs, fails_at;
};

static struct world w;
static int64_t wall_now;

static void *resize(void *user, void *ptr, size_t old_len, size_t new_len)
{
	void *p;

	(void)user;
	if (new_len && ++w.allocs == w.fails_at)
		return NULL;
	p = weft_allocator_system.resize(NULL, ptr, old_len, new_len);
	if (p || !new_len)
		w.left += (long)new_len - (long)old_len;
	return p;
}

static const struct weft_allocator alloc = { .resize = resize };

static void log_line(void *user, enum weft_log_level level, const char *line)
{
	(void)user;
	if (level == WEFT_LOG_WARN)
		snprintf(w.warning, sizeof(w.warning), "%s", line);
}

static int64_t wall(void *net)
{
	(void)net;
	return wall_now;
}

/* A loop whose clock says what the test says. */
static void add_loop(void)
{
	static struct weft_net_ops net;
	static struct weft_event_ops event;
	static struct weft_plugin plugin = { WEFT_PLUGIN_HEAD, .kind = WEFT_PLUGIN_EVENT,
		.name = "timeless", .version = "1", .event = &event };
	const struct weft_plugin *poll;

	assert_int_equal(
		weft_registry_find(w.registry, WEFT_PLUGIN_EVENT, "poll", &poll, NULL), WEFT_OK);
	event = *poll->event;
	net = weft_net_posix;
	net.wall = wall;
	event.net = &net;
	assert_int_equal(weft_registry_add(w.registry, &plugin, NULL, NULL), WEFT_OK);
}

static void open_world(unsigned caps)
{
	struct weft_context_options o = { .event = "timeless",
		.tls = "fake",
		.allocator = &alloc,
		.log = log_line,
		.log_level = WEFT_LOG_WARN,
		.linger_ms = 1 };

	memset(&w, 0, sizeof(w));
	wall_now = 1800000000;
	assert_int_equal(weft_registry_create(NULL, &w.registry, NULL), WEFT_OK);
	assert_int_equal(weft_registry_add(w.registry, fake_tls_plugin(caps), NULL, NULL), WEFT_OK);
	add_loop();
	o.registry = w.registry;
	assert_int_equal(weft_context_create(&o, &w.ctx, NULL), WEFT_OK);
}

static void close_world(void)
{
	weft_context_destroy(w.ctx, 0, NULL, NULL);
	weft_registry_release(w.registry);
	assert_int_equal(fake_tls.sessions, 0);
	assert_int_equal(fake_tls.ctxs, 0);
	assert_int_equal(w.left, 0);
}

static struct weft_span text(const char *t)
{
	return (struct weft_span){ (const unsigned char *)t, strlen(t) };
}

static enum weft_status handler(struct weft_stream *s, void *user)
{
	(void)user;
	assert_int_equal(weft_stream_write(s, "\x04", 1), 1);
	weft_stream_finish(s);
	return WEFT_OK;
}

static const struct weft_route routes[] = { { .prefix = "", .on_request = handler }, { 0 } };

static struct weft_vhost *serve(struct weft_vhost_options *o)
{
	struct weft_vhost *vh;

	o->name = "a";
	o->routes = routes;
	o->listen = "tls://127.0.0.1:0";
	if (!o->credential.cert.len)
		o->credential.cert = text("cert");
	if (!o->credential.key.len && !o->credential.signer)
		o->credential.key = text("key");
	return weft_vhost_create(w.ctx, o, &vh, &w.err) ? NULL : vh;
}

static enum weft_status sign(void *user, unsigned scheme, const unsigned char *digest,
	size_t digest_len, unsigned char *out, size_t *len)
{
	(void)user;
	(void)scheme;
	(void)digest;
	(void)digest_len;
	(void)out;
	(void)len;
	return WEFT_ERR_UNSUPPORTED;
}

static const struct weft_signer signer = { .sign = sign };
static const unsigned char pins[2][WEFT_SHA256_BYTES] = { { 2 }, { 1 } };
static const char some_ca[] = "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n";

static const struct weft_trust clients = {
	.ca = { (const unsigned char *)some_ca, sizeof(some_ca) - 1 },
	.pins = pins,
	.pin_count = 2,
};

/* ---- what arrives ---- */

static void all_of_a_vhost_s_options_arrive(void **state)
{
	unsigned char secret[WEFT_TLS_TICKET_SECRET];
	struct weft_vhost_options o = {
		.credential = { .ocsp = text("staple"), .signer = &signer },
		.client_auth = WEFT_CLIENT_AUTH_OPTIONAL,
		.client_trust = &clients,
		.ticket_secret = { secret, sizeof(secret) },
	};

	(void)state;
	open_world(ALL);
	memset(secret, 7, sizeof(secret));
	assert_non_null(serve(&o));
	assert_string_equal(fake_tls.cert, "cert");
	assert_string_equal(fake_tls.key, "");
	assert_string_equal(fake_tls.ocsp, "staple");
	assert_ptr_equal(fake_tls.signer, &signer);
	assert_int_equal(fake_tls.client_auth, WEFT_TLS_CLIENT_AUTH_OPTIONAL);
	assert_int_equal(fake_tls.ca_count, 1);
	assert_int_equal(fake_tls.pin_count, 2);
	assert_int_equal(fake_tls.pins[0][0], 1); /* sorted */
	assert_int_equal(fake_tls.secret_len, sizeof(secret));
	assert_memory_equal(fake_tls.secret, secret, sizeof(secret));
	close_world();
}

static void each_vhost_has_a_ticket_secret_of_its_own_for_all_its_schemes(void **state)
{
	unsigned char first[WEFT_TLS_TICKET_SECRET], none[WEFT_TLS_TICKET_SECRET] = { 0 };
	struct weft_vhost_options o = { .name = NULL };
	const struct weft_credential again = { .cert = text("new"), .key = text("key") };
	struct weft_vhost *vh;

	(void)state;
	open_world(ALL);
	vh = serve(&o);
	assert_non_null(vh);
	assert_int_equal(fake_tls.secret_len, sizeof(first));
	memcpy(first, fake_tls.secret, sizeof(first));
	assert_memory_not_equal(first, none, sizeof(first));
	assert_int_equal(weft_vhost_listen(vh, "https://127.0.0.1:0", &w.err), WEFT_OK);
	assert_memory_equal(fake_tls.secret, first, sizeof(first));
	/* tickets of before are still good */
	assert_int_equal(weft_vhost_reload(vh, &again, &w.err), WEFT_OK);
	assert_memory_equal(fake_tls.secret, first, sizeof(first));
	assert_non_null(serve(&o));
	assert_memory_not_equal(fake_tls.secret, first, sizeof(first));
	o.no_tickets = true;
	assert_non_null(serve(&o));
	assert_int_equal(fake_tls.secret_len, 0);
	close_world();
}

/* ---- what is refused ---- */

static void refused(
	unsigned caps, struct weft_vhost_options o, enum weft_status status, const char *words)
{
	open_world(caps);
	assert_null(serve(&o));
	if (w.err.status != status || !strstr(w.err.text, words))
		fail_msg("%d, \"%s\": expected \"%s\"", (int)w.err.status, w.err.text, words);
	assert_null(strchr(w.err.text, '\n'));
	close_world();
}

static void what_the_backend_cannot_is_refused_in_words(void **state)
{
	static const unsigned char secret[WEFT_TLS_TICKET_SECRET];
	const struct weft_trust crl = { .ca = clients.ca, .crl = text("list") };
	const struct weft_trust unpinned = { .ca = clients.ca };
	const struct {
		unsigned cap;
		struct weft_vhost_options options;
		const char *words;
	} all[] = {
		{ WEFT_TLS_CAN_STAPLE, { .credential.ocsp = text("x") },
			"vhost a: TLS backend fake cannot staple OCSP responses" },
		{ WEFT_TLS_CAN_SIGN, { .credential.signer = &signer },
			"vhost a: TLS backend fake cannot have its keys elsewhere" },
		{ WEFT_TLS_CAN_CLIENT_AUTH,
			{ .client_auth = WEFT_CLIENT_AUTH_REQUIRED, .client_trust = &unpinned },
			"vhost a: TLS backend fake cannot ask clients for certificates" },
		{ WEFT_TLS_CAN_PIN,
			{ .client_auth = WEFT_CLIENT_AUTH_REQUIRED, .client_trust = &clients },
			"vhost a: TLS backend fake cannot pin keys" },
		{ WEFT_TLS_CAN_CRL,
			{ .client_auth = WEFT_CLIENT_AUTH_REQUIRED, .client_trust = &crl },
			"vhost a: TLS backend fake cannot check revocation lists" },
		{ WEFT_TLS_CAN_RESUME, { .ticket_secret = { secret, sizeof(secret) } },
			"vhost a: TLS backend fake cannot resume sessions" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		refused(ALL & ~all[i].cap, all[i].options, WEFT_ERR_UNSUPPORTED, all[i].words);
}

static void options_that_make_no_sense_are_refused_in_words(void **state)
{
	static const unsigned char secret[WEFT_TLS_TICKET_SECRET];
	static const struct weft_signer empty = { .sign = NULL };
	static const unsigned char many[WEFT_PINS_MAX + 1][WEFT_SHA256_BYTES];
	const struct weft_trust pinned = { .pins = many, .pin_count = WEFT_PINS_MAX + 1 };
	const struct {
		struct weft_vhost_options options;
		const char *words;
	} all[] = {
		{ { .ticket_secret = { secret, 63 } }, "ticket_secret has 63 bytes, expected 64" },
		{ { .client_trust = &clients }, "client_trust without client_auth" },
		{ { .client_auth = WEFT_CLIENT_AUTH_REQUIRED },
			"client_auth without client_trust" },
		{ { .client_auth = 3, .client_trust = &clients }, "client_auth is 3" },
		{ { .credential = { .key = text("k"), .signer = &signer } }, "a key and a signer" },
		{ { .credential.signer = &empty }, "NULL for sign" },
		{ { .client_auth = WEFT_CLIENT_AUTH_REQUIRED, .client_trust = &pinned },
			"17 pins, expected at most 16" },
		{ { .credential.ocsp_file = "/nonexistent/ocsp" }, "/nonexistent/ocsp" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		refused(ALL, all[i].options, i == 7 ? WEFT_ERR_NOT_FOUND : WEFT_ERR_ARGUMENT,
			all[i].words);
}

/* ---- reload ---- */

static void a_reload_replaces_the_contexts_of_all_schemes_or_of_none(void **state)
{
	struct weft_vhost_options o = { .name = NULL };
	struct weft_credential fresh = { .cert = text("bad"), .key = text("key2") };
	struct weft_vhost *vh;

	(void)state;
	open_world(ALL);
	vh = serve(&o);
	assert_int_equal(weft_vhost_listen(vh, "https://127.0.0.1:0", &w.err), WEFT_OK);
	assert_int_equal(fake_tls.ctxs, 2);
	assert_int_equal(weft_vhost_reload(vh, &fresh, &w.err), WEFT_ERR_TLS);
	assert_non_null(strstr(w.err.text, "vhost a: the certificate is bad"));
	assert_int_equal(fake_tls.ctxs, 2);
	assert_int_equal(fake_tls.ctxs_made, 2);
	fresh.cert = text("new");
	assert_int_equal(weft_vhost_reload(vh, &fresh, &w.err), WEFT_OK);
	assert_string_equal(fake_tls.cert, "new");
	assert_string_equal(fake_tls.key, "key2");
	assert_int_equal(fake_tls.ctxs, 2);
	assert_int_equal(fake_tls.ctxs_made, 4);
	close_world();
}

static void a_bad_reload_names_the_file_and_the_reason(void **state)
{
	struct weft_vhost_options o = { .name = NULL };
	struct weft_credential fresh = { .cert_file = "/nonexistent/c.pem", .key = text("key2") };
	char cert[] = "/tmp/weft-test-XXXXXX";
	int fd = mkstemp(cert);
	struct weft_vhost *vh;

	(void)state;
	assert_int_equal(write(fd, "bad", 3), 3);
	close(fd);
	open_world(ALL);
	vh = serve(&o);
	assert_int_equal(weft_vhost_reload(vh, &fresh, &w.err), WEFT_ERR_NOT_FOUND);
	assert_non_null(strstr(w.err.text, "/nonexistent/c.pem"));
	fresh.cert_file = cert;
	assert_int_equal(weft_vhost_reload(vh, &fresh, &w.err), WEFT_ERR_TLS);
	assert_non_null(strstr(w.err.text, cert));
	assert_non_null(strstr(w.err.text, "the certificate is bad"));
	assert_int_equal(weft_vhost_reload(vh, &fresh, NULL), WEFT_ERR_TLS);
	fresh = (struct weft_credential){ .cert = text("c") };
	assert_int_equal(weft_vhost_reload(vh, &fresh, &w.err), WEFT_ERR_ARGUMENT);
	fresh = (struct weft_credential){ .cert_file = NULL };
	assert_int_equal(weft_vhost_reload(vh, &fresh, &w.err), WEFT_ERR_ARGUMENT);
	assert_non_null(strstr(w.err.text, "expected a certificate and a key"));
	assert_string_equal(fake_tls.cert, "bad");
	assert_int_equal(fake_tls.ctxs, 1);
	unlink(cert);
	close_world();
}

static void a_reload_without_memory_leaves_all_as_it_was(void **state)
{
	const struct weft_credential fresh = {
		.cert = text("new"), .key = text("key2"), .ocsp = text("staple")
	};
	enum weft_status st = WEFT_ERR_MEMORY;
	struct weft_vhost *vh;
	unsigned n;

	(void)state;
	for (n = 1; st; n++) {
		struct weft_vhost_options o = { .client_auth = WEFT_CLIENT_AUTH_OPTIONAL,
			.client_trust = &clients };

		assert_in_range(n, 1, 100);
		open_world(ALL);
		vh = serve(&o);
		assert_int_equal(weft_vhost_listen(vh, "https://127.0.0.1:0", &w.err), WEFT_OK);
		w.fails_at = w.allocs + n;
		st = weft_vhost_reload(vh, &fresh, &w.err);
		w.fails_at = 0;
		if (st)
			assert_int_equal(st, WEFT_ERR_MEMORY);
		assert_int_equal(fake_tls.ctxs, 2);
		/* and it can be done after all */
		assert_int_equal(weft_vhost_reload(vh, &fresh, &w.err), WEFT_OK);
		assert_int_equal(fake_tls.ctxs, 2);
		close_world();
	}
	assert_true(n > 5);
}

/* ---- trust ---- */

static struct weft_trust_spec *load(
	const struct weft_trust *trust, const struct weft_credential *credential)
{
	struct weft_trust_spec *spec;

	assert_int_equal(weft_trust_load(w.ctx, trust, credential, NULL, &spec, &w.err), WEFT_OK);
	return spec;
}

static bool equal(const struct weft_trust *a, const struct weft_credential *me_a,
	const struct weft_trust *b, const struct weft_credential *me_b)
{
	struct weft_trust_spec *one = load(a, me_a), *other = load(b, me_b);
	bool same = weft_trust_equal(one, other);

	assert_int_equal(weft_trust_equal(other, one), same);
	weft_trust_release(one);
	weft_trust_release(other);
	return same;
}

static void pins_dates_and_signers_make_another_trust(void **state)
{
	static const unsigned char turned[3][WEFT_SHA256_BYTES] = { { 1 }, { 2 }, { 1 } };
	static const struct weft_signer copy = { .sign = sign },
					other = { .sign = sign, .user = &w };
	const struct weft_trust one = { .pins = pins, .pin_count = 1 };
	const struct weft_trust two = { .pins = pins, .pin_count = 2 };
	const struct weft_trust three = { .pins = turned, .pin_count = 3 };
	const struct weft_trust dates = { .verify_dates = WEFT_DATES_ONCE_CLOCK_SET };
	const struct weft_trust plain = { .system = true };
	const struct weft_credential key = { .cert = text("c"), .key = text("k") };
	const struct weft_credential a = { .cert = text("c"), .signer = &signer };
	const struct weft_credential b = { .cert = text("c"), .signer = &copy };
	const struct weft_credential c = { .cert = text("c"), .signer = &other };

	(void)state;
	open_world(ALL);
	assert_true(equal(&two, NULL, &three, NULL)); /* order and doubles do not count */
	assert_false(equal(&one, NULL, &two, NULL));
	assert_false(equal(&one, NULL, &plain, NULL));
	assert_true(equal(NULL, NULL, &plain, NULL));
	assert_false(equal(&dates, NULL, &plain, NULL));
	assert_true(equal(NULL, &a, NULL, &b));
	assert_false(equal(NULL, &a, NULL, &c));
	assert_false(equal(NULL, &a, NULL, &key));
	assert_false(equal(NULL, &key, NULL, NULL));
	close_world();
}

static void a_stream_with_what_the_backend_cannot_is_not_opened(void **state)
{
	static const struct weft_stream_ops nobody = { .on_head = NULL };
	const struct weft_trust pinned = { .pins = pins, .pin_count = 2 };
	struct weft_stream_options o = { .url = "tls://127.0.0.1:1", .trust = &pinned };
	struct weft_stream *s;

	(void)state;
	open_world(0);
	assert_int_equal(
		weft_stream_open(w.ctx, &o, &nobody, NULL, &s, &w.err), WEFT_ERR_UNSUPPORTED);
	assert_non_null(strstr(w.err.text, "fake cannot pin keys"));
	close_world();
}

/* ---- a clock that was never set ---- */

static void closed(struct weft_stream *s, const struct weft_error *why, void *user)
{
	(void)s;
	assert_int_equal(why->status, WEFT_OK);
	*(bool *)user = true;
}

static void visit(const char *url, const struct weft_trust *trust)
{
	static const struct weft_stream_ops ops = { .on_close = closed };
	const struct weft_stream_options o = { .url = url, .trust = trust };
	struct weft_counters c;
	struct weft_stream *s;
	bool done = false;

	w.warning[0] = '\0';
	assert_int_equal(weft_stream_open(w.ctx, &o, &ops, &done, &s, &w.err), WEFT_OK);
	for (unsigned i = 0; i < TURNS_MAX; i++) {
		assert_true(weft_context_turn(w.ctx, 2) >= 0);
		weft_context_counters(w.ctx, &c);
		if (done && !c.conns_now)
			break;
	}
	assert_true(done);
}

static void dates_are_not_looked_at_before_the_clock_is_set(void **state)
{
	const unsigned dates = WEFT_TLS_EXPIRED | WEFT_TLS_NOT_YET_VALID;
	const struct weft_trust once = { .ca = clients.ca,
		.verify_dates = WEFT_DATES_ONCE_CLOCK_SET };
	const struct weft_trust always = { .ca = clients.ca };
	const struct weft_vhost_options v = {
		.name = "a", .listen = "tcp://127.0.0.1:0", .routes = routes
	};
	struct weft_vhost *vh;
	char listener[64], url[64];

	(void)state;
	open_world(ALL);
	assert_int_equal(weft_vhost_create(w.ctx, &v, &vh, NULL), WEFT_OK);
	assert_int_equal(weft_vhost_listener(vh, 0, listener, sizeof(listener)), WEFT_OK);
	snprintf(url, sizeof(url), "tls%s", strstr(listener, "://"));
	fake_tls.ticket = "unchecked";
	fake_tls.resumes = true;
	wall_now = 1704067199; /* the last second of 2023 */
	visit(url, &once);
	assert_int_equal(fake_tls.allow, dates);
	assert_non_null(strstr(w.warning, "127.0.0.1: the clock has not been set yet"));
	visit(url, &always);
	assert_int_equal(fake_tls.allow, 0);
	assert_string_equal(w.warning, "");
	/* what was made without that check is not resumed with it, nor without */
	fake_tls.ticket = NULL;
	visit(url, &once);
	assert_string_equal(fake_tls.offered, "");
	wall_now++;
	visit(url, &once);
	assert_int_equal(fake_tls.allow, 0);
	assert_string_equal(fake_tls.offered, "");
	assert_string_equal(w.warning, "");
	close_world();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_of_a_vhost_s_options_arrive),
		cmocka_unit_test(each_vhost_has_a_ticket_secret_of_its_own_for_all_its_schemes),
		cmocka_unit_test(what_the_backend_cannot_is_refused_in_words),
		cmocka_unit_test(options_that_make_no_sense_are_refused_in_words),
		cmocka_unit_test(a_reload_replaces_the_contexts_of_all_schemes_or_of_none),
		cmocka_unit_test(a_bad_reload_names_the_file_and_the_reason),
		cmocka_unit_test(a_reload_without_memory_leaves_all_as_it_was),
		cmocka_unit_test(pins_dates_and_signers_make_another_trust),
		cmocka_unit_test(a_stream_with_what_the_backend_cannot_is_not_opened),
		cmocka_unit_test(dates_are_not_looked_at_before_the_clock_is_set),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
