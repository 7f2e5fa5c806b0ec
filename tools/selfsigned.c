/* SPDX-License-Identifier: MIT */
/* A throw-away certificate for `weft serve --self-signed`, made with OpenSSL's libcrypto. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tool.h"

#ifdef WEFT_TOOL_SELF_SIGNED

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

enum { DAYS = 30 };

static bool add_extension(X509 *x, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *e;
	bool ok;

	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, x, x, NULL, NULL, 0);
	e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	ok = e && X509_add_ext(x, e, -1);
	X509_EXTENSION_free(e);
	return ok;
}

static bool add_names(X509 *x, const char *const *names)
{
	char text[1024] = "";
	size_t used = 0;
	struct weft_address a;

	for (; *names && used < sizeof(text); names++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s:%s",
			used ? "," : "", weft_address_parse(*names, 0, &a, NULL) ? "DNS" : "IP",
			*names);
	return used < sizeof(text) && add_extension(x, NID_subject_alt_name, text);
}

static X509 *make_certificate(EVP_PKEY *pkey, const char *const *names)
{
	X509 *x = X509_new();
	unsigned char serial[8];
	uint64_t number = 0;
	X509_NAME *name;

	if (!x || RAND_bytes(serial, sizeof(serial)) != 1)
		goto fail;
	for (size_t i = 0; i < sizeof(serial); i++)
		number = number << 8 | serial[i];
	ASN1_INTEGER_set_uint64(X509_get_serialNumber(x), number >> 1);
	X509_set_version(x, 2);
	X509_gmtime_adj(X509_getm_notBefore(x), -60);
	X509_gmtime_adj(X509_getm_notAfter(x), 86400L * DAYS);
	X509_set_pubkey(x, pkey);
	name = X509_get_subject_name(x);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
		(const unsigned char *)"weft serve, self-signed", -1, -1, 0);
	X509_set_issuer_name(x, name);
	if (add_extension(x, NID_basic_constraints, "critical,CA:TRUE") &&
		add_extension(x, NID_ext_key_usage, "serverAuth") && add_names(x, names) &&
		X509_sign(x, pkey, EVP_sha256()))
		return x;
fail:
	X509_free(x);
	return NULL;
}

static char *to_text(BIO *bio)
{
	char *data, *copy;
	long len = BIO_get_mem_data(bio, &data);

	copy = malloc((size_t)len + 1);
	if (copy) {
		memcpy(copy, data, (size_t)len);
		copy[len] = '\0';
	}
	return copy;
}

static void print_fingerprint(const X509 *x)
{
	unsigned char md[EVP_MAX_MD_SIZE];
	unsigned len;

	if (!X509_digest(x, EVP_sha256(), md, &len))
		return;
	fprintf(stderr, "self-signed certificate, SHA-256 ");
	for (unsigned i = 0; i < len; i++)
		fprintf(stderr, "%02x", md[i]);
	fprintf(stderr, "\n");
}

enum weft_status self_signed_make(
	const char *const *names, char **cert, char **key, struct weft_error *err)
{
	EVP_PKEY *pkey = EVP_EC_gen("P-256");
	X509 *x = pkey ? make_certificate(pkey, names) : NULL;
	BIO *cert_bio = BIO_new(BIO_s_mem()), *key_bio = BIO_new(BIO_s_mem());
	enum weft_status st = WEFT_OK;

	*cert = *key = NULL;
	if (x && cert_bio && key_bio && PEM_write_bio_X509(cert_bio, x) &&
		PEM_write_bio_PrivateKey(key_bio, pkey, NULL, NULL, 0, NULL, NULL)) {
		*cert = to_text(cert_bio);
		*key = to_text(key_bio);
		print_fingerprint(x);
	}
	if (!*cert || !*key)
		st = weft_error_set(err, WEFT_ERR_TLS, 0, "could not make a certificate");
	BIO_free(cert_bio);
	BIO_free(key_bio);
	X509_free(x);
	EVP_PKEY_free(pkey);
	return st;
}

#else

enum weft_status self_signed_make(
	const char *const *names, char **cert, char **key, struct weft_error *err)
{
	(void)names;
	*cert = *key = NULL;
	return weft_error_set(err, WEFT_ERR_UNSUPPORTED, 0,
		"--self-signed: this weft was built without libcrypto; use --cert and --key");
}

#endif
