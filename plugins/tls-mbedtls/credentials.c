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

/* All the certificates of a text; words may stand between them. */
static int parse_pem_certs(mbedtls_x509_crt *chain, const unsigned char *text)
{
	mbedtls_pem_context pem;
	size_t used = 0, count = 0;
	int ret;

	for (;; text += used, count++) {
		mbedtls_pem_init(&pem);
		ret = mbedtls_pem_read_buffer(&pem, "-----BEGIN CERTIFICATE-----",
			"-----END CERTIFICATE-----", text, NULL, 0, &used);
		if (!ret)
			ret = mbedtls_adapter_parse_crt(chain, pem.buf, pem.buflen);
		mbedtls_pem_free(&pem);
		if (ret == MBEDTLS_ERR_PEM_NO_HEADER_FOOTER_PRESENT && count &&
			!strstr((const char *)text, "-----BEGIN CERTIFICATE-----"))
			return 0;
		if (ret)
			return ret;
	}
}

/* text is terminated, and the terminator counted, as the library wants PEM to be. */
typedef int (*parse_fn)(void *to, const unsigned char *text, size_t len);

static int parse_crt(void *to, const unsigned char *bytes, size_t len)
{
	bool is_text = len > 11 && !memcmp(bytes, "-----BEGIN ", 11);

	return is_text ? parse_pem_certs(to, bytes) : mbedtls_adapter_parse_crt(to, bytes, len);
}

static int parse_crl(void *to, const unsigned char *bytes, size_t len)
{
	return mbedtls_x509_crl_parse(to, bytes, len);
}

static int parse_certs(void *to, const unsigned char *text, size_t len)
{
	(void)len;
	return parse_pem_certs(to, text);
}

static int parse_key(void *to, const unsigned char *bytes, size_t len)
{
	return mbedtls_pk_parse_key(to, bytes, len, NULL, 0);
}

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
	return ret;
}

static bool is_pem(const struct weft_span *s)
{
	return s->len > 11 && !memcmp(s->ptr, "-----BEGIN ", 11);
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
		ret = parse(c, parse_crt, &c->ca, &o->ca[i]);
		if (ret)
			return mbedtls_adapter_refused(err, ret, "trusted certificate", i + 1);
	}
	for (size_t i = 0; i < o->crl_count; i++) {
		ret = parse(c, parse_crl, &c->crl, &o->crl[i]);
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
	int ret = parse_identity(c, parse_certs, &c->chain, &o->cert_chain);

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
	ret = parse_identity(c, parse_key, &c->key, &o->key);
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
