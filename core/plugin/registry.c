/* SPDX-License-Identifier: MIT */
/* Registries: the list of what may be used, and how names become plugins. */
#include "core/plugin/registry.h"

#include <stdatomic.h>
#include <string.h>

#include "core/plugin/check.h"
#include "core/plugin/loader.h"
#include "core/plugin/table.h"
#include "weft/alloc.h"

enum { PATH_LEN = 1024, KINDS_LEN = 160 };

struct entry {
	struct entry *next;
	const struct weft_plugin *plugin;
	char *file;
	void *module; /* the loader's; NULL: linked in */
};

struct weft_registry {
	atomic_uint refs;
	struct entry *first, **last;
	char plugin_dir[PATH_LEN]; /* "" for none */
};

static enum weft_status add(struct weft_registry *r, const struct weft_plugin *plugin,
	const char *file, void *module, struct weft_error *err)
{
	const struct weft_allocator *alloc = &weft_allocator_system;
	struct entry *e;
	enum weft_status st = weft_plugin_check(plugin, file, err);

	if (st)
		return st;
	for (e = r->first; e; e = e->next) {
		if (e->plugin->kind == plugin->kind && !strcmp(e->plugin->name, plugin->name))
			return weft_error_set(err, WEFT_ERR_EXISTS, 0,
				"%s: %s plugin \"%s\" (version %s) is registered already, version "
				"%s from %s",
				weft_plugin_where(file), weft_plugin_kind_name(plugin->kind),
				plugin->name, plugin->version, e->plugin->version,
				weft_plugin_where(e->file));
	}
	e = weft_zalloc(alloc, sizeof(*e));
	if (e && file)
		e->file = weft_strndup(alloc, file, strlen(file));
	if (!e || (file && !e->file)) {
		weft_free(alloc, e, sizeof(*e));
		return weft_error_set(err, WEFT_ERR_MEMORY, 0, "no memory to register a plugin");
	}
	e->plugin = plugin;
	e->module = module;
	*r->last = e;
	r->last = &e->next;
	return WEFT_OK;
}

enum weft_status weft_registry_add(struct weft_registry *r, const struct weft_plugin *plugin,
	const char *file, struct weft_error *err)
{
	return add(r, plugin, file, NULL, err);
}

enum weft_status weft_registry_create(
	const char *plugin_dir, struct weft_registry **out, struct weft_error *err)
{
	struct weft_registry *r;
	enum weft_status st = WEFT_OK;

	if (plugin_dir && (plugin_dir[0] != '/' || strlen(plugin_dir) >= PATH_LEN))
		return weft_error_set(err, WEFT_ERR_ARGUMENT, 0,
			"plugin directory \"%.100s\": expected an absolute path, at most %d bytes",
			plugin_dir, PATH_LEN - 1);
	r = weft_zalloc(&weft_allocator_system, sizeof(*r));
	if (!r)
		return weft_error_set(err, WEFT_ERR_MEMORY, 0, "no memory for a registry");
	atomic_init(&r->refs, 1);
	r->last = &r->first;
	if (plugin_dir)
		strcpy(r->plugin_dir, plugin_dir);
	else
		weft_module_default_dir(r->plugin_dir, sizeof(r->plugin_dir));
	for (const struct weft_plugin_table_entry *t = weft_plugin_table; t->name && !st; t++) {
		if (t->plugin)
			st = add(r, t->plugin, NULL, NULL, err);
	}
	if (st) {
		weft_registry_release(r);
		return st;
	}
	*out = r;
	return WEFT_OK;
}

struct weft_registry *weft_registry_ref(struct weft_registry *r)
{
	atomic_fetch_add_explicit(&r->refs, 1, memory_order_relaxed);
	return r;
}

void weft_registry_release(struct weft_registry *r)
{
	if (!r || atomic_fetch_sub_explicit(&r->refs, 1, memory_order_acq_rel) != 1)
		return;
	while (r->first) {
		struct entry *e = r->first;

		r->first = e->next;
		/* a loop's stays: its code is on the stack when the last context goes in its tick */
		if (e->plugin->kind != WEFT_PLUGIN_EVENT)
			weft_module_close(e->module);
		weft_strfree(&weft_allocator_system, e->file);
		weft_free(&weft_allocator_system, e, sizeof(*e));
	}
	weft_free(&weft_allocator_system, r, sizeof(*r));
}

