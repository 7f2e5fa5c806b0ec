/* SPDX-License-Identifier: MIT */
/* A server's look at the ClientHello: RFC 8446 sections 4.2.8 and 4.2.9. */
#include "backend.h"

enum { PSK_KEY_EXCHANGE_MODES = 45, KEY_SHARE = 51, X25519 = 0x001d };

struct sight {
	bool shares, x25519, modes;
};

/* group (2), length (2), key; the list has its length in front. */
static bool has_x25519(const unsigned char *data, unsigned len)
{
	unsigned at = 2;

	while (at + 4 <= len) {
		if ((data[at] << 8 | data[at + 1]) == X25519)
			return true;
		at += 4 + ((unsigned)data[at + 2] << 8 | data[at + 3]);
	}
	return false;
}

static int see_extension(void *user, unsigned type, const unsigned char *data, unsigned len)
{
	struct sight *sight = user;

	if (type == PSK_KEY_EXCHANGE_MODES)
		sight->modes = true;
	if (type == KEY_SHARE) {
		sight->shares = true;
		sight->x25519 = has_x25519(data, len);
	}
	return 0;
}

/*
 * In our order the library would have a client that sent another key try again with the cheapest one, for a round
 * trip: then the client's order counts.
 */
static int see_hello(gnutls_session_t tls, unsigned type, unsigned when, unsigned incoming,
	const gnutls_datum_t *message)
{
	struct tls_session *s = gnutls_session_get_ptr(tls);
	struct sight sight = { .modes = false };

	(void)type;
	(void)when;
	(void)incoming;
	/* what cannot be parsed is the library's to refuse */
	gnutls_ext_raw_parse(&sight, see_extension, message, GNUTLS_EXT_RAW_FLAG_TLS_CLIENT_HELLO);
	s->ticket_wanted = sight.modes;
	if (sight.shares && !sight.x25519)
		return gnutls_priority_set(tls, s->ctx->priority);
	return 0;
}

void gnutls_adapter_watch_hello(struct tls_session *s)
{
	gnutls_handshake_set_hook_function(
		s->tls, GNUTLS_HANDSHAKE_CLIENT_HELLO, GNUTLS_HOOK_PRE, see_hello);
}
