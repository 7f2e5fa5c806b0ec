/* SPDX-License-Identifier: MIT */
/* Memory: one function gives, moves and takes back; sizes are always told, so caps are exact. */
#ifndef WEFT_ALLOC_H
#define WEFT_ALLOC_H

#include "weft/base.h"

WEFT_BEGIN

/*
 * resize(user, NULL, 0, n) allocates, resize(user, p, old, 0) frees and returns NULL, anything else
 * moves. Alignment as malloc's. Returns NULL when there is no memory; p is then untouched.
 * Called on the context's thread only.
 */
struct weft_allocator {
	void *user;
	void *(*resize)(void *user, void *ptr, size_t old_len, size_t new_len);
};

/* malloc, realloc and free. */
extern WEFT_API const struct weft_allocator weft_allocator_system;

/* Not zeroed. NULL when there is no memory. */
WEFT_API void *weft_alloc(const struct weft_allocator *a, size_t len);
/* Zeroed. */
WEFT_API void *weft_zalloc(const struct weft_allocator *a, size_t len);
/* ptr may be NULL. len is what was allocated. */
WEFT_API void weft_free(const struct weft_allocator *a, void *ptr, size_t len);
/* A terminated copy of len bytes (len + 1 are allocated). */
WEFT_API char *weft_strndup(const struct weft_allocator *a, const char *text, size_t len);
/* Frees a string of weft_strndup that still has its first length. text may be NULL. */
WEFT_API void weft_strfree(const struct weft_allocator *a, char *text);

WEFT_END

#endif
