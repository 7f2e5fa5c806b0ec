/* SPDX-License-Identifier: MIT */
/* Names to addresses without blocking the loop, by c-ares. */
#ifndef WEFT_CORE_NET_RESOLVE_H
#define WEFT_CORE_NET_RESOLVE_H

#include "core/loop/loop.h"

struct weft_resolver;

enum weft_status weft_resolver_create(struct weft_loop *loop, const struct weft_allocator *alloc,
	struct weft_resolver **out, struct weft_error *err);
/* Queries under way are forgotten. NULL is safe. */
void weft_resolver_destroy(struct weft_resolver *r);
/* fn is called once, from the loop, unless the query is cancelled before. RESOLVE names the host. */
enum weft_status weft_resolve(struct weft_resolver *r, const char *host, uint16_t port,
	weft_resolved_fn fn, void *user, void **query, struct weft_error *err);
void weft_resolve_cancel(struct weft_resolver *r, void *query);
/* Tests: ask these servers, "127.0.0.1:5353,...". */
enum weft_status weft_resolver_servers(
	struct weft_resolver *r, const char *servers, struct weft_error *err);

#endif
