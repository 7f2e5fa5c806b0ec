/* SPDX-License-Identifier: MIT */
/* Certificates, revocation lists and the files that they are in, with each TLS backend that reads them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/plugin/registry.h"
#include "tests/support/certs.h"
#include "tests/support/filter.h"
#include "tests/support/folder.h"
#include "tests/support/told.h"
#include "weft/plugin/tls.h"
#include "weft/policy_load.h"

static const char *const backends[] = {
#ifdef WEFT_HAVE_TLS_GNUTLS
	"gnutls",
#endif
#ifdef WEFT_HAVE_TLS_MBEDTLS
	"mbedtls",
#endif
	"none",
};

enum { BACKENDS = sizeof(backends) / sizeof(backends[0]) };

static struct told told;

/* A policy of one store t, with these certs (the inside of the section) and this inside of the store. */
static const struct weft_policy *load(
	const char *tls, int64_t now, const char *certs, const char *store)
{
	struct weft_policy_load_options o = { .size = sizeof(o), .tls = tls, .now = now };
	static char json[65536];

	snprintf(json, sizeof(json),
		"{\"schema_version\":1,\"certs\":{%s},\n\"trust_stores\":{\"t\":{%s}},\n"
		"\"streams\":{\"s\":{\"endpoint\":\"h\",\"trust_store\":\"t\"}}}",
		certs, store);
	return told_parse(&told, json, test_folder(), &o);
}

static void expect_told(const char *tls, const char *begin)
{
	if (strncmp(told.text, begin, strlen(begin)) || told.problems != (begin[0] ? 1 : 0))
		fail_msg("%s: was told:\n%sexpected:\n%s", tls, told.text, begin);
}

