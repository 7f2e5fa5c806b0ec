/* SPDX-License-Identifier: MIT */
/* Credentials, trust and parameters that sessions share. */
#include <string.h>

#include <mbedtls/error.h>
#include <mbedtls/pem.h>
#include <mbedtls/platform_util.h>

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

static enum weft_status no_memory(struct weft_error *err)
{
	return weft_error_set(err, WEFT_ERR_MEMORY, 0, "no memory for a TLS context");
}

static enum weft_status refused(struct weft_error *err, int code, const char *what, size_t number)
{
	char words[128];

	if (code == MBEDTLS_ERR_X509_ALLOC_FAILED || code == MBEDTLS_ERR_PK_ALLOC_FAILED)
		return no_memory(err);
	mbedtls_strerror(code, words, sizeof(words));
	if (number)
		return weft_error_set(
			err, WEFT_ERR_TLS, code, "%s %zu cannot be used: %s", what, number, words);
	return weft_error_set(err, WEFT_ERR_TLS, code, "%s cannot be used: %s", what, words);
}

static bool is_pem(const struct weft_span *s)
{
	return s->len > 11 && !memcmp(s->ptr, "-----BEGIN ", 11);
}

typedef int (*parse_fn)(void *to, const unsigned char *bytes, size_t len);

static int parse_crt(void *to, const unsigned char *bytes, size_t len)
{
	return mbedtls_x509_crt_parse(to, bytes, len);
}

static int parse_crl(void *to, const unsigned char *bytes, size_t len)
{
	return mbedtls_x509_crl_parse(to, bytes, len);
}

static int parse_key(void *to, const unsigned char *bytes, size_t len)
{
	return mbedtls_pk_parse_key(to, bytes, len, NULL, 0);
}

/* The library wants PEM to be terminated, and the terminator counted. */
static int parse_pem(struct tls_ctx *c, parse_fn fn, void *to, const struct weft_span *from)
{
	unsigned char *copy = weft_alloc(c->alloc, from->len + 1);
	int ret;

	if (!copy)
		return MBEDTLS_ERR_X509_ALLOC_FAILED;
	memcpy(copy, from->ptr, from->len);
	copy[from->len] = '\0';
	ret = fn(to, copy, from->len + 1);
	mbedtls_platform_zeroize(copy, from->len + 1);
	weft_free(c->alloc, copy, from->len + 1);
	/* positive: so many certificates of a chain that were passed over */
	return ret > 0 ? MBEDTLS_ERR_X509_INVALID_FORMAT : ret;
}

static int parse(struct tls_ctx *c, parse_fn fn, void *to, const struct weft_span *from)
{
	return is_pem(from) ? parse_pem(c, fn, to, from) : fn(to, from->ptr, from->len);
}

/* Words may stand before the first block, as some tools write them. The library would take DER as well. */
static int parse_identity(struct tls_ctx *c, parse_fn fn, void *to, const struct weft_span *from)
{
	if (!from->len || !memmem(from->ptr, from->len, "-----BEGIN ", 11))
		return MBEDTLS_ERR_PEM_NO_HEADER_FOOTER_PRESENT;
	return parse_pem(c, fn, to, from);
}

/* Each one signed by the next. A server that sends another order works with some clients only. */
static bool is_sorted(const mbedtls_x509_crt *chain)
{
	for (; chain->next; chain = chain->next) {
		const mbedtls_x509_buf *issuer = &chain->issuer_raw,
				       *next = &chain->next->subject_raw;

		if (issuer->len != next->len || memcmp(issuer->p, next->p, next->len))
			return false;
	}
	return true;
}

static enum weft_status set_client(
	struct tls_ctx *c, const struct weft_tls_ctx_options *o, struct weft_error *err)
{
	int ret;

