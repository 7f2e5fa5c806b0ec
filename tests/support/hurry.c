/* SPDX-License-Identifier: MIT */
/* A server in a hurry. */
#include "tests/support/hurry.h"

#include <string.h>
#include <time.h>

enum { BIG = 64 << 20 };

double hurry_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static enum weft_status big(struct weft_stream *s, void *user)
{
	static char block[BIG];

	(void)user;
	return weft_http_reply_static(s, 200, NULL, block, sizeof(block));
}

/* What a body is collected for is of no interest here. */
static enum weft_status upload(struct weft_stream *s, void *user)
{
	(void)user;
	return strcmp(weft_stream_request(s)->method, "POST") ? duo_digest(s, NULL) : WEFT_OK;
}

void hurry_open(struct duo *d, uint32_t short_ms, uint32_t idle_ms)
{
	static const struct weft_route routes[] = {
		{ .path = "/big", .on_request = big },
		{ .prefix = "/", .on_request = upload },
		{ .on_request = NULL },
	};
	const struct weft_context_options o = {
		.handshake_ms = short_ms,
		.header_ms = short_ms,
		.idle_ms = idle_ms,
		.flush_ms = short_ms,
		.rate_grace_ms = short_ms,
		.body_rate_min = 10000,
		.linger_ms = short_ms / 2,
	};
	const struct weft_vhost_options v = { .routes = routes };

	duo_open(d, &o, NULL, &v, false);
}
