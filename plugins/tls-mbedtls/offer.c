/* SPDX-License-Identifier: MIT */
/* Tickets that a server gives, and takes back. */
#include <time.h>

#include "backend.h"

static int write_ticket(void *ctx, const mbedtls_ssl_session *session, unsigned char *start,
	const unsigned char *end, size_t *len, uint32_t *lifetime)
{
	struct tls_ctx *c = ctx;

	*lifetime = WEFT_TLS_TICKET_LIFETIME_S;
	/* an error makes it an empty one, which is none */
	if (!c->now || !c->now->extended)
		return MBEDTLS_ERR_SSL_FEATURE_UNAVAILABLE;
	return mbedtls_adapter_ticket_seal(
		&c->tickets, (uint64_t)time(NULL), session, start, end, len);
}

static int parse_ticket(void *ctx, mbedtls_ssl_session *session, unsigned char *ticket, size_t len)
{
	struct tls_ctx *c = ctx;
	int ret = mbedtls_adapter_ticket_open(
		&c->tickets, (uint64_t)time(NULL), session, ticket, len);

	if (!ret && (!c->now || !mbedtls_adapter_may_resume(c->now, session)))
		return MBEDTLS_ERR_SSL_INVALID_MAC;
	if (!ret)
		c->now->suite = session->ciphersuite;
	return ret;
}

void mbedtls_adapter_offer_tickets(struct tls_ctx *c)
{
	c->tickets.random = mbedtls_ctr_drbg_random;
	c->tickets.random_arg = &c->drbg;
	mbedtls_ssl_conf_session_tickets_cb(&c->conf, write_ticket, parse_ticket, c);
}
