/* SPDX-License-Identifier: MIT */
/* Getting a connected socket: resolve the name, then try every address, one after another. */
#ifndef WEFT_CORE_NET_DIAL_H
#define WEFT_CORE_NET_DIAL_H

#include "core/system/context.h"
#include "weft/address.h"

struct weft_dial;

struct weft_dial_options {
	const char *host; /* a name or a literal, unless to is set */
	uint16_t port;
	const struct weft_address *to;    /* just this address, or NULL */
	const struct weft_address *local; /* bind first, or NULL */
	uint32_t connect_ms;              /* an address */
	uint64_t *resolved_us;            /* told when the addresses are known; or NULL */
	/* Asked before the first address is tried, from the loop: for how many µs that is put off. Or NULL. */
	uint64_t (*found)(void *user, const struct weft_address *addresses, size_t count);
};

/*
 * Called once, from the loop, never from within weft_dial_start. OK: sock is the caller's from then on.
 * Otherwise err says how the last address failed, and how many there were.
 */
typedef void (*weft_dialed_fn)(
	void *user, enum weft_status status, weft_socket sock, const struct weft_error *err);

enum weft_status weft_dial_start(struct weft_context *ctx, const struct weft_dial_options *options,
	weft_dialed_fn fn, void *user, struct weft_dial **out, struct weft_error *err);
/* What found put off begins in the next turn. NULL is safe. */
void weft_dial_hurry(struct weft_dial *dial);
/* The address that is being tried; NULL: none yet. */
const struct weft_address *weft_dial_trying(const struct weft_dial *dial);
/* fn is not called any more. NULL is safe; a dial that has called fn is gone already. */
void weft_dial_cancel(struct weft_dial *dial);

#endif
