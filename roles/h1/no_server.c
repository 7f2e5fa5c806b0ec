/* SPDX-License-Identifier: MIT */
/* In place of the server's side where a build is for clients only (WEFT_CLIENT_ONLY): no connection is accepted. */
#include "roles/h1/h1.h"

enum weft_status weft_h1_server_input(
	struct weft_h1 *h, const unsigned char *in, size_t len, size_t *used)
{
	(void)h;
	(void)in;
	*used = len;
	return WEFT_OK;
}

void weft_h1_server_output(struct weft_h1 *h)
{
	weft_h1_close(h);
}

enum weft_status weft_h1_respond(struct weft_h1 *h, const struct weft_head *head,
	enum weft_head_kind kind, bool fin, struct weft_error *err)
{
	(void)h;
	(void)head;
	(void)kind;
	(void)fin;
	return weft_error_set(
		err, WEFT_ERR_UNSUPPORTED, 0, "this build of Weft is for clients only");
}

uint64_t weft_h1_server_due(const struct weft_h1 *h)
{
	(void)h;
	return WEFT_NEVER;
}

enum weft_status weft_h1_server_late(struct weft_h1 *h, uint64_t now_us, struct weft_error *err)
{
	(void)h;
	(void)now_us;
	(void)err;
	return WEFT_OK;
}
