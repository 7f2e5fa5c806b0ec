/* SPDX-License-Identifier: MIT */
/* Combinations, the two contexts, and requests that check their own answers. */
#include "tests/support/duo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/certs.h"
#include "tests/support/filter.h"

enum { NAMES_MAX = 8 };

struct duo_combo duo_combo;

/* ---- combinations ---- */

struct names {
	char text[NAMES_MAX][16];
	size_t count;
};

static void find(const char *kind, struct names *names)
{
	struct weft_registry *registry;
	struct weft_plugin_info info;
	struct weft_error err;

	if (weft_registry_create(NULL, &registry, &err)) {
		weft_error_print(stderr, &err);
		abort();
	}
	(void)weft_registry_scan(registry, NULL, NULL);
	for (size_t i = 0; weft_registry_info(registry, i, &info); i++) {
		if (!strcmp(info.kind, kind) && names->count < NAMES_MAX)
			snprintf(names->text[names->count++], 16, "%s", info.name);
	}
	weft_registry_release(registry);
}

static int run(const char *name, const struct CMUnitTest *tests, size_t count)
{
	const struct duo_combo *c = &duo_combo;
	char title[160];

	snprintf(title, sizeof(title), "%s: %s/%s, %s to %s%s", name, c->event, c->server_event,
		c->client_tls ? c->client_tls : "plain", c->server_tls ? c->server_tls : "plain",
		c->fragment ? ", 1-byte reads" : "");
	return _cmocka_run_group_tests(title, tests, count, NULL, NULL);
}

int duo_main(const char *name, const struct CMUnitTest *tests, size_t count, enum duo_which which)
{
	struct names loops = { .count = 0 }, tls = { .count = 0 };
	size_t pairs;
	int failed = 0;

	filter_tests();
	find("event", &loops);
	find("tls", &tls);
	pairs = which == DUO_PLAIN || which == DUO_PLAIN_WHOLE ? 0 : tls.count * tls.count;
	for (size_t e = 0; e < loops.count; e++) {
		for (size_t f = 0; f < (which == DUO_FEWER || which == DUO_TLS ? 1 : 2); f++) {
			duo_combo = (struct duo_combo){ .event = loops.text[e], .fragment = f };
			/* small reads also mix the loops: two of a kind, or one of each */
			duo_combo.server_event = loops.text[(e + f) % loops.count];
			if (which != DUO_TLS && which != DUO_PAIRS)
				failed += run(name, tests, count);
			for (size_t i = 0; i < pairs; i++) {
				duo_combo.client_tls = tls.text[i / tls.count];
				duo_combo.server_tls = tls.text[i % tls.count];
				if (which == DUO_ALL || which == DUO_PAIRS ||
					i / tls.count == i % tls.count)
					failed += run(name, tests, count);
			}
		}
	}
	test_certs_free();
	return failed;
}

/* ---- the two contexts ---- */

static void no_log(void *user, enum weft_log_level level, const char *line)
{
	(void)user;
	if (getenv("WEFT_TEST_LOG"))
		weft_log_stderr(NULL, level, line);
}

static struct weft_context *open_one(
	const struct weft_context_options *extra, const char *event, const char *tls)
{
	struct weft_context_options o =
		extra ? *extra : (struct weft_context_options){ .event = NULL };
	struct weft_context *ctx;
	struct weft_error err;

	o.event = event;
	o.tls = tls ? tls : "none";
	o.fragment_bytes = duo_combo.fragment;
	o.log = no_log;
	if (getenv("WEFT_TEST_LOG"))
		o.log_level = WEFT_LOG_DEBUG;
	if (weft_context_create(&o, &ctx, &err))
		fail_msg("context: %s", err.text);
	return ctx;
}

static const struct weft_route digest_routes[] = {
	{ .prefix = "/digest/", .on_request = duo_digest },
	{ .on_request = NULL },
};

void duo_vhost_options(struct duo *d, struct weft_vhost_options *v)
{
	const struct test_cert *good, *ca;

	if (!v->name)
		v->name = "localhost";
	if (!v->routes)
		v->routes = digest_routes;
	v->listen = d->listener;
	if (!duo_combo.server_tls)
		return;
	good = test_cert(TEST_CERT_GOOD);
	ca = test_certs_ca();
	if (!v->credential.cert.len && !v->cert_file)
		v->credential = (struct weft_credential){
			.cert = { (const unsigned char *)good->cert, good->cert_len },
			.key = { (const unsigned char *)good->key, good->key_len },
		};
	d->trust = (struct weft_trust){ .ca = { (const unsigned char *)ca->cert, ca->cert_len } };
}

void duo_open(struct duo *d, const struct weft_context_options *server,
	const struct weft_context_options *client, const struct weft_vhost_options *vhost, bool raw)
{
	struct weft_vhost_options v = vhost ? *vhost : (struct weft_vhost_options){ .name = NULL };
	bool tls = duo_combo.server_tls != NULL;
	struct weft_error err;
	char url[64];

	memset(d, 0, sizeof(*d));
	d->server = open_one(server, duo_combo.server_event, duo_combo.server_tls);
	d->client = open_one(client, duo_combo.event, duo_combo.client_tls);
	snprintf(d->listener, sizeof(d->listener), "%s://127.0.0.1:0",
		raw ? (tls ? "tls" : "tcp") : (tls ? "https" : "http"));
	duo_vhost_options(d, &v);
	if (weft_vhost_create(d->server, &v, &d->vh, &err))
		fail_msg("vhost: %s", err.text);
	assert_int_equal(weft_vhost_listener(d->vh, 0, url, sizeof(url)), WEFT_OK);
	snprintf(d->base, sizeof(d->base), "%s%s", tls ? "https" : "http", strstr(url, "://"));
}

