/* SPDX-License-Identifier: MIT */
/* Asking the C library for the heap's size. */
#include "core/system/heap.h"

#include "core/system/platform.h"

size_t weft_heap_used(const struct weft_memory *memory)
{
	size_t used = weft_platform_heap();

	return used ? used : memory->now;
}
