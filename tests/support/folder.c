/* SPDX-License-Identifier: MIT */
/* Folders and files for tests, below the system's place for temporary ones. */
#include "tests/support/folder.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

static char folder[TEST_PATH_MAX / 2];

int test_folder_make(void **state)
{
	const char *place = getenv("TMPDIR");

	(void)state;
	snprintf(folder, sizeof(folder), "%s/weft-test-XXXXXX", place ? place : "/tmp");
	return mkdtemp(folder) ? 0 : -1;
}

static int drop(const char *path, const struct stat *info, int what, struct FTW *walk)
{
	(void)info;
	(void)what;
	(void)walk;
	return remove(path);
}

int test_folder_drop(void **state)
{
	(void)state;
	return nftw(folder, drop, 16, FTW_DEPTH | FTW_PHYS);
}

const char *test_folder(void)
{
	return folder;
}

const char *test_folder_path(char out[TEST_PATH_MAX], const char *name)
{
	snprintf(out, TEST_PATH_MAX, "%s/%s", folder, name);
	return out;
}

static FILE *open_or_abort(const char *path, const char *mode)
{
	FILE *f = fopen(path, mode);

	if (!f) {
		perror(path);
		abort();
	}
	return f;
}

static void close_or_abort(FILE *f, const char *path)
{
	if (fclose(f)) {
		perror(path);
		abort();
	}
}

void test_file_write(const char *path, const char *text)
{
	FILE *f = open_or_abort(path, "wb");

	fputs(text, f);
	close_or_abort(f, path);
}

void test_file_copy(const char *from, const char *to, size_t max)
{
	FILE *in = open_or_abort(from, "rb"), *out = open_or_abort(to, "wb");
	int c;

	while (max-- && (c = getc(in)) != EOF)
		putc(c, out);
	fclose(in);
	close_or_abort(out, to);
}
