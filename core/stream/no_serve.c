/* SPDX-License-Identifier: MIT */
/* In place of serve.c, limit.c and access.c where a build is for clients only (WEFT_CLIENT_ONLY). */
#include "core/stream/stream.h"
#include "weft/plugin/role.h"

struct weft_stream *weft_role_incoming(struct weft_pipe *pipe)
{
	(void)pipe;
	return NULL;
}

void weft_role_refused(struct weft_pipe *pipe, struct weft_stream *stream, unsigned status,
	const struct weft_error *why)
{
	(void)pipe;
	(void)stream;
	(void)status;
	(void)why;
}

void weft_stream_serve(struct weft_stream *s)
{
	(void)s;
}

bool weft_stream_count_body(struct weft_stream *s, size_t len)
{
	(void)s;
	(void)len;
	return true;
}

void weft_access_tell(struct weft_stream *s)
{
	(void)s;
}
