/* SPDX-License-Identifier: MIT */
/* Modules in the file system. The only place that knows dlopen; a build without it refuses. */
#ifndef WEFT_CORE_PLUGIN_LOADER_H
#define WEFT_CORE_PLUGIN_LOADER_H

#include "weft/plugin/plugin.h"
#include "weft/status.h"

/* NOT_FOUND, PLUGIN, IO or UNSUPPORTED; the descriptor is not checked yet. */
enum weft_status weft_module_open(
	const char *path, void **module, const struct weft_plugin **plugin, struct weft_error *err);
void weft_module_close(void *module); /* NULL is safe */
bool weft_module_exists(const char *path);
/* Calls fn with the path of each KIND-NAME.so in dir, in alphabetical order. */
void weft_module_each(const char *dir, void (*fn)(void *user, const char *path), void *user);
/* "<directory of the shared libweft>/weft"; "" where libweft is part of the program. */
void weft_module_default_dir(char *out, size_t len);

#endif
