/* SPDX-License-Identifier: MIT */
/* Making, counting and freeing vhosts. */
#include "core/vhost/vhost.h"

#include <string.h>

#include "core/conn/conn.h"
#include "core/plugin/roles.h"
#include "core/system/context.h"
#include "core/system/file.h"
#include "core/vhost/listener.h"
#include "core/vhost/pem.h"

static struct weft_vhost *make(
	struct weft_context *ctx, const char *name, bool client, struct weft_error *err)
{
	const struct weft_allocator *alloc = &ctx->memory.alloc;
	struct weft_vhost *vh = weft_zalloc(alloc, sizeof(*vh));

	if (vh)
		vh->name = weft_strndup(alloc, name, strlen(name));
	if (!vh || !vh->name) {
		weft_free(alloc, vh, sizeof(*vh));
		weft_error_set(err, WEFT_ERR_MEMORY, 0, "no memory for vhost %s", name);
		return NULL;
	}
	vh->ctx = ctx;
	vh->client = client;
	vh->refs = 1;
	vh->made_us = weft_loop_now(&ctx->loop);
	vh->limits = ctx->limits;
	weft_buffer_init(&vh->cert, alloc);
	weft_buffer_init(&vh->key, alloc);
	weft_list_init(&vh->tls);
	weft_list_init(&vh->bindings);
	weft_list_append(&ctx->vhosts, &vh->node);
	ctx->counters.vhosts_created++;
	ctx->counters.vhosts_now++;
	return vh;
}

static void free_aliases(struct weft_vhost *vh)
{
	const struct weft_allocator *alloc = &vh->ctx->memory.alloc;

	if (!vh->aliases)
		return;
	for (size_t i = 0; i < vh->alias_count; i++)
		weft_strfree(alloc, vh->aliases[i]);
	weft_free(alloc, vh->aliases, vh->alias_count * sizeof(*vh->aliases));
}

static void free_vhost(struct weft_vhost *vh)
{
	struct weft_context *ctx = vh->ctx;
	const struct weft_allocator *alloc = &ctx->memory.alloc;
	struct weft_list *node;

	weft_vhost_stop_listening(vh);
	while ((node = weft_list_pop(&vh->tls))) {
		struct weft_vhost_tls *t = weft_container_of(node, struct weft_vhost_tls, node);

		ctx->tls->tls->ctx_destroy(t->tls_ctx);
		weft_free(alloc, t, sizeof(*t));
	}
	if (vh->tls_ctx)
		ctx->tls->tls->ctx_destroy(vh->tls_ctx);
	weft_trust_release(vh->trust);
	weft_buffer_finish(&vh->cert);
	if (vh->key.ptr)
		explicit_bzero(vh->key.ptr, vh->key.cap);
	weft_buffer_finish(&vh->key);
	free_aliases(vh);
	weft_list_remove(&vh->node);
	ctx->counters.vhosts_freed++;
	ctx->counters.vhosts_now--;
	weft_log(ctx, WEFT_LOG_DEBUG, "vhost %s: freed", vh->name);
	weft_strfree(alloc, vh->name);
	weft_free(alloc, vh, sizeof(*vh));
	weft_context_changed(ctx);
}

struct weft_vhost *weft_vhost_ref(struct weft_vhost *vh)
{
	vh->refs++;
	return vh;
}

void weft_vhost_release(struct weft_vhost *vh)
{
	if (--vh->refs == 0)
		free_vhost(vh);
}

void weft_vhost_destroy(struct weft_vhost *vh)
{
	if (!vh || !vh->app_ref)
		return;
	vh->app_ref = false;
	vh->dying = true;
	weft_vhost_stop_listening(vh);
	/* those that still shake hands may be meant for another vhost */
	weft_list_each(node, &vh->ctx->conns)
	{
		struct weft_conn *conn = weft_container_of(node, struct weft_conn, node);

		if (conn->vhost == vh && conn->state == WEFT_CONN_OPEN)
			weft_conn_drain(conn);
	}
	weft_vhost_release(vh);
}

/* ---- TLS contexts ---- */

static enum weft_status no_tls(struct weft_error *err)
{
	return weft_error_set(
		err, WEFT_ERR_UNSUPPORTED, 0, "TLS is wanted, but this context has no TLS backend");
}

void *weft_vhost_tls(
	struct weft_vhost *vh, const struct weft_scheme *scheme, struct weft_error *err)
{
	struct weft_context *ctx = vh->ctx;
	const char *alpn[WEFT_ALPN_MAX + 1];
	struct weft_tls_ctx_options options = { .size = sizeof(options) };
	struct weft_vhost_tls *t;

