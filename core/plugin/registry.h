/* SPDX-License-Identifier: MIT */
/* The registry, as the core uses it. */
#ifndef WEFT_CORE_PLUGIN_REGISTRY_H
#define WEFT_CORE_PLUGIN_REGISTRY_H

#include "weft/plugin/plugin.h"
#include "weft/plugins.h"

/*
 * name NULL: the first by the build's preference. One that is registered, else the module KIND-NAME.so
 * of the plugin directory, else NOT_FOUND with what there is.
 */
enum weft_status weft_registry_find(struct weft_registry *r, enum weft_plugin_kind kind,
	const char *name, const struct weft_plugin **out, struct weft_error *err);
/* Loads the role modules that the build knows of; one that is not there is passed over. */
enum weft_status weft_registry_roles(struct weft_registry *r, struct weft_error *err);
/* The index-th of a kind, in the order of registration; NULL past the last. */
const struct weft_plugin *weft_registry_at(
	const struct weft_registry *r, enum weft_plugin_kind kind, size_t index);
/* Checks the descriptor and registers it; file NULL: linked in. */
enum weft_status weft_registry_add(struct weft_registry *r, const struct weft_plugin *plugin,
	const char *file, struct weft_error *err);

#endif
