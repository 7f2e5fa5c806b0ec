/* SPDX-License-Identifier: MIT */
/*
 * Stands in for malloc, and counts what the C library's own gives. Under AddressSanitizer, whose malloc it
 * must be, that one is asked.
 */
#include "heap.h"

#include <errno.h>
#include <malloc.h>
#include <stddef.h>
#include <stdlib.h>

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED
#endif
#endif

#ifdef SANITIZED

size_t __sanitizer_get_current_allocated_bytes(void);

long bench_heap_now(void)
{
	return (long)__sanitizer_get_current_allocated_bytes();
}

#else

extern void *__libc_malloc(size_t len);
extern void *__libc_calloc(size_t count, size_t len);
extern void *__libc_realloc(void *ptr, size_t len);
extern void *__libc_memalign(size_t alignment, size_t len);
extern void __libc_free(void *ptr);

static long bytes;

long bench_heap_now(void)
{
	return __atomic_load_n(&bytes, __ATOMIC_RELAXED);
}

static void *came(void *ptr)
{
	__atomic_add_fetch(&bytes, (long)malloc_usable_size(ptr), __ATOMIC_RELAXED);
	return ptr;
}

static void *goes(void *ptr)
{
	__atomic_sub_fetch(&bytes, (long)malloc_usable_size(ptr), __ATOMIC_RELAXED);
	return ptr;
}

/* where the libraries find them */
#pragma GCC visibility push(default)

void *malloc(size_t len)
{
	return came(__libc_malloc(len));
}

void *calloc(size_t count, size_t len)
{
	return came(__libc_calloc(count, len));
}

void *realloc(void *ptr, size_t len)
{
	long before = (long)malloc_usable_size(ptr);
	void *moved = __libc_realloc(ptr, len);

	/* without memory the old block stays */
	if (moved || !len)
		__atomic_sub_fetch(&bytes, before, __ATOMIC_RELAXED);
	return came(moved);
}

void *aligned_alloc(size_t alignment, size_t len)
{
	return came(__libc_memalign(alignment, len));
}

void *memalign(size_t alignment, size_t len)
{
	return came(__libc_memalign(alignment, len));
}

int posix_memalign(void **out, size_t alignment, size_t len)
{
	void *ptr = came(__libc_memalign(alignment, len));

	if (!ptr)
		return ENOMEM;
	*out = ptr;
	return 0;
}

void free(void *ptr)
{
	__libc_free(goes(ptr));
}

#pragma GCC visibility pop

#endif