	weft_list_each(node, &vh->tls)
	{
		t = weft_container_of(node, struct weft_vhost_tls, node);
		if (t->scheme == scheme)
			return t->tls_ctx;
	}
	if (!ctx->tls) {
		no_tls(err);
		return NULL;
	}
	if (!weft_buffer_len(&vh->cert)) {
		weft_error_set(err, WEFT_ERR_ARGUMENT, 0,
			"vhost %s: %s needs a certificate and a key", vh->name, scheme->name);
		return NULL;
	}
	t = weft_zalloc(&ctx->memory.alloc, sizeof(*t));
	if (!t) {
		weft_error_set(err, WEFT_ERR_MEMORY, 0, "no memory for a TLS context");
		return NULL;
	}
	weft_roles_alpn(ctx, scheme, alpn, WEFT_ALPN_MAX + 1);
	options.alloc = &ctx->memory.alloc;
	options.server = true;
	options.cert_chain =
		(struct weft_span){ weft_buffer_bytes(&vh->cert), weft_buffer_len(&vh->cert) };
	options.key = (struct weft_span){ weft_buffer_bytes(&vh->key), weft_buffer_len(&vh->key) };
	options.alpn = alpn;
	t->scheme = scheme;
	if (ctx->tls->tls->ctx_create(&options, &t->tls_ctx, err)) {
		weft_error_prefix(err, "vhost %s", vh->name);
		weft_free(&ctx->memory.alloc, t, sizeof(*t));
		return NULL;
	}
	weft_list_append(&vh->tls, &t->node);
	return t->tls_ctx;
}

/* Single certificates (CRLs) out of buffers, as an array of spans in `to`. */
static enum weft_status split(const struct weft_buffer *const *from, size_t count,
	struct weft_buffer *to, const char *what, struct weft_error *err)
{
	struct weft_span rest, block;
	bool any;

	for (size_t i = 0; i < count; i++) {
		rest = (struct weft_span){ weft_buffer_bytes(from[i]), weft_buffer_len(from[i]) };
		any = !rest.len;
		while (weft_pem_next(&rest, &block)) {
			weft_buffer_append(to, &block, sizeof(block));
			any = true;
		}
		if (!any)
			return weft_error_set(err, WEFT_ERR_ARGUMENT, 0,
				"no %s in it: expected PEM or DER", what);
	}
	return to->failed ? weft_error_set(err, WEFT_ERR_MEMORY, 0, "no memory for %ss", what)
			  : WEFT_OK;
}

static enum weft_status load_system(
	struct weft_context *ctx, struct weft_buffer *to, struct weft_error *err)
{
	const char *bundle = weft_file_system_trust();

	if (bundle)
		return weft_file_load(bundle, 16 << 20, to, err);
	weft_log(ctx, WEFT_LOG_WARN,
		"the system has no bundle of trusted certificates: no server will be accepted");
	return WEFT_OK;
}

static enum weft_status client_tls(struct weft_vhost *vh, struct weft_error *err)
{
	struct weft_context *ctx = vh->ctx;
	struct weft_trust_spec *spec = vh->trust;
	struct weft_buffer system, cas, crls;
	const struct weft_buffer *const ca[] = { &spec->ca_file, &spec->ca, &system };
	const struct weft_buffer *const crl[] = { &spec->crl_file, &spec->crl };
	struct weft_tls_ctx_options options = {
		.size = sizeof(options),
		.alloc = &ctx->memory.alloc,
		.alpn = spec->alpn,
		.cert_chain = { weft_buffer_bytes(&spec->cert), weft_buffer_len(&spec->cert) },
		.key = { weft_buffer_bytes(&spec->key), weft_buffer_len(&spec->key) },
	};
	enum weft_status st = WEFT_OK;

	weft_buffer_init(&system, &ctx->memory.alloc);
	weft_buffer_init(&cas, &ctx->memory.alloc);
	weft_buffer_init(&crls, &ctx->memory.alloc);
	if (spec->system)
		st = load_system(ctx, &system, err);
	if (st == WEFT_OK)
		st = split(ca, 3, &cas, "certificate", err);
	if (st == WEFT_OK)
		st = split(crl, 2, &crls, "CRL", err);
	options.ca = (const void *)weft_buffer_bytes(&cas);
	options.ca_count = weft_buffer_len(&cas) / sizeof(struct weft_span);
	options.crl = (const void *)weft_buffer_bytes(&crls);
	options.crl_count = weft_buffer_len(&crls) / sizeof(struct weft_span);
	if (st == WEFT_OK)
		st = ctx->tls->tls->ctx_create(&options, &vh->tls_ctx, err);
	weft_buffer_finish(&crls);
	weft_buffer_finish(&cas);
	weft_buffer_finish(&system);
	return st;
}

enum weft_status weft_vhost_client(struct weft_context *ctx, struct weft_trust_spec *trust,
	struct weft_vhost **out, struct weft_error *err)
{
	struct weft_vhost *vh;
	enum weft_status st = WEFT_OK;

