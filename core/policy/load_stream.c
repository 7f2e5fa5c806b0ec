/* SPDX-License-Identifier: MIT */
/* What a stream says to its role, and whether what it says goes together. */
#include "core/policy/load_stream.h"

#include <string.h>

#include "core/net/proxy.h"
#include "core/plugin/registry.h"
#include "core/policy/find.h"
#include "weft/address.h"
#include "weft/plugin/role.h"

static const struct weft_policy_key *find_key(const struct weft_policy_key *keys, const char *name)
{
	for (; keys && keys->name; keys++) {
		if (!strcmp(keys->name, name))
			return keys;
	}
	return NULL;
}

void weft_load_not_of(struct weft_loading *l, const struct weft_plugin *role, const char *name,
	const struct weft_policy_key *own)
{
	const struct weft_plugin *other, *found = NULL;

	for (size_t i = 0; (other = weft_registry_at(l->registry, WEFT_PLUGIN_ROLE, i)); i++) {
		/* of several the one that can be spoken with anybody */
		if (other->role->policy && find_key(other->role->policy->keys, name) &&
			(!found || !(other->role->caps & WEFT_ROLE_NEGOTIATED)))
			found = other;
	}
	if (!found)
		weft_load_unknown(l, name, weft_load_stream_keys, own);
	else if (role) /* else nobody knows whose keys it has, which was told */
		weft_load_wrong(l, name, "role %s knows this key, and the stream's role is %s",
			found->name, role->name);
}

/* ---- the role's values ---- */

static struct weft_policy_pair *load_pairs(struct weft_loading *l, json_t *object)
{
	struct weft_policy_pair *pairs =
		weft_load_alloc(l, (json_object_size(object) + 1) * sizeof(*pairs));
	const char *name;
	json_t *value;
	size_t i = 0;

	json_object_foreach(object, name, value)
	{
		if (!pairs)
			return NULL;
		pairs[i].name = weft_load_text(l, name, strlen(name));
		pairs[i++].value =
			weft_load_text(l, json_string_value(value), json_string_length(value));
	}
	return pairs;
}

static void load_value(struct weft_loading *l, json_t *json, const struct weft_policy_key *key,
	struct weft_policy_value *to)
{
	to->key = weft_load_text(l, key->name, strlen(key->name));
	switch (key->type) {
	case WEFT_POLICY_NUMBER:
		to->number = json_integer_value(json);
		break;
	case WEFT_POLICY_FLAG:
		to->number = json_is_true(json);
		break;
	case WEFT_POLICY_MAP:
		to->pairs = load_pairs(l, json);
		to->pair_count = to->pairs ? json_object_size(json) : 0;
		break;
	default:
		to->text = weft_load_text(l, json_string_value(json), json_string_length(json));
	}
}

bool weft_load_values(struct weft_loading *l, json_t *object, const struct weft_plugin *role,
	struct weft_policy_stream *s)
{
	const struct weft_role_policy *own = role->role->policy;
	struct weft_policy_value *values;
	size_t used = 0, before = l->error_count;

	if (!own || !own->keys)
		return true;
	values = weft_load_alloc(l, (json_object_size(object) + 1) * sizeof(*values));
	for (const struct weft_policy_key *k = own->keys; k->name && values; k++) {
		json_t *json = json_object_get(object, k->name);

		if (!json && !k->fallback)
			weft_load_wrong(l, NULL, "\"%s\" is missing", k->name);
		if (!json)
			continue;
		weft_load_push(l, k->name, 0);
		if (weft_load_check(l, json, k))
			load_value(l, json, k, &values[used++]);
		weft_load_pop(l);
	}
	s->values = values;
	s->value_count = used;
	return l->error_count == before;
}

void weft_load_ask_role(
	struct weft_loading *l, const struct weft_plugin *role, const struct weft_policy_stream *s)
{
	const struct weft_role_policy *own = role->role->policy;
	struct weft_error why;
	const char *key = NULL;

	if (l->no_memory || !own || !own->check || own->check(s, &key, &why) == WEFT_OK)
		return;
	if (key && find_key(own->keys, key))
		weft_load_wrong(l, key, "%s", why.text);
	else if (key) {
		weft_load_push(l, "metadata", 0);
		weft_load_wrong(l, key, "%s", why.text);
		weft_load_pop(l);
	} else
		weft_load_wrong(l, NULL, "%s", why.text);
}

