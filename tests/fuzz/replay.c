/* SPDX-License-Identifier: MIT */
/* Runs a fuzz target once over each file of a folder: what the fuzzers found is tested in every build. */
#include <dirent.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "tests/fuzz/fuzz.h"

static bool replay(const char *folder, const char *name)
{
	char path[4096];
	uint8_t *bytes;
	struct stat st;
	size_t len;
	FILE *f;

	if (snprintf(path, sizeof(path), "%s/%s", folder, name) >= (int)sizeof(path))
		return false;
	if (stat(path, &st) || !S_ISREG(st.st_mode))
		return false;
	f = fopen(path, "rb");
	if (!f)
		return false;
	len = (size_t)st.st_size;
	/* of exactly this length: a sanitizer sees who reads on */
	bytes = malloc(len ? len : 1);
	must(bytes);
	must(fread(bytes, 1, len, f) == len);
	fclose(f);
	/* the last name told is the one that failed */
	puts(path);
	fflush(stdout);
	LLVMFuzzerTestOneInput(bytes, len);
	free(bytes);
	return true;
}

int main(int argc, char **argv)
{
	unsigned done = 0, failed = 0;
	struct dirent *entry;
	DIR *dir;

	if (argc != 2) {
		fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
		return 2;
	}
	dir = opendir(argv[1]);
	if (!dir) {
		perror(argv[1]);
		return 1;
	}
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		if (replay(argv[1], entry->d_name)) {
			done++;
			continue;
		}
		fprintf(stderr, "%s/%s: cannot be read\n", argv[1], entry->d_name);
		failed++;
	}
	closedir(dir);
	printf("%u inputs of %s\n", done, argv[1]);
	return done && !failed ? 0 : 1;
}
