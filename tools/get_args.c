/* SPDX-License-Identifier: MIT */
/* weft get: the command line. */
#include <stdlib.h>
#include <string.h>

#include "get.h"

static const struct option_spec options[] = {
	{ "--event", "NAME", "event loop" },
	{ "--tls", "NAME", "TLS backend" },
	{ "--http", "VERSION", "1.1" },
	{ "--cacert", "FILE", "trust these certificates instead of the system's" },
	{ "--insecure", NULL, "accept any certificate" },
	{ "--count", "N", "fetch each URL so many times (1)" },
	{ "--parallel", "N", "requests under way at once (1)" },
	{ "--max-conns", "N", "connections to one place at once (1)" },
	{ "--method", "M", "GET, or POST with data" },
	{ "--data", "TEXT", "request body" },
	{ "--data-file", "FILE", "request body from a file, - for standard input" },
	{ "--header", "H", "\"Name: value\" (repeatable)" },
	{ "-o", "FILE", "write bodies here instead of standard output" },
	{ "--explain", NULL, "tell on standard error what happened to each request" },
	{ "--json", NULL, "one line of figures on standard output; bodies go to -o only" },
	{ "--plugin-dir", "DIR", "where plugin modules are (an absolute path)" },
	{ "--log", "LEVEL", "error, warn, info or debug" },
	{ "--help", NULL, "this text" },
	{ NULL, NULL, NULL },
};

static bool add_header(struct get_options *o, const char *text)
{
	const char *colon = strchr(text, ':');
	struct weft_field *f;

	if (!colon || colon == text || o->header_count == HEADERS_MAX) {
		fprintf(stderr, "weft get: --header \"%s\": expected \"Name: value\"\n", text);
		return false;
	}
	f = &o->headers[o->header_count++];
	f->name = text;
	f->name_len = (size_t)(colon - text);
	f->value = colon + 1 + strspn(colon + 1, " \t");
	f->value_len = strlen(f->value);
	return true;
}

static bool set_number(struct get_options *o, const char *name, const char *text)
{
	unsigned long n;

	if (!args_number(name, text, 10000000, &n))
		return false;
	if (!strcmp(name, "--count"))
		o->count = n;
	else if (!strcmp(name, "--parallel"))
		o->parallel = n;
	else
		o->context.max_conns = (unsigned)n;
	return true;
}

static bool set_log(struct get_options *o, const char *text)
{
	struct weft_error err;

	if (weft_log_level_parse(text, &o->context.log_level, &err) == WEFT_OK)
		return true;
	fprintf(stderr, "weft get: %s\n", err.text);
	return false;
}

static bool set(struct get_options *o, const char *name, const char *value)
{
	const struct {
		const char *name;
		const char **to;
	} texts[] = {
		{ "--event", &o->context.event },
		{ "--tls", &o->context.tls },
		{ "--http", &o->protocol },
		{ "--cacert", &o->cacert },
		{ "--method", &o->method },
		{ "--data", &o->data },
		{ "--data-file", &o->data_file },
		{ "-o", &o->output },
		{ "--plugin-dir", &o->context.plugin_dir },
	};
	const struct {
		const char *name;
		bool *to;
	} flags[] = {
		{ "--insecure", &o->insecure },
		{ "--explain", &o->explain },
		{ "--json", &o->json },
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (!strcmp(name, texts[i].name)) {
			*texts[i].to = value;
			return true;
		}
	}
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		if (!strcmp(name, flags[i].name)) {
			*flags[i].to = true;
			return true;
		}
	}
	if (!strcmp(name, "--header"))
		return add_header(o, value);
	if (!strcmp(name, "--log"))
		return set_log(o, value);
	if (*name)
		return set_number(o, name, value);
	if (o->url_count == URLS_MAX) {
		fprintf(stderr, "weft get: more than %d URLs\n", URLS_MAX);
		return false;
	}
	o->urls[o->url_count++] = value;
	return true;
}

int get_parse(struct get_options *o, int argc, char **argv)
{
	struct args a = { argc, 1, argv, options, "get", NULL, "" };
	const char *name;
	bool bad = false;

	o->count = o->parallel = 1;
	while (!bad && (name = args_next(&a, &bad))) {
		if (!strcmp(name, "--help")) {
			args_help("weft get [OPTION]... URL...", options);
			return 0;
		}
		bad = !set(o, name, a.value);
	}
	if (bad)
		return EXIT_USAGE;
	if (!o->url_count) {
		fprintf(stderr, "weft get: expected a URL; see weft get --help\n");
		return EXIT_USAGE;
	}
	if (o->protocol && strcmp(o->protocol, "1.1")) {
		fprintf(stderr, "weft get: --http \"%s\": this build speaks 1.1\n", o->protocol);
		return EXIT_USAGE;
	}
	if (o->data && o->data_file) {
		fprintf(stderr, "weft get: --data and --data-file exclude each other\n");
		return EXIT_USAGE;
	}
	return -1;
}
