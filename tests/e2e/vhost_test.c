/* SPDX-License-Identifier: MIT */
/* Several vhosts at one listener, by SNI and by Host; their life while they are used; who may share. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/certs.h"
#include "tests/support/duo.h"

/* What a client heard. */
struct heard {
	char body[128];
	size_t len;
	unsigned status, closes;
	struct weft_error why;
};

static size_t on_data(struct weft_stream *s, const void *bytes, size_t len, void *user)
{
	struct heard *h = user;

	(void)s;
	assert_true(h->len + len < sizeof(h->body));
	memcpy(h->body + h->len, bytes, len);
	h->len += len;
	return len;
}

static void on_head(
	struct weft_stream *s, const struct weft_head *head, enum weft_head_kind kind, void *user)
{
	(void)s;
	(void)kind;
	((struct heard *)user)->status = head->status;
}

static void on_close(struct weft_stream *s, const struct weft_error *why, void *user)
{
	struct heard *h = user;

	(void)s;
	h->closes++;
	h->why = *why;
}

static const struct weft_stream_ops heard_ops = {
	.on_head = on_head,
	.on_data = on_data,
	.on_close = on_close,
};

/* Which vhost answers, and what the client's SNI was. */
static enum weft_status who(struct weft_stream *s, void *user)
{
	struct weft_conn_info info;
	char text[300];
	int n;

	assert_int_equal(weft_stream_conn_info(s, &info), WEFT_OK);
	n = snprintf(text, sizeof(text), "%s %s", (const char *)user, info.sni[0] ? info.sni : "-");
	return weft_http_reply(s, 200, NULL, text, (size_t)n);
}

static struct weft_route routes[3][2] = {
	{ { .path = "/who", .on_request = who, .user = (void *)(uintptr_t) "default" } },
	{ { .path = "/who", .on_request = who, .user = (void *)(uintptr_t) "exact" } },
	{ { .path = "/who", .on_request = who, .user = (void *)(uintptr_t) "wild" } },
};

static void add(struct duo *d, const char *name, size_t which, struct weft_vhost **out)
{
	struct weft_vhost_options v = { .name = name, .routes = routes[which] };
	struct weft_error err;
	char url[64];

	duo_vhost_options(d, &v);
	assert_int_equal(weft_vhost_listener(d->vh, 0, url, sizeof(url)), WEFT_OK);
	v.listen = url;
	if (weft_vhost_create(d->server, &v, out, &err))
		fail_msg("%s", err.text);
}

static void begin(struct duo *d, const struct weft_context_options *client)
{
	const struct weft_vhost_options v = { .name = "localhost", .routes = routes[0] };

	duo_open(d, NULL, client, &v, false);
}

static void ask(struct duo *d, struct heard *h, const char *host, const struct weft_request *more)
{
	struct weft_request r = more ? *more : (struct weft_request){ .url = NULL };
	const char *port = strrchr(d->base, ':');
	struct weft_stream *s;
	struct weft_error err;
	char url[128], to[64];

	snprintf(url, sizeof(url), "%.*s%s%s/who", (int)(strstr(d->base, "://") - d->base) + 3,
		d->base, host, port);
	snprintf(to, sizeof(to), "127.0.0.1%s", port);
	r.url = url;
	r.connect_to = to;
	if (!r.trust && d->trust.ca.len)
		r.trust = &d->trust;
	memset(h, 0, sizeof(*h));
	if (weft_http_open(d->client, &r, &heard_ops, h, &s, &err))
		fail_msg("%s", err.text);
}

static void expect(struct duo *d, const char *host, const char *vhost, const char *sni)
{
	struct heard h;
	char want[300];

	ask(d, &h, host, NULL);
	duo_until(d, h.closes);
	if (h.why.status)
		fail_msg("%s: %s", host, h.why.text);
	snprintf(want, sizeof(want), "%s %s", vhost, duo_combo.server_tls ? sni : "-");
	assert_string_equal(h.body, want);
}

