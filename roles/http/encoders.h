/* SPDX-License-Identifier: MIT */
/* The encoders that a build may have, and how they come by the context's memory. */
#ifndef WEFT_ROLES_HTTP_ENCODERS_H
#define WEFT_ROLES_HTTP_ENCODERS_H

#include "roles/http/coding.h"

extern const struct weft_http_encoder_ops weft_http_gzip, weft_http_brotli;

/* For libraries that do not say how much they give back: the size stands before each block. */
void *weft_http_sized_alloc(const struct weft_allocator *alloc, size_t len);
/* The same outside the context, and not counted: for a library that a NULL would end the process. */
void *weft_http_sized_malloc(size_t len);
void weft_http_sized_free(const struct weft_allocator *alloc, void *block);
/* The bits of the smallest window within low..high that holds size bytes. */
int weft_http_window_bits(uint64_t size, int low, int high);

#endif
