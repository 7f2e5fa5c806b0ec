/* SPDX-License-Identifier: MIT */
/*
 * The second seam: TLS. Bytes in, bytes out. A backend knows no socket, no loop, no file and no core:
 * it is called with ciphertext and gives plaintext, and the other way round.
 */
#ifndef WEFT_PLUGIN_TLS_H
#define WEFT_PLUGIN_TLS_H

#include "weft/alloc.h"
#include "weft/buffer.h"
#include "weft/segment.h"
#include "weft/status.h"
#include "weft/trust.h"

WEFT_BEGIN

enum weft_tls_caps {
	WEFT_TLS_CAN_TLS12 = 1u << 0,
	WEFT_TLS_CAN_TLS13 = 1u << 1,
	WEFT_TLS_CAN_ALPN = 1u << 2,
	WEFT_TLS_CAN_CRL = 1u << 3,
	WEFT_TLS_CAN_RESUME = 1u << 4, /* tickets, both sides: RFC 5077, RFC 8446 section 4.6.1 */
	WEFT_TLS_CAN_CLIENT_AUTH = 1u << 5, /* a server can ask for certificates */
	WEFT_TLS_CAN_STAPLE = 1u << 6, /* OCSP responses: a server sends, a client heeds them */
	WEFT_TLS_CAN_SIGN = 1u << 7,   /* private keys behind a callback */
	WEFT_TLS_CAN_PIN = 1u << 8,
	WEFT_TLS_CAN_NAME_CONSTRAINTS =
		1u << 9, /* nameConstraints of CAs are obeyed: RFC 5280 4.2.1.10 */
};

/* Whether a server asks its clients for certificates. */
enum weft_tls_client_auth {
	WEFT_TLS_CLIENT_AUTH_NONE,
	WEFT_TLS_CLIENT_AUTH_OPTIONAL, /* none is fine; one that does not verify is not */
	WEFT_TLS_CLIENT_AUTH_REQUIRED,
};

enum {
	WEFT_TLS_TICKET_SECRET = 64,       /* bytes */
	WEFT_TLS_TICKET_LIFETIME_S = 7200, /* what a ticket is good for at most */
};

/*
 * One side's configuration, shared by its sessions. All is copied or parsed before ctx_create returns.
 * crl, signer, client_auth, ocsp and pins are UNSUPPORTED where caps say no; tickets are left out there.
 */
struct weft_tls_ctx_options {
	size_t size;
	const struct weft_allocator *alloc; /* for the adapter's own blocks */
	bool server;
	/* Each span is one certificate (CRL) in PEM or DER; one that does not parse fails all, and the
	 * text says which, counted from 1. Servers: for the certificates of clients. */
	const struct weft_span *ca;
	size_t ca_count;
	const struct weft_span *crl;
	size_t crl_count;
	/* PEM. Server: required. Client: optional, {NULL, 0}. */
	struct weft_span cert_chain;
	struct weft_span key;
	/* In order of preference, NULL-terminated; NULL or empty: no ALPN. RFC 7301. */
	const char *const *alpn;
	/* Instead of key; not called by ctx_create. It outlives the ctx. */
	const struct weft_signer *signer;
	enum weft_tls_client_auth client_auth; /* server */
	struct weft_span ocsp;                 /* server: DER, on the leaf, or empty */
	/*
	 * Server: WEFT_TLS_TICKET_SECRET bytes that all who share tickets have in common, or empty: no tickets.
	 * The keys that encrypt tickets are derived from it, the time, client_auth, ca and crl (in their order),
	 * and rotate by themselves.
	 * A ticket is good for WEFT_TLS_TICKET_LIFETIME_S, whatever certificate the server has by then; a client's
	 * certificate in it is verified again each time. RFC 5077, RFC 8446 section 4.6.1.
	 */
	struct weft_span ticket_secret;
	bool tickets; /* client: session_export will be asked for */
	/* SHA-256 of the SubjectPublicKeyInfo of the peer's leaf; one must fit, whatever `allow` says. */
	const unsigned char (*pins)[WEFT_SHA256_BYTES];
	size_t pin_count;
};

struct weft_tls_session_options {
	size_t size;
	/* Client only, all but allow. */
	const char *sni; /* sent as server_name, or NULL */
	/* The DNS name that the certificate must have, or NULL: as a subjectAltName, RFC 9525. */
	const char *verify_host;
	struct weft_span verify_ip; /* or the address, 4 or 16 bytes in network order */
	unsigned allow;             /* enum weft_tls_fault: not held against the peer */
	/*
	 * What session_export gave for an earlier session with the same ctx content and options. What is not
	 * that to the last bit, has become old, or had faults that are not allowed now, is ignored, and the
	 * handshake is full; so where the peer's certificate or one of crl has run out since, or no pin fits.
	 */
	struct weft_span resume;
};

