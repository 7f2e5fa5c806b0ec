/* SPDX-License-Identifier: MIT */
/* Bundles: blocks lie in the text in order, none overlaps, and there is an end. */
#include "core/vhost/pem.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const char begin[] = "-----BEGIN ";
	struct weft_span rest = { data, len }, block;
	const uint8_t *at = data, *end = data + len;

	while (weft_pem_next(&rest, &block)) {
		must(block.len && block.ptr >= at && block.ptr + block.len <= end);
		must(rest.ptr == block.ptr + block.len);
		must(rest.len == (size_t)(end - rest.ptr));
		if (block.ptr[0] == 0x30)
			must(!rest.len && block.ptr[1] & 0x80);
		else
			must(block.len >= sizeof(begin) - 1 &&
				!memcmp(block.ptr, begin, sizeof(begin) - 1));
		/* nothing that begins a block was passed over */
		must(!memmem(at, (size_t)(block.ptr - at), begin, sizeof(begin) - 1));
		at = rest.ptr;
	}
	must(!memmem(at, (size_t)(end - at), begin, sizeof(begin) - 1));
	return 0;
}
