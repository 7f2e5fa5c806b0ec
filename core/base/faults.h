/* SPDX-License-Identifier: MIT */
/* What the log says of certificate checks; weft/trust.h has the words for what a check found. */
#ifndef WEFT_CORE_BASE_FAULTS_H
#define WEFT_CORE_BASE_FAULTS_H

#include <stddef.h>

/* "expired, wrong host": the checks that these allow flags switch off. Writes into out, returns it. */
const char *weft_tls_checks_text(unsigned allow, char *out, size_t out_len);

#endif
