/* SPDX-License-Identifier: MIT */
/* In place of serve.c and respond.c where a build is for clients only (WEFT_CLIENT_ONLY). */
#include "roles/h2/h2.h"

int weft_h2_request(struct weft_h2 *h, int32_t id, bool fin)
{
	(void)h;
	(void)id;
	(void)fin;
	return NGHTTP2_ERR_CALLBACK_FAILURE;
}

enum weft_status weft_h2_respond(struct weft_h2_stream *hs, const struct weft_head *head,
	enum weft_head_kind kind, bool fin, struct weft_error *err)
{
	(void)hs;
	(void)head;
	(void)kind;
	(void)fin;
	return weft_error_set(err, WEFT_ERR_UNSUPPORTED, 0, "this build has no servers");
}
