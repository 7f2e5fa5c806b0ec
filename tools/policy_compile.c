/* SPDX-License-Identifier: MIT */
/* weft policy compile: writing what was made, as a build wants it. */
#include <ctype.h>
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy.h"

/* The policy's name with what no identifier has made "_". */
static void default_symbol(const struct weft_policy *policy, char *out, size_t room)
{
	snprintf(out, room, "weft_policy_%s", policy->name);
	for (; *out; out++) {
		if (!isalnum((unsigned char)*out))
			*out = '_';
	}
}

static bool is_identifier(const char *text)
{
	size_t len =
		strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");

	return len && !text[len] && !isdigit((unsigned char)text[0]);
}

/* ---- files ---- */

static bool is_same(const char *file, const char *text, size_t len)
{
	FILE *f = fopen(file, "rb");
	char *old = f ? malloc(len + 1) : NULL;
	bool same = old && fread(old, 1, len + 1, f) == len && !memcmp(old, text, len);

	free(old);
	if (f)
		fclose(f);
	return same;
}

/* A pipe or a device: written to, never replaced. */
static bool is_special(const char *file)
{
	struct stat st;

	return !stat(file, &st) && !S_ISREG(st.st_mode);
}

static bool write_special(const char *file, const char *text, size_t len)
{
	FILE *f = fopen(file, "wb");
	bool ok = f && fwrite(text, 1, len, f) == len;

	ok = f && !fclose(f) && ok;
	if (!ok)
		fprintf(stderr, "weft policy: %s: %s\n", file, strerror(errno));
	return ok;
}

/* Whole or not at all; what would be the same is left alone, so that nothing is built again for it. */
static bool write_file(const char *file, const char *text, size_t len)
{
	char fresh[4096];
	FILE *f;
	bool ok;
	int fd;

	if (is_special(file))
		return write_special(file, text, len);
	if (is_same(file, text, len))
		return true;
	if ((size_t)snprintf(fresh, sizeof(fresh), "%s.XXXXXX", file) >= sizeof(fresh)) {
		fprintf(stderr, "weft policy: %s: the path is too long\n", file);
		return false;
	}
	fd = mkstemp(fresh);
	f = fd < 0 ? NULL : fdopen(fd, "wb");
	ok = f && fwrite(text, 1, len, f) == len && !fchmod(fd, 0644);
	ok = (!f || !fclose(f)) && ok && !rename(fresh, file);
	if (!ok) {
		fprintf(stderr, "weft policy: %s: %s\n", file, strerror(errno));
		if (fd >= 0)
			unlink(fresh);
	}
	return ok;
}

static bool put_out(const char *file, const char *text, size_t len)
{
	if (strcmp(file, "-") != 0)
		return write_file(file, text, len);
	return fwrite(text, 1, len, stdout) == len && !fflush(stdout);
}

/* ---- what it was made from ---- */

/* As make and ninja read it. */
static void put_path(FILE *to, const char *path)
{
	for (; *path; path++) {
		if (*path == ' ' || *path == '#')
			putc('\\', to);
		else if (*path == '$')
			putc('$', to);
		putc(*path, to);
	}
}

static void put_dependency(FILE *to, const char *folder, const char *name)
{
	fputs(" \\\n  ", to);
	if (name[0] != '/')
		put_path(to, folder);
	put_path(to, name);
}

static void put_files_of(FILE *to, const char *folder, json_t *section)
{
	static const char *const keys[] = { "pem_file", "der_file", "crl_file" };
	const char *name;
	json_t *entry;

	json_object_foreach(section, name, entry)
	{
		for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
			const char *file = json_string_value(json_object_get(entry, keys[i]));

			if (file)
				put_dependency(to, folder, file);
		}
	}
}

static bool write_depfile(const struct policy_options *o)
{
	const char *file = o->files[0], *slash = strrchr(file, '/');
	json_t *root = json_load_file(file, 0, NULL);
	char folder[4096] = "", *text = NULL;
	size_t len;
	FILE *to = open_memstream(&text, &len);
	bool ok = false;

	if (!root || !to) {
		fprintf(stderr, "weft policy: %s: cannot be read again\n", file);
		goto out;
	}
	if (slash)
		snprintf(folder, sizeof(folder), "%.*s/", (int)(slash - file), file);
	put_path(to, o->output);
	putc(':', to);
	put_dependency(to, "", file);
	put_files_of(to, folder, json_object_get(root, "certs"));
	put_files_of(to, folder, json_object_get(root, "trust_stores"));
	putc('\n', to);
	ok = !fflush(to) && write_file(o->depfile, text, len);
out:
	if (to)
		fclose(to);
	json_decref(root);
	free(text);
	return ok;
}

int policy_compile(const struct policy_options *o)
{
	const struct weft_policy *policy;
	char symbol[256], *text = NULL;
	FILE *to;
	size_t len;
	bool ok;

	if (!o->output) {
		fprintf(stderr, "weft policy compile: expected -o FILE, or -o -\n");
		return EXIT_USAGE;
	}
	if (o->symbol && !is_identifier(o->symbol)) {
		fprintf(stderr,
			"weft policy compile: --symbol \"%s\": expected an identifier of C\n",
			o->symbol);
		return EXIT_USAGE;
	}
	if (o->depfile && !strcmp(o->output, "-")) {
		fprintf(stderr, "weft policy compile: --depfile needs -o FILE: make and ninja know "
				"files by "
				"their names\n");
		return EXIT_USAGE;
	}
	policy = policy_read(o, o->files[0], true, NULL);
	if (!policy)
		return EXIT_SOME_FAILED;
	default_symbol(policy, symbol, sizeof(symbol));
	to = open_memstream(&text, &len);
	if (to)
		policy_emit(to, policy, o->symbol ? o->symbol : symbol);
	ok = to && !fclose(to) && put_out(o->output, text, len);
	if (ok && o->depfile)
		ok = write_depfile(o);
	free(text);
	weft_policy_release(policy);
	return ok ? 0 : EXIT_SOME_FAILED;
}
