/* SPDX-License-Identifier: MIT */
/* The sections "trust_stores" and "credentials". */
#include <stdlib.h>
#include <string.h>

#include "core/policy/find.h"
#include "core/policy/load.h"
#include "weft/base64.h"

/* ---- certificates of a store ---- */

static struct weft_load_cert *find_cert(struct weft_loading *l, const char *name)
{
	struct weft_nearest near = { .name = name };

	for (size_t i = 0; i < l->cert_count; i++) {
		if (!strcmp(l->certs[i].name, name))
			return &l->certs[i];
		weft_nearest_try(&near, l->certs[i].name);
	}
	weft_load_wrong(l, NULL, "there is no certificate \"%.60s\"%s%s%s", name,
		near.best ? "; did you mean \"" : "", near.best ? near.best : "",
		near.best ? "\"?" : "");
	return NULL;
}

static size_t count_ders(const struct weft_loading *l, const char *const *names)
{
	size_t n = 0;

	for (; *names; names++) {
		for (size_t i = 0; i < l->cert_count; i++)
			n += strcmp(l->certs[i].name, *names) ? 0 : l->certs[i].count;
	}
	return n;
}

static void load_ca(struct weft_loading *l, json_t *array, struct weft_policy_trust *to)
{
	struct weft_span *all;
	size_t used = 0;

	if (!json_is_array(array))
		return;
	for (size_t i = 0; i < json_array_size(array); i++) {
		if (!json_is_string(json_array_get(array, i)))
			return; /* was told */
	}
	to->certs = weft_load_texts(l, array);
	if (!to->certs || l->no_memory)
		return;
	all = weft_load_alloc(l, (count_ders(l, to->certs) + 1) * sizeof(*all));
	weft_load_push(l, "certs", 0);
	for (size_t i = 0; all && to->certs[i]; i++) {
		struct weft_load_cert *c;

		weft_load_push(l, NULL, i);
		c = find_cert(l, to->certs[i]);
		weft_load_pop(l);
		if (!c)
			continue;
		c->used = true;
		if (c->count)
			memcpy(all + used, c->der, c->count * sizeof(*all));
		used += c->count;
	}
	weft_load_pop(l);
	to->ca = all;
	to->ca_count = all ? weft_load_sort(all, used) : 0;
}

static void load_crl(struct weft_loading *l, json_t *name, struct weft_policy_trust *to)
{
	struct weft_buffer file;
	struct weft_span *der = NULL;
	size_t count = 0;

	if (!json_is_string(name))
		return;
	weft_buffer_init(&file, l->alloc);
	if (weft_load_file(l, "crl_file", json_string_value(name), &file))
		(void)weft_load_der(l, "crl_file",
			(struct weft_span){ weft_buffer_bytes(&file), weft_buffer_len(&file) },
			"CRL", &der, &count);
	weft_buffer_finish(&file);
	to->crl = der;
	to->crl_count = der ? weft_load_sort(der, count) : 0;
}

static int by_bytes(const void *a, const void *b)
{
	return memcmp(a, b, WEFT_SHA256_BYTES);
}

static void load_pins(struct weft_loading *l, json_t *array, struct weft_policy_trust *to)
{
	unsigned char(*pins)[WEFT_SHA256_BYTES];
	size_t count = json_array_size(array), used = 0, kept = 0, i;
	json_t *value;

	if (!json_is_array(array))
		return;
	if (count > WEFT_PINS_MAX)
		weft_load_wrong(l, "pins_sha256", "has %zu pins, expected at most %d", count,
			WEFT_PINS_MAX);
	pins = weft_load_alloc(l, (count + 1) * sizeof(*pins));
	weft_load_push(l, "pins_sha256", 0);
	json_array_foreach(array, i, value)
	{
		const char *text = json_string_value(value);
		size_t len = WEFT_SHA256_BYTES;

		if (!pins || !text)
			continue;
		weft_load_push(l, NULL, i);
		if (!weft_base64_decode(text, strlen(text), false, pins[used], &len) ||
			len != WEFT_SHA256_BYTES)
			weft_load_wrong(
				l, NULL, "expected 32 bytes in base64, of the server's public key");
		else
			used++;
		weft_load_pop(l);
	}
	weft_load_pop(l);
	if (!pins || count > WEFT_PINS_MAX)
		return;
	qsort(pins, used, sizeof(*pins), by_bytes);
	for (i = 0; i < used; i++) {
		if (!kept || memcmp(pins[kept - 1], pins[i], sizeof(*pins)))
			memmove(pins[kept++], pins[i], sizeof(*pins));
	}
	to->pins = (const unsigned char(*)[WEFT_SHA256_BYTES])pins;
	to->pin_count = kept;
}

