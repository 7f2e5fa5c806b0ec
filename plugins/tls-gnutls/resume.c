/* SPDX-License-Identifier: MIT */
/* Sessions that go on where an earlier one was: RFC 5077, RFC 8446 section 2.2. */
#include <string.h>

#include <gnutls/crypto.h>

#include "backend.h"

enum { SUM = 16, HEAD = SUM + 4 };

/*
 * A ticket is good for servers that ask for certificates alike: one that was given to a client without a
 * certificate must not open a door where one is required.
 */
int gnutls_adapter_ticket_key(struct tls_ctx *c, const struct weft_span *secret)
{
	char label[] = "weft gnutls tickets 1, client certificates 0";

	label[sizeof(label) - 2] = (char)('0' + c->client_auth);
	return gnutls_hmac_fast(
		GNUTLS_MAC_SHA512, secret->ptr, secret->len, label, sizeof(label), c->ticket_key);
}

/* The library checks much of what it is given, but not all: what was kept must be what was exported. */
static bool sum(const unsigned char *bytes, size_t len, unsigned char out[SUM])
{
	unsigned char digest[WEFT_SHA256_BYTES];

	if (gnutls_hash_fast(GNUTLS_DIG_SHA256, bytes, len, digest) < 0)
		return false;
	memcpy(out, digest, SUM);
	return true;
}

/* sum of the rest, faults (4 bytes), the library's own data */
static void resume(struct tls_session *s, const struct weft_span *from)
{
	unsigned char own[SUM];
	unsigned faults = 0;

	if (from->len <= HEAD || !sum(from->ptr + SUM, from->len - SUM, own) ||
		memcmp(own, from->ptr, SUM))
		return;
	for (int i = 0; i < 4; i++)
		faults = faults << 8 | from->ptr[SUM + i];
	/* what was let through then is not now */
	if (faults & ~s->allow)
		return;
	if (gnutls_session_set_data(s->tls, from->ptr + HEAD, from->len - HEAD) >= 0)
		s->faults = faults; /* a certificate that comes after all changes it */
}

static int count_ticket(gnutls_session_t tls, unsigned type, unsigned when, unsigned incoming,
	const gnutls_datum_t *message)
{
	struct tls_session *s = gnutls_session_get_ptr(tls);

	(void)type;
	(void)when;
	(void)message;
	s->tickets += incoming != 0;
	return 0;
}

/*
 * The library would send two, to whoever it is, with the handshake. One is enough, goes to those who can use
 * it, and costs no send of its own where it goes with the first data.
 */
int gnutls_adapter_give_ticket(struct tls_session *s)
{
	bool due = s->ctx->tickets && s->ticket_wanted &&
		   gnutls_protocol_get_version(s->tls) == GNUTLS_TLS1_3;

	s->ticket_wanted = false;
	return due ? gnutls_session_ticket_send(s->tls, 1, 0) : 0;
}

int gnutls_adapter_set_tickets(struct tls_session *s, const struct weft_span *from)
{
	const gnutls_datum_t key = { s->ctx->ticket_key, sizeof(s->ctx->ticket_key) };

	if (!s->ctx->tickets)
		return 0;
	if (s->ctx->server) {
		gnutls_db_set_cache_expiration(s->tls, WEFT_TLS_TICKET_LIFETIME_S);
		return gnutls_session_ticket_enable_server(s->tls, &key);
	}
	gnutls_handshake_set_hook_function(
		s->tls, GNUTLS_HANDSHAKE_NEW_SESSION_TICKET, GNUTLS_HOOK_POST, count_ticket);
	resume(s, from);
	return 0;
}

enum weft_status gnutls_adapter_session_export(void *session, struct weft_buffer *to)
{
	struct tls_session *s = session;
	unsigned char head[HEAD];
	gnutls_datum_t data;
	size_t len;
	unsigned char *at;

	/* without a ticket the library would wait for one */
	if (s->ctx->server || s->tickets == s->exported || s->failed ||
		gnutls_session_get_data2(s->tls, &data) < 0)
		return WEFT_AGAIN;
	for (int i = 0; i < 4; i++)
		head[SUM + i] = (unsigned char)(s->faults >> (24 - 8 * i));
	len = HEAD + data.size;
	at = weft_buffer_reserve(to, len);
	if (at) {
		memcpy(at, head, HEAD);
		memcpy(at + HEAD, data.data, data.size);
		s->exported = s->tickets;
		if (sum(at + SUM, len - SUM, at))
			weft_buffer_commit(to, len);
	}
	gnutls_memset(data.data, 0, data.size);
	gnutls_free(data.data);
	return at ? WEFT_OK : WEFT_ERR_MEMORY;
}
