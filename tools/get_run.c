/* SPDX-License-Identifier: MIT */
/* weft get: one request at a time, from opening to what is counted of it. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "get.h"

struct request {
	struct get *get;
	struct weft_stream *stream;
	const char *url;
	unsigned char *buffer; /* of a streamed body, with what is not written yet */
	size_t at, len;
	int fd;
	bool body_ended, headed;
};

enum { PIECE = 65536 };

static void on_head(
	struct weft_stream *s, const struct weft_head *head, enum weft_head_kind kind, void *user)
{
	struct request *r = user;
	struct get *g = r->get;

	(void)s;
	if (kind != WEFT_HEAD_FINAL)
		return;
	r->headed = true;
	g->headless--;
	/* the last one, and the first, in case that the last never comes */
	if ((g->o.json || g->o.explain) &&
		(!g->during.taken || (g->started == g->total && !g->headless)))
		get_sample_take(g, &g->during);
	g->statuses[head->status % 1000]++;
	g->expected = head->body_len;
	if (head->version == 20)
		snprintf(g->protocol, sizeof(g->protocol), "h2");
	else
		snprintf(g->protocol, sizeof(g->protocol), "http/%u.%u", head->version / 10,
			head->version % 10);
}

static size_t on_data(struct weft_stream *s, const void *bytes, size_t len, void *user)
{
	struct get *g = ((struct request *)user)->get;

	(void)s;
	g->bytes += len;
	if (g->out && fwrite(bytes, 1, len, g->out) != len)
		g->write_failed = true;
	return len;
}

/* Reads the next piece of a body. AGAIN: there is nothing yet, and the response may be coming. */
static enum weft_status read_piece(struct request *r)
{
	struct pollfd p = { .fd = r->fd, .events = POLLIN };
	ssize_t n;

	if (!poll(&p, 1, 0))
		return WEFT_AGAIN;
	n = read(r->fd, r->buffer, PIECE);
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return WEFT_AGAIN;
	if (n < 0) {
		fprintf(stderr, "weft get: --data-file %s: %s\n", r->get->o.data_file,
			strerror(errno));
		return WEFT_ERR_IO;
	}
	r->at = 0;
	r->len = (size_t)n;
	r->body_ended = !n;
	return WEFT_OK;
}

/* Sends what can be sent of a streamed body. */
static void send_body(struct weft_stream *s, void *user)
{
	struct request *r = user;
	enum weft_status st;

	r->get->starved = NULL;
	while (!r->body_ended) {
		r->at += weft_stream_write(s, r->buffer + r->at, r->len - r->at);
		if (r->at < r->len)
			return;
		st = read_piece(r);
		if (st == WEFT_AGAIN)
			r->get->starved = r;
		else if (st)
			weft_stream_close(s);
		if (st)
			return;
	}
	weft_stream_finish(s);
}

void get_feed(struct get *g)
{
	if (g->starved)
		send_body(g->starved->stream, g->starved);
}

/* A regular file can be read again; a pipe cannot. */
static enum weft_status rewind_body(struct weft_stream *s, void *user)
{
	struct request *r = user;

	if (r->fd < 0 || lseek(r->fd, 0, SEEK_SET) < 0)
		return WEFT_ERR_NOT_REPLAYABLE;
	r->at = r->len = 0;
	r->body_ended = false;
	send_body(s, r);
	return WEFT_OK;
}

void get_count_error(struct get *g, const char *url, const struct weft_error *why)
{
	struct get_error *e;

	g->failed++;
	if (why->status == WEFT_ERR_VERIFY)
		g->verify_failed = true;
	for (size_t i = 0; i < g->error_count; i++) {
		e = &g->errors[i];
		if (e->url == url && e->status == why->status && !strcmp(e->cause, why->text)) {
			e->count++;
			return;
		}
	}
	fprintf(stderr, "weft get: %s: %s: %s\n", url, weft_status_name(why->status), why->text);
	if (g->error_count == ERRORS_MAX)
		return;
	e = &g->errors[g->error_count++];
	e->url = url;
	e->status = why->status;
	e->count = 1;
	memcpy(e->cause, why->text, sizeof(e->cause));
}

static void free_request(struct request *r)
{
	if (r->fd > 0)
		close(r->fd);
	free(r->buffer);
	free(r);
}

static void on_close(struct weft_stream *s, const struct weft_error *why, void *user)
{
	struct request *r = user;
	struct get *g = r->get;

	g->running--;
	g->headless -= !r->headed;
	if (g->starved == r)
		g->starved = NULL;
	if (g->o.explain)
		get_explain(s, r->url);
	if (!why->status)
		g->ok++;
	else if (!g->given_up)
		get_count_error(g, r->url, why);
	free_request(r);
}

