/* SPDX-License-Identifier: MIT */
/* What a certificate in a policy's tables says is told alike by every TLS backend; what is none is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/plugin/registry.h"
#include "tests/support/fake_tls.h"
#include "weft/policy_load.h"

#define ALL WEFT_TEST_SOURCE_DIR "/tests/support/policies/all.json"

static struct weft_registry *registry(void)
{
	struct weft_registry *r;
	struct weft_error err;

	assert_int_equal(weft_registry_create(NULL, &r, &err), WEFT_OK);
	return r;
}

/* The index-th TLS backend, or NULL. */
static const char *backend(const struct weft_registry *r, unsigned index)
{
	struct weft_plugin_info info;

	for (size_t i = 0; weft_registry_info(r, i, &info); i++) {
		if (!strcmp(info.kind, "tls") && !index--)
			return info.name;
	}
	return NULL;
}

/* Without a backend, so that the bytes are all that is known. */
static const struct weft_policy *load(struct weft_span *der)
{
	const struct weft_policy_load_options options = { .size = sizeof(options), .tls = "none" };
	const struct weft_policy *policy;
	struct weft_error err;

	assert_int_equal(weft_policy_load(ALL, &options, &policy, &err), WEFT_OK);
	for (size_t i = 0; i < policy->trust_count; i++) {
		if (policy->trusts[i].ca_count)
			*der = policy->trusts[i].ca[0];
	}
	return policy;
}

static void every_backend_tells_the_same_of_a_certificate(void **state)
{
	struct weft_registry *r = registry();
	struct weft_policy_cert cert;
	struct weft_span der = { NULL, 0 };
	const struct weft_policy *policy;
	struct weft_error err;

	(void)state;
	if (!backend(r, 0)) {
		weft_registry_release(r);
		skip();
	}
	policy = load(&der);
	for (unsigned i = 0; backend(r, i); i++) {
		assert_int_equal(
			weft_policy_cert_read(r, backend(r, i), der, &cert, &err), WEFT_OK);
		assert_string_equal(cert.subject, "CN=Vendor CA of an example");
		assert_string_equal(cert.issuer, cert.subject);
		assert_int_equal(cert.not_before, 1795644290);
		assert_int_equal(cert.not_after, 2741724290);
	}
	assert_int_equal(weft_policy_cert_read(NULL, NULL, der, &cert, &err), WEFT_OK);
	weft_policy_release(policy);
	weft_registry_release(r);
}

static void what_is_no_certificate_is_refused_by_every_backend(void **state)
{
	static const unsigned char bytes[] = { 0x30, 0x03, 0x02, 0x01, 0x07 };
	const struct weft_span der = { bytes, sizeof(bytes) };
	struct weft_registry *r = registry();
	struct weft_policy_cert cert;
	struct weft_error err;

	(void)state;
	for (unsigned i = 0; backend(r, i); i++) {
		assert_int_equal(weft_policy_cert_read(r, backend(r, i), der, &cert, &err),
			WEFT_ERR_ARGUMENT);
		assert_true(err.text[0]);
	}
	weft_registry_release(r);
}

static void a_backend_that_is_not_there_is_told(void **state)
{
	const struct weft_span der = { NULL, 0 };
	struct weft_policy_cert cert;
	struct weft_error err;

	(void)state;
	assert_int_equal(
		weft_policy_cert_read(NULL, "nosuch", der, &cert, &err), WEFT_ERR_NOT_FOUND);
	assert_non_null(strstr(err.text, "nosuch"));
}

static void a_backend_that_cannot_read_certificates_says_so(void **state)
{
	const struct weft_span der = { NULL, 0 };
	struct weft_registry *r = registry();
	struct weft_policy_cert cert;
	struct weft_error err;

	(void)state;
	assert_int_equal(weft_registry_add(r, fake_tls_plugin(0), NULL, &err), WEFT_OK);
	assert_int_equal(weft_policy_cert_read(r, "fake", der, &cert, &err), WEFT_ERR_UNSUPPORTED);
	assert_string_equal(err.text, "TLS backend fake cannot tell what a certificate says");
	weft_registry_release(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_backend_tells_the_same_of_a_certificate),
		cmocka_unit_test(what_is_no_certificate_is_refused_by_every_backend),
		cmocka_unit_test(a_backend_that_is_not_there_is_told),
		cmocka_unit_test(a_backend_that_cannot_read_certificates_says_so),
	};

	return cmocka_run_group_tests_name("policy_cert", tests, NULL, NULL);
}
