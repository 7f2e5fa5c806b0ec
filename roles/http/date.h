/* SPDX-License-Identifier: MIT */
/* The date that every response carries: RFC 9110 section 6.6.1. */
#ifndef WEFT_ROLES_HTTP_DATE_H
#define WEFT_ROLES_HTTP_DATE_H

#include "weft/base.h"

enum { WEFT_HTTP_DATE_LINE = 37 }; /* bytes, the CRLF included */

/* "date: Sun, 06 Nov 1994 08:49:37 GMT\r\n", made once a second; valid until the thread's next call. */
WEFT_API const char *weft_http_date_line(int64_t seconds);

#endif
