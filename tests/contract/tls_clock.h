/* SPDX-License-Identifier: MIT */
/* time(2) of the whole program, libraries included, can be put forward. */
#ifndef WEFT_TESTS_CONTRACT_TLS_CLOCK_H
#define WEFT_TESTS_CONTRACT_TLS_CLOCK_H

/* Seconds; 0 puts it right again. */
void tls_clock_ahead(long seconds);

#endif
