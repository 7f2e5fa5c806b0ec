/* SPDX-License-Identifier: MIT */
/* From a policy's tables and metadata to a URL, a request, and what decides whom we talk to. */
#include "core/policy/plan.h"

#include <stdio.h>
#include <string.h>

#include "core/net/url.h"
#include "core/plugin/registry.h"
#include "core/plugin/roles.h"
#include "core/policy/find.h"
#include "core/vhost/trust.h"
#include "weft/plugin/role.h"

enum { ANY_PORT = 1 }; /* where a Unix socket is meant */

static enum weft_status no_memory(struct weft_error *err)
{
	return weft_error_set(err, WEFT_ERR_MEMORY, 0, "no memory to plan a stream");
}

void weft_policy_planning_init(struct weft_policy_planning *p, struct weft_context *ctx)
{
	*p = (struct weft_policy_planning){ .ctx = ctx };
	weft_arena_init(&p->arena, &ctx->memory);
}

void weft_policy_planning_finish(struct weft_policy_planning *p)
{
	weft_arena_finish(&p->arena);
}

/* ---- what was asked for ---- */

static enum weft_status find_stream(struct weft_policy_planning *p,
	const struct weft_policy *policy, const char *name, struct weft_error *err)
{
	const char *nearest;

	p->stream = weft_policy_find(policy, name);
	if (p->stream)
		return WEFT_OK;
	nearest = weft_policy_nearest(policy, name);
	return weft_error_set(err, WEFT_ERR_NOT_FOUND, 0, "policy %s has no stream \"%.60s\"%s%s%s",
		policy->name, name, nearest ? "; did you mean \"" : "", nearest ? nearest : "",
		nearest ? "\"?" : "");
}

static enum weft_status check_metadata(const struct weft_policy_planning *p, struct weft_error *err)
{
	const struct weft_policy_stream *s = p->stream;
	struct weft_nearest near;
	size_t i;

	for (const struct weft_policy_pair *m = p->metadata; m && m->name; m++) {
		near = (struct weft_nearest){ .name = m->name };
		for (i = 0; i < s->metadata_count && strcmp(s->metadata[i].name, m->name); i++)
			weft_nearest_try(&near, s->metadata[i].name);
		if (i == s->metadata_count)
			return weft_error_set(err, WEFT_ERR_ARGUMENT, 0,
				"stream %s has no metadata \"%.60s\"%s%s%s", s->name, m->name,
				near.best ? "; did you mean \"" : "", near.best ? near.best : "",
				near.best ? "\"?" : "");
		if (!m->value)
			return weft_error_set(err, WEFT_ERR_ARGUMENT, 0,
				"metadata %s is NULL: expected a text", m->name);
	}
	return WEFT_OK;
}

/* ---- who ---- */

static const struct weft_plugin *find_role(
	const struct weft_context *ctx, const struct weft_policy_stream *s, struct weft_error *err)
{
	const struct weft_plugin *role;

	for (size_t i = 0; (role = weft_registry_at(ctx->registry, WEFT_PLUGIN_ROLE, i)); i++) {
		if (s->protocol ? !strcmp(role->name, s->protocol)
				: role->role->policy && role->role->policy->automatic)
			return role;
	}
	weft_error_set(err, WEFT_ERR_UNSUPPORTED, 0, "stream %s: this build has no role %s%s",
		s->name, s->protocol ? "called " : "for streams without protocol",
		s->protocol ? s->protocol : "");
	return NULL;
}

static const struct weft_scheme *find_scheme(
	const struct weft_plugin *role, const struct weft_policy_stream *s, struct weft_error *err)
{
	const struct weft_scheme *scheme = role->role->schemes;

	for (; scheme && scheme->name; scheme++) {
		if (scheme->tls == s->tls)
			return scheme;
	}
	weft_error_set(err, WEFT_ERR_UNSUPPORTED, 0, "stream %s: role %s has no scheme with%s TLS",
		s->name, role->name, s->tls ? "" : "out");
	return NULL;
}