	for (size_t i = 0; i < o->ca_count; i++) {
		ret = parse(c, parse_crt, &c->ca, &o->ca[i]);
		if (ret)
			return refused(err, ret, "trusted certificate", i + 1);
	}
	for (size_t i = 0; i < o->crl_count; i++) {
		ret = parse(c, parse_crl, &c->crl, &o->crl[i]);
		if (ret)
			return refused(err, ret, "CRL", i + 1);
	}
	mbedtls_ssl_conf_authmode(&c->conf, MBEDTLS_SSL_VERIFY_REQUIRED);
	mbedtls_ssl_conf_ca_chain(&c->conf, &c->ca, o->crl_count ? &c->crl : NULL);
	return WEFT_OK;
}

static enum weft_status set_identity(
	struct tls_ctx *c, const struct weft_tls_ctx_options *o, struct weft_error *err)
{
	int ret;

	if (!o->cert_chain.len)
		return o->server ? weft_error_set(err, WEFT_ERR_ARGUMENT, 0,
					   "a TLS server needs a certificate and a key")
				 : WEFT_OK;
	ret = parse_identity(c, parse_crt, &c->chain, &o->cert_chain);
	if (ret)
		return refused(err, ret, "certificate chain", 0);
	if (!is_sorted(&c->chain))
		return weft_error_set(err, WEFT_ERR_TLS, 0,
			"certificate chain cannot be used: expected the leaf first, and behind "
			"each "
			"certificate its issuer's");
	ret = parse_identity(c, parse_key, &c->key, &o->key);
	if (ret)
		return refused(err, ret, "key", 0);
	if (mbedtls_pk_check_pair(&c->chain.pk, &c->key))
		return weft_error_set(err, WEFT_ERR_TLS, 0,
			"certificate chain and key cannot be used: they do not belong together");
	ret = mbedtls_ssl_conf_own_cert(&c->conf, &c->chain, &c->key);
	return ret ? refused(err, ret, "certificate chain", 0) : WEFT_OK;
}

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

void mbedtls_adapter_ctx_destroy(void *ctx)
{
	struct tls_ctx *c = ctx;

	mbedtls_ssl_config_free(&c->conf);
	mbedtls_x509_crt_free(&c->ca);
	mbedtls_x509_crt_free(&c->chain);
	mbedtls_x509_crl_free(&c->crl);
	mbedtls_pk_free(&c->key);
	mbedtls_ctr_drbg_free(&c->drbg);
	mbedtls_entropy_free(&c->entropy);
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

static int set_defaults(struct tls_ctx *c)
{
	int ret = mbedtls_ctr_drbg_seed(&c->drbg, mbedtls_entropy_func, &c->entropy, NULL, 0);

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
#if defined(MBEDTLS_SSL_SESSION_TICKETS)
	if (!c->server)
		mbedtls_ssl_conf_session_tickets(&c->conf, MBEDTLS_SSL_SESSION_TICKETS_DISABLED);
#endif
	return 0;
}

enum weft_status mbedtls_adapter_ctx_create(
	const struct weft_tls_ctx_options *o, void **ctx, struct weft_error *err)
{
	struct tls_ctx *c = weft_zalloc(o->alloc, sizeof(*c));
	enum weft_status st;
	int ret;

	if (!c)
		return no_memory(err);
	c->alloc = o->alloc;
	c->server = o->server;
	mbedtls_ssl_config_init(&c->conf);
	mbedtls_entropy_init(&c->entropy);
	mbedtls_ctr_drbg_init(&c->drbg);
	mbedtls_x509_crt_init(&c->ca);
	mbedtls_x509_crt_init(&c->chain);
	mbedtls_x509_crl_init(&c->crl);
	mbedtls_pk_init(&c->key);
	ret = set_defaults(c);
	st = ret ? refused(err, ret, "mbed TLS", 0) : set_alpn(c, o->alpn, err);
	if (st == WEFT_OK && !o->server)
		st = set_client(c, o, err);
	if (st == WEFT_OK)
		st = set_identity(c, o, err);
	if (st) {
		mbedtls_adapter_ctx_destroy(c);
		return st;
	}
	*ctx = c;
	return WEFT_OK;
}
