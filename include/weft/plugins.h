/* SPDX-License-Identifier: MIT */
/* The registry: which event loops, TLS backends and roles a context may use. */
#ifndef WEFT_PLUGINS_H
#define WEFT_PLUGINS_H

#include "weft/base.h"
#include "weft/status.h"

WEFT_BEGIN

struct weft_registry;
struct weft_plugin;

/*
 * A registry starts with the plugins that were linked in. plugin_dir is where the others are looked
 * for: an absolute path, or NULL for the directory "weft" beside libweft itself (a statically linked
 * libweft then has none). Nothing else is ever searched. Reference counted: contexts hold it, and a
 * loaded module stays loaded until the last of them is gone; an event loop's stays for good. Confine a
 * registry to one thread while plugins are being loaded into it; contexts on several threads may share
 * it after that.
 */
WEFT_API WEFT_MUST_CHECK enum weft_status weft_registry_create(
	const char *plugin_dir, struct weft_registry **out, struct weft_error *err);
WEFT_API struct weft_registry *weft_registry_ref(struct weft_registry *r);
WEFT_API void weft_registry_release(struct weft_registry *r);

/*
 * Loads one module by absolute path. Errors say the file and what was found and expected:
 * ARGUMENT (a relative path), NOT_FOUND (no file, or a library that it needs is missing), IO (it cannot
 * be read), PLUGIN (not a plugin, or malformed), ABI (both versions named), EXISTS (that kind and name
 * is registered already), UNSUPPORTED (a build without dlopen).
 */
WEFT_API WEFT_MUST_CHECK enum weft_status weft_registry_load(
	struct weft_registry *r, const char *path, struct weft_error *err);

/*
 * Takes a module that was loaded out again, and unloads it. Errors: NOT_FOUND (no such plugin), STATE (somebody else
 * holds the registry: a context may use it), UNSUPPORTED (it is linked in, or an event loop's).
 */
WEFT_API WEFT_MUST_CHECK enum weft_status weft_registry_unload(
	struct weft_registry *r, const char *kind, const char *name, struct weft_error *err);

/*
 * Loads every KIND-NAME.so of the plugin directory that is not registered yet. Broken ones are
 * reported through on_error (may be NULL) and passed over. Returns OK also when there is no directory.
 */
WEFT_API enum weft_status weft_registry_scan(struct weft_registry *r,
	void (*on_error)(void *user, const char *path, const struct weft_error *err), void *user);

/* What is known of a registered plugin; the strings live as long as the registry. */
struct weft_plugin_info {
	const char *kind; /* "event", "tls", "role" */
	const char *name;
	const char *version; /* the plugin's own, and its library's */
	unsigned abi;
	const char *file;     /* where it was loaded from, or NULL: linked in */
	const char *caps[16]; /* words, NULL-terminated */
};

/* The index-th plugin, or false past the end. */
WEFT_API bool weft_registry_info(
	const struct weft_registry *r, size_t index, struct weft_plugin_info *info);

WEFT_END

#endif
