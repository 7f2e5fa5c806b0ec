/* SPDX-License-Identifier: MIT */
/* In place of accept.c and admission.c where a build is for clients only (WEFT_CLIENT_ONLY). */
#include "core/conn/admission.h"
#include "core/conn/conn.h"

bool weft_conn_recognise(struct weft_conn *conn, const unsigned char *bytes, size_t len)
{
	(void)conn;
	(void)bytes;
	(void)len;
	return true;
}

void weft_admission_leave(struct weft_context *ctx, struct weft_origin *origin)
{
	(void)ctx;
	(void)origin;
}