/* A file called KIND-NAME.so says which plugin is in it; false where it is called otherwise. */
static bool promised(
	const char *path, enum weft_plugin_kind *kind, const char **name, size_t *name_len)
{
	const char *base = strrchr(path, '/') + 1, *word;
	size_t len = strlen(base), word_len;

	if (len < 3 || strcmp(base + len - 3, ".so"))
		return false;
	for (*kind = WEFT_PLUGIN_EVENT; *kind <= WEFT_PLUGIN_ROLE; ++*kind) {
		word = weft_plugin_kind_name(*kind);
		word_len = strlen(word);
		if (strncmp(base, word, word_len) || base[word_len] != '-')
			continue;
		*name = base + word_len + 1;
		*name_len = len - 3 - word_len - 1;
		return true;
	}
	return false;
}

static enum weft_status check_name(
	const char *path, const struct weft_plugin *p, struct weft_error *err)
{
	enum weft_plugin_kind kind;
	const char *name;
	size_t len;

	if (!promised(path, &kind, &name, &len) ||
		(p->kind == kind && strlen(p->name) == len && !strncmp(p->name, name, len)))
		return WEFT_OK;
	return weft_error_set(err, WEFT_ERR_PLUGIN, 0,
		"%s: holds %s plugin \"%s\", expected %s plugin \"%.*s\" by its file name",
		weft_plugin_where(path), weft_plugin_kind_name(p->kind), p->name,
		weft_plugin_kind_name(kind), (int)len, name);
}

enum weft_status weft_registry_load(
	struct weft_registry *r, const char *path, struct weft_error *err)
{
	const struct weft_plugin *plugin;
	enum weft_status st;
	void *module;

	if (path[0] != '/')
		return weft_error_set(err, WEFT_ERR_ARGUMENT, 0,
			"plugin \"%.100s\": expected an absolute path", path);
	st = weft_module_open(path, &module, &plugin, err);
	if (st)
		return st;
	st = weft_plugin_check(plugin, path, err);
	if (st == WEFT_OK)
		st = check_name(path, plugin, err);
	if (st == WEFT_OK)
		st = add(r, plugin, path, module, err);
	if (st)
		weft_module_close(module);
	return st;
}

static struct entry **place_of(struct weft_registry *r, const char *kind, const char *name)
{
	struct entry **at = &r->first;

	while (*at && (strcmp(weft_plugin_kind_name((*at)->plugin->kind), kind) ||
			      strcmp((*at)->plugin->name, name)))
		at = &(*at)->next;
	return at;
}

enum weft_status weft_registry_unload(
	struct weft_registry *r, const char *kind, const char *name, struct weft_error *err)
{
	struct entry **at = place_of(r, kind, name), *e = *at;
	unsigned others = atomic_load_explicit(&r->refs, memory_order_acquire) - 1;

	if (!e)
		return weft_error_set(err, WEFT_ERR_NOT_FOUND, 0,
			"no %.20s plugin \"%.40s\" is registered", kind, name);
	if (!e->module || e->plugin->kind == WEFT_PLUGIN_EVENT)
		return weft_error_set(err, WEFT_ERR_UNSUPPORTED, 0,
			"%s plugin \"%s\" cannot be unloaded: %s", kind, name,
			e->module ? "an event loop's module stays" : "it is linked in");
	if (others)
		return weft_error_set(err, WEFT_ERR_STATE, 0,
			"%s plugin \"%s\" cannot be unloaded: %u more hold its registry; destroy "
			"the contexts that use it first",
			kind, name, others);
	*at = e->next;
	if (r->last == &e->next)
		r->last = at;
	weft_module_close(e->module);
	weft_strfree(&weft_allocator_system, e->file);
	weft_free(&weft_allocator_system, e, sizeof(*e));
	return WEFT_OK;
}

static bool has_file(const struct weft_registry *r, const char *path)
{
	for (const struct entry *e = r->first; e; e = e->next) {
		if (e->file && !strcmp(e->file, path))
			return true;
	}
	return false;
}

struct scan {
	struct weft_registry *r;
	void (*on_error)(void *user, const char *path, const struct weft_error *err);
	void *user;
};

static void scan_one(void *user, const char *path)
{
	struct scan *s = user;
	struct weft_error err;

	if (!has_file(s->r, path) && weft_registry_load(s->r, path, &err) && s->on_error)
		s->on_error(s->user, path, &err);
}

enum weft_status weft_registry_scan(struct weft_registry *r,
	void (*on_error)(void *user, const char *path, const struct weft_error *err), void *user)
{
	struct scan s = { .r = r, .on_error = on_error, .user = user };

	if (r->plugin_dir[0])
		weft_module_each(r->plugin_dir, scan_one, &s);
	return WEFT_OK;
}

/* ---- look-ups ---- */

