/* SPDX-License-Identifier: MIT */
/* In place of tls_server.c where a build is for clients only (WEFT_CLIENT_ONLY). */
#include "core/transport/tls_inside.h"

enum weft_status weft_tls_open_session(struct weft_tls_transport *t, struct weft_error *err)
{
	(void)t;
	return weft_error_set(
		err, WEFT_ERR_UNSUPPORTED, 0, "this build of Weft is for clients only");
}
