/* SPDX-License-Identifier: MIT */
/* weft plugins: every plugin that can be found, and why the others cannot be used. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "tool.h"

enum { FILES_MAX = 64 };

static const struct option_spec options[] = {
	{ "--plugin", "FILE", "load this module too (repeatable; an absolute path)" },
	{ "--plugin-dir", "DIR", "look for modules here (an absolute path)" },
	{ "--json", NULL, "one JSON array instead of a table" },
	{ "--help", NULL, "this text" },
	{ NULL, NULL, NULL },
};

static void complain(void *user, const char *path, const struct weft_error *err)
{
	(void)path;
	(void)user;
	fprintf(stderr, "weft: %s\n", err->text);
}

static void print_table(const struct weft_registry *r)
{
	struct weft_plugin_info p;

	printf("%-6s %-9s %-30s %-4s %-28s %s\n", "kind", "name", "version", "abi", "caps", "file");
	for (size_t i = 0; weft_registry_info(r, i, &p); i++) {
		char caps[128] = "";
		size_t used = 0;

		for (size_t k = 0; p.caps[k] && used < sizeof(caps); k++)
			used += (size_t)snprintf(
				caps + used, sizeof(caps) - used, "%s%s", k ? " " : "", p.caps[k]);
		printf("%-6s %-9s %-30s %-4u %-28s %s\n", p.kind, p.name, p.version, p.abi,
			caps[0] ? caps : "-", p.file ? p.file : "built in");
	}
}

static void print_json(const struct weft_registry *r)
{
	json_t *all = json_array();
	struct weft_plugin_info p;

	for (size_t i = 0; weft_registry_info(r, i, &p); i++) {
		json_t *caps = json_array();

		for (size_t k = 0; p.caps[k]; k++)
			json_array_append_new(caps, json_string(p.caps[k]));
		json_array_append_new(
			all, json_pack("{s:s, s:s, s:s, s:i, s:o, s:s?}", "kind", p.kind, "name",
				     p.name, "version", p.version, "abi", (int)p.abi, "caps", caps,
				     "file", p.file));
	}
	json_dumpf(all, stdout, JSON_COMPACT);
	printf("\n");
	json_decref(all);
}

int plugins_main(int argc, char **argv)
{
	struct args a = { argc, 1, argv, options, "plugins", NULL };
	const char *files[FILES_MAX], *dir = NULL, *o;
	size_t file_count = 0;
	bool json = false, bad = false;
	struct weft_registry *r;
	struct weft_error err;
	int rc = 0;

	while ((o = args_next(&a, &bad))) {
		if (!strcmp(o, "--help")) {
			args_help("weft plugins [OPTION]...", options);
			return 0;
		}
		if (!strcmp(o, "--json"))
			json = true;
		else if (!strcmp(o, "--plugin-dir"))
			dir = a.value;
		else if (!strcmp(o, "--plugin") && file_count < FILES_MAX)
			files[file_count++] = a.value;
		else
			bad = true;
		if (bad)
			fprintf(stderr, "weft plugins: unexpected \"%s\"\n", a.value);
	}
	if (bad)
		return EXIT_USAGE;
	if (weft_registry_create(dir, &r, &err)) {
		fprintf(stderr, "weft: %s\n", err.text);
		return EXIT_USAGE;
	}
	for (size_t i = 0; i < file_count; i++) {
		if (weft_registry_load(r, files[i], &err)) {
			fprintf(stderr, "weft: %s\n", err.text);
			rc = EXIT_SOME_FAILED;
		}
	}
	weft_registry_scan(r, complain, NULL);
	if (json)
		print_json(r);
	else
		print_table(r);
	weft_registry_release(r);
	return rc;
}
