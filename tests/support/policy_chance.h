/* SPDX-License-Identifier: MIT */
/* Policies by chance: for the model that counts, and the same as tables. */
#ifndef WEFT_TESTS_SUPPORT_POLICY_CHANCE_H
#define WEFT_TESTS_SUPPORT_POLICY_CHANCE_H

#include "tests/support/policy_model.h"
#include "tests/support/policy_tables.h"

enum { CHANCE_WARM_S = 700 }; /* the context's keep_warm_ms */

extern uint64_t dice_state;
uint32_t dice(uint32_t sides);

/* PM_NAMES streams "0", "1", ..., whose stores nobody else has named so. */
void chance_invent(struct pm_wish *all);
/*
 * Their tables, to port of 127.0.0.1: /${id} over h1, with credentials of the application (chance_use). bad: with one more,
 * the last, whose store cannot be made and is to be held up front.
 */
const struct weft_policy *chance_write(const struct pm_wish *all, unsigned port, bool bad);
extern const struct weft_policy_use chance_use;

#endif
