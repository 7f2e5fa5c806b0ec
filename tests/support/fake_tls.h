/* SPDX-License-Identifier: MIT */
/*
 * A TLS backend that encrypts nothing and shows what the core does with one: a client's bytes go through as
 * they are, and byte 4 (EOT) is its close_notify. Servers' contexts can be made, but no sessions of them.
 */
#ifndef WEFT_TESTS_SUPPORT_FAKE_TLS_H
#define WEFT_TESTS_SUPPORT_FAKE_TLS_H

#include "weft/plugin/plugin.h"
#include "weft/plugin/tls.h"
#include "weft/weft.h"

/* What it does, and what it saw. Zeroed by fake_tls_plugin. */
struct fake_tls {
	/* what it does */
	unsigned version;      /* of the sessions; 0: 0x0304 */
	const char *ticket;    /* what sessions give; NULL: none */
	unsigned ticket_after; /* records later than the handshake */
	bool resumes;          /* what was offered is taken */
	enum weft_status
		resume_fail;   /* how a handshake fails that was to resume; OK: it does not */
	enum weft_status fail; /* how every handshake fails */

	/* what it saw */
	unsigned ctxs, sessions; /* that are there now */
	unsigned ctxs_made, sessions_made, offers, exports, trims;
	char offered[64]; /* the last session's, "" for none */
	unsigned allow;
	char cert[64], key[64], ocsp[64]; /* the last ctx's */
	const struct weft_signer *signer;
	enum weft_tls_client_auth client_auth;
	unsigned char secret[WEFT_TLS_TICKET_SECRET];
	size_t secret_len, ca_count, pin_count;
	unsigned char pins[WEFT_PINS_MAX][WEFT_SHA256_BYTES];
	bool tickets;
};

extern struct fake_tls fake_tls;

/* "fake", with these caps, to be registered. A ctx with the certificate "bad" cannot be made. */
const struct weft_plugin *fake_tls_plugin(unsigned caps);

#endif
