/* SPDX-License-Identifier: MIT */
/* weft get: the command line. */
#include <stdlib.h>
#include <string.h>

#include "get.h"

static const struct option_spec options[] = {
	{ "--event", "NAME", "event loop (weft plugins lists them)" },
	{ "--tls", "NAME", "TLS backend" },
	{ "--http", "VERSION", "1.1, 2, or auto: what both sides speak best (auto)" },
	{ "--cacert", "FILE", "trust these PEM certificates instead of the system's" },
	{ "--cert", "FILE", "PEM certificate chain to show where the server asks, leaf first" },
	{ "--key", "FILE", "its PEM key" },
	{ "--pin", "PIN", "sha256//BASE64 of the server's public key (repeatable)" },
	{ "--proxy", "URL", "go through it: http://HOST:PORT or socks5://HOST:PORT" },
	{ "--no-tickets", NULL, "resume no TLS sessions" },
	{ "--coalesce", NULL, "hosts may share a connection whose certificate is for both" },
	{ "--insecure", NULL, "accept any certificate" },
	{ "--policy", "FILE", "open streams of this policy instead of URLs" },
	{ "--stream", "NAME", "... which one (repeatable)" },
	{ "--metadata", "NAME=VALUE", "... what it asks for (repeatable)" },
	{ "--provide", "NAME=FILE", "... a credential's app:NAME, in PEM (repeatable)" },
	{ "--count", "N", "fetch each URL or stream so many times (1)" },
	{ "--parallel", "N", "requests under way at once (1)" },
	{ "--max-conns", "N", "connections to one place at once (1)" },
	{ "--method", "M", "request method (GET, or POST with data)" },
	{ "--data", "TEXT", "request body" },
	{ "--data-file", "FILE", "request body from a file, - for standard input" },
	{ "--header", "H", "request field, \"Name: value\" (repeatable)" },
	{ "-o", "FILE", "write bodies here instead of standard output" },
	{ "--explain", NULL, "tell on standard error what happened to each request, and in all" },
	{ "--json", NULL, "one line of figures on standard output; bodies go to -o only" },
	{ "--plugin-dir", "DIR", "where plugin modules are (an absolute path)" },
	{ "--log", "LEVEL", "error, warn, info or debug (warn)" },
	{ "--help", NULL, "this text" },
	{ NULL, NULL, NULL },
};

static const char notes[] =
	"Bodies are written as they arrive, so those of requests under way at once may mix.\n"
	"A response counts as complete whatever its status. Exit code: 0 all complete, 1 some\n"
	"failed, 2 a mistake in the command line, 3 a certificate was not accepted.\n";

static bool add_header(struct get_options *o, const char *text)
{
	const char *colon = strchr(text, ':');
	struct weft_field *f;

	if (!colon || colon == text) {
		fprintf(stderr, "weft get: --header \"%s\": expected \"Name: value\"\n", text);
		return false;
	}
	if (o->header_count == HEADERS_MAX) {
		fprintf(stderr, "weft get: more than %d times --header\n", HEADERS_MAX);
		return false;
	}
	f = &o->headers[o->header_count++];
	f->name = text;
	f->name_len = (size_t)(colon - text);
	f->value = colon + 1 + strspn(colon + 1, " \t");
	f->value_len = strlen(f->value);
	return true;
}

/* Or a stream's name. */
static bool add_url(struct get_options *o, const char *url)
{
	if (o->url_count == URLS_MAX) {
		fprintf(stderr, "weft get: more than %d URLs or streams\n", URLS_MAX);
		return false;
	}
	o->urls[o->url_count++] = url;
	return true;
}

static bool set_number(struct get_options *o, const struct args *a, const char *name)
{
	unsigned long n;

	if (!args_number(a, name, 10000000, &n))
		return false;
	if (!strcmp(name, "--count"))
		o->count = n;
	else if (!strcmp(name, "--parallel"))
		o->parallel = n;
	else
		o->context.max_conns = (unsigned)n;
	return true;
}

static bool set_http(struct get_options *o, const char *version)
{
	static const char *const one[] = { "http/1.1", NULL }, *const two[] = { "h2", NULL };

	o->protocol = version;
	if (!strcmp(version, "1.1"))
		o->alpn = one;
	else if (!strcmp(version, "2"))
		o->alpn = two;
	else if (!strcmp(version, "auto"))
		o->alpn = NULL;
	else
		fprintf(stderr, "weft get: --http \"%s\": expected 1.1, 2 or auto\n", version);
	return o->alpn || !strcmp(version, "auto");
}