static void vhosts_of_a_listener_are_chosen_by_sni_and_host(void **state)
{
	struct weft_vhost *exact, *wild;
	struct duo d;

	(void)state;
	begin(&d, NULL);
	add(&d, "*.example.test", 2, &wild);
	add(&d, "a.example.test", 1, &exact); /* a full name wins, wherever it stands */
	expect(&d, "localhost", "default", "localhost");
	expect(&d, "a.example.test", "exact", "a.example.test");
	expect(&d, "b.example.test", "wild", "b.example.test");
	/* the root's dot belongs to DNS: no certificate has it, nor SNI (RFC 6066 section 3) */
	expect(&d, "localhost.", "default", "localhost");
	/* an address is no name: the first vhost answers */
	expect(&d, "127.0.0.1", "default", "-");
	/* one that is gone is not found any more, and its connections end with it */
	weft_vhost_destroy(exact);
	duo_turn(&d);
	expect(&d, "a.example.test", "wild", "a.example.test");
	weft_vhost_destroy(wild);
	assert_true(duo_server_counts(&d).vhosts_created == 3);
	duo_until(&d, duo_server_counts(&d).vhosts_now == 1);
	duo_close(&d);
}

/* A certificate was checked for one name; a request for another may not be smuggled through it. */
static void request_for_another_vhost_than_the_handshakes_is_misdirected(void **state)
{
	struct weft_stream_options o = { .url = NULL };
	struct weft_vhost *exact;
	struct weft_field host = weft_field("x", "y");
	struct weft_request r = { .fields = &host, .field_count = 1 };
	struct heard h;
	struct duo d;

	(void)state;
	begin(&d, NULL);
	add(&d, "a.example.test", 1, &exact);
	r.stream = o;
	r.stream.sni = "localhost";
	ask(&d, &h, "a.example.test", &r);
	duo_until(&d, h.closes);
	assert_int_equal(h.why.status, WEFT_OK);
	assert_int_equal(h.status, duo_combo.server_tls ? 421 : 200);
	duo_close(&d);
}

static bool info_of(const struct weft_context *ctx, bool client, struct weft_vhost_info *info)
{
	for (size_t i = 0; weft_vhost_info(ctx, i, info); i++) {
		if (info->client == client)
			return true;
	}
	return false;
}

static struct weft_stream *held;

static enum weft_status hold(struct weft_stream *s, void *user)
{
	(void)user;
	held = s;
	return WEFT_OK;
}

static void busy_vhost_lives_until_its_last_connection(void **state)
{
	static const struct weft_route holding[] = {
		{ .path = "/who", .on_request = hold },
		{ .on_request = NULL },
	};
	const struct weft_vhost_options v = { .routes = holding };
	struct weft_vhost_info info;
	struct weft_request r = { .share = WEFT_SHARE_POOL };
	struct heard h, late;
	struct duo d;

	(void)state;
	held = NULL;
	duo_open(&d, NULL, NULL, &v, false);
	ask(&d, &h, "localhost", &r);
	duo_until(&d, held);
	assert_true(info_of(d.server, false, &info));
	assert_int_equal(info.state, WEFT_VHOST_LIVE);
	assert_int_equal(info.conns, 1);
	assert_in_range(info.refs, 3, 3); /* the application, the connection, the stream */
	weft_vhost_destroy(d.vh);
	assert_true(info_of(d.server, false, &info));
	assert_int_equal(info.state, WEFT_VHOST_DYING);
	assert_int_equal(info.refs, 2);
	/* it does not listen any more */
	r.share = WEFT_SHARE_ALONE;
	ask(&d, &late, "localhost", &r);
	duo_until(&d, late.closes);
	assert_int_equal(late.why.status, WEFT_ERR_REFUSED);
	/* but the one it serves is served to the end */
	assert_int_equal(weft_http_reply(held, 200, NULL, "late", 4), WEFT_OK);
	duo_until(&d, h.closes);
	assert_string_equal(h.body, "late");
	weft_context_drain(d.client, 0, NULL, NULL);
	duo_until(&d, !duo_server_counts(&d).vhosts_now);
	assert_int_equal(duo_server_counts(&d).vhosts_freed, 1);
	duo_close(&d);
}

/* ---- client vhosts ---- */

static void trusts_with_the_same_content_share_a_vhost_and_a_connection(void **state)
{
	const struct test_cert *ca = test_certs_ca();
	struct weft_trust copy;
	struct weft_request r = { .share = WEFT_SHARE_POOL };
	struct heard h[2];
	struct duo d;
	char *bytes;

	(void)state;
	begin(&d, NULL);
	bytes = malloc(ca->cert_len);
	memcpy(bytes, ca->cert, ca->cert_len);
	copy = (struct weft_trust){ .ca = { (unsigned char *)bytes, ca->cert_len } };
	ask(&d, &h[0], "localhost", &r);
	r.trust = &copy;
	ask(&d, &h[1], "localhost", &r);
	free(bytes); /* all was copied */
	duo_until(&d, h[0].closes && h[1].closes);
	assert_int_equal(h[0].status, 200);
	assert_int_equal(h[1].status, 200);
	assert_int_equal(duo_client_counts(&d).vhosts_created, 1);
	assert_int_equal(duo_server_counts(&d).conns_accepted, 1);
	duo_close(&d);
}

