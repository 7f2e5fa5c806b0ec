/* SPDX-License-Identifier: MIT */
/* What differs between platforms and builds, as constants: the only conditional code in the core. */
#ifndef WEFT_CORE_SYSTEM_PLATFORM_H
#define WEFT_CORE_SYSTEM_PLATFORM_H

/* libweft is a shared library of its own. */
#ifdef WEFT_BUILD_SHARED
#define WEFT_IS_SHARED 1
#else
#define WEFT_IS_SHARED 0
#endif

/* Heap of the process in use, or 0 where nobody can tell. */
#include <stddef.h>
#ifdef __GLIBC__
#if __GLIBC_PREREQ(2, 33)
#include <malloc.h>
#define WEFT_HAS_MALLINFO2
#endif
#endif
static inline size_t weft_platform_heap(void)
{
#ifdef WEFT_HAS_MALLINFO2
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
#else
	return 0;
#endif
}

#endif
