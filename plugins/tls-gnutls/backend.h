/* SPDX-License-Identifier: MIT */
/* What the parts of the GnuTLS adapter know of each other. */
#ifndef WEFT_TLS_GNUTLS_BACKEND_H
#define WEFT_TLS_GNUTLS_BACKEND_H

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include "weft/plugin/tls.h"

enum { ALPN_MAX = 8 };

/* A certificate's key that is not here. */
struct tls_signer {
	const struct weft_signer *ops;
	gnutls_pk_algorithm_t algorithm;
	unsigned bits;
};

struct tls_ctx {
	const struct weft_allocator *alloc;
	gnutls_certificate_credentials_t cred;
	gnutls_priority_t priority;
	/* Server: chooses what costs least; clients put AES-256, and with it SHA-384, first out of habit. */
	gnutls_priority_t own_order;
	gnutls_datum_t alpn[ALPN_MAX]; /* point into alpn_text */
	unsigned alpn_count;
	char alpn_text[128];
	/* Revocation lists are looked at here, and for that the CAs, which are the credentials'; else both are empty. */
	gnutls_x509_crl_t *crls;
	gnutls_x509_crt_t *cas;
	size_t crl_count, ca_count;
	size_t crl_room, ca_room; /* what is allocated */
	unsigned char (*pins)[WEFT_SHA256_BYTES];
	size_t pin_count;
	struct tls_signer signer;
	enum weft_tls_client_auth client_auth;
	unsigned char
		scope[WEFT_SHA256_BYTES]; /* server: digest of CAs and lists, in their order */
	unsigned char ticket_key[WEFT_TLS_TICKET_SECRET];
	bool tickets; /* server: gives some; client: asks for some */
	bool server;
};

/* What is asked of the peer's certificate; forgotten once the handshake is done. */
struct tls_checks {
	char host[256];
	unsigned char ip[16];
	unsigned ip_len;
};

struct tls_session {
	struct tls_ctx *ctx;
	gnutls_session_t tls;
	/* only while an op is on the stack */
	struct weft_span *in;
	struct weft_buffer *out;
	gnutls_packet_t packet;    /* whose bytes the last decrypt handed out */
	struct tls_checks *checks; /* NULL: nothing, or done */
	unsigned allow, faults;
	unsigned tickets; /* came from the server */
	unsigned exported;
	bool ticket_wanted; /* server: the client can use one, and has none yet */
	bool failed;
};

enum weft_status gnutls_adapter_ctx_create(
	const struct weft_tls_ctx_options *options, void **ctx, struct weft_error *err);
void gnutls_adapter_ctx_destroy(void *ctx);
void gnutls_adapter_ctx_trim(void *ctx);

/* Without a context. */
enum weft_status gnutls_adapter_cert_read(
	struct weft_span bytes, struct weft_tls_cert *out, struct weft_error *err);

enum weft_status gnutls_adapter_session_create(void *ctx,
	const struct weft_tls_session_options *options, void **session, struct weft_error *err);
void gnutls_adapter_session_destroy(void *session);
enum weft_status gnutls_adapter_handshake(
	void *session, struct weft_span *in, struct weft_buffer *out, struct weft_error *err);
enum weft_status gnutls_adapter_decrypt(void *session, struct weft_span *in,
	struct weft_span *plain, struct weft_buffer *out, struct weft_error *err);
enum weft_status gnutls_adapter_encrypt(void *session, const struct weft_segment *segs,
	size_t count, struct weft_buffer *out, struct weft_error *err);
void gnutls_adapter_close_notify(void *session, struct weft_buffer *out);
void gnutls_adapter_settle(void *session);
void gnutls_adapter_info(void *session, struct weft_tls_info *info);
enum weft_status gnutls_adapter_session_export(void *session, struct weft_buffer *to);
enum weft_status gnutls_adapter_peer_cert(void *session, struct weft_span *der);

/* Certificates, revocation lists and pins of the options. */
enum weft_status gnutls_adapter_set_trust(
	struct tls_ctx *c, const struct weft_tls_ctx_options *o, struct weft_error *err);
/* Makes the credentials believe nobody, and drops the lists. False, and nothing is changed: no memory. */
bool gnutls_adapter_forget_trust(struct tls_ctx *c);
void gnutls_adapter_drop_trust(struct tls_ctx *c);
/* The chain, its key or signer, and the OCSP response. */
enum weft_status gnutls_adapter_set_identity(
	struct tls_ctx *c, const struct weft_tls_ctx_options *o, struct weft_error *err);
enum weft_status gnutls_adapter_set_signer(
	struct tls_ctx *c, gnutls_x509_crt_t *chain, unsigned count, struct weft_error *err);
/* "WHAT cannot be used: ...". */
enum weft_status gnutls_adapter_unusable(struct weft_error *err, int code, const char *what);
gnutls_x509_crt_fmt_t gnutls_adapter_format(const struct weft_span *s);
gnutls_datum_t gnutls_adapter_datum(const struct weft_span *s);

/* GnuTLS's verification hook: 0 accepts. Fills faults. */
int gnutls_adapter_verify_peer(gnutls_session_t tls);
/* enum weft_tls_fault: what the ctx's lists say of a chain, leaf first, as it came. */
unsigned gnutls_adapter_revocation(
	const struct tls_ctx *c, const gnutls_x509_crt_t *chain, unsigned count);
/* Whether none of the ctx's lists is too old, or not good yet. */
bool gnutls_adapter_lists_are_current(const struct tls_ctx *c);
/* Whether a key, by its SHA-256, is among the ctx's pins; also where there are none. */
bool gnutls_adapter_pin_fits(const struct tls_ctx *c, const unsigned char id[WEFT_SHA256_BYTES]);
/* Whether the leaf has the name or the address; true if neither is asked for. RFC 9525: alternative names only. */
bool gnutls_adapter_name_fits(
	gnutls_x509_crt_t leaf, const char *host, const unsigned char *ip, size_t ip_len);
enum weft_status gnutls_adapter_cert_fits(
	struct weft_span der, const char *host, struct weft_error *err);
gnutls_alert_description_t gnutls_adapter_alert(unsigned faults);
/* A name as the library writes it, cut; where got is no success there is none. Takes it. */
void gnutls_adapter_write_name(int got, gnutls_datum_t *name, char *to, size_t max);

/* A server's session looks at the hello before the library does. */
void gnutls_adapter_watch_hello(struct tls_session *s);
/* Both sides, before the handshake. Negative: GnuTLS's code. */
int gnutls_adapter_set_tickets(struct tls_session *s, const struct weft_span *resume);
/* Before a server's first data. Negative: GnuTLS's code. */
int gnutls_adapter_give_ticket(struct tls_session *s);
/* Derives the key of a server's tickets; all that they are bound to must be set. */
int gnutls_adapter_ticket_key(struct tls_ctx *c, const struct weft_span *secret);

#endif
