/* SPDX-License-Identifier: MIT */
/* Vhosts: a named identity. A server's certificate, listeners and routes, or a client's trust. */
#ifndef WEFT_VHOST_H
#define WEFT_VHOST_H

#include "weft/address.h"
#include "weft/context.h"
#include "weft/status.h"
#include "weft/stream.h"
#include "weft/trust.h"

WEFT_BEGIN

/*
 * Which handler answers. An exact path wins over any prefix, the longest prefix over shorter ones; the
 * query does not count. A prefix of "" fits everything, raw streams too. A table ends with a NULL handler.
 */
struct weft_route {
	const char *path;   /* exact, or NULL */
	const char *prefix; /* or this */
	/*
	 * The request is weft_stream_request(s). Answers now or later (weft_stream_set_ops first). A
	 * failure answers for it: 500, where nothing was sent yet.
	 */
	enum weft_status (*on_request)(struct weft_stream *s, void *user);
	void *user;
	/*
	 * Bytes of a request's body that are accepted. 0: the vhost's. More is answered 413 and the
	 * connection closed: before the handler is asked where the length was announced.
	 */
	uint64_t body_max;
	/*
	 * The name of a role that is spoken here: a request that asks for it by the role's token (HTTP/1.1: Upgrade;
	 * HTTP/2: extended CONNECT) becomes a tunnel, as if it were a connection of its own, and on_request is
	 * called for each stream that the role begins on it. Another request is told what is asked for.
	 */
	const char *role;
};

/*
 * One exchange of a server's, when it is over. The stream is still there with its request and vhost. The request
 * is all zero where the role refused it before it was one (400, 408, 431, ...).
 */
struct weft_access {
	unsigned status;      /* of the final head; 0: none was sent */
	uint64_t body_in;     /* bytes of the request's body that arrived */
	uint64_t body_out;    /* bytes of the response's body that were handed to the connection */
	int64_t begun_wall;   /* seconds since 1970, when the head had arrived */
	uint64_t duration_us; /* from there to the end */
	const struct weft_error *why; /* status OK: complete both ways */
	struct weft_address peer;     /* family NONE: not known */
};

/* Whether clients are asked for a certificate. */
enum weft_client_auth {
	WEFT_CLIENT_AUTH_NONE,
	WEFT_CLIENT_AUTH_OPTIONAL, /* none is fine; one that does not verify fails the handshake */
	WEFT_CLIENT_AUTH_REQUIRED,
};

/* Strings and credentials are copied or read; routes (and what their users point to) must outlive it. */
struct weft_vhost_options {
	/* Matched against SNI and Host; "*.example.org" matches one label, where no full name does. */
	const char *name;
	/*
	 * Further names, NULL-terminated, or NULL. A connection that was made for one of them serves all; requests for
	 * another vhost, if the client named this one in its handshake, are answered 421: RFC 9110 section 15.5.20.
	 */
	const char *const *aliases;
	const char *listen; /* a first listener, as in weft_vhost_listen, or NULL */
	struct weft_credential credential;
	const char *cert_file, *key_file; /* the same as credential's, for short */
	const struct weft_route *routes;
	uint64_t body_max; /* of routes that say nothing; 0: no limit */
	/* Called once an exchange, right before on_close. Must not close or open anything. NULL: nobody. */
	void (*on_access)(struct weft_stream *s, const struct weft_access *access, void *user);
	void *access_user;
	/*
	 * Client certificates: asked for, and checked against client_trust (whose pins count, too). Such a
	 * vhost serves only connections that shook hands with it, by SNI or as the listener's first, or with
	 * one that asks the same: another request that comes to it by its Host is answered 421.
	 */
	enum weft_client_auth client_auth;
	const struct weft_trust *client_trust; /* required unless NONE; copied or read */
	/*
	 * Resumption: 64 secret bytes, the same for all who shall know each other's tickets (workers,
	 * machines behind one name); vhosts with the same one share an identity: a session that began at one may be
	 * resumed at another, where a client's certificate is judged anew by what that one believes. Empty: a
	 * random one of the vhost's own. no_tickets: no resumption.
	 */
	struct weft_span ticket_secret;
	bool no_tickets;
	/*
	 * Names of the roles that it speaks, NULL-terminated, by preference; NULL: all that serve a listener's
	 * scheme. Where nothing is negotiated it is the scheme's own, or the first of these if that is not among them.
	 */
	const char *const *roles;
	uint32_t header_bytes, header_count,
		requests; /* 0: the context's; requests 0: any number */
	uint32_t
		streams; /* that a client may have open at once on a connection; 0: the context's */
	uint32_t handshake_ms, header_ms, idle_ms, flush_ms, linger_ms;
};

