/* SPDX-License-Identifier: MIT */
/* The .carry of the HTTP roles' servers: RFC 9110 sections 7.8 and 15.5.22, RFC 8441, RFC 9220 section 3. */
#ifndef WEFT_ROLES_HTTP_CARRY_H
#define WEFT_ROLES_HTTP_CARRY_H

#include "weft/plugin/role.h"

enum weft_status weft_http_carry(
	void *state, struct weft_stream *s, const char *token, struct weft_error *err);

#endif