/* Law 1: whatever decides whom we believe keeps connections apart. */
static void other_trust_never_shares_a_connection(void **state)
{
	const struct test_cert *other = test_certs_other_ca();
	struct weft_trust trust = { .ca = { (const unsigned char *)other->cert, other->cert_len } };
	struct weft_request r = { .share = WEFT_SHARE_POOL };
	struct heard h[3];
	struct duo d;

	(void)state;
	begin(&d, NULL);
	ask(&d, &h[0], "localhost", &r);
	duo_until(&d, h[0].closes);
	/* a warm connection is there, but it was checked by other rules */
	r.trust = &trust;
	ask(&d, &h[1], "localhost", &r);
	r.trust = NULL;
	r.allow = WEFT_TLS_EXPIRED;
	ask(&d, &h[2], "localhost", &r);
	duo_until(&d, h[1].closes && h[2].closes);
	assert_int_equal(h[1].why.status, WEFT_ERR_VERIFY);
	assert_non_null(strstr(h[1].why.text, "issuer is unknown"));
	assert_int_equal(h[2].status, 200);
	assert_int_equal(duo_server_counts(&d).conns_accepted, 3);
	assert_int_equal(duo_client_counts(&d).vhosts_created, 2);
	duo_close(&d);
}

static void stream_may_hold_the_vhost_from_its_opening_on(void **state)
{
	const struct weft_context_options cold = { .no_keep_warm = true };
	struct weft_request r = { .hold = WEFT_HOLD_STREAM };
	struct heard h;
	struct duo d;

	(void)state;
	begin(&d, &cold);
	ask(&d, &h, "localhost", NULL);
	assert_int_equal(duo_client_counts(&d).vhosts_now, 0);
	duo_until(&d, h.closes && !duo_client_counts(&d).vhosts_now);
	ask(&d, &h, "localhost", &r);
	assert_int_equal(duo_client_counts(&d).vhosts_now, 1);
	duo_until(&d, h.closes && !duo_client_counts(&d).vhosts_now);
	assert_int_equal(h.status, 200);
	duo_close(&d);
}

/* A bundle whose second certificate is bad leaves nothing half-built behind. */
static void bad_certificate_in_a_bundle_fails_the_stream_and_leaves_nothing(void **state)
{
	static const char bad[] = "-----BEGIN CERTIFICATE-----\nbm90IGEgY2VydGlmaWNhdGU=\n"
				  "-----END CERTIFICATE-----\n";
	const struct test_cert *ca = test_certs_ca();
	struct weft_trust trust;
	struct weft_request r = { .trust = &trust };
	struct heard h;
	struct duo d;
	char bundle[8192];

	(void)state;
	begin(&d, NULL);
	snprintf(bundle, sizeof(bundle), "%s%s", ca->cert, bad);
	trust = (struct weft_trust){ .ca = { (unsigned char *)bundle, strlen(bundle) } };
	ask(&d, &h, "localhost", &r);
	duo_until(&d, h.closes);
	assert_int_equal(h.why.status, WEFT_ERR_TLS);
	assert_non_null(strstr(h.why.text, "certificate 2"));
	assert_int_equal(duo_client_counts(&d).vhosts_now, 0);
	assert_int_equal(duo_server_counts(&d).conns_accepted, 0);
	duo_close(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vhosts_of_a_listener_are_chosen_by_sni_and_host),
		cmocka_unit_test(request_for_another_vhost_than_the_handshakes_is_misdirected),
		cmocka_unit_test(busy_vhost_lives_until_its_last_connection),
		cmocka_unit_test(trusts_with_the_same_content_share_a_vhost_and_a_connection),
		cmocka_unit_test(stream_may_hold_the_vhost_from_its_opening_on),
	};
	const struct CMUnitTest with_tls[] = {
		cmocka_unit_test(other_trust_never_shares_a_connection),
		cmocka_unit_test(bad_certificate_in_a_bundle_fails_the_stream_and_leaves_nothing),
	};

	return duo_main("vhost", tests, sizeof(tests) / sizeof(*tests), DUO_ALL) +
	       duo_main("trust", with_tls, sizeof(with_tls) / sizeof(*with_tls), DUO_TLS);
}
