/* SPDX-License-Identifier: MIT */
/* Request lines and status lines: RFC 9112 sections 3 and 4. Shared by the scan and the parse. */
#ifndef WEFT_ROLES_HTTP_START_H
#define WEFT_ROLES_HTTP_START_H

#include "roles/http/parse.h"

/* Judges a line, which has no CRLF. Fills m's method, target and version, or version, status and reason. */
enum weft_status weft_http_start_line(enum weft_http_kind kind, const unsigned char *line,
	size_t len, struct weft_http_message *m, struct weft_http_refusal *no);
/* The same for a line that was judged, and is not looked at again. */
void weft_http_start_again(enum weft_http_kind kind, const unsigned char *line, size_t len,
	struct weft_http_message *m);

#endif
