/* SPDX-License-Identifier: MIT */
/* How a session becomes a ticket, AES-256-GCM under the key of the epoch, and comes out of it again. */
#include <string.h>

#include <mbedtls/constant_time.h>
#include <mbedtls/gcm.h>
#include <mbedtls/hkdf.h>
#include <mbedtls/md.h>
#include <mbedtls/platform_util.h>

#include "tickets.h"

/* Key and name of an epoch: HKDF (RFC 5869) with the epoch as info. */
static int derive(struct tls_tickets *t, uint64_t epoch, const struct tls_ticket_key **key)
{
	static const char label[] = "weft tls ticket";
	struct tls_ticket_key *k = &t->keys[epoch % 2];
	unsigned char info[sizeof(label) + 8];
	int ret;

	*key = k;
	if (k->made && k->epoch == epoch)
		return 0;
	memcpy(info, label, sizeof(label));
	for (int i = 0; i < 8; i++)
		info[sizeof(label) + (size_t)i] = (unsigned char)(epoch >> (56 - 8 * i));
	ret = mbedtls_hkdf(mbedtls_md_info_from_type(MBEDTLS_MD_SHA256), t->scope, sizeof(t->scope),
		t->secret, sizeof(t->secret), info, sizeof(info), k->bytes, sizeof(k->bytes));
	k->made = !ret;
	k->epoch = epoch;
	return ret;
}

static int with_key(mbedtls_gcm_context *gcm, const struct tls_ticket_key *k)
{
	mbedtls_gcm_init(gcm);
	return mbedtls_gcm_setkey(
		gcm, MBEDTLS_CIPHER_ID_AES, k->bytes + TICKET_NAME, TICKET_KEY * 8);
}

/* The ticket: the key's name, the IV, the session, the tag. The name is authenticated, too. */
int mbedtls_adapter_ticket_seal(struct tls_tickets *t, uint64_t now,
	const mbedtls_ssl_session *session, unsigned char *to, const unsigned char *end,
	size_t *len)
{
	const size_t extra = TICKET_NAME + TICKET_IV + TICKET_TAG;
	unsigned char *iv = to + TICKET_NAME, *body = iv + TICKET_IV;
	const struct tls_ticket_key *k;
	mbedtls_gcm_context gcm;
	size_t used;
	int ret = derive(t, now / WEFT_TLS_TICKET_LIFETIME_S, &k);

	if (ret)
		return ret;
	if ((size_t)(end - to) < extra)
		return MBEDTLS_ERR_SSL_BUFFER_TOO_SMALL;
	memcpy(to, k->bytes, TICKET_NAME);
	ret = t->random(t->random_arg, iv, TICKET_IV);
	if (ret)
		return ret;
	ret = mbedtls_ssl_session_save(session, body, (size_t)(end - to) - extra, &used);
	if (ret)
		return ret;
	ret = with_key(&gcm, k);
	if (!ret)
		ret = mbedtls_gcm_crypt_and_tag(&gcm, MBEDTLS_GCM_ENCRYPT, used, iv, TICKET_IV, to,
			TICKET_NAME, body, body, TICKET_TAG, body + used);
	mbedtls_gcm_free(&gcm);
	*len = extra + used;
	return ret;
}

/* The key that the name says, of this epoch or the one before. */
static int find_key(struct tls_tickets *t, uint64_t now, const unsigned char *name,
	const struct tls_ticket_key **key)
{
	uint64_t epoch = now / WEFT_TLS_TICKET_LIFETIME_S;

	for (uint64_t back = 0; back < 2 && back <= epoch; back++) {
		int ret = derive(t, epoch - back, key);

		if (ret)
			return ret;
		if (!mbedtls_ct_memcmp((*key)->bytes, name, TICKET_NAME))
			return 0;
	}
	return MBEDTLS_ERR_SSL_INVALID_MAC;
}

static int check_age(const mbedtls_ssl_session *session, uint64_t now)
{
	uint64_t start = (uint64_t)session->start;

	if (start > now + TICKET_SKEW_S || now > start + WEFT_TLS_TICKET_LIFETIME_S)
		return MBEDTLS_ERR_SSL_SESSION_TICKET_EXPIRED;
	return 0;
}

int mbedtls_adapter_ticket_open(struct tls_tickets *t, uint64_t now, mbedtls_ssl_session *session,
	unsigned char *ticket, size_t len)
{
	const size_t extra = TICKET_NAME + TICKET_IV + TICKET_TAG;
	unsigned char *iv, *body;
	const struct tls_ticket_key *k;
	mbedtls_gcm_context gcm;
	int ret;

	if (len < extra)
		return MBEDTLS_ERR_SSL_INVALID_MAC;
	ret = find_key(t, now, ticket, &k);
	if (ret)
		return ret;
	iv = ticket + TICKET_NAME;
	body = iv + TICKET_IV;
	len -= extra;
	ret = with_key(&gcm, k);
	if (!ret && mbedtls_gcm_auth_decrypt(&gcm, len, iv, TICKET_IV, ticket, TICKET_NAME,
			    body + len, TICKET_TAG, body, body))
		ret = MBEDTLS_ERR_SSL_INVALID_MAC;
	mbedtls_gcm_free(&gcm);
	if (!ret)
		ret = mbedtls_ssl_session_load(session, body, len);
	if (!ret)
		ret = check_age(session, now);
	/* the secret of the session */
	mbedtls_platform_zeroize(body, len);
	return ret;
}
