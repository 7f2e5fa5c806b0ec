/* SPDX-License-Identifier: MIT */
/* Sessions that go on where an earlier one was: RFC 5077, RFC 8446 section 2.2. */
#include <string.h>
#include <time.h>

#include <gnutls/crypto.h>

#include "backend.h"

/*
 * What is exported: the sum of the rest, then in 8 bytes each the faults that were let through and from when to
 * when the peer's certificate is good, the SHA-256 of its key, and the library's own data.
 */
enum {
	SUM = 16,
	FAULTS = SUM,
	FROM = FAULTS + 8,
	UNTIL = FROM + 8,
	KEY = UNTIL + 8,
	HEAD = KEY + WEFT_SHA256_BYTES,
};

/*
 * A ticket is good for servers that ask for certificates alike and believe the same CAs and lists: one that was
 * given to a client without a certificate must not open a door where one is required, and whom another CA
 * spoke for must show what this one says.
 */
int gnutls_adapter_ticket_key(struct tls_ctx *c, const struct weft_span *secret)
{
	static const char label[] = "weft gnutls tickets 2";
	unsigned char scope[sizeof(label) + 1 + sizeof(c->scope)];

	memcpy(scope, label, sizeof(label));
	scope[sizeof(label)] = (unsigned char)c->client_auth;
	memcpy(scope + sizeof(label) + 1, c->scope, sizeof(c->scope));
	return gnutls_hmac_fast(
		GNUTLS_MAC_SHA512, secret->ptr, secret->len, scope, sizeof(scope), c->ticket_key);
}

static void put(unsigned char *to, uint64_t number)
{
	for (int i = 0; i < 8; i++)
		to[i] = (unsigned char)(number >> (56 - 8 * i));
}

static uint64_t get(const unsigned char *from)
{
	uint64_t number = 0;

	for (int i = 0; i < 8; i++)
		number = number << 8 | from[i];
	return number;
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

/* What a look at the certificate would find now. Lists are not asked again, but must be good still. */
static unsigned faults_now(const struct tls_ctx *c, const unsigned char *head)
{
	time_t now = time(NULL);
	unsigned faults = 0;

	if ((time_t)get(head + UNTIL) < now)
		faults |= WEFT_TLS_EXPIRED;
	if ((time_t)get(head + FROM) > now)
		faults |= WEFT_TLS_NOT_YET_VALID;
	if (!gnutls_adapter_lists_are_current(c))
		faults |= WEFT_TLS_REVOKED;
	if (!gnutls_adapter_pin_fits(c, head + KEY))
		faults |= WEFT_TLS_WRONG_PIN;
	return faults;
}

/* What is not as it was then is for a full handshake to judge; so is what was let through then and is not now. */
static void resume(struct tls_session *s, const struct weft_span *from)
{
	unsigned char own[SUM];
	unsigned faults;

	if (from->len <= HEAD || !sum(from->ptr + SUM, from->len - SUM, own) ||
		memcmp(own, from->ptr, SUM))
		return;
	faults = (unsigned)get(from->ptr + FAULTS);
	if (faults & ~s->allow || faults_now(s->ctx, from->ptr) & ~faults)
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

/* All of the head but the sum. */
static bool describe(struct tls_session *s, unsigned char head[HEAD])
{
	size_t len = WEFT_SHA256_BYTES;
	gnutls_x509_crt_t crt;
	struct weft_span der;
	gnutls_datum_t data;
	bool ok;

	if (gnutls_adapter_peer_cert(s, &der) || gnutls_x509_crt_init(&crt) < 0)
		return false;
	data = gnutls_adapter_datum(&der);
	ok = gnutls_x509_crt_import(crt, &data, GNUTLS_X509_FMT_DER) >= 0 &&
	     gnutls_x509_crt_get_key_id(crt, GNUTLS_KEYID_USE_SHA256, head + KEY, &len) >= 0;
	if (ok) {
		put(head + FAULTS, s->faults);
		put(head + FROM, (uint64_t)gnutls_x509_crt_get_activation_time(crt));
		put(head + UNTIL, (uint64_t)gnutls_x509_crt_get_expiration_time(crt));
	}
	gnutls_x509_crt_deinit(crt);
	return ok;
}

enum weft_status gnutls_adapter_session_export(void *session, struct weft_buffer *to)
{
	struct tls_session *s = session;
	unsigned char head[HEAD];
	gnutls_datum_t data;
	size_t len;
	unsigned char *at;

	/* without a ticket the library would wait for one */
	if (s->ctx->server || s->tickets == s->exported || s->failed || !describe(s, head) ||
		gnutls_session_get_data2(s->tls, &data) < 0)
		return WEFT_AGAIN;
	len = HEAD + data.size;
	at = weft_buffer_reserve(to, len);
	if (at) {
		memcpy(at + SUM, head + SUM, HEAD - SUM);
		memcpy(at + HEAD, data.data, data.size);
		s->exported = s->tickets;
		if (sum(at + SUM, len - SUM, at))
			weft_buffer_commit(to, len);
	}
	gnutls_memset(data.data, 0, data.size);
	gnutls_free(data.data);
	return at ? WEFT_OK : WEFT_ERR_MEMORY;
}
