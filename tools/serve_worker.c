/* SPDX-License-Identifier: MIT */
/*
 * The workers of `weft serve`: each a thread with a context, a vhost and listeners of its own, at the same
 * addresses. What is to happen in one is posted to it.
 */
#include <stdio.h>
#include <string.h>

#include "serve.h"

/* ---- coming up ---- */

static void set_routes(struct worker *w)
{
	struct weft_route *r = w->routes;

	*r++ = (struct weft_route){ .path = "/hello", .on_request = route_hello };
	*r++ = (struct weft_route){ .path = "/echo", .on_request = route_echo };
	*r++ = (struct weft_route){ .prefix = "/bytes/", .on_request = route_bytes };
	*r++ = (struct weft_route){ .path = "/status", .on_request = route_status, .user = w };
	*r++ = (struct weft_route){ .path = "/whoami", .on_request = route_whoami };
	r = serve_others_routes(&w->serve->others, r);
	if (w->serve->root)
		*r++ = (struct weft_route){ .prefix = "/",
			.on_request = weft_http_serve_files,
			.user = &w->serve->files.root };
}

static void set_credential(const struct serve *v, struct weft_credential *c)
{
	c->cert_file = v->cert;
	c->key_file = v->key;
	if (!v->self_signed)
		return;
	c->cert = (struct weft_span){ (unsigned char *)v->cert_pem, strlen(v->cert_pem) };
	c->key = (struct weft_span){ (unsigned char *)v->key_pem, strlen(v->key_pem) };
}

static bool resumes(struct weft_context *ctx)
{
	struct weft_plugin_info p;

	for (size_t i = 0; weft_registry_info(weft_context_registry(ctx), i, &p); i++) {
		if (strcmp(p.kind, "tls") || strcmp(p.name, weft_context_tls(ctx)))
			continue;
		for (size_t k = 0; p.caps[k]; k++) {
			if (!strcmp(p.caps[k], "resume"))
				return true;
		}
	}
	return false;
}

/* The first one finds out which ports there are. A Unix socket's file has one owner: the first. */
static enum weft_status listen_all(struct worker *w, struct weft_error *err)
{
	struct serve *v = w->serve;
	enum weft_status st = WEFT_OK;
	char url[URL_MAX];

	for (size_t i = 0; i < v->listen_count && st == WEFT_OK; i++) {
		bool is_unix = !strncmp(v->listen[i], "unix:", 5);

		if (w->index && is_unix)
			continue;
		if (w->index) {
			st = weft_vhost_listen(w->vhost, v->bound[i], err);
			continue;
		}
		snprintf(url, sizeof(url), "%s%s", is_unix ? "http+" : "", v->listen[i]);
		st = weft_vhost_listen(w->vhost, url, err);
		if (st == WEFT_OK)
			st = weft_vhost_listener(w->vhost, i, v->bound[i], URL_MAX);
	}
	return st;
}

static void set_access_log(struct worker *w, struct weft_vhost_options *o)
{
	w->access_log = access_log_begin(w->ctx);
	if (!w->access_log)
		fprintf(stderr, "weft serve: no memory for the access log of worker %u\n",
			w->index);
	o->on_access = w->access_log ? access_log_add : NULL;
	o->access_user = w->access_log;
}

static enum weft_status come_up(struct worker *w, struct weft_error *err)
{
	struct serve *v = w->serve;
	struct weft_context_options c = v->context;
	struct weft_vhost_options o = { .name = "localhost", .routes = w->routes };
	enum weft_status st;

	o.roles = v->roles[0] ? v->roles : NULL;
	c.registry = v->registry;
	c.reuse_port = v->worker_count > 1;
	st = weft_context_create(&c, &w->ctx, err);
	if (st)
		return st;
	w->started_us = weft_context_now(w->ctx);
	set_routes(w);
	serve_tls_options(&v->tls, &o);
	set_credential(v, &o.credential);
	/* or whoever comes back to another worker would be a stranger */
	if (v->worker_count > 1 && !v->tls.secret_file && !v->tls.no_tickets && resumes(w->ctx))
		o.ticket_secret = (struct weft_span){ v->tls.secret, sizeof(v->tls.secret) };
	o.body_max = v->body_max;
	if (v->access_path)
		set_access_log(w, &o);
	st = weft_vhost_create(w->ctx, &o, &w->vhost, err);
	if (st == WEFT_OK)
		st = listen_all(w, err);
	if (st == WEFT_OK)
		st = serve_files_vhosts(&v->files, w->ctx, w->vhost, &o, w->named, err);
	if (st) {
		weft_context_destroy(w->ctx, 0, NULL, NULL);
		access_log_end(w->access_log);
		w->ctx = NULL;
	}
	return st;
}

/* Its state, and what others may know of it. */
static void turn_to(struct worker *w, enum worker_state state)
{
	pthread_mutex_lock(&w->serve->lock);
	w->state = state;
	if (state == WORKER_UP)
		w->id = weft_context_id(w->ctx);
	else if (state == WORKER_ENDED && w->ctx)
		weft_context_counters(w->ctx, &w->last);
	pthread_cond_broadcast(&w->serve->changed);
	pthread_mutex_unlock(&w->serve->lock);
}

static enum worker_state state_of(struct worker *w)
{
	enum worker_state state;

