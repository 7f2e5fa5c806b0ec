/* SPDX-License-Identifier: MIT */
/* Reading the name of a proxy. */
#include "core/net/proxy.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static const struct {
	enum weft_proxy_kind kind;
	const char *prefix;
} kinds[] = {
	{ WEFT_PROXY_CONNECT, "http://" },
	{ WEFT_PROXY_SOCKS5, "socks5://" },
};

static enum weft_status bad(struct weft_error *err, const char *text, const char *what)
{
	return weft_error_set(err, WEFT_ERR_ARGUMENT, 0,
		"proxy \"%.100s\": %s, expected \"http://HOST:PORT\" or \"socks5://HOST:PORT\"",
		text, what);
}

static bool find_kind(const char *text, enum weft_proxy_kind *kind)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		*kind = kinds[i].kind;
		if (!strncasecmp(text, kinds[i].prefix, strlen(kinds[i].prefix)))
			return true;
	}
	return false;
}

enum weft_status weft_proxy_parse(const char *text, struct weft_proxy *out, struct weft_error *err)
{
	struct weft_url url;

	/* what stands before the @ is a secret, and is in no message */
	if (strchr(text, '@'))
		return weft_error_set(err, WEFT_ERR_ARGUMENT, 0,
			"proxy \"...%.100s\": a user and password are not supported, expected "
			"\"http://HOST:PORT\" or \"socks5://HOST:PORT\"",
			strrchr(text, '@'));
	if (!find_kind(text, &out->kind))
		return bad(err, text, "of no kind that is known");
	if (weft_url_parse(text, &url, err))
		return weft_error_prefix(err, "proxy");
	if (url.host.len > WEFT_URL_NAME_MAX)
		return bad(err, text, "the host is too long for a name");
	if (!url.has_port || !url.port)
		return bad(err, text, "it has no port");
	if (url.target.len && !weft_span_is(url.target, "/"))
		return bad(err, text, "something stands behind the port");
	out->port = url.port;
	for (size_t i = 0; i < url.host.len; i++) {
		char c = (char)url.host.ptr[i];

		out->host[i] = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
	}
	out->host[url.host.len] = '\0';
	return WEFT_OK;
}

const char *weft_proxy_format(const struct weft_proxy *proxy, char *out)
{
	bool brackets = strchr(proxy->host, ':');
	const char *prefix = "";

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (kinds[i].kind == proxy->kind)
			prefix = kinds[i].prefix;
	}
	snprintf(out, WEFT_PROXY_TEXT_MAX, "%s%s%s%s:%u", prefix, brackets ? "[" : "", proxy->host,
		brackets ? "]" : "", proxy->port);
	return out;
}

enum weft_status weft_proxy_target(const char *host, uint16_t port, const char *connect_to,
	char *host_out, uint16_t *port_out, struct weft_error *err)
{
	char text[WEFT_ADDRESS_TEXT_MAX];
	struct weft_address to;
	size_t len;

	*port_out = port;
	if (connect_to[0]) {
		if (weft_endpoint_parse(connect_to, &to, err))
			return err ? err->status : WEFT_ERR_ARGUMENT;
		if (to.family == WEFT_FAMILY_UNIX)
			return weft_error_set(err, WEFT_ERR_ARGUMENT, 0,
				"connect_to \"%.80s\": a proxy leads to no socket of this machine",
				connect_to);
		*port_out = to.port;
		to.port = 0;
		weft_address_format(&to, text, sizeof(text));
		len = strlen(text) - strlen(":0");
		host = text;
		if (text[0] == '[') {
			host++;
			len -= 2;
		}
	} else {
		len = strlen(host);
	}
	if (memchr(host, '%', len))
		return weft_error_set(err, WEFT_ERR_ARGUMENT, 0,
			"\"%.*s\": a zone means nothing to a proxy", (int)len, host);
	memcpy(host_out, host, len);
	host_out[len] = '\0';
	return WEFT_OK;
}
