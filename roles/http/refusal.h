/* SPDX-License-Identifier: MIT */
/* Why a message is not accepted: what a server answers, and the words for logs and for clients. */
#ifndef WEFT_ROLES_HTTP_REFUSAL_H
#define WEFT_ROLES_HTTP_REFUSAL_H

#include "weft/status.h"

struct weft_http_refusal {
	unsigned status; /* of the answer: 400, 414, 431, 501, 505 */
	const char *why; /* static text */
};

/* Fills no and returns what fits: LIMIT for sizes, else PROTOCOL. */
static inline enum weft_status weft_http_refuse(
	struct weft_http_refusal *no, unsigned status, const char *why)
{
	no->status = status;
	no->why = why;
	return status == 414 || status == 431 ? WEFT_ERR_LIMIT : WEFT_ERR_PROTOCOL;
}

#endif
