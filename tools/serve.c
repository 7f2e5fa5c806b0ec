/* SPDX-License-Identifier: MIT */
/* weft serve: one vhost at any number of listeners. */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tool.h"

enum { LISTENERS_MAX = 32, DRAIN_MS = 5000 };

static const struct option_spec options[] = {
	{ "--listen", "URL", "http://ADDR:PORT, https://ADDR:PORT or unix:PATH (repeatable)" },
	{ "--event", "NAME", "event loop" },
	{ "--tls", "NAME", "TLS backend" },
	{ "--cert", "FILE", "PEM certificate chain" },
	{ "--key", "FILE", "its PEM key" },
	{ "--self-signed", NULL, "make a certificate for the addresses listened at" },
	{ "--root", "DIR", "serve the files below this directory" },
	{ "--plugin-dir", "DIR", "where plugin modules are (an absolute path)" },
	{ "--log", "LEVEL", "error, warn, info or debug" },
	{ "--help", NULL, "this text" },
	{ NULL, NULL, NULL },
};

struct serve {
	const char *listen[LISTENERS_MAX];
	size_t listen_count;
	const char *cert, *key, *root;
	bool self_signed;
	struct weft_context_options context;
	struct weft_context *ctx;
	struct weft_vhost *vhost;
	char *cert_pem, *key_pem;
};

static int parse(struct serve *v, int argc, char **argv)
{
	struct args a = { argc, 1, argv, options, "serve", NULL, "" };
	struct weft_error err;
	const char *o;
	bool bad = false;

	while ((o = args_next(&a, &bad))) {
		if (!strcmp(o, "--help")) {
			args_help("weft serve [OPTION]...", options);
			return 0;
		}
		if (!strcmp(o, "--listen") && v->listen_count < LISTENERS_MAX) {
			v->listen[v->listen_count++] = a.value;
		} else if (!strcmp(o, "--event")) {
			v->context.event = a.value;
		} else if (!strcmp(o, "--tls")) {
			v->context.tls = a.value;
		} else if (!strcmp(o, "--cert")) {
			v->cert = a.value;
		} else if (!strcmp(o, "--key")) {
			v->key = a.value;
		} else if (!strcmp(o, "--self-signed")) {
			v->self_signed = true;
		} else if (!strcmp(o, "--root")) {
			v->root = a.value;
		} else if (!strcmp(o, "--plugin-dir")) {
			v->context.plugin_dir = a.value;
		} else if (!strcmp(o, "--log")) {
			if (weft_log_level_parse(a.value, &v->context.log_level, &err)) {
				fprintf(stderr, "weft serve: %s\n", err.text);
				bad = true;
			}
		} else {
			fprintf(stderr, "weft serve: unexpected \"%s\"\n", a.value);
			bad = true;
		}
	}
	if (!v->listen_count)
		v->listen[v->listen_count++] = "http://127.0.0.1:8080";
	return bad ? EXIT_USAGE : -1;
}

static bool is_tls(const char *url)
{
	return !strncmp(url, "https", 5);
}

static int check(const struct serve *v)
{
	bool tls = false;

	for (size_t i = 0; i < v->listen_count; i++)
		tls |= is_tls(v->listen[i]);
	if (tls && !v->self_signed && (!v->cert || !v->key)) {
		fprintf(stderr, "weft serve: https needs --cert and --key, or --self-signed\n");
		return EXIT_USAGE;
	}
	if (v->self_signed && (v->cert || v->key)) {
		fprintf(stderr, "weft serve: --self-signed and --cert exclude each other\n");
		return EXIT_USAGE;
	}
	if (!v->cert != !v->key) {
		fprintf(stderr, "weft serve: --cert and --key go together\n");
		return EXIT_USAGE;
	}
	return -1;
}

/* The names that a self-signed certificate is for: the usual ones, and the hosts listened at. */
static enum weft_status make_identity(struct serve *v, struct weft_error *err)
{
	const char *names[LISTENERS_MAX + 4] = { "localhost", "127.0.0.1", "::1" };
	char hosts[LISTENERS_MAX][128];
	size_t n = 3, len;

