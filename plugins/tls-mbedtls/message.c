/* SPDX-License-Identifier: MIT */
/* The peer's Certificate message: RFC 5246 section 7.4.2. Taken apart here, before the library does. */
#include <string.h>

#include <mbedtls/oid.h>
#include <mbedtls/ssl_internal.h>

#include "backend.h"

static size_t length_at(const unsigned char *p)
{
	return (size_t)p[0] << 16 | (size_t)p[1] << 8 | p[2];
}

static void put_length(unsigned char *p, size_t len)
{
	p[0] = (unsigned char)(len >> 16);
	p[1] = (unsigned char)(len >> 8);
	p[2] = (unsigned char)len;
}

/* The list's certificates into chain. What is no list the library finds out itself: OK, and no chain. */
static int parse_list(mbedtls_x509_crt *chain, const unsigned char *list, size_t len)
{
	size_t one;
	int ret = 0;

	for (; !ret && len >= 3; list += 3 + one, len -= 3 + one) {
		one = length_at(list);
		if (one > len - 3)
			return MBEDTLS_ERR_X509_INVALID_FORMAT;
		/* constraints are for issuers */
		if (!chain->raw.p) {
			ret = mbedtls_x509_crt_parse_der(chain, list + 3, one);
			continue;
		}
		ret = mbedtls_adapter_parse_crt(chain, list + 3, one);
		/* one that nobody needs may be of a kind that is not known */
		if (ret == MBEDTLS_ERR_X509_UNKNOWN_SIG_ALG + MBEDTLS_ERR_OID_NOT_FOUND)
			ret = 0;
	}
	return !ret && len ? MBEDTLS_ERR_X509_INVALID_FORMAT : ret;
}

/* The first certificate stays; what else is in the record moves up behind it. */
static void cut_list(mbedtls_ssl_context *tls)
{
	size_t head = mbedtls_ssl_hs_hdr_len(tls) + 3, whole = tls->in_hslen;
	unsigned char *list = tls->in_msg + head;
	size_t first = 3 + length_at(list), cut = whole - head - first;

	memmove(list + first, list + first + cut, tls->in_msglen - whole);
	put_length(list - 3, first);
	put_length(tls->in_msg + 1, 3 + first);
	tls->in_hslen -= cut;
	tls->in_msglen -= cut;
}

int mbedtls_adapter_take_chain(struct tls_session *s)
{
	mbedtls_ssl_context *tls = &s->tls;
	size_t head = mbedtls_ssl_hs_hdr_len(tls) + 3;
	unsigned char *list;
	int ret;

	/* the library adds up what was sent before anything is changed here */
	ret = mbedtls_ssl_read_record(tls, 1);
	if (ret)
		return ret;
	tls->keep_current_message = 1;
	list = tls->in_msg + head;
	if (tls->in_msgtype != MBEDTLS_SSL_MSG_HANDSHAKE ||
		tls->in_msg[0] != MBEDTLS_SSL_HS_CERTIFICATE || tls->in_hslen < head + 3 ||
		tls->in_hslen > tls->in_msglen || length_at(list - 3) != tls->in_hslen - head ||
		length_at(list) > tls->in_hslen - head - 3)
		return 0;
	ret = parse_list(&s->expected->chain, list, tls->in_hslen - head);
	if (ret) {
		s->faults |= WEFT_TLS_MALFORMED;
		s->unusable = true;
		mbedtls_adapter_alert(s, ret == MBEDTLS_ERR_X509_ALLOC_FAILED
						 ? MBEDTLS_SSL_ALERT_MSG_INTERNAL_ERROR
						 : MBEDTLS_SSL_ALERT_MSG_BAD_CERT);
		return ret == MBEDTLS_ERR_X509_ALLOC_FAILED ? MBEDTLS_ERR_SSL_ALLOC_FAILED
							    : MBEDTLS_ERR_X509_CERT_VERIFY_FAILED;
	}
	cut_list(tls);
	/* or the library would check the first one's signature once more, for a verdict that is not heard */
	mbedtls_ssl_set_hs_ca_chain(tls, &s->ctx->nobody, NULL);
	return 0;
}
