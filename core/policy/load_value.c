/* SPDX-License-Identifier: MIT */
/* Single values: their types and bounds, and where they go. */
#include <string.h>

#include "core/policy/find.h"
#include "core/policy/load.h"

static const char *type_name(const struct weft_policy_key *key)
{
	switch (key->type) {
	case WEFT_POLICY_NUMBER:
		return "a whole number";
	case WEFT_POLICY_FLAG:
		return "true or false";
	case WEFT_POLICY_MAP:
		return "an object of texts";
	case WEFT_POLICY_OBJECT:
		return "an object";
	case WEFT_POLICY_TEXTS:
		return "a list of texts";
	case WEFT_POLICY_NUMBERS:
		return "a list of whole numbers";
	default:
		return "a text";
	}
}

static bool has_type(json_t *value, enum weft_policy_type type)
{
	switch (type) {
	case WEFT_POLICY_NUMBER:
		return json_is_integer(value);
	case WEFT_POLICY_FLAG:
		return json_is_boolean(value);
	case WEFT_POLICY_MAP:
	case WEFT_POLICY_OBJECT:
		return json_is_object(value);
	case WEFT_POLICY_TEXTS:
	case WEFT_POLICY_NUMBERS:
		return json_is_array(value);
	default:
		return json_is_string(value);
	}
}

static bool check_number(struct weft_loading *l, json_t *value, const struct weft_policy_key *key)
{
	json_int_t n = json_integer_value(value);

	if (n >= key->min && n <= key->max)
		return true;
	if (key->min == key->max)
		weft_load_wrong(
			l, NULL, "is %lld, expected %lld", (long long)n, (long long)key->min);
	else
		weft_load_wrong(l, NULL, "is %lld, expected %lld to %lld", (long long)n,
			(long long)key->min, (long long)key->max);
	return false;
}

static bool check_choice(
	struct weft_loading *l, const char *word, const struct weft_policy_key *key)
{
	struct weft_nearest near = { .name = word };
	char all[160] = "";
	size_t used = 0;

	for (size_t i = 0; key->choices[i]; i++) {
		if (!strcmp(word, key->choices[i]))
			return true;
		weft_nearest_try(&near, key->choices[i]);
		if (used < sizeof(all))
			used += (size_t)snprintf(all + used, sizeof(all) - used, "%s%s",
				i ? ", " : "", key->choices[i]);
	}
	weft_load_wrong(l, NULL, "is \"%.60s\", expected one of %s%s%s%s", word, all,
		near.best ? "; did you mean \"" : "", near.best ? near.best : "",
		near.best ? "\"?" : "");
	return false;
}

static bool check_text(struct weft_loading *l, json_t *value, const struct weft_policy_key *key)
{
	size_t len = json_string_length(value);

	if (key->choices)
		return check_choice(l, json_string_value(value), key);
	if (key->max && (len < (size_t)key->min || len > (size_t)key->max)) {
		weft_load_wrong(l, NULL, "has %zu bytes, expected %d to %d", len, (int)key->min,
			(int)key->max);
		return false;
	}
	return true;
}

static bool check_elements(struct weft_loading *l, json_t *array, const struct weft_policy_key *key)
{
	bool texts = key->type == WEFT_POLICY_TEXTS, ok = true;
	json_t *value;
	size_t i;

	json_array_foreach(array, i, value)
	{
		weft_load_push(l, NULL, i);
		if (!(texts ? json_is_string(value) : json_is_integer(value))) {
			weft_load_wrong(
				l, NULL, "expected %s", texts ? "a text" : "a whole number");
			ok = false;
		} else if (texts ? !check_text(l, value, key) : !check_number(l, value, key)) {
			ok = false;
		}
		weft_load_pop(l);
	}
	return ok;
}

static bool check_members(struct weft_loading *l, json_t *object, const struct weft_policy_key *key)
{
	const struct weft_policy_key text = { .name = key->name, .type = WEFT_POLICY_TEXT };
	const char *name;
	json_t *value;
	bool ok = true;

	json_object_foreach(object, name, value)
	{
		weft_load_push(l, name, 0);
		if (!json_is_string(value)) {
			weft_load_wrong(l, NULL, "expected a text");
			ok = false;
		} else if (!check_text(l, value, &text)) {
			ok = false;
		}
		weft_load_pop(l);
	}
	return ok;
}