/*
 * Makes a server vhost; the application holds its first reference until weft_vhost_destroy. Errors:
 * ARGUMENT (which option), NOT_FOUND (which file, or which role of a route), TLS (what is wrong with certificate or key),
 * IO and others from listening. Nothing half-made is left behind.
 */
WEFT_API WEFT_MUST_CHECK enum weft_status weft_vhost_create(struct weft_context *ctx,
	const struct weft_vhost_options *options, struct weft_vhost **out, struct weft_error *err);
/*
 * Stops listening at once and gives the application's reference back: the vhost is freed whole after
 * its last connection. It is invisible to new requests from now on. NULL is safe.
 */
WEFT_API void weft_vhost_destroy(struct weft_vhost *vh);

/*
 * Listens at "SCHEME://ADDR:PORT", "SCHEME://[ADDR]:PORT" (port 0: any free one) or "SCHEME+unix:/path",
 * where SCHEME is one that a role registered: "http", "https", "tcp", "tls". Vhosts that name the same
 * address share the listener: SNI and Host choose among them, the first is the default. An existing
 * socket file that nobody listens on is replaced; removed again at the end.
 */
WEFT_API WEFT_MUST_CHECK enum weft_status weft_vhost_listen(
	struct weft_vhost *vh, const char *url, struct weft_error *err);
/* The index-th listener as a URL with the port that was really bound. NOT_FOUND past the last. */
WEFT_API WEFT_MUST_CHECK enum weft_status weft_vhost_listener(
	const struct weft_vhost *vh, size_t index, char *out, size_t out_len);

/*
 * A new certificate, key and OCSP response while serving: connections from now on get them, those that are up
 * keep what they began with. On failure (the same errors as create) the old ones stay in use.
 * Tickets of before are still good.
 */
WEFT_API WEFT_MUST_CHECK enum weft_status weft_vhost_reload(
	struct weft_vhost *vh, const struct weft_credential *credential, struct weft_error *err);

enum weft_vhost_state {
	WEFT_VHOST_LIVE,
	WEFT_VHOST_DYING,     /* invisible, until its last connection ends */
	WEFT_VHOST_LINGERING, /* nobody holds it, and it stays for its linger_ms */
	WEFT_VHOST_GONE,      /* freed; remembered for a while */
};

struct weft_vhost_info {
	const char
		*name; /* of a client vhost: its trust store's, or in words; until the loop turns */
	bool client;
	enum weft_vhost_state state;
	unsigned refs;  /* in all */
	unsigned conns; /* of these: by whom. The rest are streams of a server's requests */
	unsigned streams, policies, applications;
	bool tls;
	uint64_t age_us;
	/* Clients: of the last making of this one's TLS context. heap_bytes: of the whole process, as the C library tells. */
	uint64_t build_us, heap_bytes;
	uint64_t made; /* clients: how often one of this name was made */
};

/*
 * The index-th vhost of a context, dying ones included; behind these, clients' vhosts that are gone, as far as
 * they are remembered (the latest 16 names). False past the last.
 */
WEFT_API bool weft_vhost_info(
	const struct weft_context *ctx, size_t index, struct weft_vhost_info *info);

enum weft_vhost_event_kind {
	WEFT_VHOST_MADE,
	WEFT_VHOST_FAILED, /* could not be made; nothing of it is left */
	WEFT_VHOST_SHARED, /* another name with the same content, or another holder, found it there */
	WEFT_VHOST_LINGERS, /* its last holder left */
	WEFT_VHOST_REVIVED, /* ... and another one came in time */
	WEFT_VHOST_FREED,
};

struct weft_vhost_event {
	enum weft_vhost_event_kind kind;
	char name[32];  /* cut */
	uint64_t at_us; /* monotonic */
	unsigned refs;
};

/* What happened to clients' vhosts: the index-th of the last 32, the latest first. False past the first. */
WEFT_API bool weft_vhost_event(
	const struct weft_context *ctx, size_t index, struct weft_vhost_event *event);
/* "made", "failed", "shared", "lingers", "revived", "freed". */
WEFT_API const char *weft_vhost_event_name(enum weft_vhost_event_kind kind);

WEFT_END

#endif
