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
	const struct weft_plugin *p;
	char known[128] = "";
	size_t used = 0;

	for (size_t i = 0; (p = role_at(ctx, i)); i++) {
		*found = scheme_of(p->role, scheme);
		if (*found)
			return p;
		for (const struct weft_scheme *s = p->role->schemes; s && s->name; s++) {
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

void weft_roles_alpn(
	struct weft_context *ctx, const struct weft_scheme *scheme, const char **names, size_t max)
{
	struct weft_span name = { (const unsigned char *)scheme->name, strlen(scheme->name) };
	const struct weft_plugin *p;
	size_t n = 0;

	for (size_t i = 0; (p = role_at(ctx, i)); i++) {
		if (!scheme_of(p->role, name))
			continue;
		for (size_t k = 0; p->role->alpn && p->role->alpn[k] && n + 1 < max; k++)
			names[n++] = p->role->alpn[k];
	}
	names[n] = NULL;
}
