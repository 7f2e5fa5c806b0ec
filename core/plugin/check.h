/* SPDX-License-Identifier: MIT */
/* Whether a descriptor is one that this core can use. */
#ifndef WEFT_CORE_PLUGIN_CHECK_H
#define WEFT_CORE_PLUGIN_CHECK_H

#include "weft/plugin/plugin.h"
#include "weft/plugins.h"

/* file is for the message; NULL: linked in. PLUGIN or ABI. */
enum weft_status weft_plugin_check(
	const struct weft_plugin *plugin, const char *file, struct weft_error *err);
/* How messages name a module: its path, the end of it where that is long; NULL: linked in. */
const char *weft_plugin_where(const char *file);
/* "event", "tls", "role", or "?". */
const char *weft_plugin_kind_name(enum weft_plugin_kind kind);
/* The caps in words, NULL-terminated. */
void weft_plugin_caps(const struct weft_plugin *plugin, const char *words[16]);

#endif