struct weft_tls_info {
	char alpn[32];    /* what was agreed, or "" */
	unsigned version; /* 0x0303, 0x0304 */
	char cipher[64];  /* the library's name for it */
	unsigned faults;  /* enum weft_tls_fault found in the peer's certificate, allowed or not */
	bool resumed;
	bool peer_cert; /* the peer showed a certificate, now or in the session that was resumed */
	bool peer_verified;  /* ... and it was found good without any fault, allowed or not */
	char peer_name[256]; /* its subject as a distinguished name, RFC 4514; cut at 255 bytes */
	unsigned char peer_sha256[WEFT_SHA256_BYTES]; /* of the certificate in DER */
	unsigned char peer_spki[WEFT_SHA256_BYTES];   /* of its SubjectPublicKeyInfo in DER */
};

/* What a certificate says of itself. */
struct weft_tls_cert {
	int64_t not_before, not_after;  /* seconds since 1970 */
	char subject[256], issuer[256]; /* RFC 4514, cut at 255 bytes */
	bool ca;                        /* basicConstraints: RFC 5280 section 4.2.1.9 */
};

/*
 * Rules for all session ops:
 * - `in` is consumed from the front (ptr and len move). What is not consumed is passed again, with more
 *   behind it; an op consumes all it can use, so AGAIN with unconsumed input means that a record is
 *   not complete yet. Input may come in pieces of any size, one byte included.
 * - `out` takes ciphertext for the peer. It never refuses; the caller sends it even if the op failed
 *   (alerts). Running out of memory shows in out->failed.
 * - After a negative status only close_notify, info and session_destroy are called.
 * - No op keeps a pointer to its arguments after it returned.
 */
struct weft_tls_ops {
	size_t size;
	unsigned caps;

	enum weft_status (*ctx_create)(
		const struct weft_tls_ctx_options *options, void **ctx, struct weft_error *err);
	/* Every session of it is gone by then. */
	void (*ctx_destroy)(void *ctx);

	enum weft_status (*session_create)(void *ctx,
		const struct weft_tls_session_options *options, void **session,
		struct weft_error *err);
	void (*session_destroy)(void *session);

	/*
	 * Goes as far as it can. A client's first call has empty input. OK: done, application data may
	 * flow (input may remain: it belongs to decrypt). AGAIN: needs more input. Failures:
	 * WEFT_ERR_VERIFY (the text is weft_tls_faults_text's), WEFT_ERR_PROTOCOL (what came was not TLS, or
	 * TLS below 1.2, or no common parameters; the peer's alert is named), WEFT_ERR_UNSUPPORTED (it speaks
	 * none of the protocols of our ALPN, and said so by its alert: RFC 7301 section 3.2), WEFT_ERR_TLS for the rest.
	 */
	enum weft_status (*handshake)(void *session, struct weft_span *in, struct weft_buffer *out,
		struct weft_error *err);
	/*
	 * At most one record of plaintext a call, in plain; valid until the next op on this session other
	 * than info, session_export and peer_cert, which who reads it may call.
	 * OK: plain is set, and may be empty (a ticket, a key update). AGAIN: no complete record.
	 * EOF: the peer's close_notify. Renegotiation is refused, with an alert.
	 */
	enum weft_status (*decrypt)(void *session, struct weft_span *in, struct weft_span *plain,
		struct weft_buffer *out, struct weft_error *err);
	/*
	 * Encrypts all of the segments (MEM and BORROWED only) into as few records as they fit: short
	 * segments are gathered into one record.
	 */
	enum weft_status (*encrypt)(void *session, const struct weft_segment *segs, size_t count,
		struct weft_buffer *out, struct weft_error *err);
	/* Ends our direction. May be called in any state, failed ones included; then it may do nothing. */
	void (*close_notify)(void *session, struct weft_buffer *out);
	void (*info)(void *session, struct weft_tls_info *info);
	/*
	 * Client: appends what a later session can be resumed with. OK, AGAIN: nothing (new) since the
	 * last call; TLS 1.3's tickets come after the handshake, so it is asked after decrypt, too. NULL: never.
	 */
	enum weft_status (*session_export)(void *session, struct weft_buffer *to);
	/* The peer's certificate in DER, valid as long as the session. AGAIN: it showed none. */
	enum weft_status (*peer_cert)(void *session, struct weft_span *der);
	/*
	 * Between handshake and failure: what decrypt handed out was used up, and the session may now be idle
	 * for long: gives back memory that it does not need for that. NULL: there is none.
	 */
	void (*settle)(void *session);
	/*
	 * No session will be made of this ctx any more, and those that there are have shaken hands: gives back
	 * what was only for that, above all the parsed certificates. session_export may be called after it. NULL: it
	 * stays whole until ctx_destroy.
	 */
	void (*ctx_trim)(void *ctx);
	/* One certificate in PEM or DER; or, where out is NULL, one CRL. ARGUMENT: it is none. NULL: it cannot say. */
	enum weft_status (*cert_read)(
		struct weft_span bytes, struct weft_tls_cert *out, struct weft_error *err);
	/*
	 * Whether a certificate, in DER, is for the DNS name host: as for verify_host above, and nothing else of it is
	 * looked at. VERIFY: it is not. ARGUMENT: it is none. NULL: it cannot say, and no connection serves two hosts.
	 */
	enum weft_status (*cert_fits)(
		struct weft_span der, const char *host, struct weft_error *err);
};

WEFT_END

#endif
