/* SPDX-License-Identifier: MIT */
/* Checking descriptors, so that a plugin of another age or kind is refused and never called. */
#include "core/plugin/check.h"

#include <string.h>

#include "weft/plugin/event.h"
#include "weft/plugin/role.h"
#include "weft/plugin/tls.h"

const char *weft_plugin_kind_name(enum weft_plugin_kind kind)
{
	switch (kind) {
	case WEFT_PLUGIN_EVENT:
		return "event";
	case WEFT_PLUGIN_TLS:
		return "tls";
	case WEFT_PLUGIN_ROLE:
		return "role";
	}
	return "?";
}

static bool name_ok(const char *name)
{
	size_t n = name ? strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789") : 0;

	return n && n < 32 && !name[n];
}

/* What the plugin says its ops' size is, and what it is here; 0 where the pointer is missing. */
static size_t ops_size(const struct weft_plugin *p, size_t *expected)
{
	switch (p->kind) {
	case WEFT_PLUGIN_EVENT:
		*expected = sizeof(struct weft_event_ops);
		return p->event ? p->event->size : 0;
	case WEFT_PLUGIN_TLS:
		*expected = sizeof(struct weft_tls_ops);
		return p->tls ? p->tls->size : 0;
	case WEFT_PLUGIN_ROLE:
		*expected = sizeof(struct weft_role_ops);
		return p->role && p->role->size == sizeof(struct weft_role) && p->role->ops
			       ? p->role->ops->size
			       : 0;
	}
	return 0;
}

enum weft_status weft_plugin_check(
	const struct weft_plugin *p, const char *file, struct weft_error *err)
{
	const char *where = file ? file : "a linked-in plugin";
	size_t expected = 0, size;

	if (p->magic != WEFT_PLUGIN_MAGIC)
		return weft_error_set(err, WEFT_ERR_PLUGIN, 0,
			"%s: not a Weft plugin (magic 0x%08x, expected 0x%08x)", where, p->magic,
			WEFT_PLUGIN_MAGIC);
	if (p->abi != WEFT_PLUGIN_ABI)
		return weft_error_set(err, WEFT_ERR_ABI, 0,
			"%s: made for plugin ABI %u, this Weft %s has ABI %u", where, p->abi,
			WEFT_VERSION, WEFT_PLUGIN_ABI);
	if (p->size != sizeof(*p))
		return weft_error_set(err, WEFT_ERR_PLUGIN, 0,
			"%s: its descriptor has %zu bytes, expected %zu", where, p->size,
			sizeof(*p));
	if (p->kind < WEFT_PLUGIN_EVENT || p->kind > WEFT_PLUGIN_ROLE)
		return weft_error_set(err, WEFT_ERR_PLUGIN, 0,
			"%s: kind %d is none of event, tls, role", where, (int)p->kind);
	if (!name_ok(p->name))
		return weft_error_set(err, WEFT_ERR_PLUGIN, 0,
			"%s: its name must be 1 to 31 of a-z and 0-9", where);
	size = ops_size(p, &expected);
	if (size != expected)
		return weft_error_set(err, WEFT_ERR_PLUGIN, 0,
			"%s: %s plugin \"%s\" has ops of %zu bytes, expected %zu", where,
			weft_plugin_kind_name(p->kind), p->name, size, expected);
	return WEFT_OK;
}

struct cap_word {
	unsigned flag;
	const char *word;
};

static const struct cap_word event_words[] = { { WEFT_EVENT_CAN_ADOPT, "adopt" }, { 0, NULL } };
static const struct cap_word tls_words[] = {
	{ WEFT_TLS_CAN_TLS12, "tls1.2" },
	{ WEFT_TLS_CAN_TLS13, "tls1.3" },
	{ WEFT_TLS_CAN_ALPN, "alpn" },
	{ WEFT_TLS_CAN_CRL, "crl" },
	{ 0, NULL },
};
static const struct cap_word role_words[] = {
	{ WEFT_ROLE_CLIENT, "client" },
	{ WEFT_ROLE_SERVER, "server" },
	{ WEFT_ROLE_MUX, "mux" },
	{ WEFT_ROLE_UPGRADE, "upgrade" },
	{ 0, NULL },
};

void weft_plugin_caps(const struct weft_plugin *p, const char *words[16])
{
	const struct cap_word *w = p->kind == WEFT_PLUGIN_EVENT ? event_words
				   : p->kind == WEFT_PLUGIN_TLS ? tls_words
								: role_words;
	unsigned caps = p->kind == WEFT_PLUGIN_EVENT ? p->event->caps
			: p->kind == WEFT_PLUGIN_TLS ? p->tls->caps
						     : p->role->caps;
	size_t n = 0;

	for (; w->word && n < 15; w++) {
		if (caps & w->flag)
			words[n++] = w->word;
	}
	words[n] = NULL;
}
