/* SPDX-License-Identifier: MIT */
/* The client's tickets: kept, given out once, forgotten in time. */
#include "core/client/tickets.h"

#include <string.h>

#include "core/client/entry.h"
#include "core/vhost/trust.h"
#include "core/vhost/vhost.h"
#include "weft/plugin/tls.h"

enum {
	BYTES_MAX = 16384, /* a ticket; with a client's and a server's chain in it */
	PER_KEY = 4,       /* so that one busy place leaves room for others */
};

static struct weft_ticket *of(struct weft_list *node)
{
	return weft_container_of(node, struct weft_ticket, node);
}

void weft_ticket_free(struct weft_ticket *t)
{
	const struct weft_allocator *alloc;

	if (!t)
		return;
	alloc = &t->ctx->memory.alloc;
	if (weft_list_linked(&t->node)) {
		weft_list_remove(&t->node);
		t->ctx->ticket_count--;
	}
	weft_pool_key_free(alloc, &t->key);
	if (t->bytes)
		explicit_bzero(t->bytes, t->len);
	weft_free(alloc, t->bytes, t->len);
	weft_free(alloc, t, sizeof(*t));
}

static void expire(struct weft_timer *timer, void *user);

/* One timer for all, at the first that is due. */
static void set_timer(struct weft_context *ctx)
{
	uint64_t due = WEFT_NEVER;

	weft_list_each(node, &ctx->tickets) due = of(node)->due_us < due ? of(node)->due_us : due;
	if (due == WEFT_NEVER)
		weft_loop_timer_cancel(&ctx->loop, &ctx->ticket_timer);
	else
		weft_loop_timer(&ctx->loop, &ctx->ticket_timer, due, expire, ctx);
}

static void expire(struct weft_timer *timer, void *user)
{
	struct weft_context *ctx = user;
	uint64_t now = weft_loop_now(&ctx->loop);

	(void)timer;
	weft_list_each_safe(node, &ctx->tickets)
	{
		if (of(node)->due_us <= now)
			weft_ticket_free(of(node));
	}
	set_timer(ctx);
}

struct weft_ticket *weft_tickets_take(struct weft_context *ctx, const struct weft_pool_key *key)
{
	for (struct weft_list *node = ctx->tickets.prev; node != &ctx->tickets; node = node->prev) {
		struct weft_ticket *t = of(node);

		if (!weft_pool_key_equal(&t->key, key))
			continue;
		weft_list_remove(node);
		ctx->ticket_count--;
		set_timer(ctx);
		return t;
	}
	return NULL;
}

/* Makes room for one more, for key: the oldest go. */
static void make_room(struct weft_context *ctx, const struct weft_pool_key *key)
{
	struct weft_ticket *oldest = NULL;
	unsigned same = 0;

	weft_list_each(node, &ctx->tickets)
	{
		if (!weft_pool_key_equal(&of(node)->key, key))
			continue;
		oldest = oldest ? oldest : of(node);
		same++;
	}
	if (same >= PER_KEY)
		weft_ticket_free(oldest);
	else if (ctx->ticket_count >= ctx->ticket_max)
		weft_ticket_free(of(ctx->tickets.next));
}

static void keep(struct weft_ticket *t)
{
	make_room(t->ctx, &t->key);
	weft_list_append(&t->ctx->tickets, &t->node);
	t->ctx->ticket_count++;
	set_timer(t->ctx);
}

/* Those of one trust hold one copy of it, and not each the one of its stream. */
static struct weft_trust_spec *shared_trust(struct weft_context *ctx, struct weft_trust_spec *trust)
{
	weft_list_each(node, &ctx->tickets)
	{
		if (weft_trust_equal(of(node)->key.trust, trust))
			return of(node)->key.trust;
	}
	return trust;
}

void weft_tickets_put(
	struct weft_context *ctx, const struct weft_pool_key *key, struct weft_span bytes)
{
	const struct weft_allocator *alloc = &ctx->memory.alloc;
	struct weft_pool_key shared = *key;
	struct weft_ticket *t;

	if (!ctx->ticket_max || ctx->life != WEFT_LIFE_RUNNING || !bytes.len ||
		bytes.len > BYTES_MAX || weft_trust_outdated(ctx, key->trust))
		return;
	shared.trust = shared_trust(ctx, key->trust);
	t = weft_zalloc(alloc, sizeof(*t));
	if (!t)
		return;
	t->ctx = ctx;
	t->len = bytes.len;
	t->due_us = weft_loop_now(&ctx->loop) + (uint64_t)WEFT_TLS_TICKET_LIFETIME_S * 1000000;
	t->bytes = weft_alloc(alloc, bytes.len);
	if (!t->bytes || !weft_pool_key_copy(alloc, &t->key, &shared)) {
		weft_ticket_free(t);
		return;
	}
	memcpy(t->bytes, bytes.ptr, bytes.len);
	keep(t);
	/* one that came to a warm connection whose vhost is gone */
	if (key->trust->from && !weft_vhost_client_find(ctx, key->trust))
		weft_tickets_limit(ctx, key->trust, key->trust->from->keep_tickets);
}

void weft_tickets_return(struct weft_ticket *t)
{
	if (t->ctx->life == WEFT_LIFE_RUNNING && t->due_us > weft_loop_now(&t->ctx->loop))
		keep(t);
	else
		weft_ticket_free(t);
}

void weft_tickets_limit(
	struct weft_context *ctx, const struct weft_trust_spec *trust, unsigned count)
{
	struct weft_list *node = ctx->tickets.prev, *before;

	for (; node != &ctx->tickets; node = before) {
		before = node->prev;
		if (!weft_trust_equal(of(node)->key.trust, trust))
			continue;
		if (count)
			count--;
		else
			weft_ticket_free(of(node));
	}
	set_timer(ctx);
}

void weft_tickets_forget_policy(struct weft_context *ctx)
{
	weft_list_each_safe(node, &ctx->tickets)
	{
		if (of(node)->key.trust->policy)
			weft_ticket_free(of(node));
	}
	set_timer(ctx);
}

void weft_tickets_drop(struct weft_context *ctx, const struct weft_pool_key *key)
{
	weft_list_each_safe(node, &ctx->tickets)
	{
		if (weft_pool_key_equal(&of(node)->key, key))
			weft_ticket_free(of(node));
	}
	set_timer(ctx);
}

void weft_tickets_finish(struct weft_context *ctx)
{
	while (!weft_list_empty(&ctx->tickets))
		weft_ticket_free(of(ctx->tickets.next));
	set_timer(ctx);
}
