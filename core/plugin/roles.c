/* SPDX-License-Identifier: MIT */
/* Roles by scheme and by ALPN. */
#include "core/plugin/roles.h"

#include <string.h>
#include <strings.h>

#include "core/plugin/registry.h"

static const struct weft_scheme *scheme_of(const struct weft_role *role, struct weft_span name)
{
	for (const struct weft_scheme *s = role->schemes; s && s->name; s++) {
		/* RFC 3986 section 3.1: in whatever case */
		if (name.len == strlen(s->name) &&
			!strncasecmp((const char *)name.ptr, s->name, name.len))
			return s;
	}
	return NULL;
}

static const struct weft_plugin *role_at(struct weft_context *ctx, size_t i)
{
	return weft_registry_at(ctx->registry, WEFT_PLUGIN_ROLE, i);
}

const struct weft_plugin *weft_roles_by_scheme(struct weft_context *ctx, struct weft_span scheme,
	const struct weft_scheme **found, struct weft_error *err)
{
	const struct weft_plugin *p, *other = NULL;
	const struct weft_scheme *s;
	char known[128] = "";
	size_t used = 0;

	for (size_t i = 0; (p = role_at(ctx, i)); i++) {
		s = scheme_of(p->role, scheme);
		if (s && (!other || !(p->role->caps & WEFT_ROLE_NEGOTIATED))) {
			*found = s;
			other = p;
		}
		if (s && !(p->role->caps & WEFT_ROLE_NEGOTIATED))
			return p;
	}
	if (other)
		return other;
	for (size_t i = 0; (p = role_at(ctx, i)); i++) {
		for (s = p->role->schemes; s && s->name; s++) {
			if (used < sizeof(known))
				used += (size_t)snprintf(
					known + used, sizeof(known) - used, " %s", s->name);
		}
	}
	weft_error_set(err, WEFT_ERR_UNSUPPORTED, 0,
		"no role serves the scheme \"%.*s\"; there are:%s", (int)scheme.len,
		(const char *)scheme.ptr, known[0] ? known : " none");
	return NULL;
}

const struct weft_plugin *weft_roles_by_name(struct weft_context *ctx, const char *name,
	struct weft_span scheme, const struct weft_scheme **found, struct weft_error *err)
{
	const struct weft_plugin *p;

	for (size_t i = 0; (p = role_at(ctx, i)); i++) {
		if (!strcmp(p->name, name) && (*found = scheme_of(p->role, scheme)))
			return p;
	}
	weft_error_set(err, WEFT_ERR_UNSUPPORTED, 0, "no role \"%s\" serves the scheme \"%.*s\"",
		name, (int)scheme.len, (const char *)scheme.ptr);
	return NULL;
}

static bool offers(const struct weft_role *role, const char *name)
{
	for (size_t i = 0; role->alpn && role->alpn[i]; i++) {
		if (!strcmp(role->alpn[i], name))
			return true;
	}
	return false;
}

const struct weft_plugin *weft_roles_by_alpn(
	struct weft_context *ctx, const struct weft_scheme *scheme, const char *name)
{
	struct weft_span span = { (const unsigned char *)scheme->name, strlen(scheme->name) };
	const struct weft_plugin *p;

	for (size_t i = 0; (p = role_at(ctx, i)); i++) {
		if (scheme_of(p->role, span) && offers(p->role, name))
			return p;
	}
	return NULL;
}

bool weft_roles_known(struct weft_context *ctx, const char *name)
{
	const struct weft_plugin *p;

	for (size_t i = 0; (p = role_at(ctx, i)); i++) {
		if (!strcmp(p->name, name))
			return true;
	}
	return false;
}

const struct weft_plugin *weft_roles_default(struct weft_context *ctx,
	const struct weft_scheme *scheme, const char *const *names, const struct weft_plugin *own)
{
	const struct weft_span span = { (const unsigned char *)scheme->name, strlen(scheme->name) };
	const struct weft_scheme *found;
	const struct weft_plugin *p;

	if (weft_roles_among(names, own->name))
		return own;
	for (; *names; names++) {
		p = weft_roles_by_name(ctx, *names, span, &found, NULL);
		if (p)
			return p;
	}
	return own;
}

bool weft_roles_among(const char *const *names, const char *name)
{
	if (!names)
		return true;
	while (*names && strcmp(*names, name))
		names++;
	return *names != NULL;
}

/* Adds what a role offers to n names. */
static size_t add_alpn(const struct weft_role *role, const char **names, size_t n, size_t max)
{
	for (size_t k = 0; role->alpn && role->alpn[k] && n + 1 < max; k++)
		names[n++] = role->alpn[k];
	return n;
}

void weft_roles_alpn(struct weft_context *ctx, const struct weft_scheme *scheme,
	const char *const *only, const char **names, size_t max)
{
	struct weft_span span = { (const unsigned char *)scheme->name, strlen(scheme->name) };
	const struct weft_plugin *p;
	size_t n = 0;

	for (size_t i = 0; only && only[i]; i++) {
		for (size_t k = 0; (p = role_at(ctx, k)); k++) {
			if (!strcmp(p->name, only[i]) && scheme_of(p->role, span))
				n = add_alpn(p->role, names, n, max);
		}
	}
	for (size_t i = 0; !only && (p = role_at(ctx, i)); i++) {
		if (scheme_of(p->role, span))
			n = add_alpn(p->role, names, n, max);
	}
	names[n] = NULL;
}

const struct weft_plugin *weft_roles_by_preface(struct weft_context *ctx,
	const struct weft_scheme *scheme, const char *const *only, const unsigned char *bytes,
	size_t len, bool *more)
{
	struct weft_span name = { (const unsigned char *)scheme->name, strlen(scheme->name) };
	const struct weft_plugin *p;
	size_t n;

	*more = false;
	for (size_t i = 0; (p = role_at(ctx, i)); i++) {
		const struct weft_span *preface = &p->role->preface;

		if (!preface->len || !scheme_of(p->role, name) || !weft_roles_among(only, p->name))
			continue;
		n = len < preface->len ? len : preface->len;
		if (n && memcmp(preface->ptr, bytes, n) != 0)
			continue;
		if (n == preface->len)
			return p;
		*more = true;
	}
	return NULL;
}
