/* SPDX-License-Identifier: MIT */
/*
 * A TCP echo server. It never holds more than Weft's own buffers: a peer that sends and does not read
 * is read no further, and one that has ended its direction still gets all of its bytes back.
 */
#include <signal.h>
#include <stdio.h>

#include "weft/weft.h"

static volatile sig_atomic_t stopped;

static void on_signal(int sig)
{
	(void)sig;
	stopped = 1;
}

/* What the write does not take stays with the stream, which is paused. */
static size_t on_data(struct weft_stream *s, const void *bytes, size_t len, void *user)
{
	(void)user;
	return weft_stream_write(s, bytes, len);
}

static void on_writable(struct weft_stream *s, void *user)
{
	(void)user;
	weft_stream_resume(s);
}

/* The peer has said all: so have we, once what was written is out. */
static void on_end(struct weft_stream *s, void *user)
{
	(void)user;
	weft_stream_finish(s);
}

static void on_close(struct weft_stream *s, const struct weft_error *why, void *user)
{
	(void)s;
	(void)user;
	if (why->status)
		weft_error_print(stderr, why);
}

static const struct weft_stream_ops echo_ops = {
	.on_data = on_data,
	.on_end = on_end,
	.on_writable = on_writable,
	.on_close = on_close,
};

/* A raw stream has no path: the empty prefix fits it. */
static enum weft_status on_stream(struct weft_stream *s, void *user)
{
	weft_stream_set_ops(s, &echo_ops, user);
	return WEFT_OK;
}

static const struct weft_route routes[] = {
	{ .prefix = "", .on_request = on_stream },
	{ .on_request = NULL },
};

static enum weft_status start(struct weft_context *ctx, const char *port, struct weft_error *err)
{
	struct weft_vhost_options options = { .name = "echo", .routes = routes };
	struct weft_vhost *vhost;
	enum weft_status st;
	char url[64];

	snprintf(url, sizeof(url), "tcp://127.0.0.1:%s", port);
	options.listen = url;
	st = weft_vhost_create(ctx, &options, &vhost, err);
	if (st == WEFT_OK)
		st = weft_vhost_listener(vhost, 0, url, sizeof(url));
	if (st)
		return st;
	printf("listening %s\n", url);
	fflush(stdout);
	return WEFT_OK;
}

int main(int argc, char **argv)
{
	struct weft_context_options options = { .tls = "none" };
	struct weft_context *ctx;
	struct weft_error err;

	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	if (weft_context_create(&options, &ctx, &err)) {
		weft_error_print(stderr, &err);
		return 1;
	}
	if (start(ctx, argc > 1 ? argv[1] : "7007", &err)) {
		weft_error_print(stderr, &err);
		weft_context_destroy(ctx, 0, NULL, NULL);
		return 1;
	}
	while (!stopped && weft_context_turn(ctx, 200) == WEFT_OK)
		continue;
	/* what runs may finish within a second */
	weft_context_destroy(ctx, 1000, NULL, NULL);
	return weft_context_run(ctx) == WEFT_OK ? 0 : 1;
}
