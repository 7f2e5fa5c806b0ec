/* SPDX-License-Identifier: MIT */
/*
 * Tickets: a server's session, sealed with a key that servers with the same secret derive alike from it
 * and the time. RFC 5077. Knows no connection.
 */
#ifndef WEFT_TLS_MBEDTLS_TICKETS_H
#define WEFT_TLS_MBEDTLS_TICKETS_H

#include <stddef.h>
#include <stdint.h>

#include <mbedtls/ssl.h>

#include "weft/plugin/tls.h"

enum {
	TICKET_NAME = 16, /* of the key */
	TICKET_IV = 12,
	TICKET_TAG = 16,
	TICKET_KEY = 32,
	TICKET_SKEW_S = 60, /* how far the clocks of two servers may be apart */
};

/* Good for one WEFT_TLS_TICKET_LIFETIME_S since 1970. */
struct tls_ticket_key {
	bool made;
	uint64_t epoch;
	unsigned char bytes[TICKET_NAME + TICKET_KEY];
};

struct tls_tickets {
	unsigned char secret[WEFT_TLS_TICKET_SECRET];
	/* What else must be the same: whom a client was asked to be, and by which authorities. */
	unsigned char scope[WEFT_SHA256_BYTES];
	struct tls_ticket_key keys[2]; /* by epoch % 2 */
	int (*random)(void *arg, unsigned char *to, size_t len);
	void *random_arg;
};

/* Both return one of the library's codes. now: seconds since 1970. */
int mbedtls_adapter_ticket_seal(struct tls_tickets *t, uint64_t now,
	const mbedtls_ssl_session *session, unsigned char *to, const unsigned char *end,
	size_t *len);
/* Decrypts in place. Fails unless it is of one of the servers that share the secret, and not too old. */
int mbedtls_adapter_ticket_open(struct tls_tickets *t, uint64_t now, mbedtls_ssl_session *session,
	unsigned char *ticket, size_t len);

#endif
