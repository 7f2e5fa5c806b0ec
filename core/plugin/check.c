/* SPDX-License-Identifier: MIT */
/* Checking descriptors, so that a plugin of another age or kind is refused and never called. */
#include "core/plugin/check.h"

#include <string.h>

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

/* Ops that have no default: a plugin without one of them would be called at address 0 some day. */
struct op {
	const char *name;
	size_t at;
};

#define OP(table, member)                               \
	{                                               \
#member, offsetof(struct table, member) \
	}

static const struct op event_needs[] = {
	OP(weft_event_ops, create),
	OP(weft_event_ops, destroy),
	OP(weft_event_ops, watch),
	OP(weft_event_ops, interest),
	OP(weft_event_ops, unwatch),
	OP(weft_event_ops, deadline),
	OP(weft_event_ops, wake),
	OP(weft_event_ops, run),
	{ NULL, 0 },
};

static const struct op net_needs[] = {
	OP(weft_net_ops, socket),
	OP(weft_net_ops, bind),
	OP(weft_net_ops, listen),
	OP(weft_net_ops, accept),
	OP(weft_net_ops, connect),
	OP(weft_net_ops, recv),
	OP(weft_net_ops, sendv),
	OP(weft_net_ops, shutdown),
	OP(weft_net_ops, close),
	OP(weft_net_ops, error),
	OP(weft_net_ops, names),
	OP(weft_net_ops, option),
	OP(weft_net_ops, now),
	OP(weft_net_ops, wall),
	OP(weft_net_ops, random),
	{ NULL, 0 },
};

static const struct op tls_needs[] = {
	OP(weft_tls_ops, ctx_create),
	OP(weft_tls_ops, ctx_destroy),
	OP(weft_tls_ops, session_create),
	OP(weft_tls_ops, session_destroy),
	OP(weft_tls_ops, handshake),
	OP(weft_tls_ops, decrypt),
	OP(weft_tls_ops, encrypt),
	OP(weft_tls_ops, close_notify),
	OP(weft_tls_ops, info),
	{ NULL, 0 },
};

static const struct op role_needs[] = {
	OP(weft_role_ops, attach),
	OP(weft_role_ops, detach),
	OP(weft_role_ops, input),
	OP(weft_role_ops, output),
	OP(weft_role_ops, ready),
	OP(weft_role_ops, credit),
	OP(weft_role_ops, reset),
	{ NULL, 0 },
};

/* One table of a plugin: whether it is there, as long as it is here, and has what it must have. */
static enum weft_status check_table(const struct weft_plugin *p, const char *where,
	const char *what, const void *table, size_t expected, const struct op *needs,
	struct weft_error *err)
{
	const char *kind = weft_plugin_kind_name(p->kind);
	void (*fn)(void);
	size_t size;

	if (!table)
		return weft_error_set(err, WEFT_ERR_PLUGIN, 0,
			"%s: %s plugin \"%s\" has no %s, expected one of %zu bytes", where, kind,
			p->name, what, expected);
	memcpy(&size, table, sizeof(size)); /* the first field of each */
	if (size != expected)
		return weft_error_set(err, WEFT_ERR_PLUGIN, 0,
			"%s: %s plugin \"%s\": its %s has %zu bytes, expected %zu", where, kind,
			p->name, what, size, expected);
	for (; needs && needs->name; needs++) {
		memcpy(&fn, (const char *)table + needs->at, sizeof(fn));
		if (!fn)
			return weft_error_set(err, WEFT_ERR_PLUGIN, 0,
				"%s: %s plugin \"%s\": its %s has NULL for %s, expected a function",
				where, kind, p->name, what, needs->name);
	}
	return WEFT_OK;
}

static enum weft_status check_event(
	const struct weft_plugin *p, const char *where, struct weft_error *err)
{
	enum weft_status st =
		check_table(p, where, "ops table", p->event, sizeof(*p->event), event_needs, err);

	if (st == WEFT_OK && p->event->net)
		st = check_table(p, where, "net table", p->event->net, sizeof(*p->event->net),
			net_needs, err);
	return st;
}

static enum weft_status check_role(
	const struct weft_plugin *p, const char *where, struct weft_error *err)
{
	const struct weft_role_ops *ops;
	enum weft_status st =
		check_table(p, where, "role table", p->role, sizeof(*p->role), NULL, err);

	if (st)
		return st;
	ops = p->role->ops;
	st = check_table(p, where, "ops table", ops, sizeof(*ops), role_needs, err);
	if (st == WEFT_OK && !ops->capacity != !ops->open)
		return weft_error_set(err, WEFT_ERR_PLUGIN, 0,
			"%s: role plugin \"%s\": its ops table has NULL for %s, expected it beside "
			"%s",
			where, p->name, ops->open ? "capacity" : "open",
			ops->open ? "open" : "capacity");
	return st;
}

static enum weft_status check_tls(
	const struct weft_plugin *p, const char *where, struct weft_error *err)
{
	enum weft_status st =
		check_table(p, where, "ops table", p->tls, sizeof(*p->tls), tls_needs, err);

	if (st)
		return st;
	if (p->tls->caps & WEFT_TLS_CAN_RESUME && !p->tls->session_export)
		return weft_error_set(err, WEFT_ERR_PLUGIN, 0,
			"%s: tls plugin \"%s\": its ops table has NULL for session_export, "
			"expected a function, since its caps have resume",
			where, p->name);
	if (p->tls->caps & WEFT_TLS_CAN_CLIENT_AUTH && !p->tls->peer_cert)
		return weft_error_set(err, WEFT_ERR_PLUGIN, 0,
			"%s: tls plugin \"%s\": its ops table has NULL for peer_cert, "
			"expected a function, since its caps have client-auth",
			where, p->name);
	return WEFT_OK;
}

static enum weft_status check_ops(
	const struct weft_plugin *p, const char *where, struct weft_error *err)
{
	switch (p->kind) {
	case WEFT_PLUGIN_EVENT:
		return check_event(p, where, err);
	case WEFT_PLUGIN_TLS:
		return check_tls(p, where, err);
	case WEFT_PLUGIN_ROLE:
		return check_role(p, where, err);
	}
	return weft_error_set(err, WEFT_ERR_PLUGIN, 0,
		"%s: a plugin of kind %d, expected %d (event), %d (tls) or %d (role)", where,
		(int)p->kind, WEFT_PLUGIN_EVENT, WEFT_PLUGIN_TLS, WEFT_PLUGIN_ROLE);
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
			"%s: made for plugin ABI %u, this Weft %s has ABI %u", where, p->abi,
			WEFT_VERSION, WEFT_PLUGIN_ABI);
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
	return check_ops(p, where, err);
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
