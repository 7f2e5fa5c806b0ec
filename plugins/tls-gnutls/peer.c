/* SPDX-License-Identifier: MIT */
/* What is known of a session and its peer. */
#include <stdio.h>
#include <string.h>

#include <gnutls/crypto.h>

#include "backend.h"

enum weft_status gnutls_adapter_peer_cert(void *session, struct weft_span *der)
{
	struct tls_session *s = session;
	const gnutls_datum_t *certs;
	unsigned count = 0;

	certs = gnutls_certificate_get_peers(s->tls, &count);
	if (!certs || !count)
		return WEFT_AGAIN;
	*der = (struct weft_span){ certs[0].data, certs[0].size };
	return WEFT_OK;
}

static void tell_peer(
	const struct tls_session *s, const struct weft_span *der, struct weft_tls_info *info)
{
	gnutls_datum_t data = gnutls_adapter_datum(der);
	size_t len = sizeof(info->peer_spki);
	gnutls_x509_crt_t crt;
	gnutls_datum_t name;

	info->peer_cert = true;
	info->peer_verified = !s->faults;
	gnutls_hash_fast(GNUTLS_DIG_SHA256, der->ptr, der->len, info->peer_sha256);
	if (gnutls_x509_crt_init(&crt) < 0)
		return;
	if (gnutls_x509_crt_import(crt, &data, GNUTLS_X509_FMT_DER) >= 0) {
		gnutls_x509_crt_get_key_id(crt, GNUTLS_KEYID_USE_SHA256, info->peer_spki, &len);
		gnutls_adapter_write_name(gnutls_x509_crt_get_dn3(crt, &name, 0), &name,
			info->peer_name, sizeof(info->peer_name));
	}
	gnutls_x509_crt_deinit(crt);
}

void gnutls_adapter_info(void *session, struct weft_tls_info *info)
{
	struct tls_session *s = session;
	const char *cipher = gnutls_ciphersuite_get(s->tls);
	struct weft_span der;
	gnutls_datum_t alpn;

	*info = (struct weft_tls_info){ .faults = s->faults };
	if (gnutls_alpn_get_selected_protocol(s->tls, &alpn) >= 0 && alpn.size < sizeof(info->alpn))
		memcpy(info->alpn, alpn.data, alpn.size);
	if (gnutls_protocol_get_version(s->tls) == GNUTLS_TLS1_3)
		info->version = 0x0304;
	else if (gnutls_protocol_get_version(s->tls) == GNUTLS_TLS1_2)
		info->version = 0x0303;
	snprintf(info->cipher, sizeof(info->cipher), "%s", cipher ? cipher : "");
	info->resumed = gnutls_session_is_resumed(s->tls);
	if (gnutls_adapter_peer_cert(s, &der) == WEFT_OK)
		tell_peer(s, &der, info);
}
