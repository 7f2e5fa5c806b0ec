/* SPDX-License-Identifier: MIT */
/* All of the public API, for applications that prefer one line. */
#ifndef WEFT_WEFT_H
#define WEFT_WEFT_H

#include "weft/address.h"
#include "weft/alloc.h"
#include "weft/base.h"
#include "weft/base64.h"
#include "weft/buffer.h"
#include "weft/context.h"
#include "weft/files.h"
#include "weft/http.h"
#include "weft/log.h"
#include "weft/plugins.h"
#include "weft/segment.h"
#include "weft/status.h"
#include "weft/stream.h"
#include "weft/trust.h"
#include "weft/vhost.h"

#endif
