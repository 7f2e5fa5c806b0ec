/* SPDX-License-Identifier: MIT */
/* Parameters that sessions share. */
#include <string.h>
#include <unistd.h>

#include <mbedtls/platform_util.h>
#include <mbedtls/version.h>

#include "backend.h"

/* ECDHE and AEAD only. */
static const int suites[] = {
	MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
	MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
	MBEDTLS_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
	MBEDTLS_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
	MBEDTLS_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
	0,
};

static enum weft_status set_alpn(struct tls_ctx *c, const char *const *alpn, struct weft_error *err)
{
	size_t used = 0, len, n = 0;

	for (; alpn && *alpn; alpn++) {
		len = strlen(*alpn) + 1;
		if (n == ALPN_MAX || used + len > sizeof(c->alpn_text))
			return weft_error_set(
				err, WEFT_ERR_ARGUMENT, 0, "too many ALPN names, at %s", *alpn);
		memcpy(c->alpn_text + used, *alpn, len);
		c->alpn[n++] = c->alpn_text + used;
		used += len;
	}
	if (n && mbedtls_ssl_conf_alpn_protocols(&c->conf, c->alpn))
		return weft_error_set(err, WEFT_ERR_ARGUMENT, 0, "an ALPN name is too long");
	return WEFT_OK;
}

/* What the config points to becomes empty, and stays where it is. */
void mbedtls_adapter_ctx_trim(void *ctx)
{
	struct tls_ctx *c = ctx;

	mbedtls_x509_crt_free(&c->ca);
	mbedtls_x509_crt_free(&c->chain);
	mbedtls_x509_crl_free(&c->crl);
	mbedtls_pk_free(&c->key);
}

void mbedtls_adapter_ctx_destroy(void *ctx)
{
	struct tls_ctx *c = ctx;

	mbedtls_ssl_config_free(&c->conf);
	mbedtls_adapter_ctx_trim(c);
	mbedtls_ctr_drbg_free(&c->drbg);
	weft_free(c->alloc, c->pins, c->pin_count * sizeof(*c->pins));
	mbedtls_adapter_drop_spare(c);
	mbedtls_platform_zeroize(&c->tickets, sizeof(c->tickets));
	weft_free(c->alloc, c, sizeof(*c));
}

/* The library would begin with the largest and slowest. What it knows besides is not asked for any more. */
static const mbedtls_ecp_group_id curves[] = {
	MBEDTLS_ECP_DP_SECP256R1,
	MBEDTLS_ECP_DP_CURVE25519,
	MBEDTLS_ECP_DP_SECP384R1,
	MBEDTLS_ECP_DP_SECP521R1,
	MBEDTLS_ECP_DP_BP256R1,
	MBEDTLS_ECP_DP_BP384R1,
	MBEDTLS_ECP_DP_BP512R1,
	MBEDTLS_ECP_DP_NONE,
};

/* The system's, at most 256 bytes at a time. The library's own collector may hold 38 KiB for the generator's life. */
static int seed(void *arg, unsigned char *to, size_t len)
{
	(void)arg;
	return getentropy(to, len) ? MBEDTLS_ERR_CTR_DRBG_ENTROPY_SOURCE_FAILED : 0;
}

static int set_defaults(struct tls_ctx *c)
{
	int ret = mbedtls_ctr_drbg_seed(&c->drbg, seed, NULL, NULL, 0);

	if (ret)
		return ret;
	ret = mbedtls_ssl_config_defaults(&c->conf,
		c->server ? MBEDTLS_SSL_IS_SERVER : MBEDTLS_SSL_IS_CLIENT,
		MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT);
	if (ret)
		return ret;
	mbedtls_ssl_conf_rng(&c->conf, mbedtls_ctr_drbg_random, &c->drbg);
	mbedtls_ssl_conf_min_version(
		&c->conf, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3);
	mbedtls_ssl_conf_ciphersuites(&c->conf, suites);
	mbedtls_ssl_conf_curves(&c->conf, curves);
	mbedtls_ssl_conf_renegotiation(&c->conf, MBEDTLS_SSL_RENEGOTIATION_DISABLED);
	/* a server's verdict on clients is set with its trust; a client's never is the library's */
	mbedtls_ssl_conf_authmode(&c->conf, MBEDTLS_SSL_VERIFY_NONE);
	if (!c->server)
		mbedtls_ssl_conf_session_tickets(
			&c->conf, c->resumes ? MBEDTLS_SSL_SESSION_TICKETS_ENABLED
					     : MBEDTLS_SSL_SESSION_TICKETS_DISABLED);
	else if (c->resumes)
		mbedtls_adapter_offer_tickets(c);
	return 0;
}

/* What would otherwise be left out in silence. */
static enum weft_status check(const struct weft_tls_ctx_options *o, struct weft_error *err)
{
	if (o->server && o->ocsp.len)
		return weft_error_set(err, WEFT_ERR_UNSUPPORTED, 0,
			"mbed TLS " MBEDTLS_VERSION_STRING " cannot staple OCSP responses");
	if (o->server && o->ticket_secret.len && o->ticket_secret.len != WEFT_TLS_TICKET_SECRET)
		return weft_error_set(err, WEFT_ERR_ARGUMENT, 0,
			"ticket_secret has %zu bytes: expected %d, or none", o->ticket_secret.len,
			WEFT_TLS_TICKET_SECRET);
	return WEFT_OK;
}

static void init(struct tls_ctx *c, const struct weft_tls_ctx_options *o)
{
	c->alloc = o->alloc;
	c->server = o->server;
	c->client_auth = o->server ? o->client_auth : WEFT_TLS_CLIENT_AUTH_NONE;
	c->resumes = o->server ? o->ticket_secret.len > 0 : o->tickets;
	if (o->server && o->ticket_secret.len)
		memcpy(c->tickets.secret, o->ticket_secret.ptr, sizeof(c->tickets.secret));
	mbedtls_ssl_config_init(&c->conf);
	mbedtls_ctr_drbg_init(&c->drbg);
	mbedtls_x509_crt_init(&c->ca);
	mbedtls_x509_crt_init(&c->chain);
	mbedtls_x509_crt_init(&c->nobody);
	mbedtls_x509_crl_init(&c->crl);
	mbedtls_pk_init(&c->key);
}

enum weft_status mbedtls_adapter_ctx_create(
	const struct weft_tls_ctx_options *o, void **ctx, struct weft_error *err)
{
	enum weft_status st = check(o, err);
	struct tls_ctx *c;
	int ret;

	if (st)
		return st;
	c = weft_zalloc(o->alloc, sizeof(*c));
	if (!c)
		return mbedtls_adapter_no_memory(err);
	init(c, o);
	ret = set_defaults(c);
	st = ret ? mbedtls_adapter_refused(err, ret, "mbed TLS", 0) : set_alpn(c, o->alpn, err);
	if (st == WEFT_OK && (!c->server || c->client_auth))
		st = mbedtls_adapter_set_trust(c, o, err);
	if (st == WEFT_OK)
		st = mbedtls_adapter_set_identity(c, o, err);
	if (st) {
		mbedtls_adapter_ctx_destroy(c);
		return st;
	}
	*ctx = c;
	return WEFT_OK;
}
