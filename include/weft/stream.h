/* SPDX-License-Identifier: MIT */
/*
 * Streams: one exchange of the application's, whatever carries it. A request with its response, or a
 * flow of raw bytes. The handle never changes, while the stream waits, is bound and moves.
 */
#ifndef WEFT_STREAM_H
#define WEFT_STREAM_H

#include "weft/address.h"
#include "weft/segment.h"
#include "weft/status.h"
#include "weft/trust.h"

WEFT_BEGIN

struct weft_context;
struct weft_stream;
struct weft_vhost;
struct weft_transport;
struct weft_policy_stream;

/* A header or trailer field. Names compare without case and arrive in lower case. Values have no
 * surrounding white space. What arrives is also terminated. */
struct weft_field {
	const char *name;
	size_t name_len;
	const char *value;
	size_t value_len;
};

/* A field from two C strings. */
WEFT_API struct weft_field weft_field(const char *name, const char *value);

enum weft_head_kind {
	WEFT_HEAD_INFORMATIONAL, /* 1xx */
	WEFT_HEAD_FINAL,         /* the request, or the response */
	WEFT_HEAD_TRAILER,       /* fields after the body */
};

/* Control data and fields of a message: RFC 9110 section 6. Roles without heads leave it all zero. */
struct weft_head {
	const char *method; /* requests */
	const char *scheme;
	const char *authority; /* host[:port], as sent */
	const char *target;    /* path and query; "*"; the authority for CONNECT */
	unsigned status;       /* responses */
	unsigned version;      /* 10, 11, 20; 0 when sending */
	int64_t body_len;      /* bytes of the body that follows, if known; else -1 */
	const struct weft_field *fields;
	size_t field_count;
};

/* The value of the first field called name, or NULL. */
WEFT_API const struct weft_field *weft_head_find(const struct weft_head *head, const char *name);

/*
 * What a stream tells its owner, always on the context's thread. A NULL member: not interested.
 * Anything may be opened, closed or destroyed inside any of them.
 */
struct weft_stream_ops {
	/* head ends with the call, except a server's request and a client's FINAL response, which stay. */
	void (*on_head)(struct weft_stream *s, const struct weft_head *head,
		enum weft_head_kind kind, void *user);
	/*
	 * Body bytes; returns how many it took. The rest stays with the stream, which is then paused
	 * until weft_stream_resume. NULL: all is taken and dropped.
	 */
	size_t (*on_data)(struct weft_stream *s, const void *bytes, size_t len, void *user);
	/*
	 * The peer's direction is complete, and all its data was taken. A request that becomes a tunnel
	 * only after its end was told has another end: the tunnel's.
	 */
	void (*on_end)(struct weft_stream *s, void *user);
	/* A write took less than offered, and there is room now. */
	void (*on_writable)(struct weft_stream *s, void *user);
	/*
	 * The body is needed again from its first byte, because the stream moves to another connection.
	 * OK: it will be written again. NULL: it cannot be.
	 */
	enum weft_status (*body_rewind)(struct weft_stream *s, void *user);
	/*
	 * Exactly once for every stream that was opened or accepted, last, never before open returned.
	 * why->status is OK when the exchange was complete both ways. s is gone afterwards.
	 */
	void (*on_close)(struct weft_stream *s, const struct weft_error *why, void *user);
};

enum weft_share {
	WEFT_SHARE_ALONE, /* a connection of its own */
	WEFT_SHARE_POOL,  /* any connection to the same place under the same TLS policy */
};

enum weft_hold {
	WEFT_HOLD_CONNECTION, /* the vhost with its TLS context lives while a connection does */
	WEFT_HOLD_STREAM,     /* ... from the opening of the stream on */
	WEFT_HOLD_POLICY,     /* ... as long as the policy is in use; loaded policies only */
};

