/* SPDX-License-Identifier: MIT */
/* Loading modules with dlopen. A build without it has no_loader.c instead. */
#include "core/plugin/loader.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/plugin/check.h"
#include "core/plugin/table.h"
#include "core/system/platform.h"

bool weft_module_exists(const char *path)
{
	return access(path, F_OK) == 0;
}

static enum weft_status check_file(const char *path, struct weft_error *err)
{
	const char *where = weft_plugin_where(path);
	enum weft_status st = WEFT_OK;
	char head[4] = "";
	struct stat info;
	FILE *f;

	if (stat(path, &info))
		return weft_error_errno(err, errno, "%s", where);
	if (!S_ISREG(info.st_mode))
		return weft_error_set(err, WEFT_ERR_PLUGIN, 0, "%s: %s, expected a shared object",
			where, S_ISDIR(info.st_mode) ? "a directory" : "not a regular file");
	f = fopen(path, "rb");
	if (!f)
		return weft_error_errno(err, errno, "%s", where);
	if (fread(head, 1, 4, f) != 4 || memcmp(head, "\177ELF", 4))
		st = weft_error_set(err, WEFT_ERR_PLUGIN, 0,
			"%s: not a Weft plugin (no ELF file, expected a shared object)", where);
	fclose(f);
	return st;
}

/* The linker's complaint begins with what it is about: the module, or a library that it needs. */
static enum weft_status cannot_load(const char *path, const char *text, struct weft_error *err)
{
	size_t len = strlen(path);
	bool own = text && !strncmp(text, path, len) && text[len] == ':';

	return weft_error_set(err, own ? WEFT_ERR_PLUGIN : WEFT_ERR_NOT_FOUND, 0,
		"%s: cannot be loaded: %s", weft_plugin_where(path),
		own    ? text + len + 2
		: text ? text
		       : "no reason given");
}

enum weft_status weft_module_open(
	const char *path, void **module, const struct weft_plugin **plugin, struct weft_error *err)
{
	enum weft_status st = check_file(path, err);
	void *lib;

	if (st)
		return st;
	lib = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!lib)
		return cannot_load(path, dlerror(), err);
	*plugin = dlsym(lib, "weft_plugin_entry");
	if (!*plugin) {
		dlclose(lib);
		return weft_error_set(err, WEFT_ERR_PLUGIN, 0,
			"%s: not a Weft plugin (expected it to export weft_plugin_entry)",
			weft_plugin_where(path));
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
	char dir[PATH_MAX], *clean;
	const char *slash;
	Dl_info info;

	out[0] = '\0';
	if (!WEFT_IS_SHARED || !dladdr(weft_plugin_table, &info) || !info.dli_fname)
		return;
	/* relative to a directory that may have changed since: not to be trusted */
	slash = info.dli_fname[0] == '/' ? strrchr(info.dli_fname, '/') : NULL;
	if (!slash || (size_t)(slash - info.dli_fname) >= sizeof(dir))
		return;
	memcpy(dir, info.dli_fname, (size_t)(slash - info.dli_fname));
	dir[slash - info.dli_fname] = '\0';
	/* a module named by its own path is then known to be the same */
	clean = realpath(dir, NULL);
	if (clean && strlen(clean) + sizeof("/weft") <= len)
		snprintf(out, len, "%s/weft", clean);
	free(clean);
}
