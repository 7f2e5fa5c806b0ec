/* SPDX-License-Identifier: MIT */
/* Finding roles by what they declare: URL schemes and ALPN names. */
#ifndef WEFT_CORE_PLUGIN_ROLES_H
#define WEFT_CORE_PLUGIN_ROLES_H

#include "core/system/context.h"

/* The first role that serves scheme without being negotiated, or else at all; NULL (and err) if none does. */
const struct weft_plugin *weft_roles_by_scheme(struct weft_context *ctx, struct weft_span scheme,
	const struct weft_scheme **found, struct weft_error *err);
/* The role of this name, which must serve scheme. */
const struct weft_plugin *weft_roles_by_name(struct weft_context *ctx, const char *name,
	struct weft_span scheme, const struct weft_scheme **found, struct weft_error *err);
/* The first role that serves scheme and offers the ALPN name, or NULL. */
const struct weft_plugin *weft_roles_by_alpn(
	struct weft_context *ctx, const struct weft_scheme *scheme, const char *name);
/*
 * The ALPN names of all roles that serve scheme, NULL-terminated, at most max - 1 of them. only: of roles with these
 * names, in this order; NULL: of all.
 */
void weft_roles_alpn(struct weft_context *ctx, const struct weft_scheme *scheme,
	const char *const *only, const char **names, size_t max);
/*
 * The role of the scheme whose preface bytes[0, len) begins with. *more: none yet, but with further bytes it may be.
 * NULL: none.
 */
const struct weft_plugin *weft_roles_by_preface(struct weft_context *ctx,
	const struct weft_scheme *scheme, const char *const *only, const unsigned char *bytes,
	size_t len, bool *more);
bool weft_roles_known(struct weft_context *ctx, const char *name);
/* Who speaks where nothing is negotiated: the scheme's own, or the first of the names if it is not among them. */
const struct weft_plugin *weft_roles_default(struct weft_context *ctx,
	const struct weft_scheme *scheme, const char *const *names, const struct weft_plugin *own);
/* Whether a role is among them; NULL: each is. */
bool weft_roles_among(const char *const *names, const char *name);

#endif