bool weft_load_check(struct weft_loading *l, json_t *value, const struct weft_policy_key *key)
{
	if (!has_type(value, key->type)) {
		weft_load_wrong(l, NULL, "expected %s", type_name(key));
		return false;
	}
	switch (key->type) {
	case WEFT_POLICY_NUMBER:
		return check_number(l, value, key);
	case WEFT_POLICY_TEXTS:
	case WEFT_POLICY_NUMBERS:
		return check_elements(l, value, key);
	case WEFT_POLICY_MAP:
		return check_members(l, value, key);
	case WEFT_POLICY_FLAG:
	case WEFT_POLICY_OBJECT:
		return true;
	default:
		return check_text(l, value, key);
	}
}

static int index_of(const char *word, const char *const *words)
{
	int i = 0;

	while (words[i] && strcmp(words[i], word))
		i++;
	return i;
}

/* Into the table; what is not simple is its section's. */
static void store(struct weft_loading *l, json_t *value, const struct weft_load_key *k, void *to)
{
	json_int_t n = json_integer_value(value);
	void *member;

	if (!k->size)
		return;
	member = (char *)to + k->offset;
	switch (k->key.type) {
	case WEFT_POLICY_TEXT:
	case WEFT_POLICY_TEMPLATE:
		*(const char **)member =
			weft_load_text(l, json_string_value(value), json_string_length(value));
		break;
	case WEFT_POLICY_CHOICE:
		*(int *)member = index_of(json_string_value(value), k->key.choices);
		break;
	case WEFT_POLICY_FLAG:
		*(bool *)member = json_is_true(value);
		break;
	case WEFT_POLICY_NUMBER:
		if (k->size == sizeof(uint16_t))
			*(uint16_t *)member = (uint16_t)n;
		else
			*(uint32_t *)member = (uint32_t)n;
		break;
	default:
		break;
	}
}

static bool is_required(const struct weft_policy_key *key)
{
	return !key->fallback;
}

bool weft_load_object(
	struct weft_loading *l, json_t *object, const struct weft_load_key *keys, void *to)
{
	json_t *value;

	if (!json_is_object(object)) {
		weft_load_wrong(l, NULL, "expected an object");
		return false;
	}
	for (const struct weft_load_key *k = keys; k->key.name; k++) {
		value = json_object_get(object, k->key.name);
		if (!value) {
			if (is_required(&k->key))
				weft_load_wrong(l, NULL, "\"%s\" is missing", k->key.name);
			continue;
		}
		weft_load_push(l, k->key.name, 0);
		if (weft_load_check(l, value, &k->key))
			store(l, value, k, to);
		weft_load_pop(l);
	}
	return true;
}

void weft_load_unknown(struct weft_loading *l, const char *name, const struct weft_load_key *keys,
	const struct weft_policy_key *more)
{
	struct weft_nearest near = { .name = name };

	for (; keys && keys->key.name; keys++)
		weft_nearest_try(&near, keys->key.name);
	for (; more && more->name; more++)
		weft_nearest_try(&near, more->name);
	weft_load_wrong(l, name, "nobody knows this key%s%s%s",
		near.best ? "; did you mean \"" : "", near.best ? near.best : "",
		near.best ? "\"?" : "");
}

void weft_load_known(struct weft_loading *l, json_t *object, const struct weft_load_key *keys)
{
	const struct weft_load_key *k;
	const char *name;
	json_t *value;

	json_object_foreach(object, name, value)
	{
		for (k = keys; k->key.name && strcmp(k->key.name, name);)
			k++;
		if (!k->key.name)
			weft_load_unknown(l, name, keys, NULL);
	}
}

const char *const *weft_load_texts(struct weft_loading *l, json_t *array)
{
	const char **texts = weft_load_alloc(l, (json_array_size(array) + 1) * sizeof(*texts));
	json_t *value;
	size_t i;

	json_array_foreach(array, i, value)
	{
		if (texts)
			texts[i] = weft_load_text(
				l, json_string_value(value), json_string_length(value));
	}
	return texts;
}
