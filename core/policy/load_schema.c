/* SPDX-License-Identifier: MIT */
/* A JSON Schema (2020-12) of policies, made from the tables that the loader goes by. For editors. */
#include <stdlib.h>
#include <string.h>

#include "core/plugin/registry.h"
#include "core/policy/load.h"
#include "weft/plugin/role.h"

static json_t *type_of(const char *type)
{
	return json_pack("{s:s}", "type", type);
}

static json_t *words(const char *const *choices)
{
	json_t *all = json_array();

	for (; *choices; choices++)
		json_array_append_new(all, json_string(*choices));
	return all;
}

static json_t *text(const struct weft_policy_key *key)
{
	json_t *o = type_of("string");

	if (key->choices)
		json_object_set_new(o, "enum", words(key->choices));
	else if (key->max)
		json_object_set_new(o, "maxLength", json_integer(key->max));
	return o;
}

static json_t *number(const struct weft_policy_key *key)
{
	return json_pack("{s:s, s:I, s:I}", "type", "integer", "minimum", (json_int_t)key->min,
		"maximum", (json_int_t)key->max);
}

static json_t *list_of(json_t *items)
{
	return json_pack("{s:s, s:o}", "type", "array", "items", items);
}

static json_t *map_of(json_t *values)
{
	return json_pack("{s:s, s:o}", "type", "object", "additionalProperties", values);
}

static json_t *value_schema(const struct weft_policy_key *key)
{
	switch (key->type) {
	case WEFT_POLICY_NUMBER:
		return number(key);
	case WEFT_POLICY_FLAG:
		return type_of("boolean");
	case WEFT_POLICY_TEXTS:
		return list_of(text(key));
	case WEFT_POLICY_NUMBERS:
		return list_of(number(key));
	case WEFT_POLICY_MAP:
		return map_of(type_of("string"));
	case WEFT_POLICY_OBJECT:
		return type_of("object");
	default:
		return text(key);
	}
}

static void add(json_t *object, const struct weft_policy_key *key, json_t *schema)
{
	json_t *required = json_object_get(object, "required");
	char what[400];

	snprintf(what, sizeof(what), "%s%s%s%s", key->what, key->fallback ? " Default: " : "",
		key->fallback ? key->fallback : "", key->fallback ? "." : "");
	json_object_set_new(schema, "description", json_string(what));
	json_object_set_new(json_object_get(object, "properties"), key->name, schema);
	if (!key->fallback)
		json_array_append_new(required, json_string(key->name));
}

static json_t *empty_object(void)
{
	return json_pack("{s:s, s:{}, s:[], s:b}", "type", "object", "properties", "required",
		"additionalProperties", 0);
}

static json_t *object_of(const struct weft_load_key *keys)
{
	json_t *o = empty_object();

	for (; keys->key.name; keys++)
		add(o, &keys->key, value_schema(&keys->key));
	return o;
}

/* Several roles may bring the same key. */
static void add_role(json_t *object, const struct weft_policy_key *keys)
{
	for (; keys && keys->name; keys++) {
		if (!json_object_get(json_object_get(object, "properties"), keys->name))
			add(object, keys, value_schema(keys));
	}
}

static json_t *stream_schema(const struct weft_registry *registry)
{
	json_t *stream = object_of(weft_load_stream_keys), *uses = empty_object();
	const struct weft_plugin *role;

	for (size_t i = 0; (role = weft_registry_at(registry, WEFT_PLUGIN_ROLE, i)); i++) {
		if (!role->role->policy)
			continue;
		add_role(stream, role->role->policy->keys);
		add_role(uses, role->role->policy->uses);
	}
	json_object_set_new(json_object_get(json_object_get(stream, "properties"), "metadata"),
		"additionalProperties", uses);
	return stream;
}

static json_t *make(const struct weft_registry *registry)
{
	const struct {
		const char *name;
		const struct weft_load_key *keys;
	} sections[] = {
		{ "retry", weft_load_retry_keys },
		{ "certs", weft_load_cert_keys },
		{ "trust_stores", weft_load_trust_keys },
		{ "credentials", weft_load_credential_keys },
	};
	json_t *root = object_of(weft_load_top_keys);
	json_t *properties = json_object_get(root, "properties");

	/* an editor is told by this key */
	json_object_set_new(properties, "$schema", type_of("string"));
	json_object_set_new(
		root, "$schema", json_string("https://json-schema.org/draft/2020-12/schema"));
	json_object_set_new(root, "title", json_string("Weft policy"));
	for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++)
		json_object_set_new(json_object_get(properties, sections[i].name),
			"additionalProperties", object_of(sections[i].keys));
	json_object_set_new(json_object_get(properties, "streams"), "additionalProperties",
		stream_schema(registry));
	return root;
}

enum weft_status weft_policy_schema(
	struct weft_registry *registry, char **out, struct weft_error *err)
{
	struct weft_registry *r = NULL;
	enum weft_status st = WEFT_OK;
	json_t *root;

	if (registry)
		r = weft_registry_ref(registry);
	else
		st = weft_registry_create(NULL, &r, err);
	if (st)
		return st;
	st = weft_registry_roles(r, err);
	if (st == WEFT_OK) {
		root = make(r);
		*out = json_dumps(root, JSON_INDENT(2));
		json_decref(root);
		if (!*out)
			st = weft_error_set(err, WEFT_ERR_MEMORY, 0, "no memory for a schema");
	}
	weft_registry_release(r);
	return st;
}
