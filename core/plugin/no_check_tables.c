/* SPDX-License-Identifier: MIT */
/*
 * In place of check_tables.c where nothing is loaded at run time (WEFT_NO_DLOPEN): all tables were compiled with
 * this library's headers. Tests of other builds have seen that they are whole.
 */
#include "core/plugin/check_tables.h"

enum weft_status weft_plugin_check_tables(
	const struct weft_plugin *plugin, const char *where, struct weft_error *err)
{
	const void *table = plugin->kind == WEFT_PLUGIN_EVENT  ? (const void *)plugin->event
			    : plugin->kind == WEFT_PLUGIN_TLS  ? (const void *)plugin->tls
			    : plugin->kind == WEFT_PLUGIN_ROLE ? (const void *)plugin->role
							       : NULL;

	return table ? WEFT_OK
		     : weft_error_set(err, WEFT_ERR_PLUGIN, 0,
			       "%s: plugin \"%s\" is of an unknown kind, or has no table", where,
			       plugin->name);
}