static bool set(struct get_options *o, const struct args *a, const char *name)
{
	const struct {
		const char *name;
		const char **to;
	} texts[] = {
		{ "--event", &o->context.event },
		{ "--tls", &o->context.tls },
		{ "--cacert", &o->cacert },
		{ "--cert", &o->cert },
		{ "--key", &o->key },
		{ "--policy", &o->policy },
		{ "--method", &o->method },
		{ "--data", &o->data },
		{ "--data-file", &o->data_file },
		{ "-o", &o->output },
		{ "--proxy", &o->proxy },
		{ "--plugin-dir", &o->context.plugin_dir },
	};
	const struct {
		const char *name;
		bool *to;
	} flags[] = {
		{ "--insecure", &o->insecure },
		{ "--no-tickets", &o->context.no_tickets },
		{ "--coalesce", &o->coalesce },
		{ "--explain", &o->explain },
		{ "--json", &o->json },
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (!strcmp(name, texts[i].name)) {
			*texts[i].to = a->value;
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
		return add_header(o, a->value);
	if (!strcmp(name, "--http"))
		return set_http(o, a->value);
	if (!strcmp(name, "--pin"))
		return get_add_pin(o, a->value);
	if (!strcmp(name, "--stream")) {
		o->stream_count++;
		return add_url(o, a->value);
	}
	if (!strcmp(name, "--metadata"))
		return get_add_metadata(o, a->value);
	if (!strcmp(name, "--provide"))
		return get_add_provided(o, a->value);
	if (!strcmp(name, "--log"))
		return args_log(a, &o->context.log_level);
	return *name ? set_number(o, a, name) : add_url(o, a->value);
}

/* What a policy says itself, or NULL. */
static const char *decided(const struct get_options *o)
{
	const struct {
		const char *name;
		bool given;
	} own[] = {
		{ "--cacert", o->cacert },
		{ "--cert", o->cert },
		{ "--key", o->key },
		{ "--pin", o->pin_count },
		{ "--insecure", o->insecure },
		{ "--method", o->method },
		{ "--header", o->header_count },
		{ "--http", o->protocol },
		{ "--coalesce", o->coalesce },
	};

	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
		if (own[i].given)
			return own[i].name;
	}
	return NULL;
}

static bool consistent_policy(const struct get_options *o)
{
	const char *own = decided(o);

	if (!o->policy)
		fprintf(stderr, "weft get: --stream, --metadata and --provide go with --policy\n");
	else if (o->url_count > o->stream_count)
		fprintf(stderr,
			"weft get: --policy and URLs exclude each other: the policy says where "
			"a stream goes\n");
	else if (!o->stream_count)
		fprintf(stderr, "weft get: --policy: expected --stream NAME\n");
	else if (own)
		fprintf(stderr,
			"weft get: --policy and %s exclude each other: the policy decides that\n",
			own);
	else if (o->data && o->data_file)
		fprintf(stderr, "weft get: --data and --data-file exclude each other\n");
	else
		return true;
	return false;
}

static bool consistent(const struct get_options *o)
{
	if (o->policy || o->stream_count || o->metadata_count || o->provided_count)
		return consistent_policy(o);
	if (!o->url_count)
		fprintf(stderr, "weft get: expected a URL; see weft get --help\n");
	else if (!o->cert != !o->key)
		fprintf(stderr, "weft get: --cert and --key go together\n");
	else if (o->data && o->data_file)
		fprintf(stderr, "weft get: --data and --data-file exclude each other\n");
	else
		return true;
	return false;
}

int get_parse(struct get_options *o, int argc, char **argv)
{
	struct args a = { argc, 1, argv, options, "get", NULL };
	const char *name;
	bool bad = false;

	o->count = o->parallel = 1;
	while (!bad && (name = args_next(&a, &bad))) {
		if (!strcmp(name, "--help")) {
			args_help("weft get [OPTION]... URL... | --policy FILE --stream NAME...",
				options);
			printf("\n%s", notes);
			return 0;
		}
		bad = !set(o, &a, name);
	}
	if (bad || !consistent(o))
		return EXIT_USAGE;
	/* all that run at once may wait in one queue */
	o->context.max_queue = (unsigned)o->parallel;
	o->context.linger_ms = LINGER_MS;
	return -1;
}
