/* SPDX-License-Identifier: MIT */
/*
 * What happened to clients' vhosts, and how often: kept within the context in a fixed number of places, so that
 * being told costs no heap and nothing grows.
 */
#ifndef WEFT_CORE_VHOST_HISTORY_H
#define WEFT_CORE_VHOST_HISTORY_H

#include "weft/vhost.h"

enum { WEFT_HISTORY_EVENTS = 32, WEFT_HISTORY_NAMES = 16 };

/* Of the vhosts of one name. */
struct weft_history_name {
	char name[32]; /* "": unused */
	uint64_t made, used_us, build_us, heap_bytes;
	bool tls;
};

struct weft_history {
	uint64_t count; /* of all events; the latest is at (count - 1) % WEFT_HISTORY_EVENTS */
	struct weft_vhost_event events[WEFT_HISTORY_EVENTS];
	struct weft_history_name names[WEFT_HISTORY_NAMES];
};

void weft_history_note(
	struct weft_context *ctx, enum weft_vhost_event_kind kind, const struct weft_vhost *vh);

#endif
