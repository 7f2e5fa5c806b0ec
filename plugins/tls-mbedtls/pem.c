/* SPDX-License-Identifier: MIT */
/*
 * Certificates and lists out of PEM: RFC 7468. Not by the library's decoder, which is one for secrets: it takes as
 * long for each digit, goes over them twice, and was most of what a trust store took to load. Keys are its own.
 */
#include <string.h>

#include <mbedtls/base64.h>
#include <mbedtls/pem.h>

#include "backend.h"
#include "weft/base64.h"

const struct tls_pem_label mbedtls_adapter_certificate = { "-----BEGIN CERTIFICATE-----",
	"-----END CERTIFICATE-----" };
const struct tls_pem_label mbedtls_adapter_crl = { "-----BEGIN X509 CRL-----",
	"-----END X509 CRL-----" };

bool mbedtls_adapter_is_pem(const struct weft_span *s)
{
	return s->len > 11 && !memcmp(s->ptr, "-----BEGIN ", 11);
}

static const unsigned char *find(
	const unsigned char *from, const unsigned char *limit, const char *what)
{
	return memmem(from, (size_t)(limit - from), what, strlen(what));
}

static int decode(struct weft_span text, const struct weft_allocator *alloc,
	mbedtls_adapter_read_fn *read, void *to)
{
	size_t room = text.len / 4 * 3 + 3, len = room;
	unsigned char *der = weft_alloc(alloc, room);
	int ret = MBEDTLS_ERR_PEM_INVALID_DATA + MBEDTLS_ERR_BASE64_INVALID_CHARACTER;

	if (!der)
		return MBEDTLS_ERR_PEM_ALLOC_FAILED;
	if (weft_base64_decode((const char *)text.ptr, text.len, true, der, &len))
		ret = read(to, der, len);
	weft_free(alloc, der, room);
	return ret;
}

int mbedtls_adapter_read_pem(const struct weft_span *text, const struct tls_pem_label *label,
	const struct weft_allocator *alloc, mbedtls_adapter_read_fn *read, void *to)
{
	const unsigned char *limit = text->ptr + text->len, *at = text->ptr, *from, *end;
	int ret = MBEDTLS_ERR_PEM_NO_HEADER_FOOTER_PRESENT;

	while ((from = find(at, limit, label->begin)) != NULL) {
		from += strlen(label->begin);
		end = find(from, limit, label->end);
		if (!end)
			return MBEDTLS_ERR_PEM_NO_HEADER_FOOTER_PRESENT;
		ret = decode((struct weft_span){ from, (size_t)(end - from) }, alloc, read, to);
		if (ret)
			return ret;
		at = end + strlen(label->end);
	}
	return ret;
}
