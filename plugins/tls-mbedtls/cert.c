/* SPDX-License-Identifier: MIT */
/* What a certificate says of itself, and whether a revocation list is one: before anybody trusts them. */
#include <string.h>

#include <mbedtls/error.h>
#include <mbedtls/pem.h>

#include "backend.h"

/* One of the two things that can be read, out of DER. */
struct kind {
	const char *what, *begin, *end;
	int (*read)(const unsigned char *der, size_t len, struct weft_tls_cert *out);
};

/* The first day of March begins a year here: then what a leap year has more is at its end. */
static int64_t seconds_of(const mbedtls_x509_time *t)
{
	int64_t months = (int64_t)t->year * 12 + t->mon - 3, year = months / 12;
	int64_t days = year * 365 + year / 4 - year / 100 + year / 400 +
		       (153 * (months % 12) + 2) / 5 + t->day - 719469;

	return ((days * 24 + t->hour) * 60 + t->min) * 60 + t->sec;
}

/* The library takes one certificate off the front, and does not mind the rest. */
static int read_cert(const unsigned char *der, size_t len, struct weft_tls_cert *out)
{
	mbedtls_x509_crt crt;
	int ret;

	mbedtls_x509_crt_init(&crt);
	ret = mbedtls_adapter_parse_crt(&crt, der, len);
	if (!ret && crt.raw.len != len)
		ret = MBEDTLS_ERR_X509_INVALID_FORMAT + MBEDTLS_ERR_ASN1_LENGTH_MISMATCH;
	if (!ret) {
		*out = (struct weft_tls_cert){
			.not_before = seconds_of(&crt.valid_from),
			.not_after = seconds_of(&crt.valid_to),
			.ca = crt.ca_istrue != 0,
		};
		mbedtls_adapter_write_name(&crt.subject, out->subject, sizeof(out->subject));
		mbedtls_adapter_write_name(&crt.issuer, out->issuer, sizeof(out->issuer));
	}
	mbedtls_x509_crt_free(&crt);
	return ret;
}

static int read_crl(const unsigned char *der, size_t len, struct weft_tls_cert *out)
{
	mbedtls_x509_crl crl;
	int ret;

	(void)out;
	mbedtls_x509_crl_init(&crl);
	ret = mbedtls_x509_crl_parse_der(&crl, der, len);
	if (!ret && crl.raw.len != len)
		ret = MBEDTLS_ERR_X509_INVALID_FORMAT + MBEDTLS_ERR_ASN1_LENGTH_MISMATCH;
	mbedtls_x509_crl_free(&crl);
	return ret;
}

static const struct kind certificate = { "certificate", "-----BEGIN CERTIFICATE-----",
	"-----END CERTIFICATE-----", read_cert };
static const struct kind list = { "revocation list", "-----BEGIN X509 CRL-----",
	"-----END X509 CRL-----", read_crl };

static bool is_pem(const struct weft_span *s)
{
	return s->len > 11 && !memcmp(s->ptr, "-----BEGIN ", 11);
}

/* NULL: it is one block of what is expected, and nothing else; or no text. */
static const char *find_flaw(const struct kind *kind, const struct weft_span *s)
{
	const unsigned char *limit = s->ptr + s->len, *at;

	if (!s->len)
		return "it is empty";
	if (!is_pem(s))
		return NULL;
	if (s->len < strlen(kind->begin) || memcmp(s->ptr, kind->begin, strlen(kind->begin)) != 0)
		return "it is PEM of something else";
	at = memmem(s->ptr, s->len, kind->end, strlen(kind->end));
	if (!at)
		return "its PEM has no end";
	for (at += strlen(kind->end); at < limit; at++) {
		if (*at != ' ' && (*at < '\t' || *at > '\r'))
			return "more stands behind it";
	}
	return NULL;
}

/* The library wants a text to be terminated. */
static int read_pem(const struct kind *kind, const struct weft_span *s, struct weft_tls_cert *out)
{
	char *text = weft_strndup(&weft_allocator_system, (const char *)s->ptr, s->len);
	mbedtls_pem_context pem;
	size_t used;
	int ret;

	if (!text)
		return MBEDTLS_ERR_PEM_ALLOC_FAILED;
	mbedtls_pem_init(&pem);
	ret = mbedtls_pem_read_buffer(
		&pem, kind->begin, kind->end, (const unsigned char *)text, NULL, 0, &used);
	if (!ret)
		ret = kind->read(pem.buf, pem.buflen, out);
	mbedtls_pem_free(&pem);
	weft_free(&weft_allocator_system, text, s->len + 1);
	return ret;
}

enum weft_status mbedtls_adapter_cert_read(
	struct weft_span bytes, struct weft_tls_cert *out, struct weft_error *err)
{
	const struct kind *kind = out ? &certificate : &list;
	const char *flaw = find_flaw(kind, &bytes);
	char words[128];
	int ret = 0;

	if (!flaw) {
		ret = is_pem(&bytes) ? read_pem(kind, &bytes, out)
				     : kind->read(bytes.ptr, bytes.len, out);
		if (!ret)
			return WEFT_OK;
		mbedtls_strerror(ret, words, sizeof(words));
	}
	if (ret == MBEDTLS_ERR_X509_ALLOC_FAILED || ret == MBEDTLS_ERR_PEM_ALLOC_FAILED ||
		ret == MBEDTLS_ERR_PK_ALLOC_FAILED)
		return weft_error_set(
			err, WEFT_ERR_MEMORY, ret, "no memory to read a %s", kind->what);
	return weft_error_set(err, WEFT_ERR_ARGUMENT, ret, "expected one %s in PEM or DER: %s",
		kind->what, flaw ? flaw : words);
}