static void put(const char *name, const void *bytes, size_t len)
{
	char path[TEST_PATH_MAX];
	FILE *f = fopen(test_folder_path(path, name), "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

static void put_pem(const char *name, const struct test_cert *cert)
{
	put(name, cert->cert, cert->cert_len);
}

/* What the file of a certificate is called in JSON. */
static char *base64_of(const struct test_cert *cert, char *out)
{
	const char *at = strchr(cert->cert, '\n') + 1, *end = strstr(at, "-----END");
	char *to = out;

	for (; at < end; at++) {
		if (*at != '\n' && *at != '\r')
			*to++ = *at;
	}
	*to = '\0';
	return out;
}

static void check_spans(const struct weft_span *spans, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		assert_true(spans[i - 1].len <= spans[i].len);
		if (spans[i - 1].len == spans[i].len)
			assert_true(memcmp(spans[i - 1].ptr, spans[i].ptr, spans[i].len) < 0);
	}
}

static bool has(const struct weft_span *spans, size_t count, const struct test_cert *cert)
{
	size_t len, i;
	unsigned char *der = test_cert_der(cert, &len);

	for (i = 0; i < count && (spans[i].len != len || memcmp(spans[i].ptr, der, len));)
		i++;
	free(der);
	return i < count;
}

static void certificates_come_from_pem_der_and_base64(void **state)
{
	const struct test_cert *a = test_certs_ca(), *b = test_certs_other_ca();
	const struct test_cert *bundle =
		test_mint_chain((const struct test_cert *[]){ a, b, a, NULL });
	char base64[8192], certs[9000];
	unsigned char *der;
	size_t len;

	(void)state;
	put_pem("bundle.pem", bundle);
	der = test_cert_der(b, &len);
	put("b.der", der, len);
	free(der);
	snprintf(certs, sizeof(certs),
		"\"bundle\":{\"pem_file\":\"bundle.pem\"},\"b\":{\"der_file\":\"b.der\"},"
		"\"a\":{\"der_base64\":\"%s\"}",
		base64_of(a, base64));
	for (size_t i = 0; i < BACKENDS; i++) {
		const struct weft_policy *p =
			load(backends[i], 0, certs, "\"certs\":[\"bundle\",\"b\",\"a\"]");
		const struct weft_policy_trust *t;

		expect_told(backends[i], "");
		assert_non_null(p);
		t = &p->trusts[0];
		assert_int_equal(p->trust_count, 1);
		assert_string_equal(t->certs[0], "bundle");
		assert_string_equal(t->certs[1], "b");
		assert_string_equal(t->certs[2], "a");
		assert_null(t->certs[3]);
		/* five were named, two there are */
		assert_int_equal(t->ca_count, 2);
		check_spans(t->ca, t->ca_count);
		assert_true(has(t->ca, t->ca_count, a));
		assert_true(has(t->ca, t->ca_count, b));
		assert_ptr_equal(p->streams[0].trust, t);
		weft_policy_release(p);
	}
}

/* In whatever order and form: tables of the same content are the same, and so are the stores. */
static void equal_stores_are_known_as_equal(void **state)
{
	const struct test_cert *a = test_certs_ca(), *b = test_certs_other_ca();
	struct weft_policy_load_options o = { .size = sizeof(o), .tls = "none" };
	const struct weft_policy *p;
	const struct weft_policy_trust *t;

	(void)state;
	put_pem("ab.pem", test_mint_chain((const struct test_cert *[]){ a, b, NULL }));
	put_pem("a.pem", a);
	put_pem("b.pem", b);
	p = told_parse(&told,
		"{\"schema_version\":1,\"certs\":{\"ab\":{\"pem_file\":\"ab.pem\"},"
		"\"a\":{\"pem_file\":\"a.pem\"},\"b\":{\"pem_file\":\"b.pem\"}},"
		"\"trust_stores\":{\"x\":{\"certs\":[\"ab\"]},\"y\":{\"certs\":[\"b\",\"a\"]},"
		"\"z\":{\"certs\":[\"a\"]}}}",
		test_folder(), &o);
	assert_non_null(p);
	t = p->trusts;
	assert_int_equal(p->trust_count, 3);
	assert_true(weft_policy_trust_equal(&t[0], &t[1]));
	assert_false(weft_policy_trust_equal(&t[0], &t[2]));
	/* the same certificate is there once, whoever has it */
	for (size_t i = 0; i < 2; i++)
		assert_ptr_equal(t[0].ca[i].ptr, t[1].ca[i].ptr);
	weft_policy_release(p);
}

static void certificates_out_of_date_are_told(void **state)
{
	const int64_t day = 86400, now = time(NULL);
	const struct test_cert *late = test_mint(
				       &(struct test_recipe){ .ca = true, .from = -20, .to = -2 }),
			       *early = test_mint(
				       &(struct test_recipe){ .ca = true, .from = 5, .to = 9 });

	(void)state;
	put_pem("late.pem",
		test_mint_chain((const struct test_cert *[]){ test_certs_ca(), late, NULL }));
	put_pem("early.pem", early);
	for (size_t i = 0; i + 1 < BACKENDS; i++) {
		const struct weft_policy *p;

		assert_null(load(
			backends[i], 0, "\"c\":{\"pem_file\":\"late.pem\"}", "\"certs\":[\"c\"]"));
		expect_told(backends[i],
			"1:35: certs.c.pem_file: certificate 2 (CN=localhost) expired on 20");
		assert_null(load(
			backends[i], 0, "\"c\":{\"pem_file\":\"early.pem\"}", "\"certs\":[\"c\"]"));
		expect_told(backends[i], "1:35: certs.c.pem_file: certificate 1 (CN=localhost) is "
					 "not valid before 20");
		/* at another time they are good */
		p = load(backends[i], now + 7 * day, "\"c\":{\"pem_file\":\"early.pem\"}",
			"\"certs\":[\"c\"]");
		assert_non_null(p);
		weft_policy_release(p);
		/* a clock that was never set says nothing */
		p = load(backends[i], 1, "\"c\":{\"pem_file\":\"early.pem\"}", "\"certs\":[\"c\"]");
		assert_non_null(p);
		weft_policy_release(p);
	}
}

static void certificates_that_are_none_are_told(void **state)
{
	static const char junk[] = "-----BEGIN CERTIFICATE-----\nMIIAAAAA\n-----END "
				   "CERTIFICATE-----\n";
	static const unsigned char der[] = { 0x30, 0x82, 0x00, 0x01, 0x00 };

	(void)state;
	put("junk.pem", junk, strlen(junk));
	put("junk.der", der, sizeof(der));
	for (size_t i = 0; i + 1 < BACKENDS; i++) {
		assert_null(load(
			backends[i], 0, "\"c\":{\"pem_file\":\"junk.pem\"}", "\"certs\":[\"c\"]"));
		expect_told(backends[i], "1:35: certs.c.pem_file: certificate 1 cannot be read: ");
		assert_null(load(
			backends[i], 0, "\"c\":{\"der_file\":\"junk.der\"}", "\"certs\":[\"c\"]"));
		expect_told(backends[i], "1:35: certs.c.der_file: certificate 1 cannot be read: ");
		assert_null(load(backends[i], 0, "\"c\":{\"der_base64\":\"MIIAAQA=\"}",
			"\"certs\":[\"c\"]"));
		expect_told(
			backends[i], "1:35: certs.c.der_base64: certificate 1 cannot be read: ");
		put_pem("key.pem", &(struct test_cert){ .cert = test_certs_ca()->key,
					   .cert_len = test_certs_ca()->key_len });
		assert_null(load(
			backends[i], 0, "\"c\":{\"pem_file\":\"key.pem\"}", "\"certs\":[\"c\"]"));
		expect_told(backends[i], "1:35: certs.c.pem_file: certificate 1 is a key, which "
					 "has no place in a policy\n");
	}
}

/* What can be told without any backend. */
static void encodings_that_are_none_are_told(void **state)
{
	static const struct {
		const char *content, *cert, *told;
	} cases[] = {
		{ "", "\"pem_file\":\"f\"",
			"1:35: certs.c.pem_file: there is no certificate in it, expected PEM or "
			"DER\n" },
		{ "no certificate\n", "\"pem_file\":\"f\"",
			"1:35: certs.c.pem_file: there is no certificate in it, expected PEM or "
			"DER\n" },
		{ "-----BEGIN CERTIFICATE-----\n****\n-----END CERTIFICATE-----\n",
			"\"pem_file\":\"f\"",
			"1:35: certs.c.pem_file: certificate 1 is not whole PEM: expected base64 "
			"between BEGIN and END\n" },
		{ "-----BEGIN CERTIFICATE-----\nMIAA\n", "\"pem_file\":\"f\"",
			"1:35: certs.c.pem_file: certificate 1 is not whole PEM: expected base64 "
			"between BEGIN and END\n" },
		{ "-----BEGIN CERTIFICATE-----", "\"pem_file\":\"f\"",
			"1:35: certs.c.pem_file: certificate 1 is not whole PEM: expected base64 "
			"between BEGIN and END\n" },
		{ "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n", "\"pem_file\":\"f\"",
			"1:35: certs.c.pem_file: certificate 1 is not whole PEM: expected base64 "
			"between BEGIN and END\n" },
		{ "", "\"der_file\":\"f\"",
			"1:35: certs.c.der_file: f is no certificate in DER\n" },
		{ "-----BEGIN CERTIFICATE-----\nMIAA\n-----END CERTIFICATE-----\n",
			"\"der_file\":\"f\"",
			"1:35: certs.c.der_file: f is no certificate in DER\n" },
		{ "", "\"der_base64\":\"\"",
			"1:35: certs.c.der_base64: is no base64: RFC 4648 section 4, with "
			"padding\n" },
		{ "", "\"der_base64\":\"MIA\"",
			"1:35: certs.c.der_base64: is no base64: RFC 4648 section 4, with "
			"padding\n" },
		{ "", "\"der_base64\":\"AAAA\"",
			"1:35: certs.c.der_base64: is no certificate in DER\n" },
		{ "", "\"der_base64\":\"MAAA\"",
			"1:35: certs.c.der_base64: there is no certificate in it, expected PEM or "
			"DER\n" },
	};
	char cert[200];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		put("f", cases[i].content, strlen(cases[i].content));
		snprintf(cert, sizeof(cert), "\"c\":{%s}", cases[i].cert);
		assert_null(load("none", 0, cert, "\"certs\":[\"c\"]"));
		/* what is wrong stands at the key; the columns above are of the value */
		expect_told(cases[i].cert, cases[i].told);
	}
}

