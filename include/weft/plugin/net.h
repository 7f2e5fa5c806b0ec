/* SPDX-License-Identifier: MIT */
/*
 * The event seam's second table: sockets, clock and randomness. POSIX by default; a loop with its own
 * I/O, or a simulated network with virtual time, brings another. Nothing in the core goes round it.
 */
#ifndef WEFT_PLUGIN_NET_H
#define WEFT_PLUGIN_NET_H

#include "weft/address.h"
#include "weft/segment.h"
#include "weft/status.h"

WEFT_BEGIN

typedef intptr_t weft_socket;
#define WEFT_SOCKET_NONE ((weft_socket)-1)

enum weft_socket_type { WEFT_SOCKET_STREAM, WEFT_SOCKET_DATAGRAM };

enum weft_socket_option {
	WEFT_SOCKOPT_NODELAY,
	WEFT_SOCKOPT_REUSEADDR,
	WEFT_SOCKOPT_REUSEPORT,
	WEFT_SOCKOPT_V6ONLY,
	WEFT_SOCKOPT_KEEPALIVE,
	WEFT_SOCKOPT_SNDBUF, /* bytes */
	WEFT_SOCKOPT_RCVBUF, /* bytes */
};

/* One datagram with its addresses (UDP). */
struct weft_datagram {
	struct weft_address peer, local;
	struct weft_span bytes;
};

/* Called once, from the loop's turn, never from within resolve. addresses end with the call. */
typedef void (*weft_resolved_fn)(void *user, enum weft_status status,
	const struct weft_address *addresses, size_t count, const struct weft_error *err);

/* Sockets are non-blocking and closed on exec from birth. net is the loop's net_state, NULL for POSIX. */
struct weft_net_ops {
	size_t size;

	enum weft_status (*socket)(void *net, enum weft_family family, enum weft_socket_type type,
		weft_socket *sock, struct weft_error *err);
	enum weft_status (*bind)(void *net, weft_socket sock, const struct weft_address *addr,
		struct weft_error *err);
	enum weft_status (*listen)(
		void *net, weft_socket sock, int backlog, struct weft_error *err);
	/* OK with a socket, AGAIN, or an error that concerns the listener (EMFILE is WEFT_ERR_LIMIT). */
	enum weft_status (*accept)(void *net, weft_socket sock, weft_socket *conn,
		struct weft_address *peer, struct weft_error *err);
	/* OK when done at once, AGAIN when under way: wait for WRITE, then ask error. */
	enum weft_status (*connect)(void *net, weft_socket sock, const struct weft_address *addr,
		struct weft_error *err);
	/*
	 * OK with at least one byte in got, AGAIN, EOF, or an error. got points into buf, or into the
	 * backend's own memory, then valid until the next call on this net.
	 */
	enum weft_status (*recv)(void *net, weft_socket sock, void *buf, size_t buf_len,
		struct weft_span *got, struct weft_error *err);
	/*
	 * Sends MEM and BORROWED segments in one go. taken is the sum of bytes taken (with AGAIN it may
	 * be > 0: the socket is full now). OK: all taken.
	 */
	enum weft_status (*sendv)(void *net, weft_socket sock, const struct weft_segment *segs,
		size_t count, size_t *taken, struct weft_error *err);
	/* Datagrams. NULL: the backend has none. */
	enum weft_status (*recvmsg)(void *net, weft_socket sock, void *buf, size_t buf_len,
		struct weft_datagram *got, struct weft_error *err);
	enum weft_status (*sendmsg)(void *net, weft_socket sock, const struct weft_datagram *msg,
		struct weft_error *err);
	/* Ends our direction (FIN). */
	enum weft_status (*shutdown)(void *net, weft_socket sock, struct weft_error *err);
	/* abort: discard what is unsent and reset (RST) instead of an orderly end. */
	void (*close)(void *net, weft_socket sock, bool abort);
	/* How an AGAIN connect ended: OK or the error. */
	enum weft_status (*error)(void *net, weft_socket sock, struct weft_error *err);
	/* Either may be NULL. */
	enum weft_status (*names)(void *net, weft_socket sock, struct weft_address *local,
		struct weft_address *peer, struct weft_error *err);
	enum weft_status (*option)(void *net, weft_socket sock, enum weft_socket_option option,
		int value, struct weft_error *err);
	/* Sends from a file; as sendv. A file shorter than promised is WEFT_ERR_TRUNCATED. NULL: none. */
	enum weft_status (*sendfile)(void *net, weft_socket sock, int fd, uint64_t off, size_t len,
		size_t *taken, struct weft_error *err);

	/* Starts looking a name up. NULL: the core's own resolver (c-ares). cancel: fn is not called. */
	enum weft_status (*resolve)(void *net, const char *host, uint16_t port, weft_resolved_fn fn,
		void *user, void **query, struct weft_error *err);
	void (*resolve_cancel)(void *net, void *query);

	uint64_t (*now)(void *net); /* monotonic, µs */
	int64_t (*wall)(void *net); /* seconds since 1970-01-01T00:00:00Z */
	/* Fills buf from the system's cryptographic generator. */
	enum weft_status (*random)(void *net, void *buf, size_t len, struct weft_error *err);
};

/* The POSIX table. */
extern WEFT_API const struct weft_net_ops weft_net_posix;

WEFT_END

#endif
