/* SPDX-License-Identifier: MIT */
/* Visits. */
#include "tests/support/visit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct met visitor;

static void meet(struct weft_stream *s, struct met *m)
{
	struct weft_span der;
	enum weft_status st = weft_stream_peer_cert(s, &der);

	memset(m, 0, sizeof(*m));
	assert_int_equal(weft_stream_conn_info(s, &m->info), WEFT_OK);
	assert_int_equal(st, m->info.peer_cert ? WEFT_OK : WEFT_ERR_NOT_FOUND);
	if (st)
		return;
	assert_true(der.len <= sizeof(m->cert));
	memcpy(m->cert, der.ptr, der.len);
	m->cert_len = der.len;
}

static enum weft_status answer(struct weft_stream *s, void *user)
{
	(void)user;
	meet(s, &visitor);
	return weft_http_reply_static(s, 200, "text/plain", "hello", 5);
}

const struct weft_route visit_routes[] = { { .prefix = "/", .on_request = answer }, { 0 } };

static void on_head(
	struct weft_stream *s, const struct weft_head *head, enum weft_head_kind kind, void *user)
{
	struct visit *v = user;

	if (kind != WEFT_HEAD_FINAL)
		return;
	v->status = head->status;
	meet(s, &v->server);
}

static size_t on_data(struct weft_stream *s, const void *bytes, size_t len, void *user)
{
	struct visit *v = user;
	struct met again;

	/* asking within a callback leaves the data as it is */
	meet(s, &again);
	assert_true(v->body_len + len <= 5);
	assert_memory_equal(bytes, &"hello"[v->body_len], len);
	v->body_len += len;
	return len;
}

static void on_close(struct weft_stream *s, const struct weft_error *why, void *user)
{
	struct visit *v = user;

	(void)s;
	v->closes++;
	v->why = *why;
	v->stream = NULL;
}

void visit_begin(struct visit *v, struct duo *d, const struct weft_request *r)
{
	static const struct weft_stream_ops ops = {
		.on_head = on_head, .on_data = on_data, .on_close = on_close
	};
	struct weft_request req = r ? *r : (struct weft_request){ .url = NULL };
	struct weft_error err;
	char url[128];

	memset(v, 0, sizeof(*v));
	snprintf(url, sizeof(url), "%s/", d->base);
	if (!req.url)
		req.url = url;
	if (!req.trust && d->trust.ca.len)
		req.trust = &d->trust;
	if (weft_http_open(d->client, &req, &ops, v, &v->stream, &err))
		fail_msg("%s: %s", req.url, err.text);
}

void visit(struct visit *v, struct duo *d, const struct weft_request *r)
{
	bool pooled = r && r->share == WEFT_SHARE_POOL;

	visit_begin(v, d, r);
	duo_until(d, v->closes);
	if (!pooled)
		duo_until(d, !duo_client_counts(d).conns_now && !duo_server_counts(d).conns_now);
}

void visit_good(struct visit *v, struct duo *d, const struct weft_request *r)
{
	visit(v, d, r);
	if (v->why.status)
		fail_msg("%s: %s", weft_status_name(v->why.status), v->why.text);
	assert_int_equal(v->status, 200);
	assert_int_equal(v->body_len, 5);
}

bool visit_met(const struct met *m, const struct test_cert *cert)
{
	unsigned char *der;
	size_t len;
	bool same;

	der = test_cert_der(cert, &len);
	same = len == m->cert_len && !memcmp(der, m->cert, len);
	free(der);
	return same;
}

static bool can(struct weft_context *ctx, const char *name, const char *cap)
{
	struct weft_plugin_info info;

	for (size_t i = 0; weft_registry_info(weft_context_registry(ctx), i, &info); i++) {
		if (strcmp(info.kind, "tls") || strcmp(info.name, name))
			continue;
		for (size_t k = 0; info.caps[k]; k++) {
			if (!strcmp(info.caps[k], cap))
				return true;
		}
	}
	return false;
}

bool visit_can(const char *cap)
{
	const char *const names[] = { duo_combo.client_tls, duo_combo.server_tls };
	bool all = true;

	for (size_t i = 0; i < 2; i++) {
		const struct weft_context_options o = { .event = duo_combo.event, .tls = names[i] };
		struct weft_context *ctx;

		assert_int_equal(weft_context_create(&o, &ctx, NULL), WEFT_OK);
		all = all && can(ctx, names[i], cap);
		weft_context_destroy(ctx, 0, NULL, NULL);
	}
	return all;
}

struct weft_span visit_span(const char *text, size_t len)
{
	return (struct weft_span){ (const unsigned char *)text, len };
}

struct weft_credential visit_as(const struct test_cert *cert)
{
	return (struct weft_credential){
		.cert = visit_span(cert->cert, cert->cert_len),
		.key = visit_span(cert->key, cert->key_len),
	};
}
