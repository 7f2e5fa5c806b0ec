/* SPDX-License-Identifier: MIT */
/* A client and a server session of any two backends, joined by buffers that deliver in pieces. */
#ifndef WEFT_TESTS_CONTRACT_TLS_PAIR_H
#define WEFT_TESTS_CONTRACT_TLS_PAIR_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/certs.h"
#include "weft/buffer.h"
#include "weft/plugin/tls.h"

struct tls_backend {
	const char *name;
	const struct weft_tls_ops *ops;
};

/* What a test gets as its initial state. */
struct tls_setting {
	const struct tls_backend *client, *server;
	size_t fragment; /* bytes a delivery; 0: all there is */
};

/* What a case varies; all zero is a handshake that succeeds. */
struct tls_wish {
	enum test_cert_kind cert;
	const char *host; /* NULL: localhost, unless ip is set */
	struct weft_span ip;
	bool no_name; /* neither host nor ip is verified */
	unsigned allow, server_allow;
	bool crl;
	const char *const *client_alpn, *const *server_alpn;
	/* Instead of the above, where set. */
	const struct test_cert *shown; /* by the server */
	const struct test_cert *trust; /* of either end: the only CA */
	const struct test_cert *list;  /* CRL of either end */
	const struct weft_span *store; /* of either end: more CAs */
	size_t store_count;
	/* The rest of the options, as they are. */
	const struct test_cert *client_cert;
	enum weft_tls_client_auth client_auth;
	const struct weft_signer *client_signer, *server_signer; /* instead of the keys */
	struct weft_span ocsp, ticket_secret, resume;
	bool tickets;
	const unsigned char (*pins)[WEFT_SHA256_BYTES];
	size_t pin_count;
	const unsigned char (*server_pins)[WEFT_SHA256_BYTES]; /* one */
};

struct tls_end {
	const struct weft_tls_ops *ops;
	void *ctx, *session;
	struct weft_buffer in; /* delivered, and not consumed yet */
	struct weft_buffer out;
	enum weft_status status; /* of the last op */
	struct weft_error err;
};

struct tls_pair {
	struct tls_end client, server;
	size_t fragment;
};

/* Fails the test if anything cannot be made. */
void tls_pair_create(
	struct tls_pair *p, const struct tls_setting *setting, const struct tls_wish *wish);
void tls_pair_destroy(struct tls_pair *p);
/* Runs both handshakes until neither can go on; what one end still wrote is delivered. */
void tls_pair_handshake(struct tls_pair *p);
/* create and handshake; both must succeed. */
void tls_pair_open(
	struct tls_pair *p, const struct tls_setting *setting, const struct tls_wish *wish);

/* One end, for peers that are no backend. wish->cert is what a server shows. */
void tls_end_create(struct tls_end *e, const struct tls_backend *backend, bool server,
	const struct tls_wish *wish);
void tls_end_destroy(struct tls_end *e);
/* One call with what is in e->in; the input is a copy that is gone afterwards. */
void tls_end_handshake(struct tls_end *e);
/* Appends the plaintext to plain; sets e->status. */
void tls_end_decrypt(struct tls_end *e, struct weft_buffer *plain);
/* Decrypts until it does not return OK. */
void tls_end_drain(struct tls_end *e, struct weft_buffer *plain);
void tls_end_encrypt(struct tls_end *e, const void *bytes, size_t len);
/* Moves up to count bytes (0: all); returns how many. */
size_t tls_deliver(struct tls_end *from, struct tls_end *to, size_t count);
/* Everything from one end to the other in pieces, decrypted there, until it is all used up. */
void tls_carry(struct tls_pair *p, bool to_server, struct weft_buffer *plain);
/* Where the error's text has the words; prints it if not. */
void tls_assert_text(const struct weft_error *err, const char *words);

/* Skips the test, saying so, unless the backends can do all of these. */
void tls_need(const struct tls_setting *setting, unsigned client_caps, unsigned server_caps);
/* What the last op of an end says. */
struct weft_tls_info tls_info(const struct tls_end *e);

extern const struct CMUnitTest tls_flow_tests[], tls_verify_tests[], tls_bad_tests[],
	tls_ctx_tests[], tls_resume_tests[], tls_client_auth_tests[], tls_staple_tests[],
	tls_sign_tests[], tls_pin_tests[], tls_resume_since_tests[], tls_cert_tests[],
	tls_trim_tests[], tls_heap_tests[];
extern const size_t tls_flow_count, tls_verify_count, tls_bad_count, tls_ctx_count,
	tls_resume_count, tls_client_auth_count, tls_staple_count, tls_sign_count, tls_pin_count,
	tls_resume_since_count, tls_cert_count, tls_trim_count, tls_heap_count;

#endif
