/* SPDX-License-Identifier: MIT */
/* The section "streams". */
#include <stdlib.h>
#include <string.h>

#include "core/plugin/registry.h"
#include "core/policy/find.h"
#include "core/policy/load.h"
#include "core/policy/load_stream.h"
#include "core/vhost/trust.h"
#include "weft/plugin/role.h"

/* ---- names of other sections ---- */

static const char *reference(json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static void dangling(
	struct weft_loading *l, const char *key, const char *what, const struct weft_nearest *near)
{
	weft_load_wrong(l, key, "there is no %s \"%.60s\"%s%s%s", what, near->name,
		near->best ? "; did you mean \"" : "", near->best ? near->best : "",
		near->best ? "\"?" : "");
}

/* Finds name in a table whose entries begin with their names. */
static const void *find(struct weft_loading *l, const char *key, const char *what, const char *name,
	const void *table, size_t size, size_t count, bool *used)
{
	struct weft_nearest near = { .name = name };
	const char *const *entry;

	if (!name || l->no_memory)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		entry = (const char *const *)(const void *)((const char *)table + i * size);
		if (!strcmp(*entry, name)) {
			used[i] = true;
			return entry;
		}
		weft_nearest_try(&near, *entry);
	}
	dangling(l, key, what, &near);
	return NULL;
}

static void refer(struct weft_loading *l, json_t *object, struct weft_policy_stream *s)
{
	const struct weft_policy *p = l->policy;

	s->trust = find(l, "trust_store", "trust store", reference(object, "trust_store"),
		p->trusts, sizeof(p->trusts[0]), p->trust_count, l->trust_used);
	s->credential = find(l, "credential", "credential", reference(object, "credential"),
		p->credentials, sizeof(p->credentials[0]), p->credential_count, l->credential_used);
	s->retry = find(l, "retry", "way to retry", reference(object, "retry"), p->retries,
		sizeof(p->retries[0]), p->retry_count, l->retry_used);
}

/* ---- who speaks ---- */

const struct weft_plugin *weft_load_role(struct weft_loading *l, const char *protocol)
{
	const struct weft_plugin *role;
	struct weft_nearest near = { .name = protocol ? protocol : "" };
	char known[128] = "";
	size_t used = 0;

	for (size_t i = 0; (role = weft_registry_at(l->registry, WEFT_PLUGIN_ROLE, i)); i++) {
		if (protocol ? !strcmp(role->name, protocol)
			     : role->role->policy && role->role->policy->automatic)
			return role;
		weft_nearest_try(&near, role->name);
		if (used < sizeof(known))
			used += (size_t)snprintf(
				known + used, sizeof(known) - used, ", %s", role->name);
	}
	weft_load_wrong(l, protocol ? "protocol" : NULL,
		"there is no role \"%.40s\", expected auto%s%s%s%s", protocol ? protocol : "auto",
		known, near.best ? "; did you mean \"" : "", near.best ? near.best : "",
		near.best ? "\"?" : "");
	return NULL;
}

static const struct weft_scheme *scheme_of(const struct weft_plugin *role, bool tls)
{
	for (const struct weft_scheme *s = role->role->schemes; s && s->name; s++) {
		if (s->tls == tls)
			return s;
	}
	return NULL;
}

static void check_port(
	struct weft_loading *l, const struct weft_plugin *role, const struct weft_policy_stream *s)
{
	const struct weft_scheme *scheme = scheme_of(role, s->tls);
	bool unix_socket = s->endpoint && !strncmp(s->endpoint, "unix:", 5);

	if (!scheme)
		weft_load_wrong(l, "tls", "role %s does not speak with%s TLS", role->name,
			s->tls ? "" : "out");
	else if (!s->port && !scheme->port && !unix_socket)
		weft_load_wrong(l, NULL, "\"port\" is missing: role %s has no default", role->name);
	if (s->port && unix_socket)
		weft_load_wrong(l, "port", "a Unix socket has no port");
}

/* ---- lists ---- */

static unsigned fault_of(const char *word)
{
	unsigned i = 0;

	while (weft_load_fault_words[i] && strcmp(weft_load_fault_words[i], word))
		i++;
	return weft_load_fault_words[i] ? 1u << i : 0;
}

