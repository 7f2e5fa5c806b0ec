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

#endif