/* ---- metadata ---- */

static const struct weft_policy_key *uses_of(struct weft_loading *l, json_t *object)
{
	const char *protocol = json_string_value(json_object_get(object, "protocol"));
	const struct weft_plugin *role;

	for (size_t i = 0; (role = weft_registry_at(l->registry, WEFT_PLUGIN_ROLE, i)); i++) {
		const struct weft_role_policy *own = role->role->policy;

		if (protocol && strcmp(protocol, "auto") ? !strcmp(role->name, protocol)
							 : own && own->automatic)
			return own ? own->uses : NULL;
	}
	return NULL;
}

static bool load_uses(struct weft_loading *l, json_t *item, const struct weft_policy_key *uses,
	struct weft_policy_metadata *m)
{
	size_t before = l->error_count;
	const char *name;
	json_t *value;

	if (!json_is_object(item)) {
		weft_load_wrong(l, NULL, "expected an object");
		return false;
	}
	json_object_foreach(item, name, value)
	{
		const struct weft_policy_key *k = find_key(uses, name);

		if (!k) {
			weft_load_unknown(l, name, NULL, uses);
			continue;
		}
		weft_load_push(l, name, 0);
		(void)weft_load_check(l, value, k);
		weft_load_pop(l);
	}
	m->uses = load_pairs(l, item);
	m->use_count = m->uses ? json_object_size(item) : 0;
	return l->error_count == before;
}

bool weft_load_metadata(struct weft_loading *l, json_t *object, struct weft_policy_stream *s)
{
	json_t *all = json_object_get(object, "metadata"), *item;
	const struct weft_policy_key *uses = uses_of(l, object);
	struct weft_policy_metadata *list;
	const char *name;
	bool ok = true;
	size_t i = 0;

	if (!json_is_object(all))
		return true; /* was told, if it is there */
	list = weft_load_alloc(l, (json_object_size(all) + 1) * sizeof(*list));
	weft_load_push(l, "metadata", 0);
	json_object_foreach(all, name, item)
	{
		if (!list)
			break;
		list[i].name = weft_load_text(l, name, strlen(name));
		weft_load_push(l, name, 0);
		ok &= load_uses(l, item, uses, &list[i++]);
		weft_load_pop(l);
	}
	weft_load_pop(l);
	s->metadata = list;
	s->metadata_count = i;
	return ok;
}

/* ---- what goes together ---- */

/* Or an address, which may have colons, but not just one. */
static bool is_host(const char *text)
{
	const char *colon = strchr(text, ':');

	return !strpbrk(text, "/?#@ \t\r\n") && (!colon || strchr(colon + 1, ':'));
}

void weft_load_check_place(struct weft_loading *l, const struct weft_policy_stream *s)
{
	bool unix_socket = s->endpoint && !strncmp(s->endpoint, "unix:", 5);
	struct weft_address addr;
	struct weft_error why;
	struct weft_proxy proxy;

	if (s->endpoint && (!s->endpoint[0] || (unix_socket && !s->endpoint[5])))
		weft_load_wrong(l, "endpoint", "is empty: expected a host, or unix:/path");
	else if (s->endpoint && !unix_socket && !is_host(s->endpoint))
		weft_load_wrong(l, "endpoint", "is \"%.60s\", expected a host alone, or unix:/path",
			s->endpoint);
	if (s->sni && !is_host(s->sni))
		weft_load_wrong(l, "sni", "is \"%.60s\", expected a host name", s->sni);
	if (s->local_address && weft_address_parse(s->local_address, 0, &addr, &why))
		weft_load_wrong(l, "local_address", "%s", why.text);
	if (!s->proxy)
		return;
	if (unix_socket)
		weft_load_wrong(l, "proxy", "a Unix socket is not reached through a proxy");
	if (weft_proxy_parse(s->proxy, &proxy, &why))
		weft_load_wrong(l, "proxy",
			"is \"%.60s\", expected http://HOST:PORT or socks5://HOST:PORT", s->proxy);
}

