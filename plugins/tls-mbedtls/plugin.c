/* SPDX-License-Identifier: MIT */
/* The mbedTLS backend's descriptor. */
#include <mbedtls/version.h>

#include "backend.h"
#include "weft/plugin/plugin.h"

static const struct weft_tls_ops ops = {
	.size = sizeof(ops),
	.caps = WEFT_TLS_CAN_TLS12 | WEFT_TLS_CAN_ALPN | WEFT_TLS_CAN_CRL,
	.ctx_create = mbedtls_adapter_ctx_create,
	.ctx_destroy = mbedtls_adapter_ctx_destroy,
	.session_create = mbedtls_adapter_session_create,
	.session_destroy = mbedtls_adapter_session_destroy,
	.handshake = mbedtls_adapter_handshake,
	.decrypt = mbedtls_adapter_decrypt,
	.encrypt = mbedtls_adapter_encrypt,
	.close_notify = mbedtls_adapter_close_notify,
	.info = mbedtls_adapter_info,
};

WEFT_PLUGIN_DEFINE(tls_mbedtls) = {
	WEFT_PLUGIN_HEAD,
	.kind = WEFT_PLUGIN_TLS,
	.name = "mbedtls",
	.version = WEFT_VERSION " (mbed TLS " MBEDTLS_VERSION_STRING ")",
	.tls = &ops,
};
