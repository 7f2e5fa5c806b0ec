/* SPDX-License-Identifier: MIT */
/* Addresses as text, and as the system has them. */
#include "weft/address.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/net/sockaddr.h"

static bool parse_scope(const char *text, uint32_t *scope)
{
	unsigned long value;
	char *end;

	/* strtoul takes signs and spaces, which are none of a scope's */
	value = strtoul(text, &end, 10);
	if (*text < '0' || *text > '9' || *end)
		value = if_nametoindex(text);
	if (!value || value > UINT32_MAX)
		return false;
	*scope = (uint32_t)value;
	return true;
}

enum weft_status weft_address_parse(
	const char *text, uint16_t port, struct weft_address *out, struct weft_error *err)
{
	struct weft_address a = { .port = port };
	char host[INET6_ADDRSTRLEN];
	const char *percent = strchr(text, '%');
	size_t len = percent ? (size_t)(percent - text) : strlen(text);

	if (len && len < sizeof(host)) {
		memcpy(host, text, len);
		host[len] = '\0';
		if (!percent && inet_pton(AF_INET, host, a.ip) == 1)
			a.family = WEFT_FAMILY_IPV4;
		else if (inet_pton(AF_INET6, host, a.ip) == 1 &&
			 (!percent || parse_scope(percent + 1, &a.scope)))
			a.family = WEFT_FAMILY_IPV6;
	}
	if (a.family == WEFT_FAMILY_NONE)
		return weft_error_set(err, WEFT_ERR_ARGUMENT, 0,
			"\"%.80s\" is no address: expected one like 127.0.0.1 or ::1", text);
	*out = a;
	return WEFT_OK;
}

const char *weft_address_format(const struct weft_address *a, char *out, size_t out_len)
{
	char host[INET6_ADDRSTRLEN] = "";
	char scope[16] = "";

	switch (a->family) {
	case WEFT_FAMILY_NONE:
		snprintf(out, out_len, "none");
		break;
	case WEFT_FAMILY_IPV4:
		inet_ntop(AF_INET, a->ip, host, sizeof(host));
		snprintf(out, out_len, "%s:%u", host, a->port);
		break;
	case WEFT_FAMILY_IPV6:
		inet_ntop(AF_INET6, a->ip, host, sizeof(host));
		if (a->scope)
			snprintf(scope, sizeof(scope), "%%%u", a->scope);
		snprintf(out, out_len, "[%s%s]:%u", host, scope, a->port);
		break;
	case WEFT_FAMILY_UNIX:
		snprintf(out, out_len, "unix:%s", a->path);
		break;
	}
	return out;
}

bool weft_address_equal(const struct weft_address *a, const struct weft_address *b)
{
	if (a->family != b->family)
		return false;
	switch (a->family) {
	case WEFT_FAMILY_NONE:
		return true;
	case WEFT_FAMILY_IPV4:
		return a->port == b->port && !memcmp(a->ip, b->ip, 4);
	case WEFT_FAMILY_IPV6:
		return a->port == b->port && a->scope == b->scope && !memcmp(a->ip, b->ip, 16);
	case WEFT_FAMILY_UNIX:
		return !strcmp(a->path, b->path);
	}
	return false;
}

socklen_t weft_sockaddr_from(const struct weft_address *a, union weft_sockaddr *out)
{
	memset(out, 0, sizeof(*out));
	switch (a->family) {
	case WEFT_FAMILY_NONE:
		return 0;
	case WEFT_FAMILY_IPV4:
		out->in4.sin_family = AF_INET;
		out->in4.sin_port = htons(a->port);
		memcpy(&out->in4.sin_addr, a->ip, 4);
		return sizeof(out->in4);
	case WEFT_FAMILY_IPV6:
		out->in6.sin6_family = AF_INET6;
		out->in6.sin6_port = htons(a->port);
		out->in6.sin6_scope_id = a->scope;
		memcpy(&out->in6.sin6_addr, a->ip, 16);
		return sizeof(out->in6);
	case WEFT_FAMILY_UNIX:
		out->un.sun_family = AF_UNIX;
		memcpy(out->un.sun_path, a->path, sizeof(a->path));
		return sizeof(out->un);
	}
	return 0;
}

void weft_sockaddr_to(const union weft_sockaddr *sa, socklen_t len, struct weft_address *out)
{
	size_t path;

	memset(out, 0, sizeof(*out));
	switch (sa->any.sa_family) {
	case AF_INET:
		out->family = WEFT_FAMILY_IPV4;
		out->port = ntohs(sa->in4.sin_port);
		memcpy(out->ip, &sa->in4.sin_addr, 4);
		break;
	case AF_INET6:
		out->family = WEFT_FAMILY_IPV6;
		out->port = ntohs(sa->in6.sin6_port);
		out->scope = sa->in6.sin6_scope_id;
		memcpy(out->ip, &sa->in6.sin6_addr, 16);
		break;
	case AF_UNIX:
		out->family = WEFT_FAMILY_UNIX;
		path = len > offsetof(struct sockaddr_un, sun_path)
			       ? len - offsetof(struct sockaddr_un, sun_path)
			       : 0;
		if (path >= sizeof(out->path))
			path = sizeof(out->path) - 1;
		memcpy(out->path, sa->un.sun_path, path);
		break;
	default:
		break;
	}
}
