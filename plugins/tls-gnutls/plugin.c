/* SPDX-License-Identifier: MIT */
/* The GnuTLS backend's descriptor. */
#include "weft/plugin/plugin.h"
#include "backend.h"

static const struct weft_tls_ops ops = {
	.size = sizeof(ops),
	.caps = WEFT_TLS_CAN_TLS12 | WEFT_TLS_CAN_TLS13 | WEFT_TLS_CAN_ALPN | WEFT_TLS_CAN_CRL |
		WEFT_TLS_CAN_RESUME | WEFT_TLS_CAN_CLIENT_AUTH | WEFT_TLS_CAN_STAPLE |
		WEFT_TLS_CAN_SIGN | WEFT_TLS_CAN_PIN | WEFT_TLS_CAN_NAME_CONSTRAINTS,
	.ctx_create = gnutls_adapter_ctx_create,
	.ctx_destroy = gnutls_adapter_ctx_destroy,
	.session_create = gnutls_adapter_session_create,
	.session_destroy = gnutls_adapter_session_destroy,
	.handshake = gnutls_adapter_handshake,
	.decrypt = gnutls_adapter_decrypt,
	.encrypt = gnutls_adapter_encrypt,
	.close_notify = gnutls_adapter_close_notify,
	.info = gnutls_adapter_info,
	.session_export = gnutls_adapter_session_export,
	.peer_cert = gnutls_adapter_peer_cert,
	.settle = gnutls_adapter_settle,
	.ctx_trim = gnutls_adapter_ctx_trim,
	.cert_read = gnutls_adapter_cert_read,
	.cert_fits = gnutls_adapter_cert_fits,
};

WEFT_PLUGIN_DEFINE(tls_gnutls) = {
	WEFT_PLUGIN_HEAD,
	.kind = WEFT_PLUGIN_TLS,
	.name = "gnutls",
	.version = WEFT_VERSION " (GnuTLS " GNUTLS_VERSION ")",
	.tls = &ops,
};
