/* SPDX-License-Identifier: MIT */
/* Checking descriptors, so that a plugin of another age or kind is refused and never called. */
#include "core/plugin/check.h"

#include <string.h>

#include "core/plugin/check_tables.h"
#include "weft/plugin/event.h"
#include "weft/plugin/role.h"
#include "weft/plugin/tls.h"

/* Of a file's name in a message: what is wrong with it must fit in behind. */
enum { WHERE_MAX = 100 };

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

const char *weft_plugin_where(const char *file)
{
	size_t len = file ? strlen(file) : 0;
	const char *tail, *slash;

	if (!file)
		return "a linked-in plugin";
	if (len <= WHERE_MAX)
		return file;
	tail = file + len - WHERE_MAX;
	slash = strchr(tail, '/');
	return slash ? slash + 1 : tail;
}

enum weft_status weft_plugin_check(
	const struct weft_plugin *p, const char *file, struct weft_error *err)
{
	const char *where = weft_plugin_where(file);

	if (p->magic != WEFT_PLUGIN_MAGIC)
		return weft_error_set(err, WEFT_ERR_PLUGIN, 0,
			"%s: not a Weft plugin (magic 0x%08x, expected 0x%08x)", where, p->magic,
			WEFT_PLUGIN_MAGIC);
	if (p->abi != WEFT_PLUGIN_ABI)
		return weft_error_set(err, WEFT_ERR_ABI, 0,
			"%s: made for plugin ABI %u, this Weft %s has ABI %u: rebuild it with this "
			"Weft's headers",
			where, p->abi, WEFT_VERSION, WEFT_PLUGIN_ABI);
	if (p->size != sizeof(*p))
		return weft_error_set(err, WEFT_ERR_PLUGIN, 0,
			"%s: its descriptor has %zu bytes, expected %zu", where, p->size,
			sizeof(*p));
	if (!name_ok(p->name))
		return weft_error_set(err, WEFT_ERR_PLUGIN, 0,
			"%s: its name is \"%.40s\", expected 1 to 31 of a-z and 0-9", where,
			p->name ? p->name : "");
	if (!p->version)
		return weft_error_set(err, WEFT_ERR_PLUGIN, 0,
			"%s: plugin \"%s\" has no version, expected a text", where, p->name);
	return weft_plugin_check_tables(p, where, err);
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
	{ WEFT_TLS_CAN_RESUME, "resume" },
	{ WEFT_TLS_CAN_CLIENT_AUTH, "client-auth" },
	{ WEFT_TLS_CAN_STAPLE, "staple" },
	{ WEFT_TLS_CAN_SIGN, "sign" },
	{ WEFT_TLS_CAN_PIN, "pin" },
	{ WEFT_TLS_CAN_NAME_CONSTRAINTS, "name-constraints" },
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
