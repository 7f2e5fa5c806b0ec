/* SPDX-License-Identifier: MIT */
/* weft serve: what the command line asks for, and the workers that do it. */
#ifndef WEFT_TOOLS_SERVE_H
#define WEFT_TOOLS_SERVE_H

#include <pthread.h>
#include <stdatomic.h>

#include "access_log.h"
#include "serve_files.h"
#include "tool.h"

enum {
	LISTENERS_MAX = 32,
	SERVE_ROLES_MAX = 8,
	WORKERS_MAX = 256,
	DRAIN_SECONDS = 30,
	OTHERS_MAX = 16, /* of --plugin, and of --route */
	ROUTES_MAX = 8 + OTHERS_MAX,
	URL_MAX = 256
};

enum worker_state {
	WORKER_NOT_YET, /* nobody has begun to start it */
	WORKER_STARTING,
	WORKER_UP,
	WORKER_ENDED, /* or it never came up */
};

/* A thread with a context of its own, which only that thread touches. The first is the main thread. */
struct worker {
	struct serve *serve;
	unsigned index;
	pthread_t thread; /* not the first one's */
	bool joinable;
	struct weft_context *ctx;
	struct weft_vhost *vhost;
	struct weft_vhost *named[NAMED_MAX]; /* of --vhost, in their order */
	struct access_log *access_log;       /* NULL: none is written */
	struct weft_route routes[ROUTES_MAX];
	uint64_t started_us; /* by the context's clock */

	/* guarded by the serve's lock; id does not change once the worker is up */
	enum worker_state state;
	uint64_t id;               /* the context's, for posts */
	struct weft_error err;     /* why it did not come up, or did not go on */
	struct weft_counters last; /* when it ended */
};

/* What the command line says on TLS beyond certificate and key. */
struct serve_tls {
	const char *client_ca, *client_cert, *ocsp, *secret_file;
	bool no_tickets;
	unsigned char secret[64];
	struct weft_trust clients;
};

/* Roles of others, by --plugin, and where they are spoken, by --route. */
struct serve_others {
	const char *files[OTHERS_MAX];
	char paths[OTHERS_MAX][128];
	const char *names[OTHERS_MAX];
	size_t file_count, count;
	bool listens; /* a listener of theirs, too */
};

struct serve {
	const char *listen[LISTENERS_MAX];
	size_t listen_count;
	char role_text[256];
	const char *roles[SERVE_ROLES_MAX + 1]; /* of --roles; none: all */
	const char *cert, *key, *root;
	const char *access_path, *access_format;
	struct serve_files files;
	bool self_signed;
	struct serve_tls tls;
	struct serve_others others;
	unsigned long worker_count, drain_seconds, max_conns, max_per_address, heap_max, body_max;
	struct weft_context_options context;

	char *cert_pem, *key_pem;
	char bound[LISTENERS_MAX][URL_MAX]; /* where the first worker listens: the others do, too */
	struct weft_registry *registry;
	struct worker *workers;
	pthread_mutex_t lock;
	pthread_cond_t changed; /* the state of a worker */
};

/* ---- serve_args.c ---- */

/* -1: go on; else the exit code. */
int serve_parse(struct serve *v, int argc, char **argv);
bool serve_is_tls(const char *url);

/* ---- serve_worker.c ---- */

/* Brings the first one up on this thread, the others on theirs. What failed is left to workers_end. */
enum weft_status workers_start(struct serve *v, struct weft_error *err);
/* Runs the first one, and returns when all have ended: OK if all went well. */
enum weft_status workers_run(struct serve *v, struct weft_error *err);
/* Any thread: has all of them drain, and end. */
void workers_drain(struct serve *v);
/* Any thread: has them read the certificate and key again. */
void workers_reload(struct serve *v);

/* ---- serve_status.c: the route /status; user is the worker ---- */

enum weft_status route_status(struct weft_stream *s, void *worker);

/* ---- serve_others.c: their streams are answered as /echo does ---- */

/* Complain of what is wrong with it. */
bool serve_others_add_file(struct serve_others *r, const char *file);
bool serve_others_add_route(struct serve_others *r, const char *text);
enum weft_status serve_others_load(
	const struct serve_others *r, struct weft_registry *registry, struct weft_error *err);
/* Writes their routes behind the others; returns the next free one. */
struct weft_route *serve_others_routes(const struct serve_others *r, struct weft_route *to);

/* ---- serve_tls.c ---- */

/* Whether these options go together; reads the secret. Complains otherwise. */
bool serve_tls_check(struct serve_tls *t);
/* Into a vhost's options, which point into t then. */
void serve_tls_options(struct serve_tls *t, struct weft_vhost_options *o);
/* Who the client is, and how it came here. */
enum weft_status route_whoami(struct weft_stream *s, void *user);

#endif
