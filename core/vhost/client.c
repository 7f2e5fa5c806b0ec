/* SPDX-License-Identifier: MIT */
/*
 * Clients' vhosts: found by content, made with the first who needs one, gone with the last, or a while later.
 * DESIGN 6.
 */
#include "core/client/tickets.h"
#include "core/system/context.h"
#include "core/system/heap.h"
#include "core/vhost/history.h"
#include "core/vhost/identity.h"
#include "core/vhost/vhost.h"

struct weft_vhost *weft_vhost_client_find(
	const struct weft_context *ctx, const struct weft_trust_spec *trust)
{
	weft_list_each(node, (struct weft_list *)&ctx->vhosts)
	{
		struct weft_vhost *vh = weft_container_of(node, struct weft_vhost, node);

		if (vh->client && !vh->dying && weft_trust_equal(vh->trust, trust))
			return vh;
	}
	return NULL;
}

void weft_vhost_client_wish(struct weft_vhost *vh, const struct weft_policy_trust *from)
{
	if (!from || !vh->trust->from)
		return;
	if (from->linger_ms > vh->linger_ms)
		vh->linger_ms = from->linger_ms;
	if (from->keep_tickets > vh->keep_tickets)
		vh->keep_tickets = from->keep_tickets;
}

/* The same content in the tables of a later policy: those of the one before may go. */
static void take_tables(struct weft_vhost *vh, struct weft_trust_spec *trust)
{
	if (trust->use_serial <= vh->trust->use_serial)
		return;
	weft_trust_ref(trust);
	weft_trust_release(vh->trust);
	vh->trust = trust;
}

static void take_reference(struct weft_vhost *vh, struct weft_trust_spec *trust)
{
	bool lingered = !vh->refs;

	weft_loop_timer_cancel(&vh->ctx->loop, &vh->linger);
	take_tables(vh, trust);
	weft_vhost_client_wish(vh, trust->from);
	vh->refs++;
	weft_history_note(vh->ctx, lingered ? WEFT_VHOST_REVIVED : WEFT_VHOST_SHARED, vh);
}

/* What it takes in time and memory. It may have to read a large store; a turn's time stands still. */
static enum weft_status build(struct weft_vhost *vh, struct weft_error *err)
{
	struct weft_loop *loop = &vh->ctx->loop;
	uint64_t began = loop->net->now(loop->net_state);
	size_t heap = weft_heap_used(&vh->ctx->memory), after;
	enum weft_status st = vh->trust->tls ? weft_vhost_client_tls(vh, err) : WEFT_OK;

	after = weft_heap_used(&vh->ctx->memory);
	vh->heap_bytes = after > heap ? after - heap : 0;
	vh->build_us = loop->net->now(loop->net_state) - began;
	return st;
}

enum weft_status weft_vhost_client(struct weft_context *ctx, struct weft_trust_spec *trust,
	struct weft_vhost **out, struct weft_error *err)
{
	struct weft_vhost *vh = weft_vhost_client_find(ctx, trust);
	enum weft_status st;

	if (vh) {
		take_reference(vh, trust);
		*out = vh;
		return WEFT_OK;
	}
	if (trust->tls && weft_tls_require(ctx, 0, NULL, err))
		return WEFT_ERR_UNSUPPORTED;
	vh = weft_vhost_make(ctx, weft_trust_name(trust), true, err);
	if (!vh)
		return WEFT_ERR_MEMORY;
	vh->trust = weft_trust_ref(trust);
	vh->made_for = trust->use_serial;
	weft_vhost_client_wish(vh, trust->from);
	st = build(vh, err);
	if (st) {
		if (trust->from)
			weft_error_prefix(err, "trust store %s", trust->from->name);
		vh->refs = 0;
		vh->failed = true;
		weft_vhost_free(vh);
		return st;
	}
	weft_history_note(ctx, WEFT_VHOST_MADE, vh);
	*out = vh;
	return WEFT_OK;
}

/* ---- the end ---- */

/* What policies say of tickets counts once the vhost is gone; others are kept as the context has it. */
static void go(struct weft_vhost *vh)
{
	if (vh->trust->from)
		weft_tickets_limit(vh->ctx, vh->trust, vh->keep_tickets);
	weft_vhost_free(vh);
}

static void lingered(struct weft_timer *timer, void *user)
{
	(void)timer;
	go(user);
}

void weft_vhost_client_left(struct weft_vhost *vh)
{
	struct weft_context *ctx = vh->ctx;

	if (!vh->linger_ms || ctx->life != WEFT_LIFE_RUNNING) {
		go(vh);
		return;
	}
	weft_history_note(ctx, WEFT_VHOST_LINGERS, vh);
	weft_loop_timer(&ctx->loop, &vh->linger,
		weft_loop_now(&ctx->loop) + (uint64_t)vh->linger_ms * 1000, lingered, vh);
}

void weft_vhost_client_end(struct weft_vhost *vh)
{
	if (vh->refs)
		return;
	weft_loop_timer_cancel(&vh->ctx->loop, &vh->linger);
	go(vh);
}

/* ---- by whom it is held ---- */

void weft_vhost_hold_stream(struct weft_vhost *vh)
{
	vh->streams++;
}

void weft_vhost_release_stream(struct weft_vhost *vh)
{
	vh->streams--;
	weft_vhost_release(vh);
}

void weft_vhost_hold(struct weft_vhost *vh)
{
	vh->policies++;
}

void weft_vhost_unhold(struct weft_vhost *vh)
{
	vh->policies--;
	weft_vhost_release(vh);
}

void weft_vhost_hold_conn(struct weft_vhost *vh)
{
	vh->conns++;
}

void weft_vhost_release_conn(struct weft_vhost *vh)
{
	vh->conns--;
	weft_vhost_release(vh);
}
