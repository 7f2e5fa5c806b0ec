/* SPDX-License-Identifier: MIT */
/* Credentials, trust and parameters that sessions share. */
#include <string.h>

#include <gnutls/x509.h>

#include "backend.h"

/* TLS 1.2 with ECDHE and AEAD, TLS 1.3; certificates of 112 bits of security or more (RSA 2048). */
static const char priorities[] =
	"NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-KX-ALL:+ECDHE-ECDSA:+ECDHE-RSA:"
	"-CIPHER-ALL:+AES-128-GCM:+AES-256-GCM:+CHACHA20-POLY1305:-MAC-ALL:+AEAD:%PROFILE_MEDIUM";

static enum weft_status no_memory(struct weft_error *err)
{
	return weft_error_set(err, WEFT_ERR_MEMORY, 0, "no memory for a TLS context");
}

static bool is_pem(const struct weft_span *s)
{
	return s->len > 11 && !memcmp(s->ptr, "-----BEGIN ", 11);
}

static gnutls_x509_crt_fmt_t format_of(const struct weft_span *s)
{
	return is_pem(s) ? GNUTLS_X509_FMT_PEM : GNUTLS_X509_FMT_DER;
}

static gnutls_datum_t datum(const struct weft_span *s)
{
	return (gnutls_datum_t){ (unsigned char *)s->ptr, (unsigned)s->len };
}

static enum weft_status add_ca(
	struct tls_ctx *c, const struct weft_span *ca, size_t index, struct weft_error *err)
{
	gnutls_datum_t data = datum(ca);
	gnutls_x509_crt_t crt;
	int ret = gnutls_x509_crt_init(&crt);

	if (ret < 0)
		return no_memory(err);
	ret = gnutls_x509_crt_import(crt, &data, format_of(ca));
	if (ret >= 0)
		ret = gnutls_certificate_set_x509_trust(c->cred, &crt, 1);
	gnutls_x509_crt_deinit(crt);
	if (ret < 0)
		return weft_error_set(err, WEFT_ERR_TLS, ret,
			"trusted certificate %zu cannot be used: %s", index + 1,
			gnutls_strerror(ret));
	return WEFT_OK;
}

static enum weft_status set_client(
	struct tls_ctx *c, const struct weft_tls_ctx_options *o, struct weft_error *err)
{
	enum weft_status st = WEFT_OK;

	for (size_t i = 0; i < o->ca_count && !st; i++)
		st = add_ca(c, &o->ca[i], i, err);
	for (size_t i = 0; i < o->crl_count && !st; i++) {
		gnutls_datum_t data = datum(&o->crl[i]);
		int ret =
			gnutls_certificate_set_x509_crl_mem(c->cred, &data, format_of(&o->crl[i]));

		if (ret <= 0)
			st = weft_error_set(err, WEFT_ERR_TLS, ret, "CRL %zu cannot be used: %s",
				i + 1, ret ? gnutls_strerror(ret) : "nothing in it");
	}
	gnutls_certificate_set_verify_function(c->cred, gnutls_adapter_verify_peer);
	return st;
}

static enum weft_status unusable(struct weft_error *err, int code, const char *what)
{
	return weft_error_set(err, code == GNUTLS_E_MEMORY_ERROR ? WEFT_ERR_MEMORY : WEFT_ERR_TLS,
		code, "%s cannot be used: %s", what, gnutls_strerror(code));
}

/* Parsed one by one: the library's call for both at once leaks the chain when the key is bad. */
static enum weft_status set_identity(
	struct tls_ctx *c, const struct weft_tls_ctx_options *o, struct weft_error *err)
{
	gnutls_datum_t cert = datum(&o->cert_chain), key = datum(&o->key);
	gnutls_x509_privkey_t parsed = NULL;
	gnutls_x509_crt_t *chain = NULL;
	const char *what = "certificate chain";
	unsigned count = 0;
	int ret;

	if (!o->cert_chain.len)
		return o->server ? weft_error_set(err, WEFT_ERR_ARGUMENT, 0,
					   "a TLS server needs a certificate and a key")
				 : WEFT_OK;
	ret = gnutls_x509_crt_list_import2(
		&chain, &count, &cert, GNUTLS_X509_FMT_PEM, GNUTLS_X509_CRT_LIST_FAIL_IF_UNSORTED);
	if (ret >= 0) {
		what = "key";
		ret = gnutls_x509_privkey_init(&parsed);
	}
	if (ret >= 0)
		ret = gnutls_x509_privkey_import2(parsed, &key, GNUTLS_X509_FMT_PEM, NULL, 0);
	if (ret >= 0) {
		what = "certificate chain and key";
		ret = gnutls_certificate_set_x509_key(c->cred, chain, (int)count, parsed);
	}
	for (unsigned i = 0; i < count; i++)
		gnutls_x509_crt_deinit(chain[i]);
	gnutls_free(chain);
	if (parsed)
		gnutls_x509_privkey_deinit(parsed);
	return ret < 0 ? unusable(err, ret, what) : WEFT_OK;
}

static enum weft_status set_alpn(struct tls_ctx *c, const char *const *alpn, struct weft_error *err)
{
	size_t used = 0, len;

	for (; alpn && *alpn; alpn++) {
		len = strlen(*alpn);
		if (c->alpn_count == ALPN_MAX || used + len > sizeof(c->alpn_text))
			return weft_error_set(
				err, WEFT_ERR_ARGUMENT, 0, "too many ALPN names, at %s", *alpn);
		memcpy(c->alpn_text + used, *alpn, len);
		c->alpn[c->alpn_count++] =
			(gnutls_datum_t){ (unsigned char *)c->alpn_text + used, (unsigned)len };
		used += len;
	}
	return WEFT_OK;
}

void gnutls_adapter_ctx_destroy(void *ctx)
{
	struct tls_ctx *c = ctx;

	if (c->cred)
		gnutls_certificate_free_credentials(c->cred);
	if (c->priority)
		gnutls_priority_deinit(c->priority);
	weft_free(c->alloc, c, sizeof(*c));
}

enum weft_status gnutls_adapter_ctx_create(
	const struct weft_tls_ctx_options *o, void **ctx, struct weft_error *err)
{
	struct tls_ctx *c = weft_zalloc(o->alloc, sizeof(*c));
	enum weft_status st;
	int ret;

	if (!c)
		return no_memory(err);
	c->alloc = o->alloc;
	c->server = o->server;
	if (gnutls_certificate_allocate_credentials(&c->cred) < 0) {
		c->cred = NULL;
		st = no_memory(err);
		goto fail;
	}
	ret = gnutls_priority_init(&c->priority, priorities, NULL);
	if (ret < 0) {
		c->priority = NULL;
		st = weft_error_set(err, WEFT_ERR_TLS, ret, "GnuTLS refuses the parameters: %s",
			gnutls_strerror(ret));
		goto fail;
	}
	st = set_alpn(c, o->alpn, err);
	if (st == WEFT_OK && !o->server)
		st = set_client(c, o, err);
	if (st == WEFT_OK)
		st = set_identity(c, o, err);
	if (st == WEFT_OK) {
		*ctx = c;
		return WEFT_OK;
	}
fail:
	gnutls_adapter_ctx_destroy(c);
	return st;
}
