/* SPDX-License-Identifier: MIT */
/* The mint's certificates and revocation lists to order: right in all but what the recipe says. */
#include <arpa/inet.h>
#include <gnutls/x509-ext.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/support/certs_inner.h"

enum { DAY = 24 * 60 * 60, MINTED_MAX = 20000 };

static struct test_cert *minted[MINTED_MAX];
static size_t minted_count;

struct test_cert *test_mint_keep(void)
{
	struct test_cert *c = calloc(1, sizeof(*c));

	if (!c || minted_count == MINTED_MAX)
		abort();
	minted[minted_count++] = c;
	return c;
}

void test_mint_free(void)
{
	while (minted_count) {
		struct test_cert *c = minted[--minted_count];

		free(c->cert);
		free(c->key);
		free(c);
	}
}

static gnutls_x509_privkey_t make_key(const struct test_recipe *r)
{
	gnutls_x509_privkey_t key;
	gnutls_x509_crt_t crt;
	gnutls_ecc_curve_t curve =
		r->curve ? (gnutls_ecc_curve_t)r->curve : GNUTLS_ECC_CURVE_SECP256R1;
	gnutls_pk_algorithm_t algorithm =
		curve == GNUTLS_ECC_CURVE_ED25519 ? GNUTLS_PK_EDDSA_ED25519 : GNUTLS_PK_ECDSA;

	if (r->key_of) {
		test_certs_load(r->key_of, &crt, &key);
		gnutls_x509_crt_deinit(crt);
		return key;
	}
	test_certs_must(gnutls_x509_privkey_init(&key), "key");
	test_certs_must(
		gnutls_x509_privkey_generate(key, r->rsa_bits ? GNUTLS_PK_RSA : algorithm,
			r->rsa_bits ? r->rsa_bits : (unsigned)GNUTLS_CURVE_TO_BITS(curve), 0),
		"key");
	return key;
}

static void add_name(
	gnutls_x509_crt_t crt, gnutls_x509_subject_alt_name_t type, const void *name, size_t len)
{
	test_certs_must(gnutls_x509_crt_set_subject_alt_name(
				crt, type, name, (unsigned)len, GNUTLS_FSAN_APPEND),
		"alternative name");
}

/* In DER: the library converts a name to what it should be. */
static void add_raw_name(gnutls_x509_crt_t crt, const void *name, size_t len)
{
	unsigned char der[128] = { 0x30, (unsigned char)(len + 2), 0x82, (unsigned char)len };

	if (len > 120)
		abort();
	memcpy(der + 4, name, len);
	test_certs_must(
		gnutls_x509_crt_set_extension_by_oid(crt, GNUTLS_X509EXT_OID_SAN, der, len + 4, 0),
		"raw name");
}

static void add_names(gnutls_x509_crt_t crt, const struct test_recipe *r)
{
	unsigned char ip[16];

	for (const char *const *dns = r->dns; dns && *dns; dns++)
		add_name(crt, GNUTLS_SAN_DNSNAME, *dns, strlen(*dns));
	if (r->raw_dns)
		add_raw_name(crt, r->raw_dns, r->raw_dns_len);
	if (!r->named)
		return;
	add_name(crt, GNUTLS_SAN_DNSNAME, "localhost", 9);
	inet_pton(AF_INET, "127.0.0.1", ip);
	add_name(crt, GNUTLS_SAN_IPADDRESS, ip, 4);
	inet_pton(AF_INET6, "::1", ip);
	add_name(crt, GNUTLS_SAN_IPADDRESS, ip, 16);
}

