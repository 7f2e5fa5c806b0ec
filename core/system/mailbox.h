/* SPDX-License-Identifier: MIT */
/* The one door for other threads: a mailbox that outlives its context. */
#ifndef WEFT_CORE_SYSTEM_MAILBOX_H
#define WEFT_CORE_SYSTEM_MAILBOX_H

#include "core/loop/loop.h"

struct weft_context;
struct weft_mailbox;

/* *id is what weft_post takes. loop is woken by posts until close. */
enum weft_status weft_mailbox_open(struct weft_loop *loop, const struct weft_allocator *alloc,
	struct weft_mailbox **out, uint64_t *id, struct weft_error *err);
/* No post is accepted, and the loop not woken, once this returns. What waits is dropped. NULL is safe. */
void weft_mailbox_close(struct weft_mailbox *mailbox, uint64_t id);
/* Calls what was posted before this call. The context may be destroyed in it, but not freed. */
void weft_mailbox_run(struct weft_mailbox *mailbox, struct weft_context *ctx);
/* As weft_post, for what needs the context itself. */
enum weft_status weft_mailbox_post(uint64_t context_id,
	void (*fn)(struct weft_context *ctx, void *arg), void *arg, void (*drop)(void *arg));

#endif
