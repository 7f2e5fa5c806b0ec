/* SPDX-License-Identifier: MIT */
/* In place of proxies where a build has none (WEFT_NO_PROXY): whoever names one is told. */
#include "core/transport/proxy.h"

static enum weft_status no_proxy(struct weft_error *err)
{
	return weft_error_set(err, WEFT_ERR_UNSUPPORTED, 0, "this build of Weft knows no proxies");
}

enum weft_status weft_proxy_parse(const char *text, struct weft_proxy *out, struct weft_error *err)
{
	(void)text;
	(void)out;
	return no_proxy(err);
}

const char *weft_proxy_format(const struct weft_proxy *proxy, char *out)
{
	(void)proxy;
	out[0] = '\0';
	return out;
}

enum weft_status weft_proxy_target(const char *host, uint16_t port, const char *connect_to,
	char *host_out, uint16_t *port_out, struct weft_error *err)
{
	(void)host;
	(void)port;
	(void)connect_to;
	(void)host_out;
	(void)port_out;
	return no_proxy(err);
}

enum weft_status weft_transport_proxy(struct weft_context *ctx, struct weft_transport *below,
	const struct weft_proxy *proxy, const char *host, uint16_t port,
	struct weft_transport **out, struct weft_error *err)
{
	(void)ctx;
	(void)below;
	(void)proxy;
	(void)host;
	(void)port;
	(void)out;
	return no_proxy(err);
}

const char *weft_transport_proxy_waited(const struct weft_transport *top)
{
	(void)top;
	return NULL;
}