static void constrain(gnutls_x509_crt_t crt, const struct test_recipe *r)
{
	gnutls_x509_name_constraints_t nc;
	gnutls_datum_t name;

	if (!r->permit_dns && !r->exclude_dns && !r->permit_mail && !r->permit_ip)
		return;
	test_certs_must(gnutls_x509_name_constraints_init(&nc), "constraints");
	name = (gnutls_datum_t){ (unsigned char *)(uintptr_t)r->permit_dns,
		r->permit_dns ? (unsigned)strlen(r->permit_dns) : 0 };
	if (r->permit_dns)
		test_certs_must(
			gnutls_x509_name_constraints_add_permitted(nc, GNUTLS_SAN_DNSNAME, &name),
			"permitted name");
	name = (gnutls_datum_t){ (unsigned char *)(uintptr_t)r->exclude_dns,
		r->exclude_dns ? (unsigned)strlen(r->exclude_dns) : 0 };
	if (r->exclude_dns)
		test_certs_must(
			gnutls_x509_name_constraints_add_excluded(nc, GNUTLS_SAN_DNSNAME, &name),
			"excluded name");
	name = (gnutls_datum_t){ (unsigned char *)(uintptr_t)r->permit_mail,
		r->permit_mail ? (unsigned)strlen(r->permit_mail) : 0 };
	if (r->permit_mail)
		test_certs_must(gnutls_x509_name_constraints_add_permitted(
					nc, GNUTLS_SAN_RFC822NAME, &name),
			"permitted mail");
	name = (gnutls_datum_t){ (unsigned char *)(uintptr_t)r->permit_ip, 8 };
	if (r->permit_ip)
		test_certs_must(
			gnutls_x509_name_constraints_add_permitted(nc, GNUTLS_SAN_IPADDRESS, &name),
			"permitted address");
	test_certs_must(gnutls_x509_crt_set_name_constraints(crt, nc, r->constraints_critical),
		"constraints");
	gnutls_x509_name_constraints_deinit(nc);
}

static void add_extensions(gnutls_x509_crt_t crt, const struct test_recipe *r)
{
	unsigned usage = r->ca ? GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN
			       : GNUTLS_KEY_DIGITAL_SIGNATURE;
	const char *purpose = r->purpose ? r->purpose : r->ca ? "" : GNUTLS_KP_TLS_WWW_SERVER;
	static const unsigned char feature[] = { 0x30, 3, 2, 1, 5 };

	add_names(crt, r);
	if (!r->no_constraints)
		test_certs_must(gnutls_x509_crt_set_basic_constraints(
					crt, r->ca, r->path_limit ? (int)r->path_limit - 1 : -1),
			"constraints");
	test_certs_must(
		gnutls_x509_crt_set_key_usage(crt, r->usage ? r->usage : usage), "key usage");
	if (purpose[0])
		test_certs_must(gnutls_x509_crt_set_key_purpose_oid(crt, purpose, 0), "purpose");
	constrain(crt, r);
	if (r->strange)
		test_certs_must(gnutls_x509_crt_set_extension_by_oid(
					crt, "1.3.6.1.4.1.99999.1", "\x05\x00", 2, 1),
			"extension");
	if (r->must_staple)
		test_certs_must(gnutls_x509_crt_set_extension_by_oid(
					crt, "1.3.6.1.5.5.7.1.24", feature, sizeof(feature), 0),
			"extension");
}

static time_t days(int n)
{
	return time(NULL) + (time_t)n * DAY;
}

static gnutls_x509_crt_t make_cert(const struct test_recipe *r, gnutls_x509_privkey_t key)
{
	static unsigned serial;
	const unsigned n = ++serial;
	unsigned char number[4] = { 0x41, (unsigned char)(n >> 16), (unsigned char)(n >> 8),
		(unsigned char)n };
	gnutls_x509_crt_t crt;
	bool dated = r->from || r->to;

	test_certs_must(gnutls_x509_crt_init(&crt), "certificate");
	test_certs_must(gnutls_x509_crt_set_version(crt, r->v1 ? 1 : 3), "version");
	test_certs_must(gnutls_x509_crt_set_serial(crt, number, sizeof(number)), "serial");
	test_certs_must(gnutls_x509_crt_set_dn(crt, r->subject ? r->subject : "CN=localhost", NULL),
		"name");
	if (r->common_name)
		test_certs_must(gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0,
					r->common_name, (unsigned)strlen(r->common_name)),
			"name");
	test_certs_must(gnutls_x509_crt_set_key(crt, key), "public key");
	test_certs_must(
		gnutls_x509_crt_set_activation_time(crt, days(dated ? r->from : -1)), "time");
	test_certs_must(gnutls_x509_crt_set_expiration_time(crt, days(dated ? r->to : 30)), "time");
	if (!r->v1)
		add_extensions(crt, r);
	return crt;
}

static void forge(gnutls_datum_t *der)
{
	der->data[der->size - 1] ^= 1; /* the signature is last */
}

