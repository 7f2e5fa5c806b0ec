/* SPDX-License-Identifier: MIT */
/* Bundles of certificates cut into single ones, so that a backend can say which one it refuses. */
#ifndef WEFT_CORE_VHOST_PEM_H
#define WEFT_CORE_VHOST_PEM_H

#include "weft/base.h"

/* The next PEM block of *rest, which moves behind it; or all of *rest if it is no PEM (DER). false: none. */
bool weft_pem_next(struct weft_span *rest, struct weft_span *block);

#endif
