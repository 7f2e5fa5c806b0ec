/* SPDX-License-Identifier: MIT */
/* Whom we believe and who we are, as it comes: PEM or DER. */
#include <string.h>

#include <mbedtls/asn1.h>
#include <mbedtls/error.h>
#include <mbedtls/oid.h>
#include <mbedtls/pem.h>
#include <mbedtls/platform_util.h>
#include <mbedtls/sha256.h>

#include "backend.h"

enum weft_status mbedtls_adapter_no_memory(struct weft_error *err)
{
	return weft_error_set(err, WEFT_ERR_MEMORY, 0, "no memory for a TLS context");
}

enum weft_status mbedtls_adapter_refused(
	struct weft_error *err, int code, const char *what, size_t number)
{
	char words[128];

	if (code == MBEDTLS_ERR_X509_ALLOC_FAILED || code == MBEDTLS_ERR_PK_ALLOC_FAILED ||
		code == MBEDTLS_ERR_PEM_ALLOC_FAILED || code == MBEDTLS_ERR_SSL_ALLOC_FAILED)
		return mbedtls_adapter_no_memory(err);
	mbedtls_strerror(code, words, sizeof(words));
	if (number)
		return weft_error_set(
			err, WEFT_ERR_TLS, code, "%s %zu cannot be used: %s", what, number, words);
	return weft_error_set(err, WEFT_ERR_TLS, code, "%s cannot be used: %s", what, words);
}

/* ---- parsing ---- */

static int judge_extension(void *arg, const mbedtls_x509_crt *crt, const mbedtls_x509_buf *oid,
	int critical, const unsigned char *from, const unsigned char *end)
{
	(void)arg;
	(void)crt;
	(void)critical; /* the library asks what it does not know, and heeds a refusal if critical */
	(void)from;
	(void)end;
	return mbedtls_adapter_is_constraint(oid) ? 0 : MBEDTLS_ERR_X509_INVALID_EXTENSIONS;
}

int mbedtls_adapter_parse_crt(mbedtls_x509_crt *chain, const unsigned char *der, size_t len)
{
	return mbedtls_x509_crt_parse_der_with_ext_cb(chain, der, len, 1, judge_extension, NULL);
}

static int read_crt(void *chain, const unsigned char *der, size_t len)
{
	return mbedtls_adapter_parse_crt(chain, der, len);
}

static int read_crl(void *chain, const unsigned char *der, size_t len)
{
	return mbedtls_x509_crl_parse_der(chain, der, len);
}

static int parse(struct tls_ctx *c, const struct tls_pem_label *label,
	mbedtls_adapter_read_fn *read, void *chain, const struct weft_span *from)
{
	return mbedtls_adapter_is_pem(from)
		       ? mbedtls_adapter_read_pem(from, label, c->alloc, read, chain)
		       : read(chain, from->ptr, from->len);
}

/*
 * Words may stand before the first block, as some tools write them. The library would take DER as well, and wants a
 * text to be terminated, and the terminator counted.
 */
static int parse_key(struct tls_ctx *c, const struct weft_span *from)
{
	unsigned char *copy;
	int ret;

	if (!from->len || !memmem(from->ptr, from->len, "-----BEGIN ", 11))
		return MBEDTLS_ERR_PEM_NO_HEADER_FOOTER_PRESENT;
	copy = weft_alloc(c->alloc, from->len + 1);
	if (!copy)
		return MBEDTLS_ERR_X509_ALLOC_FAILED;
	memcpy(copy, from->ptr, from->len);
	copy[from->len] = '\0';
	ret = mbedtls_pk_parse_key(&c->key, copy, from->len + 1, NULL, 0);
	mbedtls_platform_zeroize(copy, from->len + 1);
	weft_free(c->alloc, copy, from->len + 1);
	return ret;
}

/* ---- whom we believe ---- */

/* What a ticket is bound to: a session with a server that asks nobody is another than one with this. */
static int set_scope(struct tls_ctx *c)
{
	unsigned char who = (unsigned char)c->client_auth;
	mbedtls_sha256_context sha;
	int ret;

	mbedtls_sha256_init(&sha);
	ret = mbedtls_sha256_starts_ret(&sha, 0);
	if (!ret)
		ret = mbedtls_sha256_update_ret(&sha, &who, 1);
	for (const mbedtls_x509_crt *crt = &c->ca; !ret && crt && crt->raw.p; crt = crt->next)
		ret = mbedtls_sha256_update_ret(&sha, crt->raw.p, crt->raw.len);
	for (const mbedtls_x509_crl *crl = &c->crl; !ret && crl && crl->raw.p; crl = crl->next)
		ret = mbedtls_sha256_update_ret(&sha, crl->raw.p, crl->raw.len);
	if (!ret)
		ret = mbedtls_sha256_finish_ret(&sha, c->tickets.scope);
	mbedtls_sha256_free(&sha);
	return ret;
}

