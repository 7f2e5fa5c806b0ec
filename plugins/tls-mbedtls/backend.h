/* SPDX-License-Identifier: MIT */
/* What the parts of the mbedTLS adapter know of each other. */
#ifndef WEFT_TLS_MBEDTLS_BACKEND_H
#define WEFT_TLS_MBEDTLS_BACKEND_H

#include <mbedtls/ctr_drbg.h>
#include <mbedtls/ssl.h>
#include <mbedtls/x509_crt.h>

#include "tickets.h"
#include "weft/plugin/tls.h"

#if !defined(MBEDTLS_SSL_SESSION_TICKETS) || !defined(MBEDTLS_SSL_KEEP_PEER_CERTIFICATE) || \
	!defined(MBEDTLS_SSL_EXTENDED_MASTER_SECRET) ||                                     \
	!defined(MBEDTLS_SSL_SERVER_NAME_INDICATION)
#error "tls-mbedtls needs an mbed TLS with tickets, extended master secrets, SNI and peer certificates"
#endif

enum { ALPN_MAX = 8 };

struct tls_session;

struct tls_ctx {
	const struct weft_allocator *alloc;
	mbedtls_ssl_config conf;
	mbedtls_ctr_drbg_context drbg; /* a generator each: contexts share nothing */
	mbedtls_x509_crt ca, chain;
	mbedtls_x509_crt nobody; /* empty: what the library itself trusts */
	mbedtls_x509_crl crl;
	mbedtls_pk_context key;
	const char *alpn[ALPN_MAX + 1]; /* into alpn_text */
	char alpn_text[128];
	const struct weft_signer *signer;
	unsigned char (*pins)[WEFT_SHA256_BYTES];
	size_t pin_count;
	struct tls_tickets tickets; /* server */
	unsigned char *spare;       /* for the next session that decrypts; RECORD bytes, or NULL */
	struct tls_session *now; /* whose handshake is on the stack: the library's hooks get none */
	enum weft_tls_client_auth client_auth;
	bool server;
	bool resumes; /* server: gives tickets; client: takes them */
};

/* What only a handshake needs; the session has it until then. */
struct tls_expected {
	mbedtls_x509_crt chain; /* what the peer showed */
	char host[256];
	unsigned char ip[16];
	size_t ip_len;
};

struct tls_session {
	struct tls_ctx *ctx;
	mbedtls_ssl_context tls;
	struct tls_expected *expected;
	/* only while an op is on the stack */
	struct weft_span *in;
	struct weft_buffer *out;
	unsigned char *record; /* what the last decrypt handed out, until settle; RECORD bytes */
	unsigned allow, faults;
	int suite;     /* server: of the session that is resumed */
	bool unusable; /* the peer's certificate; nothing allows that */
	bool judged;   /* what the peer showed, or that it showed nothing */
	bool extended; /* RFC 7627 */
	bool resumed;
	bool exported;
	bool sign_failed; /* our signer failed */
	bool alerted;     /* a fatal alert is out: nothing comes behind it */
	bool failed;
	bool shaken;
};

/* ctx.c */
enum weft_status mbedtls_adapter_ctx_create(
	const struct weft_tls_ctx_options *options, void **ctx, struct weft_error *err);
void mbedtls_adapter_ctx_destroy(void *ctx);
void mbedtls_adapter_ctx_trim(void *ctx);

/* cert.c: without a context; no_cert.c where no policy is loaded. */
enum weft_status mbedtls_adapter_cert_read(
	struct weft_span bytes, struct weft_tls_cert *out, struct weft_error *err);

/* credentials.c: what cannot be used is named in err. */
enum weft_status mbedtls_adapter_set_trust(
	struct tls_ctx *c, const struct weft_tls_ctx_options *o, struct weft_error *err);
enum weft_status mbedtls_adapter_set_identity(
	struct tls_ctx *c, const struct weft_tls_ctx_options *o, struct weft_error *err);
enum weft_status mbedtls_adapter_refused(
	struct weft_error *err, int code, const char *what, size_t number);
enum weft_status mbedtls_adapter_no_memory(struct weft_error *err);
/* As the library does, but nameConstraints may be critical: they are obeyed here. Copies. */
int mbedtls_adapter_parse_crt(mbedtls_x509_crt *chain, const unsigned char *der, size_t len);