static void load_trust(struct weft_loading *l, json_t *object, struct weft_policy_trust *to)
{
	json_t *certs = json_object_get(object, "certs");

	if (!weft_load_object(l, object, weft_load_trust_keys, to))
		return;
	weft_load_known(l, object, weft_load_trust_keys);
	load_ca(l, certs, to);
	load_crl(l, json_object_get(object, "crl_file"), to);
	load_pins(l, json_object_get(object, "pins_sha256"), to);
	if (!json_array_size(certs) && !to->system && (!certs || json_is_array(certs)))
		weft_load_wrong(l, NULL, "believes nobody: expected certs, or \"system\": true");
	if (to->hold == WEFT_HOLD_POLICY && l->options->for_static)
		weft_load_wrong(l, "hold",
			"a compiled policy makes nothing up front: expected connection or stream");
	if (to->hold == WEFT_HOLD_POLICY && to->linger_ms)
		weft_load_wrong(l, "linger_ms", "what the policy holds does not linger");
}

void weft_load_trusts(struct weft_loading *l, json_t *section)
{
	size_t count = json_object_size(section), i = 0;
	struct weft_policy_trust *all = weft_load_alloc(l, (count + 1) * sizeof(*all));
	const char *name;
	json_t *value;

	l->trust_used = weft_load_alloc(l, count + 1);
	json_object_foreach(section, name, value)
	{
		if (!all)
			return;
		all[i].name = weft_load_text(l, name, strlen(name));
		weft_load_push(l, name, 0);
		load_trust(l, value, &all[i++]);
		weft_load_pop(l);
	}
	l->policy->trusts = all;
	l->policy->trust_count = i;
}

/* ---- credentials ---- */

static void check_source(struct weft_loading *l, const char *key, const char *text)
{
	if (!text)
		return;
	if ((strncmp(text, "app:", 4) || !text[4]) && (strncmp(text, "file:", 5) || !text[5]))
		weft_load_wrong(l, key, "is \"%.60s\", expected app:NAME or file:PATH", text);
}

/* Relative paths are meant from where the policy is. */
static const char *absolute(struct weft_loading *l, const char *text)
{
	struct weft_buffer path;
	const char *made;

	if (!text || l->options->for_static || strncmp(text, "file:", 5) || text[5] == '/' ||
		!l->folder[0])
		return text;
	weft_buffer_init(&path, l->alloc);
	weft_buffer_printf(&path, "file:%s/%s", l->folder, text + 5);
	l->no_memory |= path.failed;
	made = path.failed ? text
			   : weft_load_text(l, (const char *)weft_buffer_bytes(&path),
				     weft_buffer_len(&path));
	weft_buffer_finish(&path);
	return made;
}

void weft_load_credentials(struct weft_loading *l, json_t *section)
{
	size_t count = json_object_size(section), i = 0;
	struct weft_policy_credential *all = weft_load_alloc(l, (count + 1) * sizeof(*all));
	const char *name;
	json_t *value;

	l->credential_used = weft_load_alloc(l, count + 1);
	json_object_foreach(section, name, value)
	{
		if (!all)
			return;
		all[i].name = weft_load_text(l, name, strlen(name));
		weft_load_push(l, name, 0);
		if (weft_load_object(l, value, weft_load_credential_keys, &all[i])) {
			weft_load_known(l, value, weft_load_credential_keys);
			check_source(l, "cert", all[i].cert);
			check_source(l, "key", all[i].key);
			all[i].cert = absolute(l, all[i].cert);
			all[i].key = absolute(l, all[i].key);
		}
		weft_load_pop(l);
		i++;
	}
	l->policy->credentials = all;
	l->policy->credential_count = i;
}
