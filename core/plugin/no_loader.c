/* SPDX-License-Identifier: MIT */
/* In place of loader.c where a build must do without dlopen (WEFT_NO_DLOPEN): there are no modules. */
#include "core/plugin/check.h"
#include "core/plugin/loader.h"

enum weft_status weft_module_open(
	const char *path, void **module, const struct weft_plugin **plugin, struct weft_error *err)
{
	(void)module;
	(void)plugin;
	return weft_error_set(err, WEFT_ERR_UNSUPPORTED, 0,
		"%s: this build of Weft loads no modules", weft_plugin_where(path));
}

void weft_module_close(void *module)
{
	(void)module;
}

bool weft_module_exists(const char *path)
{
	(void)path;
	return false;
}

void weft_module_each(const char *dir, void (*fn)(void *user, const char *path), void *user)
{
	(void)dir;
	(void)fn;
	(void)user;
}

void weft_module_default_dir(char *out, size_t len)
{
	(void)len;
	out[0] = '\0';
}
