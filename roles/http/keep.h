/* SPDX-License-Identifier: MIT */
/* A parsed head on its way from the receive buffer into a stream's own memory: one copy, then no more. */
#ifndef WEFT_ROLES_HTTP_KEEP_H
#define WEFT_ROLES_HTTP_KEEP_H

#include "roles/http/parse.h"
#include "weft/plugin/role.h"

/* What was kept, and where it was before. */
struct weft_http_kept {
	struct weft_span from;     /* the head as it was parsed */
	char *text;                /* its copy */
	struct weft_field *fields; /* into text: names in lower case; names and values terminated */
};

/* head: the bytes that m's spans point into. MEMORY: there is no room. */
WEFT_API enum weft_status weft_http_keep(struct weft_stream *stream, const struct weft_span *head,
	const struct weft_http_message *m, struct weft_http_kept *kept);
/*
 * A span of the head, or static text, as a terminated string that lives as long as the stream. What is behind the
 * span is overwritten where `end` says that nobody needs it, else the text is copied once more.
 */
WEFT_API const char *weft_http_kept_text(struct weft_stream *stream,
	const struct weft_http_kept *kept, const struct weft_span *span, bool end);

#endif
