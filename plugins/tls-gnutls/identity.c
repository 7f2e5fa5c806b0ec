/* SPDX-License-Identifier: MIT */
/* Who a context is: its chain and the key to it, or who signs instead, and what OCSP says of it. */
#include <string.h>

#include "backend.h"

static enum weft_status set_key(struct tls_ctx *c, gnutls_x509_crt_t *chain, unsigned count,
	const struct weft_span *pem, struct weft_error *err)
{
	gnutls_datum_t key = gnutls_adapter_datum(pem);
	gnutls_x509_privkey_t parsed = NULL;
	const char *what = "key";
	int ret = gnutls_x509_privkey_init(&parsed);

	if (ret < 0)
		return gnutls_adapter_unusable(err, ret, what);
	ret = gnutls_x509_privkey_import2(parsed, &key, GNUTLS_X509_FMT_PEM, NULL, 0);
	if (ret >= 0) {
		what = "certificate chain and key";
		ret = gnutls_certificate_set_x509_key(c->cred, chain, (int)count, parsed);
	}
	gnutls_x509_privkey_deinit(parsed);
	return ret < 0 ? gnutls_adapter_unusable(err, ret, what) : WEFT_OK;
}

/* The library checks that it is on this certificate. */
static enum weft_status set_ocsp(
	struct tls_ctx *c, const struct weft_span *response, struct weft_error *err)
{
	gnutls_datum_t der = gnutls_adapter_datum(response);
	int ret = gnutls_certificate_set_ocsp_status_request_mem(
		c->cred, &der, 0, GNUTLS_X509_FMT_DER);

	return ret < 0 ? gnutls_adapter_unusable(err, ret, "OCSP response") : WEFT_OK;
}

static enum weft_status check_options(const struct weft_tls_ctx_options *o, struct weft_error *err)
{
	if (o->signer && o->key.len)
		return weft_error_set(
			err, WEFT_ERR_ARGUMENT, 0, "a TLS context has a key or a signer, not both");
	if (o->server && !o->cert_chain.len)
		return weft_error_set(
			err, WEFT_ERR_ARGUMENT, 0, "a TLS server needs a certificate and a key");
	return WEFT_OK;
}

/* Parsed one by one: the library's call for both at once leaks the chain when the key is bad. */
enum weft_status gnutls_adapter_set_identity(
	struct tls_ctx *c, const struct weft_tls_ctx_options *o, struct weft_error *err)
{
	gnutls_datum_t cert = gnutls_adapter_datum(&o->cert_chain);
	enum weft_status st = check_options(o, err);
	gnutls_x509_crt_t *chain = NULL;
	unsigned count = 0;
	int ret;

	if (st || !o->cert_chain.len)
		return st;
	ret = gnutls_x509_crt_list_import2(
		&chain, &count, &cert, GNUTLS_X509_FMT_PEM, GNUTLS_X509_CRT_LIST_FAIL_IF_UNSORTED);
	if (ret < 0)
		return gnutls_adapter_unusable(err, ret, "certificate chain");
	c->signer.ops = o->signer;
	st = o->signer ? gnutls_adapter_set_signer(c, chain, count, err)
		       : set_key(c, chain, count, &o->key, err);
	for (unsigned i = 0; i < count; i++)
		gnutls_x509_crt_deinit(chain[i]);
	gnutls_free(chain);
	if (st == WEFT_OK && o->server && o->ocsp.len)
		st = set_ocsp(c, &o->ocsp, err);
	return st;
}
