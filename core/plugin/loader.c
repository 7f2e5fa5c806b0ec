/* SPDX-License-Identifier: MIT */
/* Loading modules with dlopen. */
#include "core/plugin/loader.h"

#include <dirent.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/plugin/table.h"
#include "core/system/platform.h"

bool weft_module_exists(const char *path)
{
	return access(path, F_OK) == 0;
}

static bool is_elf(const char *path)
{
	char head[4] = "";
	FILE *f = fopen(path, "rb");
	bool elf = f && fread(head, 1, 4, f) == 4 && !memcmp(head, "\177ELF", 4);

	if (f)
		fclose(f);
	return elf;
}

enum weft_status weft_module_open(
	const char *path, void **module, const struct weft_plugin **plugin, struct weft_error *err)
{
	void *lib;

	if (!WEFT_HAVE_DLOPEN)
		return weft_error_set(err, WEFT_ERR_UNSUPPORTED, 0,
			"%s: this build of Weft loads no modules", path);
	if (!weft_module_exists(path))
		return weft_error_set(err, WEFT_ERR_NOT_FOUND, 0, "%s: no such file", path);
	if (!is_elf(path))
		return weft_error_set(err, WEFT_ERR_PLUGIN, 0,
			"%s: not a Weft plugin (not a shared object)", path);
	lib = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!lib)
		return weft_error_set(
			err, WEFT_ERR_NOT_FOUND, 0, "%s: cannot be loaded: %s", path, dlerror());
	*plugin = dlsym(lib, "weft_plugin_entry");
	if (!*plugin) {
		dlclose(lib);
		return weft_error_set(err, WEFT_ERR_PLUGIN, 0,
			"%s: not a Weft plugin (it exports no weft_plugin_entry)", path);
	}
	*module = lib;
	return WEFT_OK;
}

void weft_module_close(void *module)
{
	if (module)
		dlclose(module);
}

static int is_module(const struct dirent *d)
{
	size_t len = strlen(d->d_name);

	return len > 3 && !strcmp(d->d_name + len - 3, ".so") &&
	       (!strncmp(d->d_name, "event-", 6) || !strncmp(d->d_name, "tls-", 4) ||
		       !strncmp(d->d_name, "role-", 5));
}

void weft_module_each(const char *dir, void (*fn)(void *user, const char *path), void *user)
{
	struct dirent **names;
	char path[2048];
	int n = scandir(dir, &names, is_module, alphasort);

	for (int i = 0; i < n; i++) {
		if (snprintf(path, sizeof(path), "%s/%s", dir, names[i]->d_name) <
			(int)sizeof(path))
			fn(user, path);
		free(names[i]);
	}
	if (n >= 0)
		free(names);
}

void weft_module_default_dir(char *out, size_t len)
{
	const char *slash;
	Dl_info info;

	out[0] = '\0';
	if (!WEFT_HAVE_DLOPEN || !WEFT_IS_SHARED)
		return;
	if (!dladdr(weft_plugin_table, &info) || !info.dli_fname)
		return;
	slash = strrchr(info.dli_fname, '/');
	if (slash && info.dli_fname[0] == '/')
		snprintf(out, len, "%.*s/weft", (int)(slash - info.dli_fname), info.dli_fname);
}
