/* SPDX-License-Identifier: MIT */
/* The mbedTLS backend's descriptor. */
#include <mbedtls/version.h>

#include "backend.h"
#include "weft/plugin/plugin.h"

static const struct weft_tls_ops ops = {
	.size = sizeof(ops),
	.caps = WEFT_TLS_CAN_TLS12 | WEFT_TLS_CAN_ALPN | WEFT_TLS_CAN_CRL,
	.ctx_create = tls_ctx_create,
	.ctx_destroy = tls_ctx_destroy,
	.session_create = tls_session_create,
	.session_destroy = tls_session_destroy,
	.handshake = tls_handshake,
	.decrypt = tls_decrypt,
	.encrypt = tls_encrypt,
	.close_notify = tls_close_notify,
	.info = tls_info,
};

WEFT_PLUGIN_DEFINE(tls_mbedtls) = {
	WEFT_PLUGIN_HEAD,
	.kind = WEFT_PLUGIN_TLS,
	.name = "mbedtls",
	.version = WEFT_VERSION " (mbed TLS " MBEDTLS_VERSION_STRING ")",
	.tls = &ops,
};
