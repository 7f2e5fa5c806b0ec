/* SPDX-License-Identifier: MIT */
/* The table that the build generates: which plugins it knows, and which of them are linked in. */
#ifndef WEFT_CORE_PLUGIN_TABLE_H
#define WEFT_CORE_PLUGIN_TABLE_H

#include "weft/plugin/plugin.h"

struct weft_plugin_table_entry {
	enum weft_plugin_kind kind;
	const char *name;
	const struct weft_plugin *plugin; /* NULL: a module beside the library */
};

/* In order of preference; ended by a NULL name. */
extern const struct weft_plugin_table_entry weft_plugin_table[];

#endif
