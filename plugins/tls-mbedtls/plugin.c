/* SPDX-License-Identifier: MIT */
/* The mbedTLS backend's descriptor. */
#include <mbedtls/version.h>

#include "backend.h"
#include "weft/plugin/plugin.h"

static const struct weft_tls_ops ops = {
	.size = sizeof(ops),
	/* 2.28 has no TLS 1.3, and no stapling */
	.caps = WEFT_TLS_CAN_TLS12 | WEFT_TLS_CAN_ALPN | WEFT_TLS_CAN_CRL | WEFT_TLS_CAN_RESUME |
		WEFT_TLS_CAN_CLIENT_AUTH | WEFT_TLS_CAN_SIGN | WEFT_TLS_CAN_PIN |
		WEFT_TLS_CAN_NAME_CONSTRAINTS,
	.ctx_create = mbedtls_adapter_ctx_create,
	.ctx_destroy = mbedtls_adapter_ctx_destroy,
	.session_create = mbedtls_adapter_session_create,
	.session_destroy = mbedtls_adapter_session_destroy,
	.handshake = mbedtls_adapter_handshake,
	.decrypt = mbedtls_adapter_decrypt,
	.encrypt = mbedtls_adapter_encrypt,
	.close_notify = mbedtls_adapter_close_notify,
	.info = mbedtls_adapter_info,
	.session_export = mbedtls_adapter_session_export,
	.peer_cert = mbedtls_adapter_peer_cert,
	.settle = mbedtls_adapter_settle,
	.ctx_trim = mbedtls_adapter_ctx_trim,
	.cert_read = mbedtls_adapter_cert_read,
	.cert_fits = mbedtls_adapter_cert_fits,
};

WEFT_PLUGIN_DEFINE(tls_mbedtls) = {
	WEFT_PLUGIN_HEAD,
	.kind = WEFT_PLUGIN_TLS,
	.name = "mbedtls",
	.version = WEFT_VERSION " (mbed TLS " MBEDTLS_VERSION_STRING ")",
	.tls = &ops,
};