static void load_lists(struct weft_loading *l, json_t *object, struct weft_policy_stream *s)
{
	json_t *allow = json_object_get(object, "allow"), *alpn = json_object_get(object, "alpn");
	size_t used = 0, i;
	json_t *value;

	json_array_foreach(allow, i, value)
	{
		if (json_is_string(value))
			s->allow |= fault_of(json_string_value(value));
	}
	if (!json_is_array(alpn))
		return;
	if (!json_array_size(alpn) || json_array_size(alpn) > WEFT_ALPN_MAX)
		weft_load_wrong(l, "alpn", "has %zu names, expected 1 to %d", json_array_size(alpn),
			WEFT_ALPN_MAX);
	json_array_foreach(alpn, i, value)
	{
		if (!json_is_string(value))
			return; /* was told */
	}
	s->alpn = weft_load_texts(l, alpn);
	for (i = 0; s->alpn && s->alpn[i]; i++)
		used += strlen(s->alpn[i]) + 1;
	if (used > sizeof(((struct weft_trust_spec *)0)->alpn_text))
		weft_load_wrong(l, "alpn", "has too many bytes in all, expected at most %zu",
			sizeof(((struct weft_trust_spec *)0)->alpn_text) - WEFT_ALPN_MAX);
}

/* ---- all of one ---- */

static void defaults(struct weft_policy_stream *s)
{
	s->tls = true;
	s->share = WEFT_SHARE_POOL;
	s->keep_warm_ms = UINT32_MAX;
	s->warm_holds = true;
}

static void check_members(struct weft_loading *l, json_t *object, const struct weft_plugin *role)
{
	const struct weft_policy_key *own = role && role->role->policy ? role->role->policy->keys
								       : NULL,
				     *k;
	const struct weft_load_key *c;
	const char *name;
	json_t *value;

	json_object_foreach(object, name, value)
	{
		for (c = weft_load_stream_keys; c->key.name && strcmp(c->key.name, name);)
			c++;
		for (k = own; k && k->name && strcmp(k->name, name);)
			k++;
		if (!c->key.name && !(k && k->name))
			weft_load_not_of(l, role, name, own);
	}
}

static void load_stream(struct weft_loading *l, json_t *object, struct weft_policy_stream *s)
{
	const struct weft_plugin *role;
	const char *protocol;
	bool sound;

	defaults(s);
	if (!weft_load_object(l, object, weft_load_stream_keys, s))
		return;
	protocol = json_string_value(json_object_get(object, "protocol"));
	if (protocol && strcmp(protocol, "auto"))
		s->protocol = weft_load_text(l, protocol, strlen(protocol));
	refer(l, object, s);
	load_lists(l, object, s);
	sound = weft_load_metadata(l, object, s);
	role = weft_load_role(l, s->protocol);
	check_members(l, object, role);
	weft_load_check_place(l, s);
	if (!role)
		return;
	check_port(l, role, s);
	sound &= weft_load_values(l, object, role, s);
	weft_load_check_tls(l, object, s);
	weft_load_check_templates(l, s);
	if (sound)
		weft_load_ask_role(l, role, s);
}

static int by_name(const void *a, const void *b)
{
	const struct weft_policy_stream *p = a, *q = b;

	return strcmp(p->name, q->name);
}

void weft_load_streams(struct weft_loading *l, json_t *section)
{
	size_t count = json_object_size(section), i = 0;
	struct weft_policy_stream *all = weft_load_alloc(l, (count + 1) * sizeof(*all));
	const char *name;
	json_t *value;

	json_object_foreach(section, name, value)
	{
		if (!all)
			return;
		all[i].name = weft_load_text(l, name, strlen(name));
		weft_load_push(l, name, 0);
		if (!name[0])
			weft_load_wrong(l, NULL, "a stream without a name");
		load_stream(l, value, &all[i++]);
		weft_load_pop(l);
	}
	if (i && !l->no_memory)
		qsort(all, i, sizeof(*all), by_name);
	l->policy->streams = all;
	l->policy->stream_count = i;
}