/* A backend of another make that cannot tell what a certificate says: it is taken as it is. */
static void backends_that_read_no_certificates_are_told(void **state)
{
	struct weft_policy_load_options o = { .size = sizeof(o), .tls = "mute" };
	const struct weft_plugin *found;
	const struct weft_policy *p;
	struct weft_policy_cert cert;
	struct weft_plugin plugin;
	struct weft_tls_ops ops;
	struct weft_error err;

	(void)state;
	assert_int_equal(weft_registry_create(NULL, &o.registry, &err), WEFT_OK);
	if (weft_registry_find(o.registry, WEFT_PLUGIN_TLS, NULL, &found, &err)) {
		weft_registry_release(o.registry);
		skip();
	}
	plugin = *found;
	ops = *found->tls;
	ops.cert_read = NULL;
	plugin.name = "mute";
	plugin.tls = &ops;
	assert_int_equal(weft_registry_add(o.registry, &plugin, NULL, &err), WEFT_OK);
	p = told_parse(&told,
		"{\"schema_version\":1,\"certs\":{\"c\":{\"der_base64\":\"MIAA\"}},"
		"\"trust_stores\":{\"t\":{\"certs\":[\"c\"]}},"
		"\"streams\":{\"s\":{\"endpoint\":\"h\",\"trust_store\":\"t\"}}}",
		NULL, &o);
	expect_told("mute", "");
	assert_non_null(p);
	assert_int_equal(p->trusts[0].ca[0].len, 3);
	assert_int_equal(weft_policy_cert_read(o.registry, "mute", p->trusts[0].ca[0], &cert, &err),
		WEFT_ERR_UNSUPPORTED);
	assert_string_equal(err.text, "TLS backend mute cannot tell what a certificate says");
	weft_policy_release(p);
	weft_registry_release(o.registry);
}