	for (size_t i = 0; i < v->listen_count; i++) {
		const char *host = strstr(v->listen[i], "://");

		if (!is_tls(v->listen[i]) || !host)
			continue;
		host += 3;
		len = *host == '[' ? strcspn(++host, "]") : strcspn(host, ":/");
		if (len && len < sizeof(hosts[0])) {
			snprintf(hosts[i], sizeof(hosts[i]), "%.*s", (int)len, host);
			names[n++] = hosts[i];
		}
	}
	return self_signed_make(names, &v->cert_pem, &v->key_pem, err);
}

static enum weft_status start(struct serve *v, struct weft_error *err)
{
	static struct weft_route routes[] = {
		{ .path = "/hello", .on_request = route_hello },
		{ .path = "/echo", .on_request = route_echo },
		{ .prefix = "/bytes/", .on_request = route_bytes },
		{ .path = "/status", .on_request = route_status },
		{ .on_request = NULL },
		{ .on_request = NULL },
	};
	struct weft_vhost_options o = { .name = "localhost", .routes = routes };
	enum weft_status st = weft_context_create(&v->context, &v->ctx, err);

	if (st == WEFT_OK && v->self_signed)
		st = make_identity(v, err);
	if (st)
		return st;
	if (v->root)
		routes[4] = (struct weft_route){ .prefix = "/",
			.on_request = weft_http_files,
			.user = (void *)(uintptr_t)v->root };
	o.cert_file = v->cert;
	o.key_file = v->key;
	if (v->self_signed) {
		o.credential.cert =
			(struct weft_span){ (unsigned char *)v->cert_pem, strlen(v->cert_pem) };
		o.credential.key =
			(struct weft_span){ (unsigned char *)v->key_pem, strlen(v->key_pem) };
	}
	st = weft_vhost_create(v->ctx, &o, &v->vhost, err);
	for (size_t i = 0; i < v->listen_count && st == WEFT_OK; i++) {
		char url[256];

		snprintf(url, sizeof(url), "%s%s",
			!strncmp(v->listen[i], "unix:", 5) ? "http+" : "", v->listen[i]);
		st = weft_vhost_listen(v->vhost, url, err);
	}
	return st;
}

static void print_listeners(const struct serve *v)
{
	char url[256];

	for (size_t i = 0; weft_vhost_listener(v->vhost, i, url, sizeof(url)) == WEFT_OK; i++)
		printf("listening %s\n", !strncmp(url, "http+", 5) ? url + 5 : url);
	fflush(stdout);
}

/* ---- signals: a thread of their own waits for them, and posts ---- */

static void end(void *arg)
{
	weft_context_destroy(arg, DRAIN_MS, NULL, NULL);
}

struct watcher {
	uint64_t id;
	struct weft_context *ctx;
	atomic_bool done;
};

static void *wait_for_signals(void *arg)
{
	struct watcher *w = arg;
	sigset_t set;
	int sig;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigwait(&set, &sig);
	if (atomic_load(&w->done) || weft_post(w->id, end, w->ctx, NULL))
		return NULL;
	/* a second one ends at once */
	sigwait(&set, &sig);
	if (!atomic_load(&w->done))
		_Exit(1);
	return NULL;
}

static int run(struct serve *v)
{
	struct watcher w = { .id = weft_context_id(v->ctx), .ctx = v->ctx };
	pthread_t thread;
	enum weft_status st;

	if (pthread_create(&thread, NULL, wait_for_signals, &w)) {
		fprintf(stderr, "weft serve: no thread for signals\n");
		weft_context_destroy(v->ctx, 0, NULL, NULL);
		return EXIT_SOME_FAILED;
	}
	st = weft_context_run(v->ctx);
	atomic_store(&w.done, true);
	pthread_kill(thread, SIGTERM);
	pthread_join(thread, NULL);
	return st ? EXIT_SOME_FAILED : 0;
}

int serve_main(int argc, char **argv)
{
	struct serve v = { .cert = NULL };
	struct weft_error err = { .status = WEFT_OK };
	sigset_t set;
	int rc = parse(&v, argc, argv);

	if (rc < 0)
		rc = check(&v);
	if (rc >= 0)
		return rc;
	/* before any thread is made, so that only the one that waits gets them */
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	if (start(&v, &err)) {
		fprintf(stderr, "weft serve: %s\n", err.text);
		weft_context_destroy(v.ctx, 0, NULL, NULL);
		rc = EXIT_USAGE;
	} else {
		print_listeners(&v);
		rc = run(&v);
	}
	free(v.cert_pem);
	free(v.key_pem);
	return rc;
}