/* What is asked for, what the one role is called, or what all roles of the scheme are. */
static void put_alpn(struct weft_context *ctx, const struct weft_policy_stream *s,
	const struct weft_plugin *role, const struct weft_scheme *scheme, const char **names)
{
	const char *const *from = s->alpn ? s->alpn : role->role->alpn;
	size_t n = 0;

	if (!s->alpn && !s->protocol) {
		weft_roles_alpn(ctx, scheme, NULL, names, WEFT_ALPN_MAX + 1);
		return;
	}
	for (; from && from[n] && n < WEFT_ALPN_MAX; n++)
		names[n] = from[n];
	names[n] = NULL;
}

enum weft_status weft_policy_alpn(struct weft_context *ctx, const struct weft_policy_stream *s,
	const char *names[WEFT_ALPN_MAX + 1], struct weft_error *err)
{
	const struct weft_plugin *role = find_role(ctx, s, err);
	const struct weft_scheme *scheme = role ? find_scheme(role, s, err) : NULL;

	if (!scheme)
		return WEFT_ERR_UNSUPPORTED;
	put_alpn(ctx, s, role, scheme, names);
	return WEFT_OK;
}

/* ---- where ---- */

/* An IPv6 address may be written either way. */
static const char *without_brackets(struct weft_policy_planning *p, const char *host)
{
	size_t len = strlen(host);

	if (len < 2 || host[0] != '[' || host[len - 1] != ']')
		return host;
	return weft_arena_text(&p->arena, host + 1, len - 2);
}

static enum weft_status find_place(
	struct weft_policy_planning *p, struct weft_policy_plan *out, struct weft_error *err)
{
	static const char unix_socket[] = "unix:";
	const struct weft_policy_stream *s = p->stream;
	enum weft_status st = weft_policy_expand(p, s->endpoint, WEFT_POLICY_HOST, &out->host, err);

	if (st)
		return st;
	out->port = s->port ? s->port : p->scheme->port;
	if (!strncmp(s->endpoint, unix_socket, strlen(unix_socket))) {
		out->connect_to = out->host;
		out->host = "";
		out->port = out->port ? out->port : ANY_PORT;
		return WEFT_OK;
	}
	out->host = without_brackets(p, out->host);
	if (!out->port)
		return weft_error_set(err, WEFT_ERR_ARGUMENT, 0,
			"stream %s: expected a port, %s has no default", s->name, p->scheme->name);
	return out->host ? WEFT_OK : no_memory(err);
}

static enum weft_status make_url(struct weft_policy_planning *p, const char *target,
	struct weft_policy_plan *out, struct weft_error *err)
{
	const char *host = out->connect_to ? "localhost" : out->host;
	bool brackets = strchr(host, ':');
	char port[8] = "";
	size_t room;
	char *url;

	if (out->port != p->scheme->port)
		snprintf(port, sizeof(port), ":%u", out->port);
	room = strlen(p->scheme->name) + strlen(host) + strlen(target) + sizeof("://[]") +
	       sizeof(port);
	url = weft_policy_alloc(p, room);
	if (!url)
		return no_memory(err);
	snprintf(url, room, "%s://%s%s%s%s%s", p->scheme->name, brackets ? "[" : "", host,
		brackets ? "]" : "", port, target);
	out->url = url;
	return WEFT_OK;
}

static enum weft_status find_alpn(struct weft_policy_planning *p, const struct weft_plugin *role,
	struct weft_policy_plan *out, struct weft_error *err)
{
	const char **all;

	if (!p->stream->tls)
		return WEFT_OK;
	all = weft_policy_alloc(p, (WEFT_ALPN_MAX + 1) * sizeof(*all));
	if (!all)
		return no_memory(err);
	put_alpn(p->ctx, p->stream, role, p->scheme, all);
	out->alpn = all;
	return WEFT_OK;
}

/* RFC 6066 section 3: an address is no name. */
static const char *sni_of(const struct weft_policy_planning *p, const struct weft_policy_plan *plan)
{
	struct weft_address literal;

	if (!p->stream->tls)
		return "";
	if (p->stream->sni)
		return p->stream->sni;
	return weft_address_parse(plan->host, 0, &literal, NULL) == WEFT_OK ? "" : plan->host;
}

