/* SPDX-License-Identifier: MIT */
/* weft serve: one vhost at any number of listeners. */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "serve.h"

/* The names that a self-signed certificate is for: the usual ones, and the hosts listened at. */
static enum weft_status make_identity(struct serve *v, struct weft_error *err)
{
	const char *names[LISTENERS_MAX + 4] = { "localhost", "127.0.0.1", "::1" };
	char hosts[LISTENERS_MAX][128];
	size_t n = 3, len;

	for (size_t i = 0; i < v->listen_count; i++) {
		const char *host = strstr(v->listen[i], "://");

		if (!serve_is_tls(v->listen[i]) || !host)
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
		{ .path = "/whoami", .on_request = route_whoami },
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
		routes[5] = (struct weft_route){ .prefix = "/",
			.on_request = weft_http_files,
			.user = (void *)(uintptr_t)v->root };
	serve_tls_options(&v->tls, &o);
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
	if (st == WEFT_ERR_TLS && v->cert)
		weft_error_prefix(err, "%.60s, %.60s", v->cert, v->key);
	return st;
}

/* 2 for what another command line would mend. */
static int exit_code(enum weft_status status)
{
	switch (status) {
	case WEFT_ERR_ARGUMENT:
	case WEFT_ERR_NOT_FOUND:
	case WEFT_ERR_UNSUPPORTED:
	case WEFT_ERR_TLS:
	case WEFT_ERR_PLUGIN:
	case WEFT_ERR_ABI:
		return EXIT_USAGE;
	default:
		return EXIT_SOME_FAILED;
	}
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
	weft_context_destroy(arg, DRAIN_SECONDS * 1000, NULL, NULL);
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
	int rc = serve_parse(&v, argc, argv);

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
		rc = exit_code(err.status);
	} else {
		print_listeners(&v);
		rc = run(&v);
	}
	free(v.cert_pem);
	free(v.key_pem);
	return rc;
}