/* All strings are copied. Zero is each option's default. */
struct weft_stream_options {
	const char *url; /* scheme://host[:port][/path][?query]; RFC 3986 */
	const char *method;
	const struct weft_field *fields;
	size_t field_count;
	int64_t body_len; /* bytes that will be written, -1: not known; ignored without body */
	bool body; /* writes will follow, ended by weft_stream_finish; else there is no body */
	bool idempotent; /* doing it twice is as good as once: it may be tried again */
	enum weft_share share;
	enum weft_hold hold;
	const struct weft_trust *trust;           /* NULL: the system's store */
	const struct weft_credential *credential; /* NULL: none */
	unsigned allow;                           /* enum weft_tls_fault: checks to switch off */
	const char *const *alpn;                  /* NULL: what the roles of the scheme offer */
	const char *sni;                          /* NULL: the URL's host */
	const char *
		connect_to; /* "ADDR:PORT", "[ADDR]:PORT", "unix:/path" instead of the URL's host */
	const char *local_address; /* bind to it first */
	struct weft_transport
		*transport; /* use this instead of connecting; ownership passes on success */
	/* Of the connection that is made for it, if one is; 0: the context's. */
	uint32_t connect_ms, handshake_ms;
	/*
	 * Its own, also on a connection that was made for another stream; 0: the context's, but header_ms 0:
	 * a response may take as long as idle_ms allows. Of several at once on a connection the shortest
	 * flush_ms holds.
	 */
	uint32_t header_ms, idle_ms, flush_ms;
	uint32_t queue_ms; /* longest wait for a connection, all waits together; 0: the context's */
	/* What it leaves open; UINT32_MAX is "not at all", 0: the context's keep_warm_ms. */
	uint32_t keep_warm_ms;
	bool warm_lets_go; /* ... without the vhost with its TLS context, if the backend can let go of it */
	/*
	 * What the policy says of it, or NULL. Trust, credential and hold are then the policy's, and the members of this
	 * name are ignored. weft_policy_open sets this; the policy stays as long as the stream.
	 */
	const struct weft_policy_stream *policy;
	/*
	 * "http://HOST:PORT" (CONNECT, RFC 9110 section 9.3.6), "socks5://HOST:PORT" (RFC 1928), both without a user
	 * and password: go through it; NULL: directly. It resolves the URL's host, or is asked for what
	 * connect_to says; transport, if given, leads to it. Its answer counts into handshake_ms.
	 */
	const char *proxy;
	uint32_t window_bytes, write_high; /* its own, instead of the context's; 0: the context's */
	uint32_t total_ms;                 /* from open to close, waiting included; 0: no limit */
	/*
	 * It may go to a connection that was made for another host, if its protocol carries many streams at once, its
	 * address is one that this host has, too, and its certificate was found good and is for both: RFC 9113
	 * section 9.1.1. Where the server answers 421 it is sent again on a connection of its own, and that host's
	 * is not tried again. No effect in the clear, for a host that is no name, with a proxy, a credential, an sni of
	 * another name, allow, or alone.
	 */
	bool coalesce;
};

/*
 * Opens a client stream. On failure nothing is called and nothing is left. On OK *out is set before any
 * callback. Errors: ARGUMENT (what is wrong with url or another option), UNSUPPORTED (no role or no TLS
 * backend for it), LIMIT (the queue of that place is full), MEMORY, SHUTDOWN.
 */
WEFT_API WEFT_MUST_CHECK enum weft_status weft_stream_open(struct weft_context *ctx,
	const struct weft_stream_options *options, const struct weft_stream_ops *ops, void *user,
	struct weft_stream **out, struct weft_error *err);

/* Who hears of this stream from now on; servers call it in on_request. ops must outlive the stream. */
WEFT_API void weft_stream_set_ops(
	struct weft_stream *s, const struct weft_stream_ops *ops, void *user);
WEFT_API void *weft_stream_user(const struct weft_stream *s);
WEFT_API struct weft_context *weft_stream_context(const struct weft_stream *s);
WEFT_API struct weft_vhost *weft_stream_vhost(
	const struct weft_stream *s); /* NULL while it has none */

/* The request: a client's own, or what a server received. As long as the stream. */
WEFT_API const struct weft_head *weft_stream_request(const struct weft_stream *s);
/* A client's response; NULL before it came. As long as the stream. */
WEFT_API const struct weft_head *weft_stream_response(const struct weft_stream *s);

/*
 * Sends a response head (servers), or trailers, which also finish. fin: no body follows.
 * Errors: STATE (a final head was sent already, or the stream is over), ARGUMENT (a field that may not
 * be sent), UNSUPPORTED (the role has no heads), MEMORY.
 */
WEFT_API WEFT_MUST_CHECK enum weft_status weft_stream_send_head(struct weft_stream *s,
	const struct weft_head *head, enum weft_head_kind kind, bool fin, struct weft_error *err);
/*
 * Copies bytes into the outbox; returns how many it took. Above the high-water mark it takes nothing,
 * and on_writable comes once there is room. Takes nothing after finish or close.
 */
WEFT_API size_t weft_stream_write(struct weft_stream *s, const void *bytes, size_t len);
/*
 * Hands a MEM or FILE segment over without copying: its reference passes to the stream if it is taken
 * (whole, or not at all: AGAIN). A BORROWED one is an argument error.
 */
WEFT_API WEFT_MUST_CHECK enum weft_status weft_stream_write_segment(
	struct weft_stream *s, const struct weft_segment *seg);
