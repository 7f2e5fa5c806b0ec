/* SPDX-License-Identifier: MIT */
/* Whether a plugin has what it must have. */
#ifndef WEFT_CORE_PLUGIN_CHECK_TABLES_H
#define WEFT_CORE_PLUGIN_CHECK_TABLES_H

#include "weft/plugin/plugin.h"
#include "weft/status.h"

/* Of a descriptor that is one of ours. where: as weft_plugin_where has it. */
enum weft_status weft_plugin_check_tables(
	const struct weft_plugin *plugin, const char *where, struct weft_error *err);

#endif
