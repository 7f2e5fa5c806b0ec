/* SPDX-License-Identifier: MIT */
/* What the parts of the TLS transport know of each other. */
#ifndef WEFT_CORE_TRANSPORT_TLS_INSIDE_H
#define WEFT_CORE_TRANSPORT_TLS_INSIDE_H

#include "core/system/context.h"
#include "core/transport/tls.h"

enum weft_tls_phase {
	WEFT_TLS_HELLO, /* a server's, before it knows who it is: no session yet */
	WEFT_TLS_SHAKING,
	WEFT_TLS_OPEN,
	WEFT_TLS_ENDED,
	WEFT_TLS_BROKEN,
};

/* One for each connection, however idle: what is not always needed is behind a pointer. */
struct weft_tls_transport {
	struct weft_transport base;
	struct weft_context *ctx;
	struct weft_tls_ctx *tls; /* a reference; NULL in HELLO */
	void *session;
	union {
		weft_tls_choose_fn choose; /* a server's, for HELLO */
		weft_tls_ticket_fn ticket; /* a client's */
	};
	void *user;
	char *sni;               /* NULL: none */
	struct weft_span in;     /* unread ciphertext, in the receive buffer or in kept */
	uint64_t in_serial;      /* of the receive buffer that in points into; 0: kept */
	struct weft_buffer kept; /* ciphertext that outlived its turn */
	struct weft_buffer out;  /* ciphertext that the layer below did not take yet */
	unsigned hello_need;     /* bytes that make another look at the ClientHello worth it */
	uint16_t asks;           /* how often a ticket will still be asked for */
	uint8_t phase;           /* enum weft_tls_phase */
	bool below_eof;
	bool shut; /* close_notify is in out, or gone */
};

/* tls.c. sni NULL or "": none */
struct weft_tls_transport *weft_tls_make(
	struct weft_context *ctx, struct weft_transport *below, struct weft_error *err);
enum weft_status weft_tls_set_sni(
	struct weft_tls_transport *t, const char *sni, struct weft_error *err);
enum weft_status weft_tls_make_session(struct weft_tls_transport *t, struct weft_tls_ctx *tls,
	const struct weft_tls_session_options *options, struct weft_error *err);

/* tls_server.c; no_tls_server.c where a build has none. A session for the ClientHello, once it is there. */
enum weft_status weft_tls_open_session(struct weft_tls_transport *t, struct weft_error *err);

/* tls_write.c */
enum weft_status weft_tls_flush(struct weft_transport *base, struct weft_error *err);
enum weft_status weft_tls_write(struct weft_transport *base, const struct weft_segment *segs,
	size_t count, size_t *taken, struct weft_error *err);
size_t weft_tls_pending(const struct weft_transport *base);
enum weft_status weft_tls_shutdown(struct weft_transport *base, struct weft_error *err);

#endif