static enum weft_status set_pins(
	struct tls_ctx *c, const struct weft_tls_ctx_options *o, struct weft_error *err)
{
	if (!o->pin_count)
		return WEFT_OK;
	c->pins = weft_alloc(c->alloc, o->pin_count * sizeof(*c->pins));
	if (!c->pins)
		return mbedtls_adapter_no_memory(err);
	c->pin_count = o->pin_count;
	memcpy(c->pins, o->pins, o->pin_count * sizeof(*c->pins));
	return WEFT_OK;
}

enum weft_status mbedtls_adapter_set_trust(
	struct tls_ctx *c, const struct weft_tls_ctx_options *o, struct weft_error *err)
{
	int ret;

	for (size_t i = 0; i < o->ca_count; i++) {
		ret = parse(c, &mbedtls_adapter_certificate, read_crt, &c->ca, &o->ca[i]);
		if (ret)
			return mbedtls_adapter_refused(err, ret, "trusted certificate", i + 1);
	}
	for (size_t i = 0; i < o->crl_count; i++) {
		ret = parse(c, &mbedtls_adapter_crl, read_crl, &c->crl, &o->crl[i]);
		if (ret)
			return mbedtls_adapter_refused(err, ret, "CRL", i + 1);
	}
	/* so a server asks, and says whom it trusts; the verdict on the answer is ours */
	if (c->server) {
		mbedtls_ssl_conf_ca_chain(&c->conf, &c->ca, NULL);
		mbedtls_ssl_conf_authmode(&c->conf, MBEDTLS_SSL_VERIFY_OPTIONAL);
	}
	ret = set_scope(c);
	return ret ? mbedtls_adapter_refused(err, ret, "trust", 0) : set_pins(c, o, err);
}

/* ---- who we are ---- */

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

static enum weft_status set_chain(
	struct tls_ctx *c, const struct weft_tls_ctx_options *o, struct weft_error *err)
{
	int ret = mbedtls_adapter_read_pem(
		&o->cert_chain, &mbedtls_adapter_certificate, c->alloc, read_crt, &c->chain);

	if (o->signer && (ret == MBEDTLS_ERR_X509_UNKNOWN_SIG_ALG + MBEDTLS_ERR_OID_NOT_FOUND ||
				 ret == MBEDTLS_ERR_PK_UNKNOWN_PK_ALG))
		return weft_error_set(err, WEFT_ERR_UNSUPPORTED, ret,
			"a signer makes RSA and ECDSA signatures, the certificate is for neither");
	if (ret)
		return mbedtls_adapter_refused(err, ret, "certificate chain", 0);
	if (!is_sorted(&c->chain))
		return weft_error_set(err, WEFT_ERR_TLS, 0,
			"certificate chain cannot be used: expected the leaf first, and behind "
			"each "
			"certificate its issuer's");
	return WEFT_OK;
}

static enum weft_status set_key(
	struct tls_ctx *c, const struct weft_tls_ctx_options *o, struct weft_error *err)
{
	int ret;

	if (o->signer) {
		c->signer = o->signer;
		mbedtls_adapter_set_signer(c);
		return WEFT_OK;
	}
	ret = parse_key(c, &o->key);
	if (ret)
		return mbedtls_adapter_refused(err, ret, "key", 0);
	if (mbedtls_pk_check_pair(&c->chain.pk, &c->key))
		return weft_error_set(err, WEFT_ERR_TLS, 0,
			"certificate chain and key cannot be used: they do not belong together");
	return WEFT_OK;
}

enum weft_status mbedtls_adapter_set_identity(
	struct tls_ctx *c, const struct weft_tls_ctx_options *o, struct weft_error *err)
{
	enum weft_status st;
	int ret;

	if (o->signer && o->key.len)
		return weft_error_set(
			err, WEFT_ERR_ARGUMENT, 0, "a TLS context has a key or a signer, not both");
	if (!o->cert_chain.len)
		return o->server ? weft_error_set(err, WEFT_ERR_ARGUMENT, 0,
					   "a TLS server needs a certificate and a key")
				 : WEFT_OK;
	st = set_chain(c, o, err);
	if (st == WEFT_OK)
		st = set_key(c, o, err);
	if (st)
		return st;
	ret = mbedtls_ssl_conf_own_cert(&c->conf, &c->chain, &c->key);
	return ret ? mbedtls_adapter_refused(err, ret, "certificate chain", 0) : WEFT_OK;
}
