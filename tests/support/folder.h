/* SPDX-License-Identifier: MIT */
/* A folder of a test's own, which goes with everything in it; and files to put there. */
#ifndef WEFT_TESTS_SUPPORT_FOLDER_H
#define WEFT_TESTS_SUPPORT_FOLDER_H

#include <stddef.h>

enum { TEST_PATH_MAX = 1024 };

/* cmocka's setup and teardown. */
int test_folder_make(void **state);
int test_folder_drop(void **state);
/* Its path, and that of a file in it (into out, which is returned). */
const char *test_folder(void);
const char *test_folder_path(char out[TEST_PATH_MAX], const char *name);
/* Both abort on failure. */
void test_file_write(const char *path, const char *text);
/* The first max bytes of a file, in another. */
void test_file_copy(const char *from, const char *to, size_t max);

#endif
