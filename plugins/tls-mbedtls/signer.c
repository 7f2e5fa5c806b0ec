/* SPDX-License-Identifier: MIT */
/* A private key that is not here: a key type of the library whose signatures are asked for elsewhere. */
#include <mbedtls/md.h>
#include <mbedtls/pk_internal.h>

#include "backend.h"

enum { SCHEME_RSA = 1, SCHEME_ECDSA = 3 };

/* SignatureScheme of RFC 8446 section 4.2.3, which for these two is RFC 5246's hash and signature. */
static unsigned scheme_of(mbedtls_md_type_t md, bool rsa)
{
	static const struct {
		mbedtls_md_type_t md;
		unsigned hash;
	} hashes[] = {
		{ MBEDTLS_MD_SHA1, 2 },
		{ MBEDTLS_MD_SHA224, 3 },
		{ MBEDTLS_MD_SHA256, 4 },
		{ MBEDTLS_MD_SHA384, 5 },
		{ MBEDTLS_MD_SHA512, 6 },
	};

	for (size_t i = 0; i < sizeof(hashes) / sizeof(hashes[0]); i++) {
		if (hashes[i].md == md)
			return hashes[i].hash << 8 | (rsa ? SCHEME_RSA : SCHEME_ECDSA);
	}
	return 0;
}

/* The library's buffer holds the largest signature there is for a key. */
static size_t signature_max(const mbedtls_pk_context *pk, bool rsa)
{
	return rsa ? mbedtls_pk_get_len(pk) : MBEDTLS_ECDSA_MAX_SIG_LEN(mbedtls_pk_get_bitlen(pk));
}

static int sign(struct tls_ctx *c, mbedtls_md_type_t md, const unsigned char *digest,
	size_t digest_len, unsigned char *out, size_t *out_len, bool rsa)
{
	size_t room = signature_max(&c->chain.pk, rsa), len = room;
	unsigned scheme = scheme_of(md, rsa);

	if (!scheme || c->signer->sign(c->signer->user, scheme, digest, digest_len, out, &len) ||
		!len || len > room) {
		if (c->now)
			c->now->sign_failed = true;
		return MBEDTLS_ERR_PK_FEATURE_UNAVAILABLE;
	}
	*out_len = len;
	return 0;
}

static int sign_rsa(void *ctx, mbedtls_md_type_t md, const unsigned char *digest, size_t digest_len,
	unsigned char *out, size_t *out_len, int (*random)(void *, unsigned char *, size_t),
	void *random_arg)
{
	(void)random;
	(void)random_arg;
	return sign(ctx, md, digest, digest_len, out, out_len, true);
}

static int sign_ecdsa(void *ctx, mbedtls_md_type_t md, const unsigned char *digest,
	size_t digest_len, unsigned char *out, size_t *out_len,
	int (*random)(void *, unsigned char *, size_t), void *random_arg)
{
	(void)random;
	(void)random_arg;
	return sign(ctx, md, digest, digest_len, out, out_len, false);
}

static size_t key_bits(const void *ctx)
{
	const struct tls_ctx *c = ctx;

	return mbedtls_pk_get_bitlen(&c->chain.pk);
}

static int is_rsa(mbedtls_pk_type_t type)
{
	return type == MBEDTLS_PK_RSA;
}

static int is_ecdsa(mbedtls_pk_type_t type)
{
	return type == MBEDTLS_PK_ECKEY || type == MBEDTLS_PK_ECDSA;
}

/* The context is the tls_ctx, which owns itself. */
static void release(void *ctx)
{
	(void)ctx;
}

static const mbedtls_pk_info_t rsa_elsewhere = {
	.type = MBEDTLS_PK_RSA,
	.name = "RSA elsewhere",
	.get_bitlen = key_bits,
	.can_do = is_rsa,
	.sign_func = sign_rsa,
	.ctx_free_func = release,
};

static const mbedtls_pk_info_t ecdsa_elsewhere = {
	.type = MBEDTLS_PK_ECDSA,
	.name = "ECDSA elsewhere",
	.get_bitlen = key_bits,
	.can_do = is_ecdsa,
	.sign_func = sign_ecdsa,
	.ctx_free_func = release,
};

void mbedtls_adapter_set_signer(struct tls_ctx *c)
{
	bool rsa = mbedtls_pk_can_do(&c->chain.pk, MBEDTLS_PK_RSA);

	c->key.pk_info = rsa ? &rsa_elsewhere : &ecdsa_elsewhere;
	c->key.pk_ctx = c;
}