static const struct weft_stream_ops ops = {
	.on_head = on_head,
	.on_data = on_data,
	.on_close = on_close,
};

static const struct weft_stream_ops streaming_ops = {
	.on_head = on_head,
	.on_data = on_data,
	.on_writable = send_body,
	.body_rewind = rewind_body,
	.on_close = on_close,
};

static struct request *make_request(struct get *g, const char *url)
{
	struct request *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->get = g;
	r->url = url;
	r->fd = -1;
	if (!g->body_streamed)
		return r;
	r->buffer = malloc(PIECE);
	r->fd = strcmp(g->o.data_file, "-") ? open(g->o.data_file, O_RDONLY | O_CLOEXEC) : 0;
	if (!r->buffer || r->fd < 0) {
		int why = errno;

		free_request(r);
		errno = why;
		return NULL;
	}
	return r;
}

/* Without id it is nobody, and believes whom the system believes. */
static struct weft_request describe(
	const struct get *g, const char *url, const struct get_identity *id)
{
	return (struct weft_request){
		.url = url,
		.method = g->o.method || (!g->body && !g->body_streamed) ? g->o.method : "POST",
		.fields = g->o.headers,
		.field_count = g->o.header_count,
		.body = { g->body, g->body_len },
		.body_later = g->body_streamed,
		.body_later_len = g->streamed_len,
		.share = WEFT_SHARE_POOL,
		.trust = id ? &id->trust : NULL,
		.credential = id && g->o.cert ? &id->credential : NULL,
		.allow = g->o.insecure ? WEFT_TLS_ALLOW_ALL : 0,
		.stream = { .proxy = g->o.proxy, .alpn = g->o.alpn, .coalesce = g->o.coalesce },
	};
}

static enum weft_status start(struct get *g, const char *url, struct weft_error *err)
{
	struct get_identity id;
	struct weft_request request = describe(g, url, get_has_trust(&g->o) ? &id : NULL);
	const struct weft_stream_ops *to = g->body_streamed ? &streaming_ops : &ops;
	struct request *r = make_request(g, url);
	enum weft_status st;

	get_identify(&g->o, &id);
	if (!r)
		return weft_error_set(err, WEFT_ERR_IO, errno, "%s: %s",
			g->o.data_file ? g->o.data_file : "request", strerror(errno));
	if (g->policy)
		st = get_open_policy(g, url, to, r, &r->stream, err);
	else
		st = weft_http_open(g->ctx, &request, to, r, &r->stream, err);
	if (st) {
		free_request(r);
		return st;
	}
	g->running++;
	g->headless++;
	if (g->body_streamed)
		send_body(r->stream, r);
	return WEFT_OK;
}

/* The trust is made at opening, so that its file counts too. */
static enum weft_status rehearse(const struct get *g, struct weft_context *ctx, const char *url,
	const struct get_identity *id, struct weft_error *err)
{
	static const struct weft_stream_ops silent = { .on_head = NULL };
	struct weft_request request = describe(g, url, id);
	struct weft_stream *s;

	request.hold = id ? WEFT_HOLD_STREAM : WEFT_HOLD_CONNECTION;
	return weft_http_open(ctx, &request, &silent, NULL, &s, err);
}

/* In a context of its own that never runs. */
bool get_rehearse(const struct get *g)
{
	const char *file = g->o.cacert ? g->o.cacert : g->o.cert ? g->o.cert : "--pin";
	struct get_identity id;
	struct weft_context_options options = g->o.context;
	struct weft_context *ctx;
	struct weft_error err;
	enum weft_status st;

	get_identify(&g->o, &id);
	options.max_queue = 2 * URLS_MAX;
	st = weft_context_create(&options, &ctx, &err);
	if (st) {
		fprintf(stderr, "weft get: %s\n", err.text);
		return false;
	}
	for (size_t i = 0; i < g->o.url_count && st == WEFT_OK; i++) {
		st = rehearse(g, ctx, g->o.urls[i], NULL, &err);
		if (st == WEFT_OK && get_has_trust(&g->o)) {
			st = rehearse(g, ctx, g->o.urls[i], &id, &err);
			if (st && !strstr(err.text, file))
				weft_error_prefix(&err, "%.100s", file);
		}
		if (st && strstr(err.text, g->o.urls[i]))
			fprintf(stderr, "weft get: %s\n", err.text);
		else if (st)
			fprintf(stderr, "weft get: %s: %s\n", g->o.urls[i], err.text);
	}
	weft_context_destroy(ctx, 0, NULL, NULL);
	return st == WEFT_OK;
}

void get_fill(struct get *g)
{
	struct weft_error err;

	while (g->started < g->total && g->running < g->o.parallel) {
		const char *url = g->o.urls[g->started++ % g->o.url_count];

		if (start(g, url, &err))
			get_count_error(g, url, &err);
	}
}
