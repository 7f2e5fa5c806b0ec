/* SPDX-License-Identifier: MIT */
/* How much heap there is in use: what libraries take does not go through the context's allocator. */
#ifndef WEFT_CORE_SYSTEM_HEAP_H
#define WEFT_CORE_SYSTEM_HEAP_H

#include "core/base/memory.h"

/* Bytes in use in the whole process, as the C library tells; where it does not, of the context's own. */
size_t weft_heap_used(const struct weft_memory *memory);

#endif
