/* SPDX-License-Identifier: MIT */
/* weft serve: the command line. */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "serve.h"

static const struct option_spec options[] = {
	{ "--listen", "URL", "http://ADDR:PORT, https://ADDR:PORT or unix:PATH (repeatable)" },
	{ "--event", "NAME", "event loop (weft plugins lists them)" },
	{ "--tls", "NAME", "TLS backend" },
	{ "--roles", "NAME,...", "what is spoken, the best first: h2,h1 (all that serve HTTP)" },
	{ "--cert", "FILE", "PEM certificate chain, leaf first" },
	{ "--key", "FILE", "its PEM key" },
	{ "--client-ca", "FILE", "ask clients for a certificate of one of these issuers" },
	{ "--client-cert", "HOW", "whether they must have one: optional or required (required)" },
	{ "--ocsp", "FILE", "an OCSP response in DER, stapled to handshakes" },
	{ "--ticket-secret", "FILE", "64 bytes that all have who know each other's tickets" },
	{ "--no-tickets", NULL, "resume no sessions" },
	{ "--self-signed", NULL, "make a certificate for localhost and the addresses listened at" },
	{ "--root", "DIR", "serve the files below this directory too" },
	{ "--vhost", "NAME=DIR", "serve these files where NAME is asked for (repeatable)" },
	{ "--listing", NULL, "show directories without an index.html as a list" },
	{ "--cache-control", "P=VALUE",
		"what caches may do with paths like P, \"*.css\" (repeatable)" },
	{ "--body-max", "BYTES", "of a request's body; more is answered 413 (no limit)" },
	{ "--access-log", "FILE", "a line for each request, - for standard output" },
	{ "--access-format", "FORMAT", "common, combined or json (combined)" },
	{ "--workers", "N", "threads, each with listeners of its own at the same addresses (1)" },
	{ "--max-conns", "N", "connections at once, a worker (no limit)" },
	{ "--max-conns-per-address", "N", "the same of one address, or IPv6 /64 (no limit)" },
	{ "--heap-max", "BYTES", "memory, a worker (no limit)" },
	{ "--drain-seconds", "N", "how long what is under way may take at the end (30)" },
	{ "--plugin", "FILE", "load this module (an absolute path; repeatable)" },
	{ "--route", "PATH=ROLE",
		"echo what a role's streams bring here, by Upgrade (repeatable)" },
	{ "--plugin-dir", "DIR", "where plugin modules are (an absolute path)" },
	{ "--log", "LEVEL", "error, warn, info or debug (warn)" },
	{ "--help", NULL, "this text" },
	{ NULL, NULL, NULL },
};

static void help(void)
{
	args_help("weft serve [OPTION]...", options);
	printf("\nListens at http://127.0.0.1:8080 unless told otherwise; port 0 picks a free "
	       "one.\n"
	       "Always there, whatever files there are:\n"
	       "  /hello    a greeting\n"
	       "  /echo     the request's body, as it arrives\n"
	       "  /bytes/N  N bytes\n"
	       "  /status   connections, streams, vhosts and counters, as JSON\n"
	       "  /whoami   who the client is, and what was agreed on with it, as JSON\n"
	       "A role of --plugin is spoken at --listen SCHEME://ADDR:PORT with its scheme, and "
	       "at\n"
	       "the PATH of a --route: by HTTP/1.1's Upgrade and HTTP/2's extended CONNECT.\n"
	       "What is over a limit is refused: counted in /status, and logged. Unix sockets are\n"
	       "served by the first worker alone.\n"
	       "SIGTERM or SIGINT ends it: no new connection is taken, and what is under way may\n"
	       "finish within --drain-seconds. A second one ends it at once. SIGHUP has it read\n"
	       "--cert and --key again; if they are bad, the old ones stay in use. It opens\n"
	       "--access-log anew as well.\n");
}

static bool complain(const char *text)
{
	fprintf(stderr, "weft serve: %s\n", text);
	return false;
}

/* http://ADDR:PORT, perhaps with the slash that a browser shows behind it, or unix:PATH */
static bool is_listener(const char *url)
{
	const char *path;

	if (!strncmp(url, "unix:", 5))
		return url[5];
	if (strncasecmp(url, "http://", 7) && strncasecmp(url, "https://", 8))
		return false;
	path = strchr(strstr(url, "://") + 3, '/');
	return !path || !path[1];
}

/* Those of other roles than HTTP's, which a plugin brings. */
static bool check_listeners(struct serve *v)
{
	for (size_t i = 0; i < v->listen_count; i++) {
		const char *url = v->listen[i];

		if (is_listener(url))
			continue;
		if (!v->others.file_count || !strstr(url, "://")) {
			fprintf(stderr,
				"weft serve: --listen \"%s\": expected http://ADDR:PORT, "
				"https://ADDR:PORT or unix:PATH\n",
				url);
			return false;
		}
		v->others.listens = true;
	}
	return true;
}

static bool add_listener(struct serve *v, const char *url)
{
	if (v->listen_count == LISTENERS_MAX) {
		fprintf(stderr, "weft serve: more than %d listeners\n", LISTENERS_MAX);
		return false;
	}
	v->listen[v->listen_count++] = url;
	return true;
}