enum weft_status weft_policy_plan_make(struct weft_policy_planning *p,
	const struct weft_policy *policy, const char *name, struct weft_policy_plan *out,
	struct weft_error *err)
{
	const struct weft_role_policy *own = NULL;
	const struct weft_plugin *role = NULL;
	struct weft_role_plan says = { .method = NULL };
	enum weft_status st = find_stream(p, policy, name, err);

	*out = (struct weft_policy_plan){ .stream = p->stream };
	if (st == WEFT_OK)
		st = check_metadata(p, err);
	if (st)
		return st;
	role = find_role(p->ctx, p->stream, err);
	p->scheme = role ? find_scheme(role, p->stream, err) : NULL;
	if (!p->scheme)
		return WEFT_ERR_UNSUPPORTED;
	own = role->role->policy;
	p->flows = own && own->flows;
	out->role = role->name;
	st = find_place(p, out, err);
	if (st == WEFT_OK && own && own->plan)
		st = own->plan(p->stream, p, &says, err);
	if (st == WEFT_OK)
		st = make_url(p, says.target ? says.target : "", out, err);
	if (st == WEFT_OK)
		st = find_alpn(p, role, out, err);
	if (st)
		return st;
	out->sni = sni_of(p, out);
	out->method = says.method;
	out->fields = says.fields;
	out->field_count = says.field_count;
	p->idempotent = says.idempotent;
	return WEFT_OK;
}

/* ---- for those who only want to know ---- */

enum weft_status weft_policy_plan(struct weft_context *ctx, const struct weft_policy *policy,
	const char *name, const struct weft_policy_pair *metadata, struct weft_policy_plan *out,
	struct weft_error *err)
{
	struct weft_policy_planning *p = weft_alloc(&ctx->memory.alloc, sizeof(*p));
	enum weft_status st;

	*out = (struct weft_policy_plan){ .stream = NULL };
	if (!p)
		return no_memory(err);
	weft_policy_planning_init(p, ctx);
	p->metadata = metadata;
	st = weft_policy_plan_make(p, policy, name, out, err);
	out->memory = p;
	if (st)
		weft_policy_plan_finish(out);
	return st;
}

void weft_policy_plan_finish(struct weft_policy_plan *plan)
{
	struct weft_policy_planning *p = plan->memory;
	struct weft_context *ctx;

	if (!p)
		return;
	ctx = p->ctx;
	weft_policy_planning_finish(p);
	weft_free(&ctx->memory.alloc, p, sizeof(*p));
	*plan = (struct weft_policy_plan){ .stream = NULL };
}

static bool same(const char *a, const char *b)
{
	return a == b || (a && b && !strcasecmp(a, b));
}

static bool same_names(const char *const *a, const char *const *b)
{
	for (size_t i = 0; a && b && a != b; i++) {
		if (!a[i] || !b[i])
			return a[i] == b[i];
		if (strcmp(a[i], b[i]))
			return false;
	}
	return a == b || (!a && !b[0]) || (!b && !a[0]);
}

static bool same_credential(
	const struct weft_policy_credential *a, const struct weft_policy_credential *b)
{
	return a == b || (a && b && same(a->cert, b->cert) && same(a->key, b->key));
}

bool weft_policy_plan_shares(const struct weft_policy_plan *a, const struct weft_policy_plan *b)
{
	const struct weft_policy_stream *s = a->stream, *t = b->stream;

	return s->share == WEFT_SHARE_POOL && t->share == WEFT_SHARE_POOL && s->tls == t->tls &&
	       a->port == b->port && same(a->host, b->host) && same(a->role, b->role) &&
	       same(a->connect_to, b->connect_to) && same(a->sni, b->sni) &&
	       same(s->proxy, t->proxy) && same(s->local_address, t->local_address) &&
	       s->allow == t->allow && same_names(a->alpn, b->alpn) &&
	       weft_policy_trust_equal(s->trust, t->trust) &&
	       same_credential(s->credential, t->credential);
}