/* What makes a connection one that is for this host alone. */
static void check_coalesce(
	struct weft_loading *l, json_t *object, const struct weft_policy_stream *s)
{
	const struct {
		const char *key;
		bool given;
	} own[] = {
		{ "credential", json_object_get(object, "credential") != NULL },
		{ "allow", s->allow != 0 },
		{ "sni", s->sni != NULL },
		{ "proxy", s->proxy != NULL },
	};

	if (!s->coalesce || !s->tls)
		return;
	if (s->share == WEFT_SHARE_ALONE)
		weft_load_wrong(l, "coalesce",
			"has no effect on a connection that is not shared (\"share\": \"alone\")");
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
		if (own[i].given)
			weft_load_wrong(l, "coalesce",
				"has no effect with %s: such a connection serves one host",
				own[i].key);
	}
}

void weft_load_check_tls(struct weft_loading *l, json_t *object, const struct weft_policy_stream *s)
{
	static const char *const keys[] = { "trust_store", "credential", "allow", "sni", "alpn",
		"handshake_ms", "warm_holds", "coalesce" };

	for (size_t i = 0; !s->tls && i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (json_object_get(object, keys[i]))
			weft_load_wrong(l, keys[i], "makes no sense without TLS (\"tls\": false)");
	}
	if (s->share == WEFT_SHARE_ALONE && s->keep_warm_ms && s->keep_warm_ms != UINT32_MAX)
		weft_load_wrong(l, "keep_warm_ms",
			"nobody would use a connection again that is not shared "
			"(\"share\": \"alone\")");
	check_coalesce(l, object, s);
}

/* ---- templates ---- */

static bool is_declared(const struct weft_policy_stream *s, const char *name, size_t len)
{
	for (size_t i = 0; i < s->metadata_count; i++) {
		if (strlen(s->metadata[i].name) == len && !memcmp(s->metadata[i].name, name, len))
			return true;
	}
	return false;
}

static void check_template(struct weft_loading *l, const struct weft_policy_stream *s,
	const char *key, const char *text)
{
	const char *open, *close;

	while (text && (open = strstr(text, "${"))) {
		close = strchr(open, '}');
		if (!close) {
			weft_load_wrong(l, key, "has ${ without }");
			return;
		}
		open += 2;
		if (!is_declared(s, open, (size_t)(close - open)))
			weft_load_wrong(l, key, "asks for ${%.*s}, which metadata does not have",
				(int)(close - open), open);
		text = close + 1;
	}
}

static bool is_in(const char *text, const char *name)
{
	size_t len = strlen(name);

	for (const char *at = text; at && (at = strstr(at, "${")); at += 2) {
		if (!strncmp(at + 2, name, len) && at[2 + len] == '}')
			return true;
	}
	return false;
}

static bool is_used(const struct weft_policy_stream *s, const struct weft_policy_metadata *m)
{
	if (m->use_count || is_in(s->endpoint, m->name))
		return true;
	for (size_t i = 0; i < s->value_count; i++) {
		const struct weft_policy_value *v = &s->values[i];

		if (is_in(v->text, m->name))
			return true;
		for (size_t k = 0; k < v->pair_count; k++) {
			if (is_in(v->pairs[k].value, m->name))
				return true;
		}
	}
	return false;
}

void weft_load_check_templates(struct weft_loading *l, const struct weft_policy_stream *s)
{
	if (l->no_memory)
		return;
	check_template(l, s, "endpoint", s->endpoint);
	for (size_t i = 0; i < s->value_count; i++) {
		const struct weft_policy_value *v = &s->values[i];

		check_template(l, s, v->key, v->text);
		weft_load_push(l, v->key, 0);
		for (size_t k = 0; k < v->pair_count; k++)
			check_template(l, s, v->pairs[k].name, v->pairs[k].value);
		weft_load_pop(l);
	}
	weft_load_push(l, "metadata", 0);
	for (size_t i = 0; i < s->metadata_count; i++) {
		if (!is_used(s, &s->metadata[i]))
			weft_load_warn(l, s->metadata[i].name, "nobody uses this metadata");
	}
	weft_load_pop(l);
}
