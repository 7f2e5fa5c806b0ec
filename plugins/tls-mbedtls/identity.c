/* SPDX-License-Identifier: MIT */
/* Who the peer is, as told to those who ask: names as GnuTLS writes them, so that rules fit either backend. */
#include <stdio.h>
#include <string.h>

#include <mbedtls/asn1.h>
#include <mbedtls/oid.h>
#include <mbedtls/sha256.h>

#include "backend.h"

/* ---- a distinguished name: RFC 4514 ---- */

struct text {
	char *to;
	size_t used, room; /* room for a terminator is set apart */
};

static void put(struct text *t, const char *bytes, size_t len)
{
	if (len > t->room - t->used)
		len = t->room - t->used;
	memcpy(t->to + t->used, bytes, len);
	t->used += len;
}

static void put_hex(struct text *t, unsigned byte)
{
	static const char digits[] = "0123456789abcdef";

	put(t, &digits[byte >> 4], 1);
	put(t, &digits[byte & 15], 1);
}

/* Names go into logs, a line each. Not cut: what follows it would be read as part of it. */
static void put_control(struct text *t, unsigned char c)
{
	static const char digits[] = "0123456789ABCDEF";
	const char escaped[] = { '\\', digits[c >> 4], digits[c & 15] };

	if (t->room - t->used < sizeof(escaped))
		t->room = t->used;
	put(t, escaped, sizeof(escaped));
}

/* Section 2.4. first, last: of the value, where a space would be lost. */
static void put_char(struct text *t, unsigned char c, bool first, bool last)
{
	if (c < 0x20 || c == 0x7f) {
		put_control(t, c);
		return;
	}
	if (strchr("\"+,;<>\\", c) || (c == ' ' && (first || last)) || (c == '#' && first))
		put(t, "\\", 1);
	put(t, (const char *)&c, 1);
}

static void put_escaped(struct text *t, const mbedtls_x509_buf *value)
{
	for (size_t i = 0; i < value->len; i++)
		put_char(t, value->p[i], !i, i + 1 == value->len);
}

/* Of a BMPString, two bytes a character, as UTF-8. */
static void put_wide(struct text *t, const mbedtls_x509_buf *value)
{
	for (size_t i = 0; i < value->len; i += 2) {
		unsigned c = (unsigned)value->p[i] << 8 | value->p[i + 1];
		const char utf8[] = { (char)(c < 0x800 ? 0xc0 | c >> 6 : 0xe0 | c >> 12),
			(char)(0x80 | (c >> 6 & 0x3f)), (char)(0x80 | (c & 0x3f)) };

		if (c < 0x80) {
			put_char(t, (unsigned char)c, !i, i + 2 == value->len);
		} else {
			put(t, utf8, 1);
			if (c >= 0x800)
				put(t, utf8 + 1, 1);
			put(t, utf8 + 2, 1);
		}
	}
}

/* No half of a pair: those are not characters of a BMPString. */
static bool is_wide(const mbedtls_x509_buf *value)
{
	if (value->tag != MBEDTLS_ASN1_BMP_STRING || value->len % 2)
		return false;
	for (size_t i = 0; i < value->len; i += 2) {
		if ((value->p[i] & 0xf8) == 0xd8)
			return false;
	}
	return true;
}

/* ... and where it is not, or its type has no short name: the DER. */
static void put_der(struct text *t, const mbedtls_x509_buf *value)
{
	put(t, "#", 1);
	put_hex(t, (unsigned)value->tag & 0xff);
	if (value->len > 255)
		put_hex(t, 0x82), put_hex(t, (unsigned)(value->len >> 8) & 0xff);
	else if (value->len > 127)
		put_hex(t, 0x81);
	put_hex(t, (unsigned)value->len & 0xff);
	for (size_t i = 0; i < value->len; i++)
		put_hex(t, value->p[i]);
}

