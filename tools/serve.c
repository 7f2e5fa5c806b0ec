/* SPDX-License-Identifier: MIT */
/* weft serve: one vhost at any number of listeners, by any number of workers; and the signals. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

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
	enum weft_status st = weft_registry_create(v->context.plugin_dir, &v->registry, err);

	if (st == WEFT_OK)
		st = serve_others_load(&v->others, v->registry, err);
	if (st == WEFT_OK && v->self_signed)
		st = make_identity(v, err);
	if (st == WEFT_OK && v->worker_count > 1 && !v->tls.secret_file &&
		getrandom(v->tls.secret, sizeof(v->tls.secret), 0) != sizeof(v->tls.secret))
		st = weft_error_set(err, WEFT_ERR_IO, 0, "no random bytes for tickets");
	v->workers = calloc(v->worker_count, sizeof(*v->workers));
	if (st == WEFT_OK && !v->workers)
		st = weft_error_set(err, WEFT_ERR_MEMORY, 0, "no memory for workers");
	if (st == WEFT_OK)
		st = workers_start(v, err);
	if (st == WEFT_ERR_TLS && v->cert)
		weft_error_prefix(err, "%.60s, %.60s", v->cert, v->key);
	return st;
}

/* 2 for what another command line would mend. */
static int exit_code(enum weft_status status)
{
	switch (status) {
	case WEFT_OK:
		return 0;
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
	for (size_t i = 0; i < v->listen_count; i++)
		printf("listening %s\n",
			!strncmp(v->bound[i], "http+", 5) ? v->bound[i] + 5 : v->bound[i]);
	fflush(stdout);
}

/* ---- signals: a thread of their own waits for them, and posts ---- */

struct watcher {
	struct serve *serve;
	atomic_bool done;
};

static void all_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGHUP);
}

static void *wait_for_signals(void *arg)
{
	struct watcher *w = arg;
	bool ending = false;
	sigset_t set;
	int sig;

	all_signals(&set);
	for (;;) {
		sigwait(&set, &sig);
		if (atomic_load(&w->done))
			return NULL;
		if (sig == SIGHUP) {
			(void)access_log_reopen();
			workers_reload(w->serve);
			continue;
		}
		/* a second one ends at once */
		if (ending)
			_Exit(1);
		ending = true;
		workers_drain(w->serve);
	}
}

static enum weft_status run(struct serve *v, struct weft_error *err)
{
	struct watcher w = { .serve = v };
	pthread_t thread;
	enum weft_status st;

	if (pthread_create(&thread, NULL, wait_for_signals, &w)) {
		workers_drain(v);
		(void)workers_run(v, err);
		return weft_error_set(err, WEFT_ERR_IO, 0, "no thread for signals");
	}
	st = workers_run(v, err);
	atomic_store(&w.done, true);
	pthread_kill(thread, SIGTERM);
	pthread_join(thread, NULL);
	return st;
}

int serve_main(int argc, char **argv)
{
	struct serve v = {
		.worker_count = 1,
		.drain_seconds = DRAIN_SECONDS,
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.changed = PTHREAD_COND_INITIALIZER,
	};
	struct weft_error err = { .status = WEFT_OK };
	enum weft_status st;
	sigset_t set;
	int rc;

	/* before any thread is made, so that only the one that waits gets them; until then they wait */
	all_signals(&set);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	/* a log that nobody reads any more is a line on standard error, no end */
	signal(SIGPIPE, SIG_IGN);
	rc = serve_parse(&v, argc, argv);
	if (rc >= 0)
		return rc;
	st = start(&v, &err);
	if (st == WEFT_OK) {
		print_listeners(&v);
		st = run(&v, &err);
	}
	if (st)
		fprintf(stderr, "weft serve: %s\n", err.text);
	weft_registry_release(v.registry);
	free(v.workers);
	free(v.cert_pem);
	free(v.key_pem);
	return exit_code(st);
}
