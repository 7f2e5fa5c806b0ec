/* SPDX-License-Identifier: MIT */
/* Paths of files out of request targets: nothing that is taken may lead out of a directory. */
#include "roles/http/chars.h"
#include "roles/http/target.h"
#include "tests/fuzz/fuzz.h"

/* Escaping all of a path again gives a target that means the same. */
static void escape_again(const char *path)
{
	static const char hex[] = "0123456789abcdef";
	size_t len = strlen(path), n = 0;
	char *target = malloc(len * 3 + 1), *out = malloc(len + 1);

	must(target && out);
	for (size_t i = 0; i < len; i++) {
		const unsigned char c = (unsigned char)path[i];

		if (c == '/') {
			target[n++] = '/';
			continue;
		}
		target[n++] = '%';
		target[n++] = hex[c >> 4];
		target[n++] = hex[c & 15];
	}
	target[n] = 0;
	must(weft_http_decode_path(target, out, len + 1));
	must(!strcmp(path, out));
	must(!weft_http_decode_path(target, out, len));
	free(target);
	free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *target = fuzz_string(data, len), *out = malloc(len + 2);
	size_t raw = strcspn(target, "?");

	must(out);
	memset(out, 0xff, len + 2);
	if (weft_http_decode_path(target, out, len + 2)) {
		must(memchr(out, 0, raw + 1));
		must(out[0] == '/' && !strstr(out, "//") && !strstr(out, "/."));
		/* no NUL of the target's own ended it */
		for (const char *p = target; p < target + raw; p++)
			must(strncmp(p, "%00", 3));
		escape_again(out);
	}
	free(target);
	free(out);
	return 0;
}
