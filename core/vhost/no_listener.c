/* SPDX-License-Identifier: MIT */
/* In place of listener.c where a build is for clients only (WEFT_CLIENT_ONLY): nothing is listened at. */
#include "core/vhost/listener.h"

#include "core/vhost/vhost.h"
#include "weft/plugin/transport.h"

static enum weft_status no_server(const struct weft_vhost *vh, struct weft_error *err)
{
	return weft_error_set(err, WEFT_ERR_UNSUPPORTED, 0,
		"vhost %s: this build of Weft is for clients only", vh->name);
}

enum weft_status weft_vhost_listen(struct weft_vhost *vh, const char *text, struct weft_error *err)
{
	(void)text;
	return no_server(vh, err);
}

enum weft_status weft_vhost_listener(
	const struct weft_vhost *vh, size_t index, char *out, size_t out_len)
{
	(void)vh;
	(void)index;
	(void)out;
	(void)out_len;
	return WEFT_ERR_NOT_FOUND;
}

enum weft_status weft_transport_serve(struct weft_vhost *vh, const char *scheme_name,
	struct weft_transport *transport, struct weft_error *err)
{
	(void)scheme_name;
	(void)transport;
	return no_server(vh, err);
}

void weft_vhost_stop_listening(struct weft_vhost *vh)
{
	(void)vh;
}

void weft_listener_release(struct weft_listener *listener)
{
	(void)listener;
}
