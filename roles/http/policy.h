/* SPDX-License-Identifier: MIT */
/* What HTTP brings to policies, the same for each of its roles. */
#ifndef WEFT_ROLES_HTTP_POLICY_H
#define WEFT_ROLES_HTTP_POLICY_H

#include "weft/plugin/policy.h"

extern const struct weft_role_policy weft_http_policy;

#endif