static const char *short_name(const mbedtls_x509_buf *oid)
{
	static const struct {
		const char *oid, *name;
	} names[] = {
		{ "\x55\x04\x03", "CN" },
		{ "\x55\x04\x04", "surName" },
		{ "\x55\x04\x05", "serialNumber" },
		{ "\x55\x04\x06", "C" },
		{ "\x55\x04\x07", "L" },
		{ "\x55\x04\x08", "ST" },
		{ "\x55\x04\x09", "street" },
		{ "\x55\x04\x0a", "O" },
		{ "\x55\x04\x0b", "OU" },
		{ "\x55\x04\x0c", "title" },
		{ "\x55\x04\x0d", "description" },
		{ "\x55\x04\x0f", "businessCategory" },
		{ "\x55\x04\x11", "postalCode" },
		{ "\x55\x04\x14", "telephoneNumber" },
		{ "\x55\x04\x29", "name" },
		{ "\x55\x04\x2a", "givenName" },
		{ "\x55\x04\x2b", "initials" },
		{ "\x55\x04\x2c", "generationQualifier" },
		{ "\x55\x04\x2e", "dnQualifier" },
		{ "\x55\x04\x41", "pseudonym" },
		{ "\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x01", "UID" },
		{ "\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x19", "DC" },
		{ MBEDTLS_OID_PKCS9_EMAIL, "EMAIL" },
		{ "\x2b\x06\x01\x05\x05\x07\x09\x02", "placeOfBirth" },
		{ "\x2b\x06\x01\x05\x05\x07\x09\x03", "gender" },
		{ "\x2b\x06\x01\x05\x05\x07\x09\x04", "countryOfCitizenship" },
		{ "\x2b\x06\x01\x05\x05\x07\x09\x05", "countryOfResidence" },
		{ "\x2b\x06\x01\x04\x01\x82\x37\x3c\x02\x01\x01",
			"jurisdictionOfIncorporationLocalityName" },
		{ "\x2b\x06\x01\x04\x01\x82\x37\x3c\x02\x01\x02",
			"jurisdictionOfIncorporationStateOrProvinceName" },
		{ "\x2b\x06\x01\x04\x01\x82\x37\x3c\x02\x01\x03",
			"jurisdictionOfIncorporationCountryName" },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strlen(names[i].oid) == oid->len && !memcmp(names[i].oid, oid->p, oid->len))
			return names[i].name;
	}
	return NULL;
}

static void put_part(struct text *t, const mbedtls_x509_name *part)
{
	const char *name = short_name(&part->oid);
	char numbers[96];
	int len;

	if (name) {
		put(t, name, strlen(name));
	} else {
		len = mbedtls_oid_get_numeric_string(numbers, sizeof(numbers), &part->oid);
		put(t, numbers, len > 0 ? (size_t)len : 0);
	}
	put(t, "=", 1);
	if (name && is_wide(&part->val))
		put_wide(t, &part->val);
	else if (name && part->val.tag != MBEDTLS_ASN1_BIT_STRING &&
		 part->val.tag != MBEDTLS_ASN1_BMP_STRING &&
		 part->val.tag != MBEDTLS_ASN1_UNIVERSAL_STRING)
		put_escaped(t, &part->val);
	else
		put_der(t, &part->val);
}

/* The last set of parts first; within a set as they come. */
static void put_name(struct text *t, const mbedtls_x509_name *name)
{
	const mbedtls_x509_name *done = NULL, *set, *part;

	while (done != name) {
		/* the last set before what is done */
		for (set = part = name; part != done; part = part->next) {
			if (!part->next_merged && part->next != done)
				set = part->next;
		}
		if (done)
			put(t, ",", 1);
		for (part = set;; part = part->next) {
			put_part(t, part);
			if (!part->next_merged || !part->next)
				break;
			put(t, "+", 1);
		}
		done = set;
	}
}

void mbedtls_adapter_write_name(const mbedtls_x509_name *name, char *to, size_t max)
{
	struct text t = { to, 0, max - 1 };

	if (name->oid.p)
		put_name(&t, name);
	to[t.used] = '\0';
}

/* ---- */

/* Of the handshake that was, or the one that failed. */
static const mbedtls_x509_crt *peer_of(const struct tls_session *s)
{
	const mbedtls_ssl_session *session = s->tls.session;

	if (!session && s->judged)
		session = s->tls.session_negotiate;
	return session ? session->peer_cert : NULL;
}

static void put_peer(struct weft_tls_info *info, const mbedtls_x509_crt *crt)
{
	info->peer_cert = true;
	info->peer_verified = !info->faults;
	mbedtls_adapter_write_name(&crt->subject, info->peer_name, sizeof(info->peer_name));
	(void)mbedtls_sha256_ret(crt->raw.p, crt->raw.len, info->peer_sha256, 0);
	(void)mbedtls_sha256_ret(crt->pk_raw.p, crt->pk_raw.len, info->peer_spki, 0);
}

void mbedtls_adapter_info(void *session, struct weft_tls_info *info)
{
	struct tls_session *s = session;
	const char *alpn = mbedtls_ssl_get_alpn_protocol(&s->tls);
	const char *cipher = s->shaken ? mbedtls_ssl_get_ciphersuite(&s->tls) : NULL;
	const mbedtls_x509_crt *crt = peer_of(s);

	*info = (struct weft_tls_info){
		.faults = s->faults,
		.version = s->shaken ? 0x0303 : 0,
		.resumed = s->shaken && s->resumed,
	};
	snprintf(info->alpn, sizeof(info->alpn), "%s", alpn ? alpn : "");
	snprintf(info->cipher, sizeof(info->cipher), "%s", cipher ? cipher : "");
	if (crt)
		put_peer(info, crt);
}

enum weft_status mbedtls_adapter_peer_cert(void *session, struct weft_span *der)
{
	const mbedtls_x509_crt *crt = peer_of(session);

	if (!crt)
		return WEFT_AGAIN;
	*der = (struct weft_span){ crt->raw.p, crt->raw.len };
	return WEFT_OK;
}
