/* SPDX-License-Identifier: MIT */
/* What a certificate says of itself, and whether a revocation list is one: before anybody trusts them. */
#include <string.h>

#include <mbedtls/error.h>
#include <mbedtls/pem.h>

#include "backend.h"

/* The first day of March begins a year here: then what a leap year has more is at its end. */
static int64_t seconds_of(const mbedtls_x509_time *t)
{
	int64_t months = (int64_t)t->year * 12 + t->mon - 3, year = months / 12;
	int64_t days = year * 365 + year / 4 - year / 100 + year / 400 +
		       (153 * (months % 12) + 2) / 5 + t->day - 719469;

	return ((days * 24 + t->hour) * 60 + t->min) * 60 + t->sec;
}

/* The library takes one certificate off the front, and does not mind the rest. */
static int read_cert(void *to, const unsigned char *der, size_t len)
{
	struct weft_tls_cert *out = to;
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

static int read_crl(void *to, const unsigned char *der, size_t len)
{
	mbedtls_x509_crl crl;
	int ret;

	(void)to;
	mbedtls_x509_crl_init(&crl);
	ret = mbedtls_x509_crl_parse_der(&crl, der, len);
	if (!ret && crl.raw.len != len)
		ret = MBEDTLS_ERR_X509_INVALID_FORMAT + MBEDTLS_ERR_ASN1_LENGTH_MISMATCH;
	mbedtls_x509_crl_free(&crl);
	return ret;
}

/* NULL: it is one block of what is expected, and nothing else; or no text. */
static const char *find_flaw(const struct tls_pem_label *label, const struct weft_span *s)
{
	const unsigned char *limit, *at;

	if (!s->len)
		return "it is empty";
	limit = s->ptr + s->len;
	if (!mbedtls_adapter_is_pem(s))
		return NULL;
	if (s->len < strlen(label->begin) ||
		memcmp(s->ptr, label->begin, strlen(label->begin)) != 0)
		return "it is PEM of something else";
	at = memmem(s->ptr, s->len, label->end, strlen(label->end));
	if (!at)
		return "its PEM has no end";
	for (at += strlen(label->end); at < limit; at++) {
		if (*at != ' ' && (*at < '\t' || *at > '\r'))
			return "more stands behind it";
	}
	return NULL;
}

enum weft_status mbedtls_adapter_cert_read(
	struct weft_span bytes, struct weft_tls_cert *out, struct weft_error *err)
{
	const struct tls_pem_label *label =
		out ? &mbedtls_adapter_certificate : &mbedtls_adapter_crl;
	mbedtls_adapter_read_fn *read = out ? read_cert : read_crl;
	const char *what = out ? "certificate" : "revocation list";
	const char *flaw = find_flaw(label, &bytes);
	char words[128];
	int ret = 0;

	if (!flaw) {
		ret = mbedtls_adapter_is_pem(&bytes) ? mbedtls_adapter_read_pem(&bytes, label,
							       &weft_allocator_system, read, out)
						     : read(out, bytes.ptr, bytes.len);
		if (!ret)
			return WEFT_OK;
		mbedtls_strerror(ret, words, sizeof(words));
	}
	if (ret == MBEDTLS_ERR_X509_ALLOC_FAILED || ret == MBEDTLS_ERR_PEM_ALLOC_FAILED ||
		ret == MBEDTLS_ERR_PK_ALLOC_FAILED)
		return weft_error_set(err, WEFT_ERR_MEMORY, ret, "no memory to read a %s", what);
	return weft_error_set(err, WEFT_ERR_ARGUMENT, ret, "expected one %s in PEM or DER: %s",
		what, flaw ? flaw : words);
}