void duo_turn(struct duo *d)
{
	if (d->server)
		assert_true(weft_context_turn(d->server, 0) >= 0);
	/* loopback is as quick as we are: only now and then there is something to wait for */
	if (d->client)
		assert_true(weft_context_turn(d->client, d->turns++ % 16 ? 0 : 1) >= 0);
}

struct weft_counters duo_server_counts(const struct duo *d)
{
	struct weft_counters c;

	weft_context_counters(d->server, &c);
	return c;
}

struct weft_counters duo_client_counts(const struct duo *d)
{
	struct weft_counters c;

	weft_context_counters(d->client, &c);
	return c;
}

static void set_true(void *user)
{
	*(bool *)user = true;
}

static void end(struct weft_context **ctx)
{
	bool done = false;

	if (!*ctx)
		return;
	weft_context_destroy(*ctx, 0, set_true, &done);
	assert_true(done);
	*ctx = NULL;
}

void duo_close(struct duo *d)
{
	end(&d->client);
	end(&d->server);
}

/* ---- requests ---- */

void ask_digest(unsigned id, const void *body, size_t len, char out[17])
{
	uint64_t h = 14695981039346656037u ^ id;
	const unsigned char *p = body;

	for (size_t i = 0; i < len; i++)
		h = (h ^ p[i]) * 1099511628211u;
	h = (h ^ id) * 1099511628211u;
	snprintf(out, 17, "%016llx", (unsigned long long)h);
}

static void ask_head(
	struct weft_stream *s, const struct weft_head *head, enum weft_head_kind kind, void *user)
{
	struct ask *a = user;
	struct weft_conn_info info;

	assert_ptr_equal(weft_stream_user(s), a);
	if (kind != WEFT_HEAD_FINAL)
		return;
	assert_false(a->head);
	a->head = true;
	a->status = head->status;
	if (weft_stream_conn_info(s, &info) == WEFT_OK)
		a->conn = info.id;
	if (a->close_in_head)
		weft_stream_close(s);
}

static size_t ask_data(struct weft_stream *s, const void *bytes, size_t len, void *user)
{
	struct ask *a = user;

	assert_true(a->head);
	assert_false(a->closed);
	assert_true(a->got_len + len < sizeof(a->got));
	memcpy(a->got + a->got_len, bytes, len);
	a->got_len += len;
	if (a->close_in_data)
		weft_stream_close(s);
	return len;
}

static void ask_closed(struct weft_stream *s, const struct weft_error *why, void *user)
{
	struct ask *a = user;

	(void)s;
	a->closes++;
	a->closed = true;
	a->why = *why;
	a->stream = NULL;
}

static const struct weft_stream_ops ask_ops = {
	.on_head = ask_head,
	.on_data = ask_data,
	.on_close = ask_closed,
};

void ask_open(struct ask *a, struct duo *d, unsigned id, bool post, const struct weft_request *r)
{
	struct weft_request req = r ? *r : (struct weft_request){ .url = NULL };
	struct weft_error err;
	char url[128];

	snprintf(url, sizeof(url), "%s/digest/%u", d->base, id);
	*a = (struct ask){
		.duo = d,
		.id = id,
		.close_in_head = a->close_in_head,
		.close_in_data = a->close_in_data,
	};
	if (post)
		snprintf(a->body, sizeof(a->body), "the body of request %u", id);
	if (!req.url)
		req.url = url;
	req.share = WEFT_SHARE_POOL;
	req.trust = d->trust.ca.len ? &d->trust : NULL;
	if (post && !req.body_later)
		req.body = (struct weft_span){ (unsigned char *)a->body, strlen(a->body) };
	if (weft_http_open(d->client, &req, &ask_ops, a, &a->stream, &err))
		fail_msg("open %s: %s", url, err.text);
	assert_false(a->closed);
}

void ask_check(const struct ask *a)
{
	char want[17];

	ask_digest(a->id, a->body, strlen(a->body), want);
	if (a->why.status)
		fail_msg("request %u: %s: %s", a->id, weft_status_name(a->why.status), a->why.text);
	assert_int_equal(a->closes, 1);
	assert_int_equal(a->status, 200);
	assert_int_equal(a->got_len, 16);
	assert_memory_equal(a->got, want, 16);
}

/* ---- the server's handler ---- */

struct digesting {
	unsigned id;
	size_t len;
	char body[256];
};

static size_t digest_data(struct weft_stream *s, const void *bytes, size_t len, void *user)
{
	struct digesting *g = user;

	(void)s;
	assert_true(g->len + len <= sizeof(g->body));
	memcpy(g->body + g->len, bytes, len);
	g->len += len;
	return len;
}

static void digest_end(struct weft_stream *s, void *user)
{
	struct digesting *g = user;
	char text[17];

	ask_digest(g->id, g->body, g->len, text);
	assert_int_equal(weft_http_reply(s, 200, "text/plain", text, 16), WEFT_OK);
}

static void digest_closed(struct weft_stream *s, const struct weft_error *why, void *user)
{
	(void)s;
	(void)why;
	test_free(user);
}

enum weft_status duo_digest(struct weft_stream *s, void *user)
{
	static const struct weft_stream_ops ops = {
		.on_data = digest_data,
		.on_end = digest_end,
		.on_close = digest_closed,
	};
	struct digesting *g = test_malloc(sizeof(*g));

	(void)user;
	g->len = 0;
	g->id = (unsigned)strtoul(strrchr(weft_stream_request(s)->target, '/') + 1, NULL, 10);
	weft_stream_set_ops(s, &ops, g);
	return WEFT_OK;
}
