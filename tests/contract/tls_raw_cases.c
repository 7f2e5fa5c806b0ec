/* SPDX-License-Identifier: MIT */
/* The bare peer. */
#include "tests/contract/tls_raw.h"

#include <errno.h>
#include <string.h>

static ssize_t raw_pull(gnutls_transport_ptr_t ptr, void *to, size_t len)
{
	struct tls_raw *r = ptr;
	size_t have = weft_buffer_len(&r->other->out);

	if (!have) {
		gnutls_transport_set_errno(r->tls, EAGAIN);
		return -1;
	}
	if (len > have)
		len = have;
	memcpy(to, weft_buffer_bytes(&r->other->out), len);
	weft_buffer_consume(&r->other->out, len);
	return (ssize_t)len;
}

static ssize_t raw_push(gnutls_transport_ptr_t ptr, const void *bytes, size_t len)
{
	struct tls_raw *r = ptr;

	weft_buffer_append(&r->other->in, bytes, len);
	return (ssize_t)len;
}

/* As it is: no order, no fitting of key and chain is looked at by the library's parser. */
static void set_cert(struct tls_raw *r, const struct test_cert *cert)
{
	gnutls_datum_t chain = { (unsigned char *)cert->cert, (unsigned)cert->cert_len };
	gnutls_datum_t key = { (unsigned char *)cert->key, (unsigned)cert->key_len };
	gnutls_x509_crt_t *list;
	gnutls_x509_privkey_t own;
	unsigned count;

	gnutls_certificate_set_flags(r->cred, GNUTLS_CERTIFICATE_SKIP_KEY_CERT_MATCH);
	assert_true(
		gnutls_x509_crt_list_import2(&list, &count, &chain, GNUTLS_X509_FMT_PEM, 0) >= 0);
	assert_int_equal(gnutls_x509_privkey_init(&own), 0);
	assert_int_equal(gnutls_x509_privkey_import2(own, &key, GNUTLS_X509_FMT_PEM, NULL, 0), 0);
	assert_true(gnutls_certificate_set_x509_key(r->cred, list, (int)count, own) >= 0);
	for (unsigned i = 0; i < count; i++)
		gnutls_x509_crt_deinit(list[i]);
	gnutls_free(list);
	gnutls_x509_privkey_deinit(own);
}

void tls_raw_create(struct tls_raw *r, struct tls_end *other, bool server, const char *priorities,
	const struct test_cert *cert)
{
	tls_raw_create_flags(r, other,
		server ? GNUTLS_SERVER : GNUTLS_CLIENT | GNUTLS_FORCE_CLIENT_CERT, priorities,
		cert);
}

void tls_raw_create_flags(struct tls_raw *r, struct tls_end *other, unsigned flags,
	const char *priorities, const struct test_cert *cert)
{
	memset(r, 0, sizeof(*r));
	r->other = other;
	r->alert = 256;
	assert_int_equal(gnutls_certificate_allocate_credentials(&r->cred), 0);
	if (cert)
		set_cert(r, cert);
	assert_int_equal(gnutls_init(&r->tls, flags | GNUTLS_NONBLOCK), 0);
	assert_int_equal(gnutls_priority_set_direct(r->tls, priorities, NULL), 0);
	gnutls_credentials_set(r->tls, GNUTLS_CRD_CERTIFICATE, r->cred);
	gnutls_transport_set_ptr(r->tls, r);
	gnutls_transport_set_pull_function(r->tls, raw_pull);
	gnutls_transport_set_push_function(r->tls, raw_push);
}

void tls_raw_destroy(struct tls_raw *r)
{
	gnutls_deinit(r->tls);
	gnutls_certificate_free_credentials(r->cred);
}

int tls_raw_handshake(struct tls_raw *r, struct tls_end *e)
{
	int ret = GNUTLS_E_AGAIN;

	for (int i = 0; i < 20 && (ret == GNUTLS_E_AGAIN || e->status == WEFT_AGAIN); i++) {
		if (ret == GNUTLS_E_AGAIN)
			ret = gnutls_handshake(r->tls);
		if (ret == GNUTLS_E_FATAL_ALERT_RECEIVED)
			r->alert = gnutls_alert_get(r->tls);
		else if (ret < 0 && ret != GNUTLS_E_AGAIN)
			gnutls_alert_send_appropriate(r->tls, ret);
		if (e->status == WEFT_AGAIN)
			tls_end_handshake(e);
	}
	return ret;
}
