/* SPDX-License-Identifier: MIT */
/* A private key that is a callback. */
#include <string.h>

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>

#include "backend.h"

enum { SIGNATURE_MAX = 2048 }; /* RSA of 16,384 bits */

/* RFC 8446 section 4.2.3. */
static const struct scheme {
	gnutls_sign_algorithm_t algorithm;
	gnutls_digest_algorithm_t digest;
	unsigned scheme;
} schemes[] = {
	{ GNUTLS_SIGN_ECDSA_SHA256, GNUTLS_DIG_SHA256, 0x0403 },
	{ GNUTLS_SIGN_ECDSA_SECP256R1_SHA256, GNUTLS_DIG_SHA256, 0x0403 },
	{ GNUTLS_SIGN_ECDSA_SHA384, GNUTLS_DIG_SHA384, 0x0503 },
	{ GNUTLS_SIGN_ECDSA_SECP384R1_SHA384, GNUTLS_DIG_SHA384, 0x0503 },
	{ GNUTLS_SIGN_ECDSA_SHA512, GNUTLS_DIG_SHA512, 0x0603 },
	{ GNUTLS_SIGN_ECDSA_SECP521R1_SHA512, GNUTLS_DIG_SHA512, 0x0603 },
	{ GNUTLS_SIGN_RSA_PSS_RSAE_SHA256, GNUTLS_DIG_SHA256, 0x0804 },
	{ GNUTLS_SIGN_RSA_PSS_RSAE_SHA384, GNUTLS_DIG_SHA384, 0x0805 },
	{ GNUTLS_SIGN_RSA_PSS_RSAE_SHA512, GNUTLS_DIG_SHA512, 0x0806 },
	{ GNUTLS_SIGN_RSA_PSS_SHA256, GNUTLS_DIG_SHA256, 0x0809 },
	{ GNUTLS_SIGN_RSA_PSS_SHA384, GNUTLS_DIG_SHA384, 0x080a },
	{ GNUTLS_SIGN_RSA_PSS_SHA512, GNUTLS_DIG_SHA512, 0x080b },
	{ GNUTLS_SIGN_RSA_SHA256, GNUTLS_DIG_SHA256, 0x0401 },
	{ GNUTLS_SIGN_RSA_SHA384, GNUTLS_DIG_SHA384, 0x0501 },
	{ GNUTLS_SIGN_RSA_SHA512, GNUTLS_DIG_SHA512, 0x0601 },
};

static const struct scheme *find_scheme(gnutls_sign_algorithm_t algorithm)
{
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		if (schemes[i].algorithm == algorithm)
			return &schemes[i];
	}
	return NULL;
}

static int sign_data(gnutls_privkey_t key, gnutls_sign_algorithm_t algorithm, void *user,
	unsigned flags, const gnutls_datum_t *data, gnutls_datum_t *signature)
{
	const struct scheme *scheme = find_scheme(algorithm);
	const struct tls_signer *signer = user;
	unsigned char digest[64], out[SIGNATURE_MAX];
	size_t len = sizeof(out);

	(void)key;
	(void)flags;
	if (!scheme)
		return GNUTLS_E_UNSUPPORTED_SIGNATURE_ALGORITHM;
	if (gnutls_hash_fast(scheme->digest, data->data, data->size, digest) < 0 ||
		signer->ops->sign(signer->ops->user, scheme->scheme, digest,
			gnutls_hash_get_len(scheme->digest), out, &len) ||
		!len || len > sizeof(out))
		return GNUTLS_E_PK_SIGN_FAILED;
	signature->data = gnutls_malloc(len);
	if (!signature->data)
		return GNUTLS_E_MEMORY_ERROR;
	memcpy(signature->data, out, len);
	signature->size = (unsigned)len;
	return 0;
}

static bool fits(const struct tls_signer *signer, gnutls_sign_algorithm_t algorithm)
{
	return find_scheme(algorithm) &&
	       gnutls_sign_supports_pk_algorithm(algorithm, signer->algorithm);
}

static int tell(gnutls_privkey_t key, unsigned flags, void *user)
{
	const struct tls_signer *signer = user;

	(void)key;
	if (flags & GNUTLS_PRIVKEY_INFO_PK_ALGO)
		return (int)signer->algorithm;
	if (flags & GNUTLS_PRIVKEY_INFO_PK_ALGO_BITS)
		return (int)signer->bits;
	if (flags & GNUTLS_PRIVKEY_INFO_HAVE_SIGN_ALGO)
		return fits(signer, (gnutls_sign_algorithm_t)GNUTLS_FLAGS_TO_SIGN_ALGO(flags));
	return -1;
}

/* On success the key and what is in pcerts, but not the array, belong to the credentials. */
static int add(struct tls_ctx *c, gnutls_privkey_t key, gnutls_x509_crt_t *chain, unsigned count)
{
	gnutls_pcert_st *pcerts = gnutls_calloc(count, sizeof(pcerts[0]));
	unsigned made = 0;
	int ret = pcerts ? 0 : GNUTLS_E_MEMORY_ERROR;

	while (ret >= 0 && made < count) {
		ret = gnutls_pcert_import_x509(&pcerts[made], chain[made], 0);
		made += ret >= 0;
	}
	/* whether key and certificate fit would be found out by a signature */
	gnutls_certificate_set_flags(c->cred, GNUTLS_CERTIFICATE_SKIP_KEY_CERT_MATCH);
	if (ret >= 0)
		ret = gnutls_certificate_set_key(c->cred, NULL, 0, pcerts, (int)count, key);
	while (ret < 0 && made)
		gnutls_pcert_deinit(&pcerts[--made]);
	gnutls_free(pcerts);
	return ret;
}

enum weft_status gnutls_adapter_set_signer(
	struct tls_ctx *c, gnutls_x509_crt_t *chain, unsigned count, struct weft_error *err)
{
	int algorithm = gnutls_x509_crt_get_pk_algorithm(chain[0], &c->signer.bits);
	gnutls_privkey_t key;
	int ret;

	if (algorithm != GNUTLS_PK_RSA && algorithm != GNUTLS_PK_RSA_PSS &&
		algorithm != GNUTLS_PK_ECDSA)
		return weft_error_set(err, WEFT_ERR_UNSUPPORTED, 0,
			"a signer makes RSA and ECDSA signatures, the certificate is for neither");
	c->signer.algorithm = (gnutls_pk_algorithm_t)algorithm;
	ret = gnutls_privkey_init(&key);
	if (ret < 0)
		return gnutls_adapter_unusable(err, ret, "signer");
	ret = gnutls_privkey_import_ext4(key, &c->signer, sign_data, NULL, NULL, NULL, tell, 0);
	if (ret >= 0)
		ret = add(c, key, chain, count);
	if (ret < 0)
		gnutls_privkey_deinit(key);
	return ret < 0 ? gnutls_adapter_unusable(err, ret, "certificate chain and signer")
		       : WEFT_OK;
}
