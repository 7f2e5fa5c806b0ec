/* SPDX-License-Identifier: MIT */
/* A role for tests of the pool, with the scheme "late": it takes streams only some time after it began. */
#ifndef WEFT_TESTS_SUPPORT_LATE_ROLE_H
#define WEFT_TESTS_SUPPORT_LATE_ROLE_H

#include "weft/plugin/plugin.h"

extern const struct weft_plugin late_plugin;
/* So many attaches fail for want of memory. */
extern unsigned late_failing_attaches;
/* The connection ends instead of becoming ready. */
extern bool late_never_ready;
/* So many of the next exchanges end as ones that the peer did not act on. */
extern unsigned late_unprocessed;

#endif
