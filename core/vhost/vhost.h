/* SPDX-License-Identifier: MIT */
/*
 * Vhosts: reference-counted identities. Made with their TLS context when the first reference is taken,
 * freed whole with the last. DESIGN 6.
 */
#ifndef WEFT_CORE_VHOST_VHOST_H
#define WEFT_CORE_VHOST_VHOST_H

#include "core/transport/tls_ctx.h"
#include "core/vhost/trust.h"
#include "weft/plugin/tls.h"
#include "weft/vhost.h"

struct weft_vhost {
	struct weft_context *ctx;
	struct weft_list node; /* of ctx->vhosts */
	char *name;
	char **aliases, **roles; /* NULL-terminated, or NULL */
	bool client;
	bool dying;   /* invisible to look-ups */
	bool app_ref; /* the application still holds its own */
	bool failed;  /* a client's: it could not be made, and goes as if it had never been */
	unsigned refs, conns;
	unsigned streams, policies; /* of refs: of clients' streams, of policies in use */
	uint64_t made_us;
	struct weft_limits limits;
	/* servers */
	const struct weft_route *routes;
	struct weft_credential_spec credential;
	enum weft_client_auth client_auth;
	bool tickets, has_secret;
	unsigned char ticket_secret[WEFT_TLS_TICKET_SECRET];
	uint64_t body_max;
	void (*on_access)(struct weft_stream *s, const struct weft_access *access, void *user);
	void *access_user;
	struct weft_list tls;      /* struct weft_vhost_tls */
	struct weft_list bindings; /* struct weft_binding */
	/* in whom: a client always has one, a server where it asks for certificates */
	struct weft_trust_spec *trust;
	/* clients */
	struct weft_tls_ctx *client_tls; /* NULL: no TLS */
	struct weft_timer linger;        /* set while nobody holds it */
	uint32_t linger_ms, keep_tickets;
	uint64_t made_for;             /* the use of a policy that it was made for; 0: none */
	uint64_t build_us, heap_bytes; /* what its making took; 0: not known */
};

struct weft_vhost *weft_vhost_ref(struct weft_vhost *vh);
void weft_vhost_release(struct weft_vhost *vh);

/* For client.c: a vhost without anything in it, and its end. */
struct weft_vhost *weft_vhost_make(
	struct weft_context *ctx, const char *name, bool client, struct weft_error *err);
void weft_vhost_free(struct weft_vhost *vh);

/* client.c: the living client vhost with this content, or a new one; a reference is the caller's. */
enum weft_status weft_vhost_client(struct weft_context *ctx, struct weft_trust_spec *trust,
	struct weft_vhost **out, struct weft_error *err);
/* The living one with this content, or NULL. No reference. */
struct weft_vhost *weft_vhost_client_find(
	const struct weft_context *ctx, const struct weft_trust_spec *trust);
/* Of names with the same content the one that wants more of it counts. NULL: it wants nothing. */
void weft_vhost_client_wish(struct weft_vhost *vh, const struct weft_policy_trust *from);
/* Nobody holds a client's vhost any more: it goes, or lingers. */
void weft_vhost_client_left(struct weft_vhost *vh);
/* The context ends: it does not linger any more. */
void weft_vhost_client_end(struct weft_vhost *vh);
/* Whose a reference is that weft_vhost_client gave; and giving it back. */
void weft_vhost_hold_stream(struct weft_vhost *vh);
void weft_vhost_release_stream(struct weft_vhost *vh);
void weft_vhost_hold(struct weft_vhost *vh);
void weft_vhost_unhold(struct weft_vhost *vh);
void weft_vhost_hold_conn(struct weft_vhost *vh);
void weft_vhost_release_conn(struct weft_vhost *vh);

/* A later one is the better one. */
enum weft_vhost_match {
	WEFT_VHOST_MATCH_NONE,
	WEFT_VHOST_MATCH_WILDCARD,
	WEFT_VHOST_MATCH_EXACT,
};

/* host may have a port and brackets; case does not count. */
enum weft_vhost_match weft_vhost_matches(const struct weft_vhost *vh, const char *host);
const struct weft_route *weft_vhost_route(const struct weft_vhost *vh, const char *target);

/* Of draining: no listener of the context accepts any more. */
void weft_vhost_stop_listening(struct weft_vhost *vh);

#endif