	weft_list_each(node, &ctx->vhosts)
	{
		vh = weft_container_of(node, struct weft_vhost, node);
		if (vh->client && !vh->dying && weft_trust_equal(vh->trust, trust)) {
			*out = weft_vhost_ref(vh);
			return WEFT_OK;
		}
	}
	if (trust->tls && !ctx->tls)
		return no_tls(err);
	vh = make(ctx,
		!trust->tls     ? "client, no TLS"
		: trust->system ? "client, system trust"
				: "client, own trust",
		true, err);
	if (!vh)
		return WEFT_ERR_MEMORY;
	vh->trust = weft_trust_ref(trust);
	if (trust->tls)
		st = client_tls(vh, err);
	if (st) {
		weft_vhost_release(vh);
		return st;
	}
	*out = vh;
	return WEFT_OK;
}

/* ---- servers ---- */

static enum weft_status copy_aliases(
	struct weft_vhost *vh, const char *const *aliases, struct weft_error *err)
{
	const struct weft_allocator *alloc = &vh->ctx->memory.alloc;
	size_t n = 0;

	while (aliases && aliases[n])
		n++;
	if (!n)
		return WEFT_OK;
	vh->aliases = weft_zalloc(alloc, n * sizeof(*vh->aliases));
	if (!vh->aliases)
		return weft_error_set(err, WEFT_ERR_MEMORY, 0, "no memory for aliases");
	vh->alias_count = n;
	for (size_t i = 0; i < n; i++) {
		vh->aliases[i] = weft_strndup(alloc, aliases[i], strlen(aliases[i]));
		if (!vh->aliases[i])
			return weft_error_set(err, WEFT_ERR_MEMORY, 0, "no memory for aliases");
	}
	return WEFT_OK;
}

static void override(uint32_t *limit, uint32_t value)
{
	if (value)
		*limit = value;
}

static void set_limits(struct weft_limits *l, const struct weft_vhost_options *o)
{
	override(&l->header_bytes, o->header_bytes);
	override(&l->header_count, o->header_count);
	override(&l->requests, o->requests);
	override(&l->handshake_ms, o->handshake_ms);
	override(&l->header_ms, o->header_ms);
	override(&l->idle_ms, o->idle_ms);
	override(&l->flush_ms, o->flush_ms);
	override(&l->linger_ms, o->linger_ms);
}

enum weft_status weft_vhost_create(struct weft_context *ctx,
	const struct weft_vhost_options *options, struct weft_vhost **out, struct weft_error *err)
{
	struct weft_credential credential = options->credential;
	struct weft_vhost *vh;
	enum weft_status st;

	if (ctx->life != WEFT_LIFE_RUNNING)
		return weft_error_set(err, WEFT_ERR_SHUTDOWN, 0, "the context is going away");
	if (!options->name || !options->name[0])
		return weft_error_set(err, WEFT_ERR_ARGUMENT, 0, "a vhost needs a name");
	if (!options->routes)
		return weft_error_set(
			err, WEFT_ERR_ARGUMENT, 0, "vhost %s: expected routes", options->name);
	if (options->cert_file)
		credential.cert_file = options->cert_file;
	if (options->key_file)
		credential.key_file = options->key_file;
	vh = make(ctx, options->name, false, err);
	if (!vh)
		return WEFT_ERR_MEMORY;
	vh->app_ref = true;
	vh->routes = options->routes;
	vh->body_max = options->body_max;
	vh->on_access = options->on_access;
	vh->access_user = options->access_user;
	set_limits(&vh->limits, options);
	st = copy_aliases(vh, options->aliases, err);
	if (st == WEFT_OK)
		st = weft_credential_load(&credential, &vh->cert, &vh->key, err);
	if (st == WEFT_OK && options->listen)
		st = weft_vhost_listen(vh, options->listen, err);
	if (st) {
		weft_vhost_destroy(vh);
		return st;
	}
	*out = vh;
	return WEFT_OK;
}

bool weft_vhost_info(const struct weft_context *ctx, size_t index, struct weft_vhost_info *info)
{
	weft_list_each(node, (struct weft_list *)&ctx->vhosts)
	{
		const struct weft_vhost *vh = weft_container_of(node, struct weft_vhost, node);

		if (index--)
			continue;
		*info = (struct weft_vhost_info){
			.name = vh->name,
			.client = vh->client,
			.state = vh->dying ? WEFT_VHOST_DYING : WEFT_VHOST_LIVE,
			.refs = vh->refs,
			.conns = vh->conns,
			.tls = vh->tls_ctx || !weft_list_empty((struct weft_list *)&vh->tls),
			.age_us = weft_context_now(ctx) - vh->made_us,
		};
		return true;
	}
	return false;
}
