/* SPDX-License-Identifier: MIT */
/* What all fuzz targets share: the entry, and how a broken promise ends the program. */
#ifndef WEFT_TESTS_FUZZ_FUZZ_H
#define WEFT_TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* In every build: it is what the targets look for. */
#define must(what)                                                                         \
	do {                                                                               \
		if (!(what)) {                                                             \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #what); \
			abort();                                                           \
		}                                                                          \
	} while (0)

/* A terminated copy of exactly that length, so that a sanitizer sees who reads on. NUL ends it early. */
static inline char *fuzz_string(const uint8_t *data, size_t len)
{
	char *copy = malloc(len + 1);

	must(copy);
	if (len)
		memcpy(copy, data, len);
	copy[len] = 0;
	return copy;
}

/* The same without the terminator. */
static inline uint8_t *fuzz_bytes(const uint8_t *data, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);

	must(copy);
	if (len)
		memcpy(copy, data, len);
	return copy;
}

#endif