static bool set_roles(struct serve *v, const char *list)
{
	size_t n = 0;

	if ((size_t)snprintf(v->role_text, sizeof(v->role_text), "%s", list) >=
		sizeof(v->role_text)) {
		fprintf(stderr, "weft serve: --roles: more than %zu bytes\n",
			sizeof(v->role_text) - 1);
		return false;
	}
	for (char *at = strtok(v->role_text, ","); at; at = strtok(NULL, ",")) {
		if (n == SERVE_ROLES_MAX) {
			fprintf(stderr, "weft serve: --roles: more than %d\n", SERVE_ROLES_MAX);
			return false;
		}
		v->roles[n++] = at;
	}
	if (!n)
		fprintf(stderr, "weft serve: --roles: expected names, as in h2,h1\n");
	return n;
}

static bool set(struct serve *v, const struct args *a, const char *name)
{
	const struct {
		const char *name;
		const char **to;
	} texts[] = {
		{ "--event", &v->context.event },
		{ "--tls", &v->context.tls },
		{ "--cert", &v->cert },
		{ "--key", &v->key },
		{ "--root", &v->root },
		{ "--client-ca", &v->tls.client_ca },
		{ "--client-cert", &v->tls.client_cert },
		{ "--ocsp", &v->tls.ocsp },
		{ "--ticket-secret", &v->tls.secret_file },
		{ "--access-log", &v->access_path },
		{ "--access-format", &v->access_format },
		{ "--plugin-dir", &v->context.plugin_dir },
	};
	const struct {
		const char *name;
		unsigned long max, *to;
	} numbers[] = {
		{ "--workers", WORKERS_MAX, &v->worker_count },
		{ "--drain-seconds", 86400, &v->drain_seconds },
		{ "--max-conns", UINT_MAX, &v->max_conns },
		{ "--max-conns-per-address", UINT_MAX, &v->max_per_address },
		{ "--heap-max", SIZE_MAX, &v->heap_max },
		{ "--body-max", LONG_MAX, &v->body_max },
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (!strcmp(name, texts[i].name)) {
			*texts[i].to = a->value;
			return true;
		}
	}
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		if (!strcmp(name, numbers[i].name))
			return args_number(a, name, numbers[i].max, numbers[i].to);
	}
	if (!strcmp(name, "--listen"))
		return add_listener(v, a->value);
	if (!strcmp(name, "--roles"))
		return set_roles(v, a->value);
	if (!strcmp(name, "--plugin"))
		return serve_others_add_file(&v->others, a->value);
	if (!strcmp(name, "--route"))
		return serve_others_add_route(&v->others, a->value);
	if (!strcmp(name, "--vhost"))
		return serve_files_add_vhost(&v->files, a->value);
	if (!strcmp(name, "--cache-control"))
		return serve_files_add_rule(&v->files, a->value);
	if (!strcmp(name, "--listing"))
		return v->files.listing = true;
	if (!strcmp(name, "--log"))
		return args_log(a, &v->context.log_level);
	if (!*name) {
		fprintf(stderr, "weft serve: unexpected \"%s\"; see weft serve --help\n", a->value);
		return false;
	}
	if (!strcmp(name, "--no-tickets"))
		v->tls.no_tickets = true;
	else
		v->self_signed = true;
	return true;
}

bool serve_is_tls(const char *url)
{
	return !strncasecmp(url, "https:", 6);
}

static bool consistent(struct serve *v)
{
	bool tls = false;

	if (!check_listeners(v))
		return false;
	for (size_t i = 0; i < v->listen_count; i++)
		tls |= serve_is_tls(v->listen[i]);
	if (v->self_signed && (v->cert || v->key))
		return complain("--self-signed excludes --cert and --key");
	if (!v->cert != !v->key)
		return complain("--cert and --key go together");
	if (tls && !v->self_signed && !v->cert)
		return complain("https needs --cert and --key, or --self-signed");
	if (v->access_format && !access_log_format(v->access_format))
		return complain("--access-format: expected common, combined or json");
	if (v->access_format && !v->access_path)
		return complain("--access-format needs --access-log");
	return true;
}

int serve_parse(struct serve *v, int argc, char **argv)
{
	struct args a = { argc, 1, argv, options, "serve", NULL };
	const char *name;
	bool bad = false;

	while (!bad && (name = args_next(&a, &bad))) {
		if (!strcmp(name, "--help")) {
			help();
			return 0;
		}
		bad = !set(v, &a, name);
	}
	if (bad || !consistent(v) || !serve_tls_check(&v->tls) ||
		!serve_files_ready(&v->files, v->root) ||
		(v->access_path && !access_log_open(v->access_path,
					   v->access_format ? v->access_format : "combined")))
		return EXIT_USAGE;
	v->context.conns_max = (unsigned)v->max_conns;
	v->context.conns_per_address = (unsigned)v->max_per_address;
	v->context.heap_max = v->heap_max;
	if (!v->listen_count)
		v->listen[v->listen_count++] = "http://127.0.0.1:8080";
	return -1;
}
