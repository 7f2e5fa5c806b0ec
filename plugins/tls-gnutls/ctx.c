/* SPDX-License-Identifier: MIT */
/* What sessions share: parameters, and what the other files make of the options. */
#include <string.h>

#include "backend.h"

/* TLS 1.2 with ECDHE and AEAD, TLS 1.3; certificates of 112 bits of security or more (RSA 2048). */
#define PRIORITIES                                                                     \
	"NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-KX-ALL:+ECDHE-ECDSA:+ECDHE-RSA:"  \
	"-CIPHER-ALL:+AES-128-GCM:+AES-256-GCM:+CHACHA20-POLY1305:-MAC-ALL:+AEAD:"     \
	"-GROUP-ALL:+GROUP-X25519:+GROUP-SECP256R1:+GROUP-SECP384R1:+GROUP-SECP521R1:" \
	"%PROFILE_MEDIUM"

static enum weft_status no_memory(struct weft_error *err)
{
	return weft_error_set(err, WEFT_ERR_MEMORY, 0, "no memory for a TLS context");
}

gnutls_x509_crt_fmt_t gnutls_adapter_format(const struct weft_span *s)
{
	bool is_pem = s->len > 11 && !memcmp(s->ptr, "-----BEGIN ", 11);

	return is_pem ? GNUTLS_X509_FMT_PEM : GNUTLS_X509_FMT_DER;
}

gnutls_datum_t gnutls_adapter_datum(const struct weft_span *s)
{
	return (gnutls_datum_t){ (unsigned char *)s->ptr, (unsigned)s->len };
}

enum weft_status gnutls_adapter_unusable(struct weft_error *err, int code, const char *what)
{
	return weft_error_set(err, code == GNUTLS_E_MEMORY_ERROR ? WEFT_ERR_MEMORY : WEFT_ERR_TLS,
		code, "%s cannot be used: %s", what, gnutls_strerror(code));
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

static enum weft_status set_resumption(
	struct tls_ctx *c, const struct weft_tls_ctx_options *o, struct weft_error *err)
{
	int ret;

	c->tickets = c->server ? o->ticket_secret.len != 0 : o->tickets;
	if (!c->server || !c->tickets)
		return WEFT_OK;
	if (o->ticket_secret.len != WEFT_TLS_TICKET_SECRET)
		return weft_error_set(err, WEFT_ERR_ARGUMENT, 0,
			"a ticket secret has %d bytes, not %zu", WEFT_TLS_TICKET_SECRET,
			o->ticket_secret.len);
	ret = gnutls_adapter_ticket_key(c, &o->ticket_secret);
	return ret < 0 ? gnutls_adapter_unusable(err, ret, "ticket secret") : WEFT_OK;
}

static int set_priorities(struct tls_ctx *c)
{
	int ret = gnutls_priority_init(&c->priority, PRIORITIES, NULL);

	if (ret < 0) {
		c->priority = NULL;
		return ret;
	}
	if (!c->server)
		return 0;
	ret = gnutls_priority_init(&c->own_order, PRIORITIES ":%SERVER_PRECEDENCE", NULL);
	if (ret < 0)
		c->own_order = NULL;
	return ret;
}

static enum weft_status set_all(
	struct tls_ctx *c, const struct weft_tls_ctx_options *o, struct weft_error *err)
{
	enum weft_status st = set_alpn(c, o->alpn, err);
	int ret;

	if (st)
		return st;
	ret = gnutls_certificate_allocate_credentials(&c->cred);
	if (ret < 0) {
		c->cred = NULL;
		return no_memory(err);
	}
	ret = set_priorities(c);
	if (ret < 0)
		return gnutls_adapter_unusable(err, ret, "GnuTLS's parameters");
	c->client_auth = o->server ? o->client_auth : WEFT_TLS_CLIENT_AUTH_NONE;
	if (!o->server || c->client_auth)
		st = gnutls_adapter_set_trust(c, o, err);
	if (st == WEFT_OK)
		st = gnutls_adapter_set_identity(c, o, err);
	return st ? st : set_resumption(c, o, err);
}

static void drop_priorities(struct tls_ctx *c)
{
	if (c->priority)
		gnutls_priority_deinit(c->priority);
	if (c->own_order)
		gnutls_priority_deinit(c->own_order);
	c->priority = c->own_order = NULL;
}

/* Sessions point to the credentials, not to what is in them, and count what they have of the priorities. */
void gnutls_adapter_ctx_trim(void *ctx)
{
	struct tls_ctx *c = ctx;

	if (!gnutls_adapter_forget_trust(c))
		return;
	gnutls_certificate_free_keys(c->cred);
	drop_priorities(c);
}

void gnutls_adapter_ctx_destroy(void *ctx)
{
	struct tls_ctx *c = ctx;

	gnutls_adapter_drop_trust(c);
	if (c->cred)
		gnutls_certificate_free_credentials(c->cred);
	drop_priorities(c);
	gnutls_memset(c->ticket_key, 0, sizeof(c->ticket_key));
	weft_free(c->alloc, c, sizeof(*c));
}

enum weft_status gnutls_adapter_ctx_create(
	const struct weft_tls_ctx_options *o, void **ctx, struct weft_error *err)
{
	struct tls_ctx *c = weft_zalloc(o->alloc, sizeof(*c));
	enum weft_status st;

	if (!c)
		return no_memory(err);
	c->alloc = o->alloc;
	c->server = o->server;
	st = set_all(c, o, err);
	if (st)
		gnutls_adapter_ctx_destroy(c);
	else
		*ctx = c;
	return st;
}
