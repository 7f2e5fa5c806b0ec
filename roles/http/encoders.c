/* SPDX-License-Identifier: MIT */
/* What encoders share. */
#include "roles/http/encoders.h"

#include <stdalign.h>
#include <stddef.h>
#include <stdlib.h>

#define FROM_SYSTEM SIZE_MAX

union sized {
	size_t len;
	max_align_t align;
};

void *weft_http_sized_alloc(const struct weft_allocator *alloc, size_t len)
{
	union sized *block;

	if (len > SIZE_MAX - sizeof(*block))
		return NULL;
	block = weft_alloc(alloc, sizeof(*block) + len);
	if (!block)
		return NULL;
	block->len = len;
	return block + 1;
}

void *weft_http_sized_malloc(size_t len)
{
	union sized *block = len <= SIZE_MAX - sizeof(*block) ? malloc(sizeof(*block) + len) : NULL;

	if (!block)
		return NULL;
	block->len = FROM_SYSTEM;
	return block + 1;
}

void weft_http_sized_free(const struct weft_allocator *alloc, void *ptr)
{
	union sized *block = ptr;

	if (!ptr)
		return;
	block--;
	if (block->len == FROM_SYSTEM)
		free(block);
	else
		weft_free(alloc, block, sizeof(*block) + block->len);
}

int weft_http_window_bits(uint64_t size, int low, int high)
{
	int bits = low;

	while (bits < high && (uint64_t)1 << bits < size)
		bits++;
	return bits;
}
