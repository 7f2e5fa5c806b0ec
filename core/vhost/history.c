/* SPDX-License-Identifier: MIT */
/* Telling of vhosts: those that there are, those that there were, and what happened to them. */
#include "core/vhost/history.h"

#include <stdio.h>
#include <string.h>

#include "core/system/context.h"
#include "core/vhost/vhost.h"

const char *weft_vhost_event_name(enum weft_vhost_event_kind kind)
{
	static const char *const names[] = {
		[WEFT_VHOST_MADE] = "made",
		[WEFT_VHOST_FAILED] = "failed",
		[WEFT_VHOST_SHARED] = "shared",
		[WEFT_VHOST_LINGERS] = "lingers",
		[WEFT_VHOST_REVIVED] = "revived",
		[WEFT_VHOST_FREED] = "freed",
	};

	return names[kind];
}

static bool is_called(const struct weft_history_name *n, const char *name)
{
	return n->name[0] && !strncmp(n->name, name, sizeof(n->name) - 1);
}

static const struct weft_history_name *find_name(const struct weft_history *h, const char *name)
{
	for (size_t i = 0; i < WEFT_HISTORY_NAMES; i++) {
		if (is_called(&h->names[i], name))
			return &h->names[i];
	}
	return NULL;
}

/* Its place, or the one that was used longest ago. */
static struct weft_history_name *place_of(struct weft_history *h, const char *name)
{
	struct weft_history_name *oldest = &h->names[0];

	for (size_t i = 0; i < WEFT_HISTORY_NAMES; i++) {
		if (is_called(&h->names[i], name))
			return &h->names[i];
		if (h->names[i].used_us < oldest->used_us)
			oldest = &h->names[i];
	}
	*oldest = (struct weft_history_name){ .made = 0 };
	snprintf(oldest->name, sizeof(oldest->name), "%s", name);
	return oldest;
}

void weft_history_note(
	struct weft_context *ctx, enum weft_vhost_event_kind kind, const struct weft_vhost *vh)
{
	struct weft_history *h = &ctx->history;
	struct weft_vhost_event *e;
	struct weft_history_name *n;

	weft_log(ctx, WEFT_LOG_DEBUG, "vhost %s: %s, %u references", vh->name,
		weft_vhost_event_name(kind), vh->refs);
	if (!vh->client)
		return;
	e = &h->events[h->count++ % WEFT_HISTORY_EVENTS];
	e->kind = kind;
	e->at_us = weft_loop_now(&ctx->loop);
	e->refs = vh->refs;
	snprintf(e->name, sizeof(e->name), "%s", vh->name);
	n = place_of(h, vh->name);
	n->used_us = e->at_us;
	n->tls = vh->trust && vh->trust->tls;
	if (kind != WEFT_VHOST_MADE)
		return;
	n->made++;
	n->build_us = vh->build_us;
	n->heap_bytes = vh->heap_bytes;
}

bool weft_vhost_event(const struct weft_context *ctx, size_t index, struct weft_vhost_event *event)
{
	const struct weft_history *h = &ctx->history;

	if (index >= h->count || index >= WEFT_HISTORY_EVENTS)
		return false;
	*event = h->events[(h->count - 1 - index) % WEFT_HISTORY_EVENTS];
	return true;
}

static enum weft_vhost_state state_of(const struct weft_vhost *vh)
{
	return vh->dying ? WEFT_VHOST_DYING : vh->refs ? WEFT_VHOST_LIVE : WEFT_VHOST_LINGERING;
}

static void tell(
	const struct weft_context *ctx, const struct weft_vhost *vh, struct weft_vhost_info *info)
{
	const struct weft_history_name *n = find_name(&ctx->history, vh->name);

	*info = (struct weft_vhost_info){
		.name = vh->name,
		.client = vh->client,
		.state = state_of(vh),
		.refs = vh->refs,
		.conns = vh->conns,
		.streams = vh->streams,
		.policies = vh->policies,
		.applications = vh->app_ref,
		.tls = vh->client_tls || !weft_list_empty((struct weft_list *)&vh->tls),
		.age_us = weft_context_now(ctx) - vh->made_us,
		.build_us = vh->build_us,
		.heap_bytes = vh->heap_bytes,
		.made = vh->client && n ? n->made : 0,
	};
}

static bool is_there(const struct weft_context *ctx, const struct weft_history_name *n)
{
	weft_list_each(node, (struct weft_list *)&ctx->vhosts)
	{
		const struct weft_vhost *vh = weft_container_of(node, struct weft_vhost, node);

		if (vh->client && is_called(n, vh->name))
			return true;
	}
	return false;
}

bool weft_vhost_info(const struct weft_context *ctx, size_t index, struct weft_vhost_info *info)
{
	weft_list_each(node, (struct weft_list *)&ctx->vhosts)
	{
		if (index--)
			continue;
		tell(ctx, weft_container_of(node, struct weft_vhost, node), info);
		return true;
	}
	for (size_t i = 0; i < WEFT_HISTORY_NAMES; i++) {
		const struct weft_history_name *n = &ctx->history.names[i];

		if (!n->name[0] || is_there(ctx, n) || index--)
			continue;
		*info = (struct weft_vhost_info){
			.name = n->name,
			.client = true,
			.state = WEFT_VHOST_GONE,
			.tls = n->tls,
			.age_us = weft_context_now(ctx) - n->used_us,
			.build_us = n->build_us,
			.heap_bytes = n->heap_bytes,
			.made = n->made,
		};
		return true;
	}
	return false;
}
