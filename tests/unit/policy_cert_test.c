/* SPDX-License-Identifier: MIT */
/* What tools are told of a certificate in a policy's tables: by each backend, and where none can say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/plugin/registry.h"
#include "tests/support/certs.h"
#include "tests/support/fake_tls.h"
#include "weft/policy_load.h"

static struct weft_registry *registry;
static unsigned char *der;
static size_t der_len;

static int begin(void **state)
{
	(void)state;
	der = test_cert_der(test_certs_ca(), &der_len);
	return weft_registry_create(NULL, &registry, NULL) || !der;
}

static int finish(void **state)
{
	(void)state;
	weft_registry_release(registry);
	free(der);
	test_certs_free();
	return 0;
}

static enum weft_status read_cert(
	const char *tls, struct weft_policy_cert *cert, struct weft_error *err)
{
	return weft_policy_cert_read(registry, tls, (struct weft_span){ der, der_len }, cert, err);
}

static void an_authority_has_its_own_name_as_issuer_and_is_valid_for_a_while(void **state)
{
	struct weft_policy_cert cert;
	struct weft_plugin_info p;
	struct weft_error err;
	unsigned backends = 0;

	(void)state;
	for (size_t i = 0; weft_registry_info(registry, i, &p); i++) {
		if (strcmp(p.kind, "tls") != 0)
			continue;
		assert_int_equal(read_cert(p.name, &cert, &err), WEFT_OK);
		assert_string_equal(cert.subject, cert.issuer);
		assert_memory_equal(cert.subject, "CN=", 3);
		assert_true(cert.not_before < cert.not_after);
		backends++;
	}
	if (backends) {
		assert_int_equal(read_cert(NULL, &cert, &err), WEFT_OK);
		assert_int_equal(weft_policy_cert_read(NULL, NULL,
					 (struct weft_span){ der, der_len }, &cert, &err),
			WEFT_OK);
	}
}

static void what_is_no_certificate_is_an_argument_that_is_wrong(void **state)
{
	struct weft_policy_cert cert;
	struct weft_plugin_info p;
	struct weft_error err;

	(void)state;
	der[0] ^= 1;
	for (size_t i = 0; weft_registry_info(registry, i, &p); i++) {
		if (!strcmp(p.kind, "tls"))
			assert_int_equal(read_cert(p.name, &cert, &err), WEFT_ERR_ARGUMENT);
	}
	der[0] ^= 1;
}

static void a_backend_that_is_not_there_is_told(void **state)
{
	struct weft_policy_cert cert;
	struct weft_error err;

	(void)state;
	assert_int_equal(read_cert("nobody", &cert, &err), WEFT_ERR_NOT_FOUND);
	assert_non_null(strstr(err.text, "nobody"));
}

static void a_backend_that_cannot_read_certificates_says_so(void **state)
{
	struct weft_policy_cert cert;
	struct weft_error err;

	(void)state;
	assert_int_equal(weft_registry_add(registry, fake_tls_plugin(0), NULL, &err), WEFT_OK);
	assert_int_equal(read_cert("fake", &cert, &err), WEFT_ERR_UNSUPPORTED);
	assert_string_equal(err.text, "TLS backend fake cannot tell what a certificate says");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_authority_has_its_own_name_as_issuer_and_is_valid_for_a_while),
		cmocka_unit_test(what_is_no_certificate_is_an_argument_that_is_wrong),
		cmocka_unit_test(a_backend_that_is_not_there_is_told),
		cmocka_unit_test(a_backend_that_cannot_read_certificates_says_so),
	};

	return cmocka_run_group_tests(tests, begin, finish);
}
