/* SPDX-License-Identifier: MIT */
/* The system's allocator behind the seam, and the helpers over any allocator. */
#include "weft/alloc.h"

#include <stdlib.h>
#include <string.h>

static void *system_resize(void *user, void *ptr, size_t old_len, size_t new_len)
{
	(void)user;
	(void)old_len;
	if (!new_len) {
		free(ptr);
		return NULL;
	}
	return realloc(ptr, new_len);
}

const struct weft_allocator weft_allocator_system = { .user = NULL, .resize = system_resize };

void *weft_alloc(const struct weft_allocator *a, size_t len)
{
	return a->resize(a->user, NULL, 0, len ? len : 1);
}

void *weft_zalloc(const struct weft_allocator *a, size_t len)
{
	void *p = weft_alloc(a, len);

	if (p)
		memset(p, 0, len);
	return p;
}

void weft_free(const struct weft_allocator *a, void *ptr, size_t len)
{
	if (ptr)
		a->resize(a->user, ptr, len ? len : 1, 0);
}

char *weft_strndup(const struct weft_allocator *a, const char *text, size_t len)
{
	char *copy = weft_alloc(a, len + 1);

	if (copy) {
		if (len)
			memcpy(copy, text, len);
		copy[len] = '\0';
	}
	return copy;
}

void weft_strfree(const struct weft_allocator *a, char *text)
{
	if (text)
		weft_free(a, text, strlen(text) + 1);
}
