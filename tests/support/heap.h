/* SPDX-License-Identifier: MIT */
/*
 * Counts the bytes of the whole process's heap, libraries included, by standing in for malloc. Include it
 * in one file of a program. Under a sanitizer, whose own malloc it must be, it asks that.
 */
#ifndef WEFT_TESTS_SUPPORT_HEAP_H
#define WEFT_TESTS_SUPPORT_HEAP_H

#include <errno.h>
#include <malloc.h>
#include <stddef.h>
#include <stdlib.h>

#if defined(__SANITIZE_ADDRESS__)
#define WEFT_TEST_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WEFT_TEST_SANITIZED 1
#endif
#endif

#ifdef WEFT_TEST_SANITIZED

size_t __sanitizer_get_current_allocated_bytes(void);

static inline long heap_now(void)
{
	return (long)__sanitizer_get_current_allocated_bytes();
}

#else

extern void *__libc_malloc(size_t len);
extern void *__libc_calloc(size_t count, size_t len);
extern void *__libc_realloc(void *ptr, size_t len);
extern void *__libc_memalign(size_t alignment, size_t len);
extern void __libc_free(void *ptr);

static long heap_bytes;

static inline long heap_now(void)
{
	return __atomic_load_n(&heap_bytes, __ATOMIC_RELAXED);
}

static void *counted(void *ptr)
{
	if (ptr)
		__atomic_add_fetch(&heap_bytes, (long)malloc_usable_size(ptr), __ATOMIC_RELAXED);
	return ptr;
}

static void forget(void *ptr)
{
	if (ptr)
		__atomic_sub_fetch(&heap_bytes, (long)malloc_usable_size(ptr), __ATOMIC_RELAXED);
}

/* the libraries must find these, and not libc's */
#pragma GCC visibility push(default)

void *malloc(size_t len)
{
	return counted(__libc_malloc(len));
}

void *calloc(size_t count, size_t len)
{
	return counted(__libc_calloc(count, len));
}

void *realloc(void *ptr, size_t len)
{
	void *moved;

	forget(ptr);
	moved = __libc_realloc(ptr, len);
	if (!moved && len)
		counted(ptr); /* it stayed */
	return counted(moved);
}

void *aligned_alloc(size_t alignment, size_t len)
{
	return counted(__libc_memalign(alignment, len));
}

void *memalign(size_t alignment, size_t len)
{
	return counted(__libc_memalign(alignment, len));
}

int posix_memalign(void **out, size_t alignment, size_t len)
{
	void *ptr = counted(__libc_memalign(alignment, len));

	if (!ptr)
		return ENOMEM;
	*out = ptr;
	return 0;
}

void free(void *ptr)
{
	forget(ptr);
	__libc_free(ptr);
}

#pragma GCC visibility pop

#endif
#endif
