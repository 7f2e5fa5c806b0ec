/* SPDX-License-Identifier: MIT */
/* Checks of what an application wants to send, so that no field of its own can change the framing. */
#ifndef WEFT_ROLES_HTTP_OUTGOING_H
#define WEFT_ROLES_HTTP_OUTGOING_H

#include "weft/stream.h"

enum weft_http_outgoing {
	WEFT_HTTP_OUT_REQUEST,
	WEFT_HTTP_OUT_RESPONSE,
	WEFT_HTTP_OUT_TRAILER,
};

/*
 * Names are tokens, values have no control characters, and none is a field that Weft makes itself.
 * ARGUMENT names the field and what is wrong with it.
 */
WEFT_API enum weft_status weft_http_check_fields(enum weft_http_outgoing kind,
	const struct weft_field *fields, size_t count, struct weft_error *err);
/* Method and target of a request. ARGUMENT. */
WEFT_API enum weft_status weft_http_check_request(
	const char *method, const char *target, size_t target_len, struct weft_error *err);

/* The same for a client's whole head: these, what a body may belong to, and the fields. ARGUMENT. */
WEFT_API enum weft_status weft_http_check_request_head(
	const struct weft_head *head, struct weft_error *err);
/* The same for a server's. method: "HEAD" for an answer to it, else anything. 101 is the role's own to judge. ARGUMENT. */
WEFT_API enum weft_status weft_http_check_response(const char *method, const struct weft_head *head,
	enum weft_head_kind kind, bool fin, struct weft_error *err);
WEFT_API bool weft_http_expects_continue(const struct weft_head *head);

#endif
