/* SPDX-License-Identifier: MIT */
/* The sections "certs" and "retry". */
#include <string.h>

#include "core/policy/load.h"
#include "weft/base64.h"

static void from_base64(struct weft_loading *l, const char *text, struct weft_load_cert *cert)
{
	size_t len = strlen(text);
	struct weft_buffer bytes;
	unsigned char *der;

	weft_buffer_init(&bytes, l->alloc);
	der = weft_buffer_reserve(&bytes, len + 1);
	if (!der)
		l->no_memory = true;
	else if (!weft_base64_decode(text, len, true, der, &len) || !len)
		weft_load_wrong(l, "der_base64", "is no base64: RFC 4648 section 4, with padding");
	else if (der[0] != 0x30)
		weft_load_wrong(l, "der_base64", "is no certificate in DER");
	else
		(void)weft_load_der(l, "der_base64", (struct weft_span){ der, len }, "certificate",
			&cert->der, &cert->count);
	weft_buffer_finish(&bytes);
}

static void from_file(
	struct weft_loading *l, const char *key, const char *name, struct weft_load_cert *cert)
{
	struct weft_span bytes;
	struct weft_buffer file;

	weft_buffer_init(&file, l->alloc);
	if (weft_load_file(l, key, name, &file)) {
		bytes = (struct weft_span){ weft_buffer_bytes(&file), weft_buffer_len(&file) };
		if (!strcmp(key, "der_file") && (!bytes.len || bytes.ptr[0] != 0x30))
			weft_load_wrong(l, key, "%s is no certificate in DER", name);
		else
			(void)weft_load_der(l, key, bytes, "certificate", &cert->der, &cert->count);
	}
	weft_buffer_finish(&file);
}

static void load_cert(struct weft_loading *l, json_t *object, struct weft_load_cert *cert)
{
	const char *key = NULL, *text = NULL;
	unsigned given = 0;

	if (!weft_load_object(l, object, weft_load_cert_keys, NULL))
		return;
	weft_load_known(l, object, weft_load_cert_keys);
	for (const struct weft_load_key *k = weft_load_cert_keys; k->key.name; k++) {
		json_t *value = json_object_get(object, k->key.name);

		given += value != NULL;
		if (!json_is_string(value))
			continue;
		key = k->key.name;
		text = json_string_value(value);
	}
	if (given != 1)
		weft_load_wrong(l, NULL,
			"has %s of pem_file, der_file and der_base64, expected one",
			given ? "several" : "none");
	else if (text && !strcmp(key, "der_base64"))
		from_base64(l, text, cert);
	else if (text)
		from_file(l, key, text, cert);
}

void weft_load_certs(struct weft_loading *l, json_t *section)
{
	const char *name;
	json_t *value;
	size_t i = 0;

	l->certs = weft_load_alloc(l, (json_object_size(section) + 1) * sizeof(*l->certs));
	json_object_foreach(section, name, value)
	{
		if (!l->certs)
			return;
		l->certs[i].name = weft_load_text(l, name, strlen(name));
		weft_load_push(l, name, 0);
		load_cert(l, value, &l->certs[i]);
		weft_load_pop(l);
		l->cert_count = ++i;
	}
}

/* ---- retry ---- */

static void load_backoff(struct weft_loading *l, json_t *array, struct weft_policy_retry *to)
{
	size_t count = json_array_size(array), i;
	uint32_t *all;
	json_t *value;

	if (!json_is_array(array))
		return; /* was told */
	if (!count)
		weft_load_wrong(l, "backoff_ms", "is empty, expected at least one time");
	all = weft_load_alloc(l, (count + 1) * sizeof(*all));
	json_array_foreach(array, i, value)
	{
		if (all)
			all[i] = (uint32_t)json_integer_value(value);
	}
	to->backoff_ms = all;
	to->backoff_count = all ? count : 0;
}

static void load_retry(struct weft_loading *l, json_t *object, struct weft_policy_retry *to)
{
	if (!weft_load_object(l, object, weft_load_retry_keys, to))
		return;
	weft_load_known(l, object, weft_load_retry_keys);
	load_backoff(l, json_object_get(object, "backoff_ms"), to);
	if (to->validity_hangup_ms && to->validity_ping_ms >= to->validity_hangup_ms)
		weft_load_wrong(l, "validity_hangup_ms",
			"is %u, expected more than validity_ping_ms (%u), or nobody would be asked",
			to->validity_hangup_ms, to->validity_ping_ms);
}

void weft_load_retries(struct weft_loading *l, json_t *section)
{
	size_t count = json_object_size(section), i = 0;
	struct weft_policy_retry *all = weft_load_alloc(l, (count + 1) * sizeof(*all));
	const char *name;
	json_t *value;

	l->retry_used = weft_load_alloc(l, count + 1);
	json_object_foreach(section, name, value)
	{
		if (!all)
			return;
		all[i].name = weft_load_text(l, name, strlen(name));
		weft_load_push(l, name, 0);
		load_retry(l, value, &all[i++]);
		weft_load_pop(l);
	}
	l->policy->retries = all;
	l->policy->retry_count = i;
}
