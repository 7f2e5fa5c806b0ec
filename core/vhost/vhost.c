/* SPDX-License-Identifier: MIT */
/* Making, counting and freeing vhosts. */
#include "core/vhost/vhost.h"

#include <string.h>

#include "core/conn/conn.h"
#include "core/plugin/registry.h"
#include "core/plugin/roles.h"
#include "core/system/context.h"
#include "core/vhost/history.h"
#include "core/vhost/identity.h"
#include "core/vhost/listener.h"

struct weft_vhost *weft_vhost_make(
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
	weft_credential_init(&vh->credential, alloc);
	weft_list_init(&vh->tls);
	weft_list_init(&vh->bindings);
	weft_list_append(&ctx->vhosts, &vh->node);
	ctx->counters.vhosts_created++;
	ctx->counters.vhosts_now++;
	return vh;
}

static void free_names(struct weft_vhost *vh, char **names)
{
	const struct weft_allocator *alloc = &vh->ctx->memory.alloc;
	size_t n = 0;

	if (!names)
		return;
	for (; names[n]; n++)
		weft_strfree(alloc, names[n]);
	weft_free(alloc, names, (n + 1) * sizeof(*names));
}

void weft_vhost_free(struct weft_vhost *vh)
{
	struct weft_context *ctx = vh->ctx;
	const struct weft_allocator *alloc = &ctx->memory.alloc;

	/* first, as it tells what the vhost had */
	weft_history_note(ctx, vh->failed ? WEFT_VHOST_FAILED : WEFT_VHOST_FREED, vh);
	weft_vhost_stop_listening(vh);
	weft_vhost_forget(vh);
	free_names(vh, vh->aliases);
	free_names(vh, vh->roles);
	weft_list_remove(&vh->node);
	ctx->counters.vhosts_freed++;
	ctx->counters.vhosts_now--;
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
	if (--vh->refs)
		return;
	if (vh->client)
		weft_vhost_client_left(vh);
	else
		weft_vhost_free(vh);
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

/* ---- servers ---- */

static enum weft_status copy_names(
	struct weft_vhost *vh, const char *const *from, char ***to, struct weft_error *err)
{
	const struct weft_allocator *alloc = &vh->ctx->memory.alloc;
	char **names;
	size_t n = 0, i;

	while (from && from[n])
		n++;
	if (!from)
		return WEFT_OK;
	names = weft_zalloc(alloc, (n + 1) * sizeof(*names));
	for (i = 0; names && i < n; i++) {
		names[i] = weft_strndup(alloc, from[i], strlen(from[i]));
		if (!names[i])
			break;
	}
	if (names && i == n) {
		*to = names;
		return WEFT_OK;
	}
	while (names && i)
		weft_strfree(alloc, names[--i]);
	weft_free(alloc, names, (n + 1) * sizeof(*names));
	return weft_error_set(err, WEFT_ERR_MEMORY, 0, "no memory for vhost %s", vh->name);
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
	override(&l->streams, o->streams);
	override(&l->handshake_ms, o->handshake_ms);
	override(&l->header_ms, o->header_ms);
	override(&l->idle_ms, o->idle_ms);
	override(&l->flush_ms, o->flush_ms);
	override(&l->linger_ms, o->linger_ms);
}

static enum weft_status check_roles(const struct weft_vhost *vh, struct weft_error *err)
{
	for (size_t i = 0; vh->roles && vh->roles[i]; i++) {
		if (!weft_roles_known(vh->ctx, vh->roles[i]))
			return weft_error_set(err, WEFT_ERR_UNSUPPORTED, 0,
				"vhost %s: there is no role \"%.40s\"", vh->name, vh->roles[i]);
	}
	return WEFT_OK;
}

/* Those that are spoken on a stream of another one: they are loaded now, or never. */
static enum weft_status check_routes(const struct weft_vhost *vh, struct weft_error *err)
{
	const struct weft_plugin *p;
	enum weft_status st;

	for (const struct weft_route *r = vh->routes; r->on_request; r++) {
		if (!r->role)
			continue;
		st = weft_registry_find(vh->ctx->registry, WEFT_PLUGIN_ROLE, r->role, &p, err);
		if (st) {
			weft_error_prefix(err, "vhost %s, a route", vh->name);
			return st;
		}
		if (!p->role->token || !(p->role->caps & WEFT_ROLE_SERVER))
			return weft_error_set(err, WEFT_ERR_ARGUMENT, 0,
				"vhost %s, a route: role \"%s\" cannot be spoken on a stream of "
				"another one: %s",
				vh->name, p->name,
				p->role->token ? "it does not serve" : "it has no token");
	}
	return WEFT_OK;
}

enum weft_status weft_vhost_create(struct weft_context *ctx,
	const struct weft_vhost_options *options, struct weft_vhost **out, struct weft_error *err)
{
	struct weft_vhost *vh;
	enum weft_status st;

	if (ctx->life != WEFT_LIFE_RUNNING)
		return weft_error_set(err, WEFT_ERR_SHUTDOWN, 0, "the context is going away");
	if (!options->name || !options->name[0])
		return weft_error_set(err, WEFT_ERR_ARGUMENT, 0, "a vhost needs a name");
	if (!options->routes)
		return weft_error_set(
			err, WEFT_ERR_ARGUMENT, 0, "vhost %s: expected routes", options->name);
	vh = weft_vhost_make(ctx, options->name, false, err);
	if (!vh)
		return WEFT_ERR_MEMORY;
	vh->app_ref = true;
	vh->routes = options->routes;
	vh->body_max = options->body_max;
	vh->on_access = options->on_access;
	vh->access_user = options->access_user;
	set_limits(&vh->limits, options);
	st = copy_names(vh, options->aliases, &vh->aliases, err);
	if (st == WEFT_OK)
		st = copy_names(vh, options->roles, &vh->roles, err);
	if (st == WEFT_OK)
		st = check_roles(vh, err);
	if (st == WEFT_OK)
		st = check_routes(vh, err);
	if (st == WEFT_OK)
		st = weft_vhost_identify(vh, options, err);
	if (st == WEFT_OK && options->listen)
		st = weft_vhost_listen(vh, options->listen, err);
	if (st) {
		weft_vhost_destroy(vh);
		return st;
	}
	*out = vh;
	return WEFT_OK;
}