static void revocation_lists_are_read(void **state)
{
	size_t len;
	const char *crl = test_certs_crl(&len);
	static const char junk[] = "-----BEGIN X509 CRL-----\nMIIAAAAA\n-----END X509 CRL-----\n";

	(void)state;
	put("good.crl", crl, len);
	put("junk.crl", junk, strlen(junk));
	put("none.crl", "x", 1);
	put_pem("ca.pem", test_certs_ca());
	for (size_t i = 0; i < BACKENDS; i++) {
		const struct weft_policy *p =
			load(backends[i], 0, "\"c\":{\"pem_file\":\"ca.pem\"}",
				"\"certs\":[\"c\"],\"crl_file\":\"good.crl\"");

		expect_told(backends[i], "");
		assert_non_null(p);
		assert_int_equal(p->trusts[0].crl_count, 1);
		assert_int_equal(p->trusts[0].crl[0].ptr[0], 0x30);
		weft_policy_release(p);
		assert_null(load(backends[i], 0, "", "\"system\":true,\"crl_file\":\"none.crl\""));
		expect_told(backends[i], "2:36: trust_stores.t.crl_file: there is no CRL in it, "
					 "expected PEM or DER\n");
		if (i + 1 == BACKENDS)
			continue;
		assert_null(load(backends[i], 0, "", "\"system\":true,\"crl_file\":\"junk.crl\""));
		expect_told(backends[i], "2:36: trust_stores.t.crl_file: CRL 1 cannot be read: ");
		/* a certificate is none */
		assert_null(load(backends[i], 0, "", "\"system\":true,\"crl_file\":\"ca.pem\""));
		expect_told(backends[i], "2:36: trust_stores.t.crl_file: CRL 1 cannot be read: ");
	}
}

static void files_that_cannot_be_read_are_told(void **state)
{
	char cert[5000], path[TEST_PATH_MAX], told_path[TEST_PATH_MAX + 200];
	FILE *f;

	(void)state;
	assert_null(load("none", 0, "\"c\":{\"pem_file\":\"nowhere.pem\"}", "\"certs\":[\"c\"]"));
	snprintf(told_path, sizeof(told_path),
		"1:35: certs.c.pem_file: %s/nowhere.pem: No such file or directory", test_folder());
	expect_told("none", told_path);
	assert_null(load("none", 0, "\"c\":{\"pem_file\":\".\"}", "\"certs\":[\"c\"]"));
	snprintf(told_path, sizeof(told_path), "1:35: certs.c.pem_file: %s/.: not a regular file\n",
		test_folder());
	expect_told("none", told_path);
	snprintf(cert, sizeof(cert), "\"c\":{\"pem_file\":\"%04200d\"}", 0);
	assert_null(load("none", 0, cert, "\"certs\":[\"c\"]"));
	expect_told("none", "1:35: certs.c.pem_file: the path is too long\n");

	f = fopen(test_folder_path(path, "huge.pem"), "wb");
	assert_non_null(f);
	assert_int_equal(ftruncate(fileno(f), (16 << 20) + 1), 0);
	fclose(f);
	assert_null(load("none", 0, "\"c\":{\"pem_file\":\"huge.pem\"}", "\"certs\":[\"c\"]"));
	snprintf(told_path, sizeof(told_path),
		"1:35: certs.c.pem_file: %s/huge.pem: 16777217 bytes, more than 16777216\n",
		test_folder());
	expect_told("none", told_path);
}

static int teardown(void **state)
{
	test_certs_free();
	return test_folder_drop(state);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(certificates_come_from_pem_der_and_base64),
		cmocka_unit_test(equal_stores_are_known_as_equal),
		cmocka_unit_test(certificates_out_of_date_are_told),
		cmocka_unit_test(certificates_that_are_none_are_told),
		cmocka_unit_test(encodings_that_are_none_are_told),
		cmocka_unit_test(backends_that_read_no_certificates_are_told),
		cmocka_unit_test(revocation_lists_are_read),
		cmocka_unit_test(files_that_cannot_be_read_are_told),
	};

	filter_tests();
	return cmocka_run_group_tests_name("policy_load_certs", tests, test_folder_make, teardown);
}
