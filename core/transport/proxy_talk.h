/* SPDX-License-Identifier: MIT */
/* What is said to a proxy and what it answers: bytes in, bytes out, no transport. */
#ifndef WEFT_CORE_TRANSPORT_PROXY_TALK_H
#define WEFT_CORE_TRANSPORT_PROXY_TALK_H

#include "core/net/proxy.h"
#include "weft/buffer.h"

/* Heads of an answer, all together. */
enum { WEFT_PROXY_HEAD_MAX = 16384 };

struct weft_proxy_talk {
	enum weft_proxy_kind kind;
	const char
		*host; /* where the tunnel is to lead: a name or a literal; as long as the talk */
	uint16_t port;
	unsigned step;
	size_t seen,
		line; /* of the head that is being read: looked at so far, begin of this line */
	size_t heads; /* bytes of heads that were read */
};

/*
 * Goes on with the bytes in `in`, takes from its front what it has understood, and appends to `out` what is to
 * be said now. OK: the tunnel is there, and all that is left in `in` came through it. AGAIN: more of
 * the answer is needed, behind what out has. REFUSED, UNREACHABLE: the proxy says no, and why. PROTOCOL,
 * LIMIT: that is no answer. The caller looks whether the buffers failed.
 */
enum weft_status weft_proxy_talk(struct weft_proxy_talk *t, struct weft_buffer *in,
	struct weft_buffer *out, struct weft_error *err);

#endif