/* pem.c: what is no secret. */
struct tls_pem_label {
	const char *begin, *end;
};

extern const struct tls_pem_label mbedtls_adapter_certificate, mbedtls_adapter_crl;

typedef int mbedtls_adapter_read_fn(void *to, const unsigned char *der, size_t len);

bool mbedtls_adapter_is_pem(const struct weft_span *s);
/* Reads all such blocks of a text, one or more; words may stand between them. One of the library's codes. */
int mbedtls_adapter_read_pem(const struct weft_span *text, const struct tls_pem_label *label,
	const struct weft_allocator *alloc, mbedtls_adapter_read_fn *read, void *to);

/* signer.c: makes c->key one that asks c->signer. */
void mbedtls_adapter_set_signer(struct tls_ctx *c);

/* session.c */
enum weft_status mbedtls_adapter_session_create(void *ctx,
	const struct weft_tls_session_options *options, void **session, struct weft_error *err);
void mbedtls_adapter_session_destroy(void *session);
enum weft_status mbedtls_adapter_decrypt(void *session, struct weft_span *in,
	struct weft_span *plain, struct weft_buffer *out, struct weft_error *err);
enum weft_status mbedtls_adapter_encrypt(void *session, const struct weft_segment *segs,
	size_t count, struct weft_buffer *out, struct weft_error *err);
void mbedtls_adapter_close_notify(void *session, struct weft_buffer *out);
void mbedtls_adapter_settle(void *session);
/* What sessions left behind for one another. */
void mbedtls_adapter_drop_spare(struct tls_ctx *c);
/* The session is over; sends an alert (MBEDTLS_SSL_ALERT_MSG_...) unless one is out already. */
void mbedtls_adapter_alert(struct tls_session *s, unsigned char alert);
enum weft_status mbedtls_adapter_failure(struct tls_session *s, int code, struct weft_error *err);
void mbedtls_adapter_drop_expected(struct tls_session *s);

/* handshake.c */
enum weft_status mbedtls_adapter_handshake(
	void *session, struct weft_span *in, struct weft_buffer *out, struct weft_error *err);

/* resume.c */
int mbedtls_adapter_session_resume(struct tls_session *s, struct weft_span blob);
enum weft_status mbedtls_adapter_session_export(void *session, struct weft_buffer *to);
/* Whether a session of the past would be accepted if it were made now. */
bool mbedtls_adapter_may_resume(const struct tls_session *s, const mbedtls_ssl_session *past);

/* offer.c; no_offer.c where a build has no server */
void mbedtls_adapter_offer_tickets(struct tls_ctx *c);

/*
 * The peer's certificates are looked at here, not by the library, which knows less of them. take (message.c)
 * comes before the library's step that reads the certificate message, and leaves it the first one
 * only; judge (verify.c) comes behind it. Both return one of the library's codes, and have sent the alert.
 */
int mbedtls_adapter_take_chain(struct tls_session *s);
int mbedtls_adapter_judge_peer(struct tls_session *s);
/* Whether a certificate's key is among the pins, or there are none. */
bool mbedtls_adapter_pin_fits(const struct tls_ctx *c, const mbedtls_x509_crt *crt);

/* names.c: whether a certificate has the name or address that is expected, or none is. */
bool mbedtls_adapter_name_fits(
	const mbedtls_x509_crt *crt, const char *host, const unsigned char *ip, size_t ip_len);
enum weft_status mbedtls_adapter_cert_fits(
	struct weft_span der, const char *host, struct weft_error *err);

/* constraints.c: whether the CA may speak for all of the names of a certificate below it. */
bool mbedtls_adapter_constraint_fits(const mbedtls_x509_crt *ca, const mbedtls_x509_crt *crt);
bool mbedtls_adapter_is_constraint(const mbedtls_x509_buf *oid);

/* identity.c */
void mbedtls_adapter_info(void *session, struct weft_tls_info *info);
enum weft_status mbedtls_adapter_peer_cert(void *session, struct weft_span *der);
/* As RFC 4514 has it, cut. */
void mbedtls_adapter_write_name(const mbedtls_x509_name *name, char *to, size_t max);

#endif
