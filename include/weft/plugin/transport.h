/* SPDX-License-Identifier: MIT */
/*
 * Transports: the layers under a role, each over the one below. Socket and memory are the ground; TLS
 * stands on any other.
 */
#ifndef WEFT_PLUGIN_TRANSPORT_H
#define WEFT_PLUGIN_TRANSPORT_H

#include "weft/segment.h"
#include "weft/status.h"
#include "weft/stream.h"

WEFT_BEGIN

struct weft_transport;

/* Who is told: a connection, or the transport above. */
struct weft_transport_owner {
	/* Reading, writing or advancing may get further now. events: enum weft_event. Only from the loop. */
	void (*ready)(void *user, unsigned events);
	void *user;
};

/* A NULL op passes the call to the transport below, unless another default is given. */
struct weft_transport_ops {
	size_t size;
	const char *name; /* "socket", "tls", "memory" */
	/* Begins to report to owner. Once, before anything else. */
	enum weft_status (*start)(struct weft_transport *t,
		const struct weft_transport_owner *owner, struct weft_error *err);
	/* Connect, handshake: OK when bytes may flow, AGAIN when waiting for ready. Default: as below. */
	enum weft_status (*advance)(struct weft_transport *t, struct weft_error *err);
	/*
	 * The next bytes, valid until settle, or the next read in this context. OK (got may be empty), AGAIN, EOF or
	 * an error. TRUNCATED: the end came without the layer's own goodbye.
	 */
	enum weft_status (*read)(
		struct weft_transport *t, struct weft_span *got, struct weft_error *err);
	/*
	 * The reader stops for now, and has used up what it was given: what was received and not read yet is to
	 * be kept. Default: nothing.
	 */
	void (*settle)(struct weft_transport *t);
	/*
	 * Takes bytes from the front of the segments, as many as it can. OK: all. AGAIN: taken says how
	 * many; ready comes with WRITE. What it took may still wait in the layer itself: see flush.
	 */
	enum weft_status (*write)(struct weft_transport *t, const struct weft_segment *segs,
		size_t count, size_t *taken, struct weft_error *err);
	/* Sends what the layers hold themselves. OK: nothing is left. AGAIN: ready comes with WRITE. */
	enum weft_status (*flush)(struct weft_transport *t, struct weft_error *err);
	/* Bytes that the layers hold, here and below. */
	size_t (*pending)(const struct weft_transport *t);
	/*
	 * The ground's alone: the next read asks the network, though nothing was reported. NULL: every read
	 * does.
	 */
	void (*probe)(struct weft_transport *t);
	/* Whether bytes can be read without another ready. */
	bool (*buffered)(const struct weft_transport *t);
	/* Which events the owner wants to hear of; READ at first. ERROR comes always. */
	void (*interest)(struct weft_transport *t, unsigned events);
	/* Ends our direction, behind what was written. AGAIN: call again when WRITE came. */
	enum weft_status (*shutdown)(struct weft_transport *t, struct weft_error *err);
	/* From now on destroy resets instead of closing in order. */
	void (*abort)(struct weft_transport *t);
	/* Adds what it knows to info. */
	void (*info)(const struct weft_transport *t, struct weft_conn_info *info);
	/* The peer's certificate in DER, as long as the transport. NOT_FOUND: none, as on the ground. */
	enum weft_status (*peer_cert)(const struct weft_transport *t, struct weft_span *der);
	/* Frees itself; the one below is destroyed by who owns the chain. */
	void (*destroy)(struct weft_transport *t);
};

/* Embedded first in each kind. */
struct weft_transport {
	const struct weft_transport_ops *ops;
	struct weft_transport *below;
};

/*
 * Two ends that are connected in memory: what is written to one is read from the other, at the next
 * turn. capacity_bytes bounds what one direction holds (0: 65,536). Each end belongs to who gets it.
 */
WEFT_API WEFT_MUST_CHECK enum weft_status weft_transport_memory_pair(struct weft_context *ctx,
	size_t capacity_bytes, struct weft_transport *ends[2], struct weft_error *err);

/* Serves a connection on vh over a transport that exists, as if it had been accepted for that scheme. */
WEFT_API WEFT_MUST_CHECK enum weft_status weft_transport_serve(struct weft_vhost *vh,
	const char *scheme, struct weft_transport *transport, struct weft_error *err);

/* Frees a transport that was never handed over. */
WEFT_API void weft_transport_destroy(struct weft_transport *transport);

WEFT_END

#endif
