/* SPDX-License-Identifier: MIT */
/* Pool entries: one for each place and TLS policy that somebody talks to at present. */
#ifndef WEFT_CORE_CLIENT_ENTRY_H
#define WEFT_CORE_CLIENT_ENTRY_H

#include "core/client/pool.h"

/* A copy with strings and a reference of its own. false: no memory, and *to is empty. */
bool weft_pool_key_copy(const struct weft_allocator *alloc, struct weft_pool_key *to,
	const struct weft_pool_key *from);
/* One that is empty, too. */
void weft_pool_key_free(const struct weft_allocator *alloc, struct weft_pool_key *key);
bool weft_pool_key_equal(const struct weft_pool_key *a, const struct weft_pool_key *b);
struct weft_pool_entry *weft_pool_entry_find(
	struct weft_context *ctx, const struct weft_pool_key *key);
/* Copies key and references its trust. NULL: no memory. */
struct weft_pool_entry *weft_pool_entry_make(struct weft_context *ctx,
	const struct weft_pool_key *key, const struct weft_plugin *role,
	const struct weft_limits *limits);
/* It has neither streams nor conns. */
void weft_pool_entry_free(struct weft_pool_entry *e);

/* connect.c: begins a connection for the entry. A failure is a failed attempt, reported as such. */
void weft_pool_connect(struct weft_pool_entry *e);

#endif
