/* SPDX-License-Identifier: MIT */
/* Whom a context believes: CAs, revocation lists, pins. */
#include <string.h>

#include <gnutls/crypto.h>

#include "backend.h"

static enum weft_status no_memory(struct weft_error *err)
{
	return weft_error_set(err, WEFT_ERR_MEMORY, 0, "no memory for a trust store");
}

/* Takes der, which the library made. One digest of all that is believed. */
static int widen_scope(struct tls_ctx *c, gnutls_datum_t *der)
{
	gnutls_hash_hd_t hash;
	int ret = gnutls_hash_init(&hash, GNUTLS_DIG_SHA256);

	if (ret >= 0) {
		ret = gnutls_hash(hash, c->scope, sizeof(c->scope));
		if (ret >= 0)
			ret = gnutls_hash(hash, der->data, der->size);
		gnutls_hash_deinit(hash, c->scope);
	}
	gnutls_free(der->data);
	return ret;
}

/* Clients have no tickets to bind to it. */
static int note_ca(struct tls_ctx *c, gnutls_x509_crt_t crt)
{
	gnutls_datum_t der;
	int ret = c->server ? gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_DER, &der) : 0;

	return c->server && ret >= 0 ? widen_scope(c, &der) : ret;
}

static int note_crl(struct tls_ctx *c, gnutls_x509_crl_t list)
{
	gnutls_datum_t der;
	int ret = c->server ? gnutls_x509_crl_export2(list, GNUTLS_X509_FMT_DER, &der) : 0;

	return c->server && ret >= 0 ? widen_scope(c, &der) : ret;
}

/* Instead of the credentials' own one, which has room for 127 CAs, come none or a thousand. */
static int set_list(struct tls_ctx *c, size_t ca_count)
{
	gnutls_x509_trust_list_t list;
	int ret = gnutls_x509_trust_list_init(&list, ca_count ? (unsigned)ca_count : 1);

	if (ret >= 0)
		gnutls_certificate_set_trust_list(c->cred, list, 0);
	return ret;
}

/*
 * The list takes the certificate; gnutls_certificate_set_x509_trust would have parsed it again, for a copy. A server
 * tells clients whom it believes.
 */
static int believe(struct tls_ctx *c, gnutls_x509_crt_t crt)
{
	unsigned flags = c->server ? GNUTLS_TL_USE_IN_TLS : 0;
	gnutls_x509_trust_list_t list;

	gnutls_certificate_get_trust_list(c->cred, &list);
	return gnutls_x509_trust_list_add_cas(list, &crt, 1, flags) == 1 ? 0
									 : GNUTLS_E_MEMORY_ERROR;
}

static enum weft_status add_ca(
	struct tls_ctx *c, const struct weft_span *ca, size_t index, struct weft_error *err)
{
	gnutls_datum_t data = gnutls_adapter_datum(ca);
	gnutls_x509_crt_t crt;
	int ret = gnutls_x509_crt_init(&crt);

	if (ret < 0)
		return no_memory(err);
	ret = gnutls_x509_crt_import(crt, &data, gnutls_adapter_format(ca));
	if (ret >= 0)
		ret = note_ca(c, crt);
	if (ret >= 0)
		ret = believe(c, crt);
	if (ret < 0) {
		gnutls_x509_crt_deinit(crt);
		return weft_error_set(err, WEFT_ERR_TLS, ret,
			"trusted certificate %zu cannot be used: %s", index + 1,
			gnutls_strerror(ret));
	}
	if (c->cas)
		c->cas[c->ca_count++] = crt;
	return WEFT_OK;
}

static enum weft_status add_crl(
	struct tls_ctx *c, const struct weft_span *crl, size_t index, struct weft_error *err)
{
	gnutls_datum_t data = gnutls_adapter_datum(crl);
	gnutls_x509_crl_t list;
	int ret = gnutls_x509_crl_init(&list);

	if (ret < 0)
		return no_memory(err);
	ret = gnutls_x509_crl_import(list, &data, gnutls_adapter_format(crl));
	if (ret >= 0)
		ret = note_crl(c, list);
	if (ret < 0) {
		gnutls_x509_crl_deinit(list);
		return weft_error_set(err, WEFT_ERR_TLS, ret, "CRL %zu cannot be used: %s",
			index + 1, gnutls_strerror(ret));
	}
	c->crls[c->crl_count++] = list;
	return WEFT_OK;
}

static enum weft_status make_room(
	struct tls_ctx *c, const struct weft_tls_ctx_options *o, struct weft_error *err)
{
	if (!o->crl_count)
		return WEFT_OK;
	c->crls = weft_zalloc(c->alloc, o->crl_count * sizeof(c->crls[0]));
	c->crl_room = c->crls ? o->crl_count : 0;
	if (!c->crls)
		return no_memory(err);
	if (!o->ca_count)
		return WEFT_OK;
	c->cas = weft_zalloc(c->alloc, o->ca_count * sizeof(c->cas[0]));
	c->ca_room = c->cas ? o->ca_count : 0;
	return c->cas ? WEFT_OK : no_memory(err);
}

static enum weft_status set_pins(
	struct tls_ctx *c, const struct weft_tls_ctx_options *o, struct weft_error *err)
{
	if (!o->pin_count)
		return WEFT_OK;
	c->pins = weft_alloc(c->alloc, o->pin_count * sizeof(c->pins[0]));
	if (!c->pins)
		return no_memory(err);
	c->pin_count = o->pin_count;
	memcpy(c->pins, o->pins, o->pin_count * sizeof(c->pins[0]));
	return WEFT_OK;
}

enum weft_status gnutls_adapter_set_trust(
	struct tls_ctx *c, const struct weft_tls_ctx_options *o, struct weft_error *err)
{
	enum weft_status st = make_room(c, o, err);

	if (st == WEFT_OK)
		st = set_list(c, o->ca_count) < 0 ? no_memory(err) : set_pins(c, o, err);
	for (size_t i = 0; i < o->ca_count && !st; i++)
		st = add_ca(c, &o->ca[i], i, err);
	for (size_t i = 0; i < o->crl_count && !st; i++)
		st = add_crl(c, &o->crl[i], i, err);
	gnutls_certificate_set_verify_function(c->cred, gnutls_adapter_verify_peer);
	return st;
}

static void drop_lists(struct tls_ctx *c)
{
	for (size_t i = 0; i < c->crl_count; i++)
		gnutls_x509_crl_deinit(c->crls[i]);
	weft_free(c->alloc, c->crls, c->crl_room * sizeof(c->crls[0]));
	weft_free(c->alloc, c->cas, c->ca_room * sizeof(c->cas[0]));
	c->crls = NULL;
	c->cas = NULL;
	c->crl_count = c->ca_count = c->crl_room = c->ca_room = 0;
}

bool gnutls_adapter_forget_trust(struct tls_ctx *c)
{
	if (set_list(c, 0) < 0)
		return false;
	drop_lists(c);
	return true;
}

void gnutls_adapter_drop_trust(struct tls_ctx *c)
{
	drop_lists(c);
	weft_free(c->alloc, c->pins, c->pin_count * sizeof(c->pins[0]));
}