/* Our direction ends after what was written. */
WEFT_API void weft_stream_finish(struct weft_stream *s);
/* How many bytes a write would take now. */
WEFT_API size_t weft_stream_room(const struct weft_stream *s);
/* Deliver again, after on_data took less than it was given. */
WEFT_API void weft_stream_resume(struct weft_stream *s);
/* Stop delivering data until weft_stream_resume. */
WEFT_API void weft_stream_pause(struct weft_stream *s);
/*
 * Gives the stream up, wherever it is: no more callbacks but on_close, which comes with CANCELLED
 * unless the exchange is already complete. NULL is safe.
 */
WEFT_API void weft_stream_close(struct weft_stream *s);

/* Of the connection that carries a stream. Strings are empty where a thing does not apply. */
struct weft_conn_info {
	struct weft_address local, peer;
	bool tls;
	char alpn[32];
	unsigned tls_version; /* 0x0303, 0x0304 */
	char tls_cipher[64];
	unsigned tls_faults; /* enum weft_tls_fault that were allowed */
	bool tls_resumed;
	/* The peer's certificate: a client's where the vhost asks for one. */
	bool peer_cert;
	bool peer_verified;                           /* without any fault, allowed or not */
	char peer_name[256];                          /* its subject, RFC 4514 */
	unsigned char peer_sha256[WEFT_SHA256_BYTES]; /* of the certificate in DER */
	unsigned char peer_spki[WEFT_SHA256_BYTES];   /* of its SubjectPublicKeyInfo in DER */
	char sni[256];                                /* what the client asked for */
	char role[16];
	uint64_t id; /* counts up within the context */
};

struct weft_conn;

/* A connection of a context, as it is now. */
struct weft_conn_view {
	uint64_t id;
	const char *role;     /* its name; "" while there is none yet, or no more */
	const char *phase;    /* "connecting", "handshake", "open", "closing" or "lingering" */
	const char *vhost;    /* its name; "" if it needs none */
	const char *place;    /* a client's: the host that it is for; else "" */
	uint32_t streams;     /* that it carries now */
	uint32_t served;      /* all that it carried so far */
	uint64_t out_bytes;   /* that wait to be sent */
	bool client, blocked; /* blocked: nothing is read until output goes on */
	const struct weft_conn *conn; /* for weft_conn_view_peer */
};

/* Who waits for a connection to one place. */
struct weft_queue_view {
	const char *host;
	uint16_t port;
	uint32_t waiting;           /* streams */
	uint32_t conns, connecting; /* that are there; of these, being made */
};

/*
 * Shows all connections of the context, the oldest first, then where streams may wait, until see returns false. What
 * is shown lasts as long as the call; see calls nothing that changes the context. Context's thread.
 */
WEFT_API void weft_context_conns(const struct weft_context *ctx,
	bool (*see)(const struct weft_conn_view *conn, void *user), void *user);
WEFT_API void weft_context_queues(const struct weft_context *ctx,
	bool (*see)(const struct weft_queue_view *queue, void *user), void *user);
/* Within see. Asks the system, once a call; of no family: it is not there yet, or no more. */
WEFT_API void weft_conn_view_peer(const struct weft_conn_view *view, struct weft_address *peer);

/* WEFT_ERR_STATE while the stream has no connection. */
WEFT_API WEFT_MUST_CHECK enum weft_status weft_stream_conn_info(
	const struct weft_stream *s, struct weft_conn_info *info);
/* The peer's certificate in DER, valid as long as the connection. NOT_FOUND: none; STATE as above. */
WEFT_API WEFT_MUST_CHECK enum weft_status weft_stream_peer_cert(
	const struct weft_stream *s, struct weft_span *der);
/*
 * What other threads know a stream by; never used again within its context. A pointer must not leave the
 * thread, this may.
 */
WEFT_API uint64_t weft_stream_id(const struct weft_stream *s);
/* The stream with this id, or NULL once its on_close was called. Context's thread. */
WEFT_API struct weft_stream *weft_stream_by_id(struct weft_context *ctx, uint64_t id);
/*
 * Thread-safe, as weft_post: has fn called on the context's thread with the stream, if it still is there
 * then; else drop(arg), on that thread, too. A stream that ends in this very turn may still be there, and
 * take nothing more. EOF, MEMORY: nothing is called, arg is still the caller's.
 */
WEFT_API WEFT_MUST_CHECK enum weft_status weft_stream_post(uint64_t context_id, uint64_t stream_id,
	void (*fn)(struct weft_stream *s, void *arg), void *arg, void (*drop)(void *arg));
/*
 * In words, one line an event: why the stream was queued, bound, reused, refused, retried, with times in
 * ms since it was opened. Terminated; returns the length without the terminator, cut to out_len - 1.
 */
WEFT_API size_t weft_stream_explain(const struct weft_stream *s, char *out, size_t out_len);

WEFT_END

#endif
