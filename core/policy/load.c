/* SPDX-License-Identifier: MIT */
/* Loading a policy: a text, its sections in the order in which they refer to each other, and the end. */
#include "core/policy/load.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/plugin/registry.h"
#include "core/policy/life.h"
#include "core/system/file.h"

static const struct weft_policy_load_options defaults = { .size = sizeof(defaults) };

/* A loaded policy, its life and what it is made of, in its own memory. */
struct loaded {
	struct weft_policy policy;
	struct weft_policy_life life;
	const struct weft_allocator *alloc;
	struct weft_load_block *blocks;
};

static void end(const struct weft_policy *policy)
{
	struct loaded *p = (struct loaded *)(uintptr_t)policy;
	const struct weft_allocator *alloc = p->alloc;

	weft_load_free(alloc, p->blocks);
}

static struct loaded *make(struct weft_loading *l)
{
	struct loaded *p = weft_load_alloc(l, sizeof(*p));

	if (!p)
		return NULL;
	p->alloc = l->alloc;
	p->policy.schema = WEFT_POLICY_SCHEMA;
	p->policy.size = sizeof(p->policy);
	p->policy.life = &p->life;
	p->policy.product = p->policy.release = "";
	p->life.end = end;
	atomic_init(&p->life.refs, 1);
	l->policy = &p->policy;
	return p;
}

static void set_name(struct weft_loading *l)
{
	const char *slash = strrchr(l->file, '/');
	const char *name = slash ? slash + 1 : l->file, *dot = strrchr(name, '.');

	l->policy->name =
		weft_load_text(l, name, dot && dot != name ? (size_t)(dot - name) : strlen(name));
}

/* ---- sections ---- */

static void load_section(struct weft_loading *l, json_t *root, const char *name,
	void (*load)(struct weft_loading *l, json_t *section))
{
	json_t *section = json_object_get(root, name);

	if (section && !json_is_object(section))
		return; /* was told */
	weft_load_push(l, name, 0);
	load(l, section);
	weft_load_pop(l);
}

static void warn_unused(struct weft_loading *l, const char *section, const char *name, bool used)
{
	if (used || !name)
		return;
	weft_load_push(l, section, 0);
	weft_load_warn(l, name, "nobody uses this");
	weft_load_pop(l);
}

static void warn_all_unused(struct weft_loading *l)
{
	const struct weft_policy *p = l->policy;

	if (l->no_memory)
		return;
	for (size_t i = 0; i < l->cert_count; i++)
		warn_unused(l, "certs", l->certs[i].name, l->certs[i].used);
	for (size_t i = 0; i < p->trust_count; i++)
		warn_unused(l, "trust_stores", p->trusts[i].name, l->trust_used[i]);
	for (size_t i = 0; i < p->credential_count; i++)
		warn_unused(l, "credentials", p->credentials[i].name, l->credential_used[i]);
	for (size_t i = 0; i < p->retry_count; i++)
		warn_unused(l, "retry", p->retries[i].name, l->retry_used[i]);
}

static void load_all(struct weft_loading *l, json_t *root)
{
	if (!weft_load_object(l, root, weft_load_top_keys, l->policy))
		return;
	json_object_del(root, "$schema"); /* which editors go by */
	weft_load_known(l, root, weft_load_top_keys);
	load_section(l, root, "retry", weft_load_retries);
	load_section(l, root, "certs", weft_load_certs);
	load_section(l, root, "trust_stores", weft_load_trusts);
	load_section(l, root, "credentials", weft_load_credentials);
	load_section(l, root, "streams", weft_load_streams);
	warn_all_unused(l);
}

static void load_text(struct weft_loading *l)
{
	json_error_t why;
	json_t *root =
		json_loadb((const char *)l->text.ptr, l->text.len, JSON_REJECT_DUPLICATES, &why);

	if (root)
		load_all(l, root);
	else if (json_error_code(&why) == json_error_out_of_memory)
		l->no_memory = true;
	else
		/* it has read on to behind what it does not like */
		weft_load_wrong_at(l, why.position > 0 ? (size_t)why.position - 1 : 0, why.text);
	json_decref(root);
}

/* ---- who helps ---- */

static enum weft_status find_helpers(struct weft_loading *l, struct weft_error *err)
{
	const struct weft_plugin *tls = NULL;
	const char *name = l->options->tls;
	enum weft_status st;

	if (l->options->registry)
		l->registry = weft_registry_ref(l->options->registry);
	else if (weft_registry_create(NULL, &l->registry, err))
		return err ? err->status : WEFT_ERR_MEMORY;
	st = weft_registry_roles(l->registry, err);
	if (st || (name && !strcmp(name, "none")))
		return st;
	st = weft_registry_find(l->registry, WEFT_PLUGIN_TLS, name, &tls, err);
	if (st == WEFT_ERR_NOT_FOUND && !name) {
		weft_error_clear(err);
		return WEFT_OK;
	}
	if (st == WEFT_OK)
		l->tls = tls->tls;
	return st;
}

enum weft_status weft_policy_parse(const char *name, struct weft_span json, const char *folder,
	const struct weft_policy_load_options *options, const struct weft_policy **out,
	struct weft_error *err)
{
	struct weft_loading l = {
		.options = options ? options : &defaults, .file = name, .text = json
	};
	struct weft_error why = { .status = WEFT_OK };
	struct loaded *made;
	enum weft_status st;

	l.alloc = l.options->allocator ? l.options->allocator : &weft_allocator_system;
	l.folder = folder ? folder : "";
	l.now = l.options->now ? l.options->now : (int64_t)time(NULL);
	st = find_helpers(&l, &why);
	made = st == WEFT_OK ? make(&l) : NULL;
	if (made) {
		set_name(&l);
		load_text(&l);
	}
	weft_load_tell(&l, &why);
	weft_registry_release(l.registry);
	if (st == WEFT_OK && l.no_memory)
		st = weft_error_set(&why, WEFT_ERR_MEMORY, 0, "no memory for policy %.100s", name);
	if (st == WEFT_OK && l.error_count)
		st = WEFT_ERR_ARGUMENT;
	if (st) {
		weft_load_free(l.alloc, l.blocks);
		if (err)
			*err = why;
		return st;
	}
	made->blocks = l.blocks;
	made->life.bytes = l.bytes;
	*out = &made->policy;
	return WEFT_OK;
}

enum weft_status weft_policy_load(const char *file, const struct weft_policy_load_options *options,
	const struct weft_policy **out, struct weft_error *err)
{
	const struct weft_allocator *alloc =
		options && options->allocator ? options->allocator : &weft_allocator_system;
	const char *slash = strrchr(file, '/');
	struct weft_buffer text;
	char *folder;
	enum weft_status st;

	folder = slash ? strndup(file, slash == file ? 1 : (size_t)(slash - file)) : strdup("");
	if (!folder)
		return weft_error_set(err, WEFT_ERR_MEMORY, 0, "no memory for policy %.100s", file);
	weft_buffer_init(&text, alloc);
	st = weft_file_load(file, WEFT_LOAD_FILE_MAX, &text, err);
	if (st == WEFT_OK)
		st = weft_policy_parse(file,
			(struct weft_span){ weft_buffer_bytes(&text), weft_buffer_len(&text) },
			folder, options, out, err);
	weft_buffer_finish(&text);
	free(folder);
	return st;
}
