/* SPDX-License-Identifier: MIT */
/* Which vhost a name means, and which route a target. */
#include <string.h>
#include <strings.h>

#include "core/vhost/vhost.h"

/* The host part of host[:port] or [addr][:port], without a trailing dot. */
static size_t host_len(const char **host)
{
	const char *p = *host, *end;

	if (*p == '[') {
		*host = p + 1;
		end = strchr(p, ']');
		return end ? (size_t)(end - p - 1) : strlen(p + 1);
	}
	end = p + strcspn(p, ":");
	if (end > p && end[-1] == '.')
		end--;
	return (size_t)(end - p);
}

static enum weft_vhost_match name_fits(const char *name, const char *host, size_t len)
{
	enum weft_vhost_match fits = WEFT_VHOST_MATCH_EXACT;
	const char *dot;

	if (name[0] == '*' && name[1] == '.') {
		dot = memchr(host, '.', len);
		if (!dot || dot == host)
			return WEFT_VHOST_MATCH_NONE;
		len -= (size_t)(dot - host);
		host = dot;
		name++;
		fits = WEFT_VHOST_MATCH_WILDCARD;
	}
	return strlen(name) == len && !strncasecmp(name, host, len) ? fits : WEFT_VHOST_MATCH_NONE;
}

enum weft_vhost_match weft_vhost_matches(const struct weft_vhost *vh, const char *host)
{
	size_t len = host_len(&host);
	enum weft_vhost_match best = name_fits(vh->name, host, len), fits;

	for (size_t i = 0; vh->aliases && vh->aliases[i]; i++) {
		fits = name_fits(vh->aliases[i], host, len);
		best = fits > best ? fits : best;
	}
	return best;
}

const struct weft_route *weft_vhost_route(const struct weft_vhost *vh, const char *target)
{
	size_t path_len = strcspn(target, "?"), best_len = 0;
	const struct weft_route *best = NULL;

	for (const struct weft_route *r = vh->routes; r->on_request; r++) {
		size_t len;

		if (r->path) {
			if (strlen(r->path) == path_len && !memcmp(r->path, target, path_len))
				return r;
			continue;
		}
		len = r->prefix ? strlen(r->prefix) : 0;
		if (len > path_len || (len && memcmp(r->prefix, target, len)))
			continue;
		if (!best || len > best_len) {
			best = r;
			best_len = len;
		}
	}
	return best;
}