	pthread_mutex_lock(&w->serve->lock);
	while (w->state == WORKER_STARTING)
		pthread_cond_wait(&w->serve->changed, &w->serve->lock);
	state = w->state;
	pthread_mutex_unlock(&w->serve->lock);
	return state;
}

/* ---- running, and the end ---- */

static void drained(void *user)
{
	struct worker *w = user;

	turn_to(w, WORKER_ENDED);
	weft_context_destroy(w->ctx, 0, NULL, NULL);
}

static void drain(void *arg)
{
	struct worker *w = arg;

	weft_context_drain(w->ctx, (uint32_t)w->serve->drain_seconds * 1000, drained, w);
}

void workers_drain(struct serve *v)
{
	for (unsigned long i = 0; i < v->worker_count; i++) {
		struct worker *w = &v->workers[i];

		if (state_of(w) == WORKER_UP && weft_post(w->id, drain, w, NULL) == WEFT_ERR_MEMORY)
			fprintf(stderr, "weft serve: no memory to end worker %u\n", w->index);
	}
}

static void run(struct worker *w)
{
	enum weft_status st = weft_context_run(w->ctx);

	if (st == WEFT_OK) {
		access_log_end(w->access_log);
		return;
	}
	/* the loop itself failed: the others shall not go on as if nothing were missing */
	weft_error_set(&w->err, st, 0, "worker %u: its event loop failed", w->index);
	turn_to(w, WORKER_ENDED);
	weft_context_destroy(w->ctx, 0, NULL, NULL);
	access_log_end(w->access_log);
	workers_drain(w->serve);
}

static void *work(void *arg)
{
	struct worker *w = arg;
	enum weft_status st = come_up(w, &w->err);

	turn_to(w, st ? WORKER_ENDED : WORKER_UP);
	if (st == WEFT_OK)
		run(w);
	return NULL;
}

/* One after the other: the first has loaded all plugins when the next asks for them. */
static enum weft_status start_one(struct worker *w)
{
	enum weft_status st = WEFT_OK;

	turn_to(w, WORKER_STARTING);
	if (!w->index) {
		st = come_up(w, &w->err);
		turn_to(w, st ? WORKER_ENDED : WORKER_UP);
		return st;
	}
	if (pthread_create(&w->thread, NULL, work, w)) {
		st = weft_error_set(
			&w->err, WEFT_ERR_LIMIT, 0, "no thread for worker %u", w->index);
		turn_to(w, WORKER_ENDED);
		return st;
	}
	w->joinable = true;
	return state_of(w) == WORKER_UP ? WEFT_OK : w->err.status;
}

/* The first that was wrong says what. */
static enum weft_status finish(struct serve *v, struct weft_error *err)
{
	enum weft_status st = WEFT_OK;

	for (unsigned long i = 0; i < v->worker_count; i++) {
		struct worker *w = &v->workers[i];

		if (w->joinable)
			pthread_join(w->thread, NULL);
		if (st == WEFT_OK && w->err.status) {
			st = w->err.status;
			*err = w->err;
		}
	}
	return st;
}

enum weft_status workers_start(struct serve *v, struct weft_error *err)
{
	enum weft_status st = WEFT_OK;

	route_init();
	for (unsigned i = 0; i < v->worker_count; i++) {
		v->workers[i].serve = v;
		v->workers[i].index = i;
	}
	for (unsigned i = 0; i < v->worker_count && st == WEFT_OK; i++)
		st = start_one(&v->workers[i]);
	return st ? workers_run(v, err) : WEFT_OK;
}

enum weft_status workers_run(struct serve *v, struct weft_error *err)
{
	for (unsigned long i = 0; i < v->worker_count; i++) {
		if (state_of(&v->workers[i]) == WORKER_UP)
			continue;
		workers_drain(v); /* one has failed before the last was up */
		break;
	}
	if (state_of(&v->workers[0]) == WORKER_UP)
		run(&v->workers[0]);
	return finish(v, err);
}

/* ---- reloading: one after the other, so that a mistake is told once ---- */

static void reload(void *arg);

static void reload_next(struct serve *v, unsigned long index)
{
	struct worker *w = &v->workers[index];

	if (index < v->worker_count && weft_post(w->id, reload, w, NULL) == WEFT_ERR_MEMORY)
		fprintf(stderr, "weft serve: no memory to reload\n");
}

static void reload(void *arg)
{
	struct worker *w = arg;
	struct serve *v = w->serve;
	struct weft_credential c = { .ocsp_file = v->tls.ocsp };
	struct weft_error err;
	enum weft_status st = WEFT_OK;

	set_credential(v, &c);
	if (v->cert)
		st = weft_vhost_reload(w->vhost, &c, &err);
	for (size_t i = 0; v->cert && i < v->files.named_count && st == WEFT_OK; i++)
		st = weft_vhost_reload(w->named[i], &c, &err);
	if (st) {
		fprintf(stderr,
			"weft serve: reload: %s, %s: %s; what could not be replaced stays in use\n",
			v->cert, v->key, err.text);
		return;
	}
	weft_log(w->ctx, WEFT_LOG_INFO, "worker %u: %s", w->index,
		v->cert ? "certificate and key were read again" : "there is nothing to reload");
	reload_next(v, w->index + 1UL);
}

void workers_reload(struct serve *v)
{
	reload_next(v, 0);
}