static const struct weft_plugin *registered(
	const struct weft_registry *r, enum weft_plugin_kind kind, const char *name)
{
	for (const struct entry *e = r->first; e; e = e->next) {
		if (e->plugin->kind == kind && (!name || !strcmp(e->plugin->name, name)))
			return e->plugin;
	}
	return NULL;
}

/* The module's path in the plugin directory; false if there is no such file. */
static bool module_path(const struct weft_registry *r, enum weft_plugin_kind kind, const char *name,
	char *path, size_t len)
{
	int n;

	if (!r->plugin_dir[0] || strchr(name, '/'))
		return false;
	n = snprintf(path, len, "%s/%s-%s.so", r->plugin_dir, weft_plugin_kind_name(kind), name);
	return n > 0 && (size_t)n < len && weft_module_exists(path);
}

static enum weft_status load_named(struct weft_registry *r, enum weft_plugin_kind kind,
	const char *name, const struct weft_plugin **out, struct weft_error *err)
{
	char path[PATH_LEN + 64];
	enum weft_status st;

	if (!module_path(r, kind, name, path, sizeof(path)))
		return WEFT_ERR_NOT_FOUND;
	st = weft_registry_load(r, path, err);
	if (st)
		return st;
	*out = registered(r, kind, name);
	return WEFT_OK;
}

static enum weft_status not_found(struct weft_registry *r, enum weft_plugin_kind kind,
	const char *name, struct weft_error *err)
{
	char known[KINDS_LEN] = "", path[PATH_LEN + 64];
	size_t used = 0;

	for (const struct entry *e = r->first; e; e = e->next) {
		if (e->plugin->kind == kind && used < sizeof(known))
			used += (size_t)snprintf(
				known + used, sizeof(known) - used, " %s", e->plugin->name);
	}
	for (const struct weft_plugin_table_entry *t = weft_plugin_table; t->name; t++) {
		if (t->kind == kind && !registered(r, kind, t->name) && used < sizeof(known) &&
			module_path(r, kind, t->name, path, sizeof(path)))
			used += (size_t)snprintf(
				known + used, sizeof(known) - used, " %s", t->name);
	}
	return weft_error_set(err, WEFT_ERR_NOT_FOUND, 0, "no %s plugin%s%s%s; there are:%s",
		weft_plugin_kind_name(kind), name ? " \"" : "", name ? name : "", name ? "\"" : "",
		known[0] ? known : " none");
}

enum weft_status weft_registry_find(struct weft_registry *r, enum weft_plugin_kind kind,
	const char *name, const struct weft_plugin **out, struct weft_error *err)
{
	enum weft_status st;

	*out = NULL;
	if (name) {
		*out = registered(r, kind, name);
		if (*out)
			return WEFT_OK;
		st = load_named(r, kind, name, out, err);
		return st == WEFT_ERR_NOT_FOUND ? not_found(r, kind, name, err) : st;
	}
	for (const struct weft_plugin_table_entry *t = weft_plugin_table; t->name; t++) {
		if (t->kind != kind)
			continue;
		*out = registered(r, kind, t->name);
		if (*out)
			return WEFT_OK;
		st = load_named(r, kind, t->name, out, err);
		if (st != WEFT_ERR_NOT_FOUND)
			return st;
	}
	*out = registered(r, kind, NULL);
	return *out ? WEFT_OK : not_found(r, kind, NULL, err);
}

enum weft_status weft_registry_roles(struct weft_registry *r, struct weft_error *err)
{
	const struct weft_plugin *plugin;
	enum weft_status st;

	for (const struct weft_plugin_table_entry *t = weft_plugin_table; t->name; t++) {
		if (t->kind != WEFT_PLUGIN_ROLE || registered(r, t->kind, t->name))
			continue;
		st = load_named(r, t->kind, t->name, &plugin, err);
		if (st && st != WEFT_ERR_NOT_FOUND)
			return st;
	}
	return WEFT_OK;
}

const struct weft_plugin *weft_registry_at(
	const struct weft_registry *r, enum weft_plugin_kind kind, size_t index)
{
	for (const struct entry *e = r->first; e; e = e->next) {
		if (e->plugin->kind == kind && !index--)
			return e->plugin;
	}
	return NULL;
}

bool weft_registry_info(const struct weft_registry *r, size_t index, struct weft_plugin_info *info)
{
	for (const struct entry *e = r->first; e; e = e->next) {
		if (index--)
			continue;
		*info = (struct weft_plugin_info){
			.kind = weft_plugin_kind_name(e->plugin->kind),
			.name = e->plugin->name,
			.version = e->plugin->version,
			.abi = e->plugin->abi,
			.file = e->file,
		};
		weft_plugin_caps(e->plugin, info->caps);
		return true;
	}
	return false;
}
