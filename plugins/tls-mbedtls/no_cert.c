/* SPDX-License-Identifier: MIT */
/* In place of cert.c where no policy is loaded (WEFT_STATIC_POLICY_ONLY): nobody asks what a certificate says. */
#include "backend.h"

enum weft_status mbedtls_adapter_cert_read(
	struct weft_span bytes, struct weft_tls_cert *out, struct weft_error *err)
{
	(void)bytes;
	(void)out;
	return weft_error_set(err, WEFT_ERR_UNSUPPORTED, 0,
		"this build of Weft loads no policies, and reads no certificates for them");
}
