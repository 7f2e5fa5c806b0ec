/* SPDX-License-Identifier: MIT */
/* The few things that the core reads from files. */
#ifndef WEFT_CORE_SYSTEM_FILE_H
#define WEFT_CORE_SYSTEM_FILE_H

#include "core/base/memory.h"
#include "weft/buffer.h"
#include "weft/segment.h"
#include "weft/status.h"

/* Exactly len bytes from off. TRUNCATED when the file ends before. */
enum weft_status weft_file_read(int fd, uint64_t off, void *to, size_t len, struct weft_error *err);
/* The same of a FILE segment, into a block that the caller puts back. */
enum weft_status weft_file_piece(struct weft_memory *memory, const struct weft_segment *file,
	unsigned char **piece, size_t *cap, struct weft_error *err);
/* Appends a whole file, at most max bytes (LIMIT above). Errors name the path. */
enum weft_status weft_file_load(
	const char *path, size_t max, struct weft_buffer *to, struct weft_error *err);
/* Whether path itself, followed nowhere, is a socket. */
bool weft_file_is_socket(const char *path);
/* The system's bundle of trusted certificates in PEM, or NULL where there is none. */
const char *weft_file_system_trust(void);

#endif
