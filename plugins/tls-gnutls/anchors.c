/* SPDX-License-Identifier: MIT */
/*
 * A client's CAs, as DER until a peer's chain names them: parsed, one takes the library 26 KiB, and of a system's
 * bundle a peer ever needs one or two.
 */
#include <string.h>

#include "backend.h"

struct tls_anchor {
	unsigned char *der;
	size_t len;
	size_t subject_at, subject_len; /* in der */
	bool believed;                  /* the credentials have it */
};

bool gnutls_adapter_make_anchors(struct tls_ctx *c, size_t room)
{
	c->anchors = room ? weft_zalloc(c->alloc, room * sizeof(c->anchors[0])) : NULL;
	c->anchor_room = c->anchors ? room : 0;
	return c->anchor_room == room;
}

/* It is found where it is the issuer, too, of who signed itself: the bytes are the same. */
static bool set_subject(struct tls_anchor *a, gnutls_x509_crt_t crt)
{
	gnutls_datum_t name;
	const unsigned char *at;

	if (gnutls_x509_crt_get_raw_dn(crt, &name) < 0)
		return false;
	at = memmem(a->der, a->len, name.data, name.size);
	a->subject_at = at ? (size_t)(at - a->der) : 0;
	a->subject_len = name.size;
	gnutls_free(name.data);
	return at != NULL;
}

int gnutls_adapter_keep_anchor(struct tls_ctx *c, gnutls_x509_crt_t crt)
{
	struct tls_anchor *a = &c->anchors[c->anchor_count];
	gnutls_datum_t der;
	int ret = gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_DER, &der);

	if (ret < 0)
		return ret;
	a->der = weft_alloc(c->alloc, der.size);
	if (a->der) {
		a->len = der.size;
		memcpy(a->der, der.data, der.size);
		c->anchor_count++;
	}
	gnutls_free(der.data);
	return a->der && set_subject(a, crt) ? 0 : GNUTLS_E_MEMORY_ERROR;
}

static int believe(struct tls_ctx *c, struct tls_anchor *a)
{
	gnutls_datum_t der = { a->der, (unsigned)a->len };
	gnutls_x509_crt_t crt;
	int ret = gnutls_x509_crt_init(&crt);

	if (ret < 0)
		return ret;
	ret = gnutls_x509_crt_import(crt, &der, GNUTLS_X509_FMT_DER);
	if (ret >= 0)
		ret = gnutls_adapter_believe(c, crt);
	if (ret < 0)
		gnutls_x509_crt_deinit(crt);
	a->believed = ret >= 0;
	return ret;
}

/* Of this subject, all. Takes the name; where got is no success there is none. */
static int believe_named(struct tls_ctx *c, int got, gnutls_datum_t *name)
{
	int ret = got == GNUTLS_E_MEMORY_ERROR ? got : 0;

	if (got < 0)
		return ret;
	for (size_t i = 0; i < c->anchor_count && ret >= 0; i++) {
		struct tls_anchor *a = &c->anchors[i];

		if (!a->believed && a->subject_len == name->size &&
			!memcmp(a->der + a->subject_at, name->data, name->size))
			ret = believe(c, a);
	}
	gnutls_free(name->data);
	return ret;
}

bool gnutls_adapter_find_anchors(struct tls_ctx *c, const gnutls_x509_crt_t *chain, unsigned count)
{
	gnutls_datum_t name;
	int ret = 0;

	for (unsigned i = 0; i < count && c->anchor_count && ret >= 0; i++) {
		ret = believe_named(c, gnutls_x509_crt_get_raw_issuer_dn(chain[i], &name), &name);
		/* the peer may show what is believed itself */
		if (ret >= 0)
			ret = believe_named(c, gnutls_x509_crt_get_raw_dn(chain[i], &name), &name);
	}
	return ret >= 0;
}

void gnutls_adapter_drop_anchors(struct tls_ctx *c)
{
	for (size_t i = 0; i < c->anchor_count; i++)
		weft_free(c->alloc, c->anchors[i].der, c->anchors[i].len);
	weft_free(c->alloc, c->anchors, c->anchor_room * sizeof(c->anchors[0]));
	c->anchors = NULL;
	c->anchor_count = c->anchor_room = 0;
}
