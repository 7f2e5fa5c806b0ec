/* SPDX-License-Identifier: MIT */
/* Listeners: an address that one or several vhosts are served at. */
#ifndef WEFT_CORE_VHOST_LISTENER_H
#define WEFT_CORE_VHOST_LISTENER_H

#include "core/system/context.h"
#include "weft/address.h"

struct weft_vhost;

/* Counted: bindings hold it, and conns, which look up vhosts in it. Closed with the last binding. */
struct weft_listener {
	struct weft_context *ctx;
	struct weft_list node; /* of ctx->listeners */
	struct weft_list bindings;
	struct weft_watch watch;
	weft_socket sock; /* WEFT_SOCKET_NONE once closed */
	struct weft_address asked, bound;
	const struct weft_plugin *role;
	const struct weft_scheme *scheme;
	struct weft_timer again; /* after running out of descriptors */
	uint64_t told_us;        /* when that was logged last */
	unsigned refs;
};

/* A vhost at a listener. */
struct weft_binding {
	struct weft_list vhost_node, listener_node;
	struct weft_vhost *vhost;
	struct weft_listener *listener;
};

struct weft_listener *weft_listener_ref(struct weft_listener *l);
void weft_listener_release(struct weft_listener *l);
/* The vhost bound here that is called host, by its full name rather than by a wildcard; or NULL. */
struct weft_vhost *weft_listener_find(const struct weft_listener *l, const char *host);

#endif
