/* SPDX-License-Identifier: MIT */
/* The server of a TLS connection: who it is hangs on the ClientHello. */
#include "core/transport/tls_inside.h"

enum weft_status weft_tls_open_session(struct weft_tls_transport *t, struct weft_error *err)
{
	struct weft_tls_session_options options = { .size = sizeof(options) };
	struct weft_tls_ctx *tls;
	struct weft_hello hello;
	enum weft_status st;
	size_t need = 0;

	if (t->in.len < t->hello_need)
		return WEFT_AGAIN;
	st = weft_hello_parse(t->in.ptr, t->in.len, &hello, &need);
	t->hello_need = (unsigned)need;
	if (st == WEFT_AGAIN)
		return st;
	st = weft_tls_set_sni(t, hello.sni, err);
	if (st == WEFT_OK)
		st = t->choose(t->user, &hello, &tls, &options, err);
	return st ? st : weft_tls_make_session(t, tls, &options, err);
}

enum weft_status weft_transport_tls_server(struct weft_context *ctx, struct weft_transport *below,
	weft_tls_choose_fn choose, void *user, struct weft_transport **out, struct weft_error *err)
{
	struct weft_tls_transport *t = weft_tls_make(ctx, below, err);

	if (!t)
		return WEFT_ERR_MEMORY;
	t->phase = WEFT_TLS_HELLO;
	t->choose = choose;
	t->user = user;
	*out = &t->base;
	return WEFT_OK;
}
