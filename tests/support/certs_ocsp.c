/* SPDX-License-Identifier: MIT */
/* The mint's OCSP responses (RFC 6960 section 4.2), written in DER: GnuTLS can read them only. */
#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/support/certs_inner.h"

enum { DAY = 24 * 60 * 60, ROOM = 4096, SEQUENCE = 0x30, OCTETS = 4 };

/* Written from its end to its beginning, so that lengths are known when they are needed. */
struct der {
	unsigned char bytes[ROOM];
	size_t at;
};

static void put(struct der *d, const void *bytes, size_t len)
{
	if (len > d->at)
		abort();
	d->at -= len;
	memcpy(d->bytes + d->at, bytes, len);
}

/* Makes all from the mark on the content of a tag. */
static void wrap(struct der *d, unsigned char tag, size_t mark)
{
	size_t len = mark - d->at;
	unsigned char two[2] = { (unsigned char)(len >> 8), (unsigned char)len };

	put(d, two + 1, 1);
	if (len > 255)
		put(d, two, 1);
	if (len > 127)
		put(d, len > 255 ? "\x82" : "\x81", 1);
	put(d, &tag, 1);
}

static void put_tagged(struct der *d, unsigned char tag, const void *bytes, size_t len)
{
	size_t mark = d->at;

	put(d, bytes, len);
	wrap(d, tag, mark);
}

static void put_time(struct der *d, time_t when)
{
	char text[20];
	struct tm tm;

	put_tagged(
		d, 0x18, text, strftime(text, sizeof(text), "%Y%m%d%H%M%SZ", gmtime_r(&when, &tm)));
}

static void put_hash(struct der *d, const void *bytes, size_t len)
{
	unsigned char digest[20];

	test_certs_must(gnutls_hash_fast(GNUTLS_DIG_SHA1, bytes, len, digest), "hash");
	put_tagged(d, OCTETS, digest, sizeof(digest));
}

/* Of the key's bits, without the algorithm. */
static void put_key_hash(struct der *d, gnutls_x509_crt_t issuer)
{
	unsigned char point[65] = { 4 };
	gnutls_ecc_curve_t curve;
	gnutls_datum_t x, y;

	test_certs_must(gnutls_x509_crt_get_pk_ecc_raw(issuer, &curve, &x, &y), "key");
	/* a number may come with a zero in front, or without all of them */
	for (unsigned i = 0; i < 32; i++) {
		if (i < x.size)
			point[32 - i] = x.data[x.size - 1 - i];
		if (i < y.size)
			point[64 - i] = y.data[y.size - 1 - i];
	}
	gnutls_free(x.data);
	gnutls_free(y.data);
	put_hash(d, point, sizeof(point));
}

static void put_id(struct der *d, gnutls_x509_crt_t cert, gnutls_x509_crt_t issuer)
{
	static const unsigned char sha1[] = { 0x30, 9, 6, 5, 0x2b, 14, 3, 2, 26, 5, 0 };
	unsigned char serial[20];
	size_t len = sizeof(serial), mark = d->at;
	gnutls_datum_t name;

	test_certs_must(gnutls_x509_crt_get_serial(cert, serial, &len), "serial");
	put_tagged(d, 2, serial, len);
	put_key_hash(d, issuer);
	test_certs_must(gnutls_x509_crt_get_raw_dn(issuer, &name), "name");
	put_hash(d, name.data, name.size);
	gnutls_free(name.data);
	put(d, sha1, sizeof(sha1));
	wrap(d, SEQUENCE, mark);
}

static void put_response(
	struct der *d, gnutls_x509_crt_t cert, gnutls_x509_crt_t issuer, enum test_ocsp status)
{
	size_t mark = d->at, inner = mark;

	put_time(d, time(NULL) + 7L * DAY);
	wrap(d, 0xa0, inner);
	put_time(d, time(NULL) - DAY);
	inner = d->at;
	if (status == TEST_OCSP_REVOKED)
		put_time(d, time(NULL) - 2L * DAY);
	wrap(d, status == TEST_OCSP_REVOKED ? 0xa1 : 0x80, inner);
	put_id(d, cert, issuer);
	wrap(d, SEQUENCE, mark);
}

static void put_data(
	struct der *d, gnutls_x509_crt_t cert, gnutls_x509_crt_t issuer, enum test_ocsp status)
{
	size_t mark = d->at, inner;
	gnutls_datum_t name;

	put_response(d, cert, issuer, status);
	wrap(d, SEQUENCE, mark);
	put_time(d, time(NULL) - DAY);
	inner = d->at;
	test_certs_must(gnutls_x509_crt_get_raw_dn(issuer, &name), "name");
	put(d, name.data, name.size);
	gnutls_free(name.data);
	wrap(d, 0xa1, inner);
	wrap(d, SEQUENCE, mark);
}

static gnutls_datum_t sign(const struct der *d, gnutls_x509_privkey_t with)
{
	gnutls_datum_t data = { (unsigned char *)(uintptr_t)d->bytes + d->at,
		(unsigned)(ROOM - d->at) };
	gnutls_datum_t signature;
	gnutls_privkey_t key;

	test_certs_must(gnutls_privkey_init(&key), "key");
	test_certs_must(gnutls_privkey_import_x509(key, with, 0), "key");
	test_certs_must(
		gnutls_privkey_sign_data(key, GNUTLS_DIG_SHA256, 0, &data, &signature), "signing");
	gnutls_privkey_deinit(key);
	return signature;
}

/* The data, already signed, with what goes round it. */
static void envelop(struct der *d, const struct der *data, const gnutls_datum_t *signature)
{
	static const unsigned char ecdsa_sha256[] = { 0x30, 10, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d,
		4, 3, 2 };
	static const unsigned char basic[] = { 6, 9, 0x2b, 6, 1, 5, 5, 7, 48, 1, 1 };
	static const unsigned char successful[] = { 10, 1, 0 };
	size_t mark = d->at;

	put(d, signature->data, signature->size);
	put(d, "", 1);
	wrap(d, 3, mark);
	put(d, ecdsa_sha256, sizeof(ecdsa_sha256));
	put(d, data->bytes + data->at, ROOM - data->at);
	wrap(d, SEQUENCE, mark);
	wrap(d, OCTETS, mark);
	put(d, basic, sizeof(basic));
	wrap(d, SEQUENCE, mark);
	wrap(d, 0xa0, mark);
	put(d, successful, sizeof(successful));
	wrap(d, SEQUENCE, mark);
}

const struct test_cert *test_mint_ocsp(
	const struct test_cert *cert, const struct test_cert *issuer, enum test_ocsp status)
{
	struct der data = { .at = ROOM }, whole = { .at = ROOM };
	gnutls_x509_crt_t subject, authority;
	gnutls_x509_privkey_t none, key;
	struct test_cert *out = test_mint_keep();
	gnutls_datum_t signature;

	test_certs_load(cert, &subject, &none);
	test_certs_load(issuer, &authority, &key);
	put_data(&data, subject, authority, status);
	signature = sign(&data, key);
	envelop(&whole, &data, &signature);
	gnutls_free(signature.data);
	out->cert_len = ROOM - whole.at;
	out->cert = malloc(out->cert_len);
	if (!out->cert)
		abort();
	memcpy(out->cert, whole.bytes + whole.at, out->cert_len);
	gnutls_x509_crt_deinit(subject);
	gnutls_x509_crt_deinit(authority);
	gnutls_x509_privkey_deinit(none);
	gnutls_x509_privkey_deinit(key);
	return out;
}
