/* SPDX-License-Identifier: MIT */
/* Pool keys, and the entries that are found by them. */
#include <string.h>

#include "core/client/entry.h"
#include "core/vhost/trust.h"
#include "core/vhost/vhost.h"

bool weft_pool_key_equal(const struct weft_pool_key *a, const struct weft_pool_key *b)
{
	return a->scheme == b->scheme && a->role == b->role && a->port == b->port &&
	       a->allow == b->allow && !strcmp(a->host, b->host) && !strcmp(a->sni, b->sni) &&
	       !strcmp(a->connect_to, b->connect_to) && !strcmp(a->proxy, b->proxy) &&
	       !strcmp(a->local, b->local) && weft_trust_equal(a->trust, b->trust);
}

static const char **const_strings(struct weft_pool_key *k, size_t i)
{
	const char **all[] = { &k->host, &k->sni, &k->connect_to, &k->proxy, &k->local };

	return i < sizeof(all) / sizeof(all[0]) ? all[i] : NULL;
}

void weft_pool_key_free(const struct weft_allocator *alloc, struct weft_pool_key *key)
{
	const char **s;

	for (size_t i = 0; (s = const_strings(key, i)); i++)
		weft_strfree(alloc, (char *)(uintptr_t)*s);
	weft_trust_release(key->trust);
	*key = (struct weft_pool_key){ .scheme = NULL };
}

bool weft_pool_key_copy(const struct weft_allocator *alloc, struct weft_pool_key *to,
	const struct weft_pool_key *from)
{
	const char **s;
	bool ok = true;

	*to = *from;
	weft_trust_ref(to->trust);
	for (size_t i = 0; (s = const_strings(to, i)); i++) {
		*s = weft_strndup(alloc, *s, strlen(*s));
		ok = ok && *s;
	}
	if (!ok)
		weft_pool_key_free(alloc, to);
	return ok;
}

struct weft_pool_entry *weft_pool_entry_find(
	struct weft_context *ctx, const struct weft_pool_key *key)
{
	weft_list_each(node, &ctx->entries)
	{
		struct weft_pool_entry *e = weft_container_of(node, struct weft_pool_entry, node);

		if (!e->alone && weft_pool_key_equal(&e->key, key))
			return e;
	}
	return NULL;
}

struct weft_pool_entry *weft_pool_entry_make(
	struct weft_context *ctx, const struct weft_pool_key *key, const struct weft_plugin *role)
{
	struct weft_pool_entry *e = weft_zalloc(&ctx->memory.alloc, sizeof(*e));

	if (!e)
		return NULL;
	e->ctx = ctx;
	if (!weft_pool_key_copy(&ctx->memory.alloc, &e->key, key)) {
		weft_free(&ctx->memory.alloc, e, sizeof(*e));
		return NULL;
	}
	e->role = role;
	e->place = weft_budget_place(key->scheme->name, key->host, key->port);
	weft_list_init(&e->queue);
	weft_list_init(&e->conns);
	weft_list_append(&ctx->entries, &e->node);
	return e;
}

void weft_pool_entry_renew(struct weft_pool_entry *e, const struct weft_pool_key *key)
{
	if (key->trust->use_serial <= e->key.trust->use_serial)
		return;
	weft_trust_ref(key->trust);
	weft_trust_release(e->key.trust);
	e->key.trust = key->trust;
}

void weft_pool_entry_free(struct weft_pool_entry *e)
{
	weft_loop_timer_cancel(&e->ctx->loop, &e->warm);
	weft_list_remove(&e->pump_node);
	weft_list_remove(&e->node);
	weft_list_remove(&e->borrow_node);
	weft_transport_destroy(e->transport);
	weft_pool_forget_addresses(e);
	weft_pool_key_free(&e->ctx->memory.alloc, &e->key);
	weft_free(&e->ctx->memory.alloc, e, sizeof(*e));
}