/* Through DER, where it can be spoilt. */
static void give(gnutls_x509_crt_t crt, bool forged, struct test_cert *out)
{
	gnutls_datum_t der, pem;

	test_certs_must(gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_DER, &der), "export");
	if (forged)
		forge(&der);
	test_certs_must(gnutls_pem_base64_encode2("CERTIFICATE", &der, &pem), "PEM");
	gnutls_free(der.data);
	out->cert = test_certs_take(&pem, &out->cert_len);
}

const struct test_cert *test_mint(const struct test_recipe *r)
{
	const struct test_cert *authority = r->issuer ? r->issuer : test_certs_ca();
	gnutls_digest_algorithm_t digest = r->sha1 ? GNUTLS_DIG_SHA1 : GNUTLS_DIG_SHA256;
	gnutls_x509_privkey_t key = make_key(r), signer;
	gnutls_x509_crt_t crt = make_cert(r, key), issuer;
	struct test_cert *out = test_mint_keep();
	gnutls_datum_t pem;

	test_certs_load(authority, &issuer, &signer);
	test_certs_must(gnutls_x509_crt_sign2(crt, r->self_signed ? crt : issuer,
				r->self_signed ? key : signer, digest, 0),
		"signature");
	give(crt, r->forged, out);
	test_certs_must(gnutls_x509_privkey_export2_pkcs8(
				key, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN, &pem),
		"key");
	out->key = test_certs_take(&pem, &out->key_len);
	gnutls_x509_crt_deinit(issuer);
	gnutls_x509_crt_deinit(crt);
	gnutls_x509_privkey_deinit(signer);
	gnutls_x509_privkey_deinit(key);
	return out;
}

static void append(char **to, size_t *len, const char *bytes, size_t more)
{
	*to = realloc(*to, *len + more + 1);
	if (!*to)
		abort();
	memcpy(*to + *len, bytes, more);
	*len += more;
	(*to)[*len] = '\0';
}

const struct test_cert *test_mint_chain(const struct test_cert *const *certs)
{
	struct test_cert *out = test_mint_keep();

	append(&out->key, &out->key_len, certs[0]->key, certs[0]->key_len);
	for (; *certs; certs++)
		append(&out->cert, &out->cert_len, (*certs)->cert, (*certs)->cert_len);
	return out;
}

const struct test_cert *test_mint_crl(const struct test_cert *issuer,
	const struct test_cert *revoked, int from, int to, bool forged)
{
	static const unsigned char number[1] = { 2 };
	gnutls_x509_crt_t authority, bad;
	gnutls_x509_privkey_t key, none;
	struct test_cert *out = test_mint_keep();
	gnutls_datum_t der, pem;
	gnutls_x509_crl_t list;

	test_certs_load(issuer, &authority, &key);
	test_certs_must(gnutls_x509_crl_init(&list), "CRL");
	test_certs_must(gnutls_x509_crl_set_version(list, 2), "CRL version");
	test_certs_must(gnutls_x509_crl_set_this_update(list, days(from)), "CRL time");
	test_certs_must(gnutls_x509_crl_set_next_update(list, days(to)), "CRL time");
	test_certs_must(gnutls_x509_crl_set_number(list, number, sizeof(number)), "CRL number");
	if (revoked) {
		test_certs_load(revoked, &bad, &none);
		test_certs_must(gnutls_x509_crl_set_crt(list, bad, days(from)), "CRL entry");
		gnutls_x509_crt_deinit(bad);
		gnutls_x509_privkey_deinit(none);
	}
	test_certs_must(gnutls_x509_crl_sign2(list, authority, key, GNUTLS_DIG_SHA256, 0), "CRL");
	test_certs_must(gnutls_x509_crl_export2(list, GNUTLS_X509_FMT_DER, &der), "CRL export");
	if (forged)
		forge(&der);
	test_certs_must(gnutls_pem_base64_encode2("X509 CRL", &der, &pem), "PEM");
	gnutls_free(der.data);
	out->cert = test_certs_take(&pem, &out->cert_len);
	gnutls_x509_crl_deinit(list);
	gnutls_x509_crt_deinit(authority);
	gnutls_x509_privkey_deinit(key);
	return out;
}
