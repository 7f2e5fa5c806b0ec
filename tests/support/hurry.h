/* SPDX-License-Identifier: MIT */
/* A server in a hurry, for tests of peers that are not: each of its times is as short as the test says. */
#ifndef WEFT_TESTS_SUPPORT_HURRY_H
#define WEFT_TESTS_SUPPORT_HURRY_H

#include "tests/support/duo.h"

/*
 * Both contexts of d. idle_ms 0: the default. A body must come at 10,000 bytes in that time: more than anybody slow gets to.
 * /big is more than all the buffers between a server and a reader; a POST's body goes nowhere; the rest is answered
 * with its digest.
 */
void hurry_open(struct duo *d, uint32_t short_ms, uint32_t idle_ms);
/* Of the monotonic clock. */
double hurry_seconds(void);

#endif
