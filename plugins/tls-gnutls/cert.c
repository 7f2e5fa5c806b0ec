/* SPDX-License-Identifier: MIT */
/* What a certificate says of itself, and whether a revocation list is one: before anybody trusts them. */
#include <string.h>
#include <time.h>

#include "backend.h"

/* RFC 5280 section 4.1.2.5: 9999-12-31 23:59:59 is "no well-defined expiration", which the library has a code for. */
#define NEVER INT64_C(253402300799)

/* The library escapes what RFC 4514 must have escaped, but leaves control characters as they are. */
static void escape(const gnutls_datum_t *from, char *to, size_t max)
{
	static const char hex[] = "0123456789ABCDEF";
	size_t used = 0;

	for (unsigned i = 0; i < from->size && from->data[i] && used + 1 < max; i++) {
		unsigned char c = from->data[i];
		bool control = c < 0x20 || c == 0x7f;

		if (control && used + 4 > max)
			break;
		to[used++] = control ? '\\' : (char)c;
		if (control) {
			to[used++] = hex[c >> 4];
			to[used++] = hex[c & 15];
		}
	}
	to[used] = '\0';
}

void gnutls_adapter_write_name(int got, gnutls_datum_t *name, char *to, size_t max)
{
	to[0] = '\0';
	if (got < 0)
		return;
	escape(name, to, max);
	gnutls_free(name->data);
}

/*
 * Of a text the library reads the first block, and looks neither at what follows it nor at how it ends. NULL: it is
 * one block of what is expected, or no text.
 */
static const char *find_flaw(const struct weft_span *s, const char *begin, const char *end)
{
	const unsigned char *limit, *at;

	if (!s->len)
		return "it is empty";
	limit = s->ptr + s->len;
	if (gnutls_adapter_format(s) == GNUTLS_X509_FMT_DER)
		return NULL;
	if (s->len < strlen(begin) || memcmp(s->ptr, begin, strlen(begin)) != 0)
		return "it is PEM of something else";
	at = memmem(s->ptr, s->len, end, strlen(end));
	if (!at)
		return "its PEM has no end";
	for (at += strlen(end); at < limit; at++) {
		if (*at != ' ' && (*at < '\t' || *at > '\r'))
			return "more stands behind it";
	}
	return NULL;
}

static enum weft_status refuse(
	struct weft_error *err, const char *what, int code, const char *reason)
{
	if (code == GNUTLS_E_MEMORY_ERROR)
		return weft_error_set(err, WEFT_ERR_MEMORY, code, "no memory to read a %s", what);
	return weft_error_set(err, WEFT_ERR_ARGUMENT, code, "expected one %s in PEM or DER: %s",
		what, reason ? reason : gnutls_strerror(code));
}

static int tell(gnutls_x509_crt_t crt, struct weft_tls_cert *out)
{
	time_t from = gnutls_x509_crt_get_activation_time(crt);
	time_t until = gnutls_x509_crt_get_expiration_time(crt);
	gnutls_datum_t name;

	if (from == (time_t)-1 || until == (time_t)-1)
		return GNUTLS_E_CERTIFICATE_TIME_ERROR;
	*out = (struct weft_tls_cert){
		.not_before = from,
		.not_after = until == GNUTLS_X509_NO_WELL_DEFINED_EXPIRATION ? NEVER : until,
		.ca = gnutls_x509_crt_get_ca_status(crt, NULL) > 0,
	};
	gnutls_adapter_write_name(
		gnutls_x509_crt_get_dn3(crt, &name, 0), &name, out->subject, sizeof(out->subject));
	gnutls_adapter_write_name(gnutls_x509_crt_get_issuer_dn3(crt, &name, 0), &name, out->issuer,
		sizeof(out->issuer));
	return 0;
}

static enum weft_status read_cert(
	const struct weft_span *s, struct weft_tls_cert *out, struct weft_error *err)
{
	static const char what[] = "certificate";
	const char *flaw = find_flaw(s, "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----");
	gnutls_datum_t data = gnutls_adapter_datum(s);
	gnutls_x509_crt_t crt;
	int ret;

	if (flaw)
		return refuse(err, what, 0, flaw);
	ret = gnutls_x509_crt_init(&crt);
	if (ret < 0)
		return refuse(err, what, GNUTLS_E_MEMORY_ERROR, NULL);
	ret = gnutls_x509_crt_import(crt, &data, gnutls_adapter_format(s));
	if (ret >= 0)
		ret = tell(crt, out);
	gnutls_x509_crt_deinit(crt);
	return ret < 0 ? refuse(err, what, ret, NULL) : WEFT_OK;
}

static enum weft_status read_crl(const struct weft_span *s, struct weft_error *err)
{
	static const char what[] = "revocation list";
	const char *flaw = find_flaw(s, "-----BEGIN X509 CRL-----", "-----END X509 CRL-----");
	gnutls_datum_t data = gnutls_adapter_datum(s);
	gnutls_x509_crl_t list;
	int ret;

	if (flaw)
		return refuse(err, what, 0, flaw);
	ret = gnutls_x509_crl_init(&list);
	if (ret < 0)
		return refuse(err, what, GNUTLS_E_MEMORY_ERROR, NULL);
	ret = gnutls_x509_crl_import(list, &data, gnutls_adapter_format(s));
	gnutls_x509_crl_deinit(list);
	return ret < 0 ? refuse(err, what, ret, NULL) : WEFT_OK;
}

enum weft_status gnutls_adapter_cert_read(
	struct weft_span bytes, struct weft_tls_cert *out, struct weft_error *err)
{
	return out ? read_cert(&bytes, out, err) : read_crl(&bytes, err);
}
