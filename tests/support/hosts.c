/* SPDX-License-Identifier: MIT */
/* Two names, one certificate. */
#include "tests/support/hosts.h"

#include <stdio.h>
#include <string.h>

struct duo hosts_duo;
struct ask hosts_asks[HOSTS_ASKS];

/* ---- a server with two names ---- */

void hosts_open_one(const struct weft_context_options *server)
{
	static const char *const more[] = { HOST_B, NULL };
	const struct weft_vhost_options v = { .name = HOST_A, .aliases = more };

	memset(hosts_asks, 0, sizeof(hosts_asks));
	duo_open(&hosts_duo, server, NULL, &v, false);
}

struct weft_vhost *hosts_add_vhost(const struct weft_vhost_options *options)
{
	struct weft_vhost_options v = *options;
	struct weft_vhost *vh;
	struct weft_error err;

	duo_vhost_options(&hosts_duo, &v);
	v.listen = hosts_duo.base;
	if (weft_vhost_create(hosts_duo.server, &v, &vh, &err))
		fail_msg("%s", err.text);
	return vh;
}

void hosts_open_two(void)
{
	const struct weft_vhost_options a = { .name = HOST_A }, b = { .name = HOST_B };

	memset(hosts_asks, 0, sizeof(hosts_asks));
	duo_open(&hosts_duo, NULL, NULL, &a, false);
	hosts_add_vhost(&b);
}

/* ---- a client that knows where they are ---- */

struct weft_request hosts_wish(bool coalesce)
{
	return (struct weft_request){ .connect_to = strstr(hosts_duo.base, "://") + 3,
		.stream.coalesce = coalesce };
}

void hosts_ask(unsigned i, const char *host, bool post, struct weft_request r)
{
	char url[128];

	snprintf(url, sizeof(url), "https://%s%s/digest/%u", host, strrchr(hosts_duo.base, ':'), i);
	r.url = url;
	ask_open(&hosts_asks[i], &hosts_duo, i, post, &r);
}

void hosts_check(unsigned i)
{
	duo_until(&hosts_duo, hosts_asks[i].closed);
	ask_check(&hosts_asks[i]);
}

void hosts_visit(unsigned i, const char *host, struct weft_request r)
{
	hosts_ask(i, host, false, r);
	hosts_check(i);
}

bool hosts_same_conn(unsigned i, unsigned j)
{
	return hosts_asks[i].conn == hosts_asks[j].conn;
}
