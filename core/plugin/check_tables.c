/* SPDX-License-Identifier: MIT */
/* Checking the tables that a descriptor leads to. */
#include "core/plugin/check_tables.h"

#include <string.h>

#include "core/plugin/check.h"
#include "weft/plugin/event.h"
#include "weft/plugin/role.h"
#include "weft/plugin/tls.h"

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

enum weft_status weft_plugin_check_tables(
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
